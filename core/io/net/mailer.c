#include "io/net/mailer.h"

#include "base/system/clock.h"
#include "base/system/range.h"
#include "io/fiber/loop.h"
#include "io/net/http_pool.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdlib.h>

/* Relays limit connections per client. */
enum { MAILS_AT_ONCE = 4, CONNECT_MAX_MS = 10 * 1000 };

struct mailer {
    struct loop *loop;
    struct http_pool *pool; /* created with the first mail: most threads never send one */
    struct gate gate;
};

/* One mail in progress; allocated in the frame of its fiber. */
struct sending {
    struct ctx *ctx;
    Str left; /* the unsent part of the message */
    CURL *easy;
    struct curl_slist *recipients;
    struct wait wait;
    int code;
};

struct mailer *mailer_new(struct loop *loop)
{
    struct mailer *mailer = calloc(1, sizeof(*mailer));
    if (mailer == NULL)
        abort();
    mailer->loop = loop;
    gate_init(&mailer->gate, MAILS_AT_ONCE);
    return mailer;
}

void mailer_free(struct mailer *mailer)
{
    if (mailer == NULL)
        return;
    http_pool_free(mailer->pool);
    free(mailer);
}

static size_t on_read(char *out, size_t size, size_t count, void *arg)
{
    struct sending *sending = arg;
    size_t len = min_size(size * count, sending->left.len);
    memcpy(out, sending->left.data, len);
    sending->left = str_slice(sending->left, len, sending->left.len);
    return len;
}

/* Only the reply codes of the server are used; its text is dropped. */
static size_t on_write(char *data, size_t size, size_t count, void *arg)
{
    (void)data;
    (void)arg;
    return size * count;
}

static void on_done(void *arg, int code)
{
    struct sending *sending = arg;
    sending->code = code;
    wait_end(&sending->wait, OK);
}

static char *bracketed(struct ctx *ctx, Str address)
{
    assert(mail_address_is_plain(address));
    return str_z(ctx->arena, str_printf(ctx->arena, "<%.*s>", STR_FMT(address)));
}

static void set_relay(struct sending *sending, const struct relay *relay)
{
    CURL *easy = sending->easy;
    struct arena *arena = sending->ctx->arena;
    curl_easy_setopt(easy, CURLOPT_URL, str_z(arena, relay->url));
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_USE_SSL,
                     (long)(relay->needs_tls ? CURLUSESSL_ALL : CURLUSESSL_TRY));
    if (relay->user.len > 0) {
        curl_easy_setopt(easy, CURLOPT_USERNAME, str_z(arena, relay->user));
        curl_easy_setopt(easy, CURLOPT_PASSWORD, str_z(arena, relay->password));
    }
}

static void set_up(struct sending *sending, const struct relay *relay, const struct mail *mail)
{
    assert(sending->recipients == NULL);
    CURL *easy = sending->easy;
    struct ctx *ctx = sending->ctx;
    int64_t left_ms = (ctx->deadline_us - clock_now_us()) / MS_US + 1;
    set_relay(sending, relay);
    for (uint32_t i = 0; i < mail->to_count; i++)
        sending->recipients = curl_slist_append(sending->recipients, bracketed(ctx, mail->to[i]));
    curl_easy_setopt(easy, CURLOPT_MAIL_FROM, bracketed(ctx, mail->from));
    curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, sending->recipients);
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(easy, CURLOPT_READDATA, sending);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)sending->left.len);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)max_i64(left_ms, 1));
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MAX_MS);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
}

static Err conclude(struct sending *sending)
{
    struct ctx *ctx = sending->ctx;
    CURLcode code = (CURLcode)sending->code;
    long reply = 0;
    curl_easy_getinfo(sending->easy, CURLINFO_RESPONSE_CODE, &reply);
    if (code == CURLE_OK)
        return OK;
    if (code == CURLE_OPERATION_TIMEDOUT)
        TRY(fiber_check(ctx));
    bool is_final = (reply >= 500 && reply < 600) || code == CURLE_LOGIN_DENIED ||
                    code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL ||
                    code == CURLE_USE_SSL_FAILED;
    return fail(ctx, is_final ? ERR_OUTBOUND_REFUSED : ERR_UNAVAILABLE,
                "The mail relay refused the message: %s (its last reply was %ld).",
                curl_easy_strerror(code), reply);
}

static fiber_fn Err run(struct sending *sending, struct http_pool *pool)
{
    assert(sending->easy != NULL);
    struct http_transfer transfer = {on_done, sending};
    sending->wait = wait_begin();
    if (http_pool_add(pool, sending->easy, &transfer) != 0)
        return fail(sending->ctx, ERR_INTERNAL, "the mail could not be started");
    Err err = fiber_wait(sending->ctx, &sending->wait);
    http_pool_remove(pool, sending->easy);
    return err == OK ? conclude(sending) : err;
}

fiber_fn Err mail_send(struct ctx *ctx, struct mailer *mailer, const struct relay *relay,
                       const struct mail *mail)
{
    assert(ctx->deadline_us != 0 && mail->to_count > 0);
    struct buf *message = buf_in_arena(ctx->arena, MAIL_BYTES_MAX);
    mail_write(message, mail);
    TRY(buf_check(ctx, message, "The mail"));
    TRY(gate_enter(ctx, &mailer->gate));
    struct gate *SCOPED_GATE inside = &mailer->gate;
    (void)inside;
    if (mailer->pool == NULL)
        mailer->pool = http_pool_new(mailer->loop);
    struct sending sending = {.ctx = ctx, .left = buf_str(message), .easy = curl_easy_init()};
    if (sending.easy == NULL)
        abort();
    set_up(&sending, relay, mail);
    Err err = run(&sending, mailer->pool);
    curl_easy_cleanup(sending.easy);
    curl_slist_free_all(sending.recipients);
    return err;
}
