/* Static pages over h2o: content negotiation, conditional requests, headers. */
#include "base/settings/settings.h"
#include "server/http/exchange.h"
#include "server/pages/pages.h"

#include <string.h>

enum { GZIP_QUALITY = 9, GZIP_SIZE_MIN = 512 };

/* No inline script or style, no other origin, no framing by others. The article preview is a srcdoc
 * frame without scripts and inherits this policy. */
#define PAGE_POLICY                                                                                \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "              \
    "font-src 'self'; connect-src 'self'; frame-src 'self'; base-uri 'none'; "                     \
    "form-action 'none'; frame-ancestors 'none'"

struct pages_handler {
    h2o_handler_t handler; /* must be first: h2o passes it back */
    size_t prefix_len;
    Str index; /* "admin/": the root of the pages, as a relative path */
    struct pages pages;
};

static int on_request(h2o_handler_t *handler, h2o_req_t *req);

static void on_dispose(h2o_handler_t *handler)
{
    arena_destroy(((struct pages_handler *)handler)->pages.arena);
}

static Str gzip(struct arena *arena, Str bytes)
{
    if (bytes.len < GZIP_SIZE_MIN)
        return STR_NONE;
    h2o_mem_pool_t pool;
    h2o_mem_init_pool(&pool);
    h2o_compress_context_t *context = h2o_compress_gzip_open(&pool, GZIP_QUALITY);
    h2o_iovec_t in = h2o_iovec_init(bytes.data, bytes.len);
    h2o_iovec_t *out;
    size_t count;
    context->transform(context, &in, 1, H2O_SEND_STATE_FINAL, &out, &count);
    size_t len = 0;
    for (size_t i = 0; i < count; i++)
        len += out[i].len;
    char *copy = len < bytes.len ? arena_alloc_raw(arena, len) : NULL;
    for (size_t i = 0, at = 0; copy != NULL && i < count; at += out[i++].len)
        memcpy(copy + at, out[i].base, out[i].len);
    h2o_mem_clear_pool(&pool);
    return copy != NULL ? str_of(copy, len) : STR_NONE;
}

/* Adds the files of `folder` and its subfolder `below` ("" or "/js") under `prefix`. */
static void add(h2o_hostconf_t *host, const char *prefix, Str folder, const char *below)
{
    h2o_pathconf_t *path = h2o_config_register_path(host, prefix, 0);
    struct pages_handler *pages = (void *)h2o_create_handler(path, sizeof *pages);
    pages->handler.on_req = on_request;
    pages->handler.dispose = on_dispose;
    pages->prefix_len = strlen(prefix);
    pages->pages.arena = arena_create();
    struct arena *arena = pages->pages.arena;
    pages->index = str_printf(arena, "%s/", prefix + 1);
    pages_load(&pages->pages, str_printf(arena, "%.*s%s", STR_FMT(folder), below), gzip);
}

void pages_add(struct server *server)
{
    Str folder = server->reactor->settings->static_path;
    if (folder.len == 0)
        return;
    add(server->host, "/admin", folder, "");
    add(server->host, "/js", folder, "/js"); /* loaded by pages of sites */
}

/* `name` and `value` must be static, or live as long as the request. */
static void put(h2o_req_t *req, Str name, Str value)
{
    h2o_add_header_by_str(&req->pool, &req->res.headers, name.data, name.len, 1, NULL, value.data,
                          value.len);
}

static void put_security(h2o_req_t *req)
{
    put(req, STR("content-security-policy"), STR(PAGE_POLICY));
    put(req, STR("x-content-type-options"), STR("nosniff"));
    put(req, STR("referrer-policy"), STR("no-referrer"));
    put(req, STR("cross-origin-opener-policy"), STR("same-origin"));
    put(req, STR("permissions-policy"), STR("camera=(), geolocation=(), microphone=()"));
}

static int answer(h2o_req_t *req, int status, const char *reason, Str type, Str body)
{
    static h2o_generator_t generator;
    bool is_bare = status == 304 || h2o_memis(req->method.base, req->method.len, "HEAD", 4);
    req->res.status = status;
    req->res.reason = reason;
    if (status != 304) {
        put(req, STR("content-type"), type);
        req->res.content_length = body.len;
    }
    put_security(req);
    h2o_iovec_t vec = h2o_iovec_init(body.data, body.len);
    h2o_start_response(req, &generator);
    h2o_send(req, &vec, is_bare || vec.len == 0 ? 0 : 1, H2O_SEND_STATE_FINAL);
    return 0;
}

static int complain(h2o_req_t *req, int status, const char *reason, Str sentence)
{
    return answer(req, status, reason, STR("text/plain; charset=utf-8"), sentence);
}

static Str header_of(const h2o_req_t *req, const h2o_token_t *token)
{
    ssize_t at = h2o_find_header(&req->headers, token, -1);
    if (at < 0)
        return STR_NONE;
    return str_of(req->headers.entries[at].value.base, req->headers.entries[at].value.len);
}

/* If-None-Match compares weakly and is a list; our ETags contain neither commas nor quotes. */
static bool is_known(const h2o_req_t *req, Str etag)
{
    Str rest = header_of(req, H2O_TOKEN_IF_NONE_MATCH);
    Str part;
    while (str_next(&rest, ',', &part)) {
        part = str_trim(part);
        if (str_starts_with(part, STR("W/")))
            part = str_slice(part, 2, part.len);
        if (str_eq(part, etag) || str_eq(part, STR("*")))
            return true;
    }
    return false;
}

static int page_send(h2o_req_t *req, const struct page *page)
{
    bool takes_gzip = h2o_get_compressible_types(&req->headers) & H2O_COMPRESSIBLE_GZIP;
    bool is_gzip = takes_gzip && page->gzip.bytes.data != NULL;
    const struct page_body *body = is_gzip ? &page->gzip : &page->plain;
    put(req, STR("etag"), body->etag);
    put(req, STR("cache-control"), STR("no-cache"));
    if (page->gzip.bytes.data != NULL)
        put(req, STR("vary"), STR("accept-encoding"));
    if (is_known(req, body->etag))
        return answer(req, 304, "Not Modified", STR_NONE, STR_NONE);
    if (is_gzip)
        put(req, STR("content-encoding"), STR("gzip"));
    return answer(req, 200, "OK", page->type, body->bytes);
}

static int on_request(h2o_handler_t *handler, h2o_req_t *req)
{
    const struct pages_handler *pages = (const struct pages_handler *)handler;
    bool is_read = h2o_memis(req->method.base, req->method.len, "GET", 3) ||
                   h2o_memis(req->method.base, req->method.len, "HEAD", 4);
    if (!is_read) {
        put(req, STR("allow"), STR("GET, HEAD"));
        return complain(req, 405, "Method Not Allowed", STR("Pages can only be read.\n"));
    }
    Str path = str_of(req->path_normalized.base, req->path_normalized.len);
    if (path.len == pages->prefix_len) {
        /* Relative, so that it also works behind a proxy with a path prefix. */
        put(req, STR("location"), pages->index);
        return complain(req, 308, "Permanent Redirect", STR("The pages are one slash further.\n"));
    }
    const struct page *page =
        pages_find(&pages->pages, str_slice(path, pages->prefix_len, path.len));
    if (page == NULL)
        return complain(req, 404, "Not Found", STR("There is no such page.\n"));
    return page_send(req, page);
}
