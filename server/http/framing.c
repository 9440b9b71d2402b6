#include "server/http/framing.h"

#include "base/memory/array.h"
#include "base/system/range.h"
#include "base/text/ascii.h"

#include <assert.h>

enum { LENGTH_DIGITS_MAX = 18 };

/* A bitmap of characters. */
typedef struct CharSet {
    uint64_t bits[4];
} CharSet;

static const CharSet TOKEN = {{0x3ff6cfa00000000, 0x57ffffffc7fffffe, 0, 0}};
/* Host and port, IPv6 in brackets; percent-encoding and sub-delimiters except the comma; and UTF-8,
 * which some clients send for internationalised names. */
static const CharSet HOST = {{0x2fff6ff200000000, 0x47fffffeaffffffe, UINT64_MAX, UINT64_MAX}};

static enum refusal line_read(struct head *head, const char *bytes, Str line);
static enum refusal request_line_read(struct head *head, const char *bytes, Str line);
static enum refusal target_read(struct head *head, const char *bytes, Str method, Str target);
static enum refusal field_read(struct head *head, const char *bytes, Str line);
static enum refusal length_read(struct head *head, Str value);
static enum refusal coding_read(struct head *head, Str value);
static enum refusal head_finish(struct head *head, const char *bytes);

const struct refusal_info *refusal_info(enum refusal refusal)
{
    static const struct refusal_info infos[] = {
        [REFUSAL_NONE] = {200, "NONE", "", ""},
#define REFUSAL(name_, status_, code_, sentence_)                                                  \
    [REFUSAL_##name_] = {(status_), #name_, (code_), (sentence_)},
#include "server/http/framing.def"
#undef REFUSAL
    };
    assert(refusal < REFUSAL_COUNT);
    return &infos[refusal];
}

static bool is_in(const CharSet *set, char c)
{
    unsigned char byte = (unsigned char)c;
    return set->bits[byte >> 6] >> (byte & 63) & 1;
}

static bool all_in(const CharSet *set, Str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_in(set, s.data[i]))
            return false;
    return true;
}

/* Space, visible characters and non-ASCII bytes; a tab if `tab` is one. */
static bool is_text(Str s, char tab)
{
    unsigned bad = 0;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char byte = (unsigned char)s.data[i];
        bad |= (unsigned)((byte < ' ' && s.data[i] != tab) || byte == 0x7f);
    }
    return bad == 0;
}

static struct span span_of(const char *bytes, Str part)
{
    return (struct span){(uint32_t)(part.data - bytes), (uint32_t)part.len};
}

Str head_part(const char *bytes, struct span span)
{
    return str_of(bytes + span.from, span.len);
}

/* Input that begins like TLS or garbage is refused immediately. */
static enum refusal first_byte_read(const struct head *head, const char *bytes, size_t len)
{
    if (head->method.len > 0 || len <= head->start)
        return REFUSAL_NONE;
    char first = bytes[head->start];
    if (first == '\r' || is_in(&TOKEN, first))
        return REFUSAL_NONE;
    return first == '\n' ? REFUSAL_BARE_LF : REFUSAL_REQUEST_LINE;
}

enum refusal head_read(struct head *head, const char *bytes, size_t len)
{
    assert(!head->is_complete && head->searched <= len);
    size_t end = min_size(len, HEAD_MAX);
    while (!head->is_complete) {
        enum refusal refusal = first_byte_read(head, bytes, len);
        if (refusal != REFUSAL_NONE)
            return refusal;
        const char *feed = memchr(bytes + head->searched, '\n', end - head->searched);
        if (feed == NULL) {
            head->searched = (uint32_t)end;
            if (end < HEAD_MAX)
                return REFUSAL_NONE;
            return head->method.len == 0 ? REFUSAL_TARGET_TOO_LONG : REFUSAL_HEAD_TOO_LARGE;
        }
        size_t line_end = (size_t)(feed - bytes);
        if (line_end == head->line || bytes[line_end - 1] != '\r')
            return REFUSAL_BARE_LF;
        head->searched = (uint32_t)line_end + 1;
        refusal = line_read(head, bytes, str_of(bytes + head->line, line_end - 1 - head->line));
        if (refusal != REFUSAL_NONE)
            return refusal;
        head->line = head->searched;
    }
    return REFUSAL_NONE;
}

static enum refusal line_read(struct head *head, const char *bytes, Str line)
{
    if (head->method.len > 0)
        return line.len > 0 ? field_read(head, bytes, line) : head_finish(head, bytes);
    if (line.len > 0)
        return request_line_read(head, bytes, line);
    /* One empty line before the request is allowed: old clients send it after a body. */
    if (head->start > 0)
        return REFUSAL_REQUEST_LINE;
    head->start = head->searched;
    return REFUSAL_NONE;
}

