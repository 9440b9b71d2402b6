/* Sending a reply: status line, headers, conditional requests. */
#include "base/memory/array.h"
#include "server/http/exchange.h"

#include <assert.h>

enum { HTTP_1_1 = 0x101 }; /* libh2o's encoding of the version */

static void add_header(h2o_req_t *req, Str name, Str value)
{
    h2o_add_header_by_str(&req->pool, &req->res.headers, name.data, name.len, 1, NULL, value.data,
                          value.len);
}

static const char *reason_of(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {302, "Found"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {413, "Payload Too Large"},
        {415, "Unsupported Media Type"},
        {422, "Unprocessable Entity"},
        {429, "Too Many Requests"},
        {500, "Internal Server Error"},
        {503, "Service Unavailable"},
    };
    for (size_t i = 0; i < COUNT_OF(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return status < 400 ? "OK" : "Error";
}

void exchange_start_response(struct exchange *exchange)
{
    h2o_req_t *req = exchange->req;
    const struct reply *reply = &exchange->reply;
    req->res.status = reply->status;
    req->res.reason = reason_of(reply->status);
    req->compress_hint = H2O_COMPRESS_HINT_DISABLE;
    /* A stream has no length, and HTTP/1.0 has no chunks: closing the connection ends it. */
    bool ends_with_it = reply->is_streaming && req->version < HTTP_1_1;
    if (exchange->server->is_draining || exchange->must_close || ends_with_it)
        req->http1_is_persistent = 0;
    if (reply->content_type.len > 0)
        h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL,
                       reply->content_type.data, reply->content_type.len);
    add_header(req, STR("x-content-type-options"), STR("nosniff"));
    add_header(req, STR("referrer-policy"), STR("no-referrer"));
    for (uint32_t i = 0; i < reply->header_count; i++)
        add_header(req, reply->headers[i].name, reply->headers[i].value);
    h2o_start_response(req, &exchange->generator);
}

/* By hand: printf would cost more than the hash. */
static char *put_hex(char *at, uint64_t value, int digits)
{
    for (int i = digits - 1; i >= 0; i--)
        *at++ = "0123456789abcdef"[(value >> (4 * i)) & 15];
    return at;
}

/* A large body is hashed in pieces, yielding in between. */
static fiber_fn uint64_t hash_of(Str body)
{
    enum { PIECE = 1024 * 1024 };
    uint64_t hash = 0;
    for (size_t at = 0; at < body.len; at += PIECE) {
        fiber_pause();
        hash = (hash << 7 | hash >> 57) ^ str_hash(str_slice(body, at, at + PIECE));
    }
    return hash;
}

/* A weak ETag, as in Directus: the length and a hash of the bytes. Keyed per process, so a restart
 * costs clients one full answer. */
static fiber_fn Str etag_of(struct arena *arena, Str body)
{
    enum { ROOM = 48, HASH_DIGITS = 16 };
    char *text = arena_alloc_raw(arena, ROOM);
    char *at = text;
    *at++ = 'W';
    *at++ = '/';
    *at++ = '"';
    int len_digits = 1;
    while (body.len >> (4 * len_digits) > 0)
        len_digits++;
    at = put_hex(at, body.len, len_digits);
    *at++ = '-';
    at = put_hex(at, hash_of(body), HASH_DIGITS);
    *at++ = '"';
    return str_of(text, (size_t)(at - text));
}

/* If-None-Match is a list and compares weakly; our tags hold no commas. */
static bool is_known(const struct exchange *exchange, Str etag)
{
    Str rest = request_header(&exchange->request, STR("if-none-match"));
    Str part;
    while (str_next(&rest, ',', &part)) {
        part = str_trim(part);
        if (str_eq(part, STR("*")) || str_eq(part, etag) ||
            str_eq(part, str_slice(etag, 2, etag.len)))
            return true;
    }
    return false;
}

fiber_fn void exchange_make_conditional(struct exchange *exchange)
{
    struct reply *reply = &exchange->reply;
    if (reply->is_streaming)
        return;
    bool is_get = str_eq(exchange->request.method, STR("GET")) || exchange->is_head;
    if (!is_get || reply->status != 200 || reply->body->len == 0 ||
        reply_has_header(reply, STR("cache-control")))
        return;
    Str etag = etag_of(exchange->arena, buf_str(reply->body));
    reply_header(reply, STR("cache-control"), STR("no-cache"));
    reply_header(reply, STR("etag"), etag);
    if (is_known(exchange, etag)) {
        reply->status = 304;
        reply->content_type = STR_NONE;
        buf_clear(reply->body);
    }
}

void exchange_send(struct exchange *exchange)
{
    if (exchange->req == NULL)
        return;
    if (exchange->reply.is_streaming) {
        exchange_end_stream(exchange);
        return;
    }
    exchange_send_body(exchange);
}
