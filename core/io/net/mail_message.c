#include "io/net/mail_message.h"

#include "base/system/clock.h"
#include "base/system/ctx.h"
#include "base/text/ascii.h"

#include <assert.h>
#include <time.h>

enum {
    WORD_BYTES = 39,
    LINE_BYTES = 57 /* 52 and 76 characters of base64: no line has more than 76 */
};

static bool is_address_char(char c)
{
    return ascii_is_alnum(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~.", c) != NULL);
}

static bool is_domain_char(char c)
{
    return ascii_is_alnum(c) || c == '-' || c == '.';
}

bool mail_address_is_plain(Str address)
{
    ptrdiff_t at = str_find_char(address, '@');
    if (address.len > MAIL_ADDRESS_MAX || at <= 0 || address.data[0] == '-')
        return false;
    for (size_t i = 0; i < (size_t)at; i++)
        if (!is_address_char(address.data[i]))
            return false;
    Str domain = str_slice(address, (size_t)at + 1, address.len);
    for (size_t i = 0; i < domain.len; i++)
        if (!is_domain_char(domain.data[i]))
            return false;
    return domain.len > 0 && domain.data[0] != '.' && domain.data[domain.len - 1] != '.';
}

static bool is_separator(char c)
{
    return c == ',' || c == ';' || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

Err mail_recipients_parse(struct ctx *ctx, Str text, Str ret[MAIL_RECIPIENTS_MAX],
                          uint32_t *ret_count)
{
    uint32_t count = 0;
    for (size_t at = 0; at < text.len;) {
        size_t from = at;
        while (at < text.len && !is_separator(text.data[at]))
            at++;
        Str address = str_slice(text, from, at);
        at++;
        if (address.len == 0)
            continue;
        if (!mail_address_is_plain(address))
            return fail(ctx, ERR_INVALID_PAYLOAD, "'%.*s' is not a valid e-mail address",
                        STR_FMT(str_cut(address, MAIL_ADDRESS_MAX)));
        if (count == MAIL_RECIPIENTS_MAX)
            return fail(ctx, ERR_INVALID_PAYLOAD, "more than %d recipients", MAIL_RECIPIENTS_MAX);
        ret[count++] = address;
    }
    if (count == 0)
        return fail(ctx, ERR_INVALID_PAYLOAD, "there is no recipient");
    *ret_count = count;
    return OK;
}

static void put_base64(struct buf *out, Str data)
{
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < data.len; i += 3) {
        size_t left = data.len - i;
        uint32_t bits = (uint32_t)(uint8_t)data.data[i] << 16;
        if (left > 1)
            bits |= (uint32_t)(uint8_t)data.data[i + 1] << 8;
        if (left > 2)
            bits |= (uint8_t)data.data[i + 2];
        buf_put_char(out, DIGITS[bits >> 18]);
        buf_put_char(out, DIGITS[bits >> 12 & 63]);
        buf_put_char(out, left > 1 ? DIGITS[bits >> 6 & 63] : '=');
        buf_put_char(out, left > 2 ? DIGITS[bits & 63] : '=');
    }
}

/* Removes control characters, which could affect a client that displays the decoded text. */
static Str without_controls(Str text, char kept[MAIL_SUBJECT_MAX])
{
    assert(text.len <= MAIL_SUBJECT_MAX);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] >= ' ' && text.data[i] != 0x7f)
            kept[len++] = text.data[i];
    return str_of(kept, len);
}

/* Always base64 words, so that a header cannot be injected. */
static void put_subject(struct buf *out, Str subject)
{
    char kept[MAIL_SUBJECT_MAX];
    subject = without_controls(str_cut(subject, MAIL_SUBJECT_MAX), kept);
    buf_put(out, STR("Subject: "));
    for (bool is_first = true; is_first || subject.len > 0; is_first = false) {
        Str word = str_cut(subject, WORD_BYTES);
        if (word.len == 0)
            word = str_slice(subject, 0, WORD_BYTES); /* invalid UTF-8 */
        buf_put(out, is_first ? STR("=?UTF-8?B?") : STR("\r\n =?UTF-8?B?"));
        put_base64(out, word);
        buf_put(out, STR("?="));
        subject = str_slice(subject, word.len, subject.len);
    }
    buf_put(out, STR("\r\n"));
}

static void put_date(struct buf *out, int64_t wall_us)
{
    static const char *const DAYS[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const MONTHS[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)(wall_us / SECOND_US);
    struct tm tm = {0};
    if (gmtime_r(&seconds, &tm) == NULL)
        return;
    buf_printf(out, "Date: %s, %02d %s %d %02d:%02d:%02d +0000\r\n", DAYS[tm.tm_wday], tm.tm_mday,
               MONTHS[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void put_field(struct buf *out, const char *name, Str value)
{
    buf_put_z(out, name);
    buf_put(out, STR(": "));
    buf_put(out, value);
    buf_put(out, STR("\r\n"));
}

static void put_recipients(struct buf *out, const struct mail *mail)
{
    buf_put(out, STR("To: "));
    for (uint32_t i = 0; i < mail->to_count; i++) {
        assert(mail_address_is_plain(mail->to[i]));
        buf_put(out, i == 0 ? STR("") : STR(",\r\n "));
        buf_put(out, mail->to[i]);
    }
    buf_put(out, STR("\r\n"));
}

static void put_key(struct buf *out, const struct mail *mail)
{
    for (size_t i = 0; i < mail->key.len; i++)
        assert(is_domain_char(mail->key.data[i]) && mail->key.data[i] != '.');
    ptrdiff_t at = str_find_char(mail->from, '@');
    assert(at > 0);
    Str domain = str_slice(mail->from, (size_t)at + 1, mail->from.len);
    buf_printf(out, "Message-ID: <%.*s@%.*s>\r\n", STR_FMT(mail->key), STR_FMT(domain));
    put_field(out, "Idempotency-Key", mail->key);
}

void mail_write(struct buf *out, const struct mail *mail)
{
    assert(mail_address_is_plain(mail->from) && mail->to_count > 0);
    put_field(out, "From", mail->from);
    put_recipients(out, mail);
    if (mail_address_is_plain(mail->reply_to))
        put_field(out, "Reply-To", mail->reply_to);
    put_subject(out, mail->subject);
    put_date(out, mail->wall_us);
    put_key(out, mail);
    buf_put(out, STR("Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
                     "Content-Type: text/plain; charset=utf-8\r\n"
                     "Content-Transfer-Encoding: base64\r\n\r\n"));
    for (size_t at = 0; at < mail->text.len; at += LINE_BYTES) {
        put_base64(out, str_slice(mail->text, at, at + LINE_BYTES));
        buf_put(out, STR("\r\n"));
    }
}