static enum refusal request_line_read(struct head *head, const char *bytes, Str line)
{
    ptrdiff_t space = str_find_char(line, ' ');
    if (space <= 0)
        return REFUSAL_REQUEST_LINE;
    Str method = str_slice(line, 0, (size_t)space);
    Str rest = str_slice(line, (size_t)space + 1, line.len);
    space = str_find_char(rest, ' ');
    if (space <= 0 || !all_in(&TOKEN, method))
        return REFUSAL_REQUEST_LINE;
    Str target = str_slice(rest, 0, (size_t)space);
    Str version = str_slice(rest, (size_t)space + 1, rest.len);
    if (!is_text(target, ' ') || version.len != 8 || !str_starts_with(version, STR("HTTP/")) ||
        version.data[6] != '.')
        return REFUSAL_REQUEST_LINE;
    char major = version.data[5];
    char minor = version.data[7];
    if (major < '0' || major > '9' || minor < '0' || minor > '9')
        return REFUSAL_REQUEST_LINE;
    if (major != '1' || minor > '1')
        return REFUSAL_VERSION;
    head->method = span_of(bytes, method);
    head->is_http_1_0 = minor == '0';
    return target_read(head, bytes, method, target);
}

static void target_take(struct head *head, const char *bytes, Str target)
{
    ptrdiff_t query = str_find_char(target, '?');
    head->target = span_of(bytes, target);
    head->path_len = (uint32_t)(query >= 0 ? (size_t)query : target.len);
}

static enum refusal target_read(struct head *head, const char *bytes, Str method, Str target)
{
    target_take(head, bytes, target);
    if (str_eq(method, STR("CONNECT")))
        return REFUSAL_METHOD;
    if (target.data[0] == '/' || (str_eq(target, STR("*")) && str_eq(method, STR("OPTIONS"))))
        return REFUSAL_NONE;
    size_t scheme = str_eq_nocase(str_slice(target, 0, 7), STR("http://"))    ? 7
                    : str_eq_nocase(str_slice(target, 0, 8), STR("https://")) ? 8
                                                                              : 0;
    size_t end = scheme;
    while (end < target.len && target.data[end] != '/' && target.data[end] != '?')
        end++;
    if (scheme == 0 || end == scheme)
        return REFUSAL_TARGET;
    head->authority = span_of(bytes, str_slice(target, scheme, end));
    target_take(head, bytes, str_slice(target, end, target.len));
    return REFUSAL_NONE;
}

/* Excludes a line, with its end, from the head for libh2o. */
static void leave_out(struct head *head, const char *bytes, Str line)
{
    assert(head->left_out_count < COUNT_OF(head->left_out));
    struct span span = span_of(bytes, line);
    span.len += 2;
    head->left_out[head->left_out_count++] = span;
}

static enum refusal field_read(struct head *head, const char *bytes, Str line)
{
    if (line.data[0] == ' ' || line.data[0] == '\t')
        return REFUSAL_FOLD;
    if (++head->fields > HEAD_FIELDS_MAX)
        return REFUSAL_TOO_MANY_FIELDS;
    size_t colon = 0;
    while (colon < line.len && is_in(&TOKEN, line.data[colon]))
        colon++;
    if (colon == 0 || colon == line.len || line.data[colon] != ':')
        return REFUSAL_FIELD;
    Str name = str_slice(line, 0, colon);
    Str value = str_trim(str_slice(line, colon + 1, line.len));
    if (!is_text(str_slice(line, colon + 1, line.len), '\t'))
        return REFUSAL_FIELD_VALUE;
    if (str_eq_nocase(name, STR("host"))) {
        head->host = span_of(bytes, value);
        if (++head->hosts > 1)
            return REFUSAL_TWO_HOSTS;
        return all_in(&HOST, value) ? REFUSAL_NONE : REFUSAL_HOST;
    }
    bool is_length = str_eq_nocase(name, STR("content-length"));
    bool is_coding = str_eq_nocase(name, STR("transfer-encoding"));
    bool is_expect = str_eq_nocase(name, STR("expect"));
    if (is_expect && (head->expects_continue || !str_eq_nocase(value, STR("100-continue"))))
        return REFUSAL_EXPECTATION;
    head->expects_continue |= is_expect;
    if ((is_length || is_coding) && (head->has_length || head->has_coding))
        return REFUSAL_TWO_LENGTHS;
    if (is_length || is_coding || is_expect)
        leave_out(head, bytes, line);
    return is_length   ? length_read(head, value)
           : is_coding ? coding_read(head, value)
                       : REFUSAL_NONE;
}

static enum refusal length_read(struct head *head, Str value)
{
    head->has_length = true;
    if (value.len == 0 || value.len > LENGTH_DIGITS_MAX)
        return REFUSAL_LENGTH;
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] < '0' || value.data[i] > '9')
            return REFUSAL_LENGTH;
        head->length = head->length * 10 + (uint64_t)(value.data[i] - '0');
    }
    head->body = head->length > 0 ? BODY_COUNTED : BODY_ABSENT;
    return REFUSAL_NONE;
}

/* RFC 9112, 6.1 and 6.3: an unknown coding is 501; a coding that does not end with "chunked", or
 * has it twice, leaves the end of the body undefined, which is 400. */
static enum refusal coding_read(struct head *head, Str value)
{
    head->has_coding = true;
    head->body = BODY_CHUNKED;
    if (str_eq_nocase(value, STR("chunked")))
        return REFUSAL_NONE;
    Str rest = value;
    Str part;
    uint32_t chunked = 0;
    bool is_last = false;
    while (str_next(&rest, ',', &part)) {
        is_last = str_eq_nocase(str_trim(part), STR("chunked"));
        chunked += is_last;
    }
    return is_last && chunked == 1 ? REFUSAL_CODING_UNKNOWN : REFUSAL_CODING;
}

static enum refusal head_finish(struct head *head, const char *bytes)
{
    if (head->hosts == 0 && !head->is_http_1_0)
        return REFUSAL_NO_HOST;
    if (head->authority.len > 0 &&
        !str_eq_nocase(head_part(bytes, head->authority), head_part(bytes, head->host)))
        return REFUSAL_TARGET_HOST;
    if (head->has_coding && head->is_http_1_0)
        return REFUSAL_CODING_OF_HTTP_1_0;
    head->expects_continue &= !head->is_http_1_0 && head->body != BODY_ABSENT;
    head->size = head->searched;
    head->is_complete = true;
    return REFUSAL_NONE;
}

static char *put(char *at, Str s)
{
    if (s.len > 0)
        memcpy(at, s.data, s.len);
    return at + s.len;
}

size_t head_write(const struct head *head, const char *bytes, char *out)
{
    assert(head->is_complete);
    Str target = head_part(bytes, head->target);
    char *at = put(out, head_part(bytes, head->method));
    *at++ = ' ';
    if (target.len == 0 || target.data[0] == '?')
        *at++ = '/'; /* for "http://host?a": still shorter than the original */
    at = put(at, target);
    uint32_t from = head->target.from + head->target.len;
    for (uint32_t i = 0; i < head->left_out_count; i++) {
        at = put(at, str_of(bytes + from, head->left_out[i].from - from));
        from = head->left_out[i].from + head->left_out[i].len;
    }
    at = put(at, str_of(bytes + from, head->size - from));
    assert((size_t)(at - out) <= head->size);
    return (size_t)(at - out);
}

static enum refusal chunk_size_read(struct chunks *chunks, char c)
{
    int digit = ascii_hex_value(c);
    if (digit >= 0 && chunks->digits < CHUNK_DIGITS_MAX) {
        chunks->left = chunks->left << 4 | (uint64_t)digit;
        chunks->digits++;
        return REFUSAL_NONE;
    }
    if (chunks->digits > 0 && c == ';')
        return REFUSAL_CHUNK_EXTENSION;
    if (chunks->digits == 0 || c != '\r')
        return REFUSAL_CHUNK_SIZE;
    chunks->at = CHUNK_SIZE_LF;
    return REFUSAL_NONE;
}

/* All states except chunk data, one character at a time. */
static enum refusal chunk_char_read(struct chunks *chunks, char c)
{
    switch (chunks->at) {
    case CHUNK_SIZE:
        return chunk_size_read(chunks, c);
    case CHUNK_SIZE_LF:
        if (c != '\n')
            return REFUSAL_CHUNK_SIZE;
        chunks->at = chunks->left > 0 ? CHUNK_DATA : CHUNKS_CR;
        return REFUSAL_NONE;
    case CHUNK_CR:
        chunks->at = CHUNK_LF;
        return c == '\r' ? REFUSAL_NONE : REFUSAL_CHUNK_END;
    case CHUNK_LF:
        chunks->at = CHUNK_SIZE;
        chunks->digits = 0;
        return c == '\n' ? REFUSAL_NONE : REFUSAL_CHUNK_END;
    case CHUNKS_CR:
        chunks->at = CHUNKS_LF;
        return c == '\r' ? REFUSAL_NONE : REFUSAL_TRAILER;
    case CHUNKS_LF:
        chunks->is_complete = c == '\n';
        return c == '\n' ? REFUSAL_NONE : REFUSAL_TRAILER;
    case CHUNK_DATA:
        break;
    }
    return REFUSAL_CHUNK_END;
}

enum refusal chunks_read(struct chunks *chunks, const char *bytes, size_t len, size_t *ret_read,
                         char *out, size_t *ret_written)
{
    size_t i = 0;
    size_t written = 0;
    while (i < len && !chunks->is_complete) {
        if (chunks->at == CHUNK_DATA) {
            size_t part = min_size(len - i, chunks->left);
            memmove(out + written, bytes + i, part);
            i += part;
            written += part;
            chunks->left -= part;
            if (chunks->left == 0)
                chunks->at = CHUNK_CR;
            continue;
        }
        enum refusal refusal = chunk_char_read(chunks, bytes[i++]);
        if (refusal != REFUSAL_NONE)
            return refusal;
    }
    *ret_read = i;
    *ret_written = written;
    return REFUSAL_NONE;
}
