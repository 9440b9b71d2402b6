#include "io/net/http_client.h"

#include "base/memory/array.h"
#include "base/system/clock.h"
#include "base/system/counters.h"
#include "base/system/range.h"
#include "base/text/ascii.h"
#include "base/text/buf.h"
#include "io/fiber/loop.h"
#include "io/net/address_filter.h"
#include "io/net/http_pool.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <unistd.h>

enum { CALLS_MAX = 256, CONNECT_MAX_MS = 10 * 1000, TIMEOUT_MAX_MS = 24 * 3600 * 1000 };

/* Separate pools: a connection opened by an unfiltered call must never serve a filtered one. */
struct http_client {
    struct loop *loop;
    struct http_pool *filtered;
    struct http_pool *unfiltered;
    uint32_t running;
};

/* One call; allocated in the frame of its fiber. */
struct fetch {
    struct ctx *ctx;
    struct http_client *client;
    const struct http_call *call;
    CURL *easy;
    struct curl_slist *headers;
    struct buf *body;
    struct wait wait;
    int code; /* CURLcode, set when the wait ends */
    bool was_filtered;
};

static Err check_call(struct ctx *ctx, const struct http_call *call);
static bool is_token(Str s);
static fiber_fn Err run(struct fetch *fetch, struct http_answer *ret);
static void set_up(struct fetch *fetch);
static void set_method(struct fetch *fetch);
static void set_headers(struct fetch *fetch);
static void on_done(void *arg, int code);
static Str origin_of(Str url);
static Err explain(struct fetch *fetch, CURLcode code);
static Err conclude(struct fetch *fetch, struct http_answer *ret);
static bool may_reach(const struct fetch *fetch, const struct curl_sockaddr *address);
static size_t on_body(char *data, size_t size, size_t count, void *arg);
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address);

struct http_client *http_client_new(struct loop *loop)
{
    struct http_client *client = calloc(1, sizeof(*client));
    if (client == NULL)
        abort();
    client->loop = loop;
    client->filtered = http_pool_new(loop);
    client->unfiltered = http_pool_new(loop);
    return client;
}

void http_client_free(struct http_client *client)
{
    if (client == NULL)
        return;
    assert(client->running == 0);
    http_pool_free(client->filtered);
    http_pool_free(client->unfiltered);
    free(client);
}

fiber_fn Err http_fetch(struct ctx *ctx, struct http_client *client, const struct http_call *call,
                        struct http_answer *ret)
{
    assert(call->response_max > 0 && ctx->deadline_us != 0);
    TRY(fiber_check(ctx));
    TRY(check_call(ctx, call));
    if (client->running >= CALLS_MAX)
        return fail(ctx, ERR_UNAVAILABLE, "too many outbound calls are in progress");

    struct fetch fetch = {.ctx = ctx, .client = client, .call = call};
    fetch.easy = curl_easy_init();
    if (fetch.easy == NULL)
        abort();
    client->running++;
    counter_inc(http_client_calls);
    Err err = run(&fetch, ret);
    client->running--;
    curl_easy_cleanup(fetch.easy);
    curl_slist_free_all(fetch.headers);
    return err;
}

/* libcurl copies method and headers unchanged into the request, so line breaks are refused. */
static Err check_call(struct ctx *ctx, const struct http_call *call)
{
    assert(call->header_count == 0 || call->headers != NULL);
    if (!is_token(call->method))
        return fail(ctx, ERR_INVALID_PAYLOAD, "'%.*s' is not an HTTP method",
                    STR_FMT(call->method));
    if (str_find_char(call->url, '\0') >= 0)
        return fail(ctx, ERR_INVALID_PAYLOAD, "the URL contains a NUL byte");
    for (uint32_t i = 0; i < call->header_count; i++) {
        Str header = call->headers[i];
        ptrdiff_t colon = str_find_char(header, ':');
        if (colon <= 0 || !is_token(str_slice(header, 0, (size_t)colon)) ||
            str_find_char(header, '\r') >= 0 || str_find_char(header, '\n') >= 0 ||
            str_find_char(header, '\0') >= 0)
            return fail(ctx, ERR_INVALID_PAYLOAD, "header %u is not 'name: value' on one line", i);
    }
    return OK;
}

static bool is_token(Str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        bool is_fine = ascii_is_alnum(c) || c == '-' || c == '_';
        if (!is_fine)
            return false;
    }
    return s.len > 0;
}

static fiber_fn Err run(struct fetch *fetch, struct http_answer *ret)
{
    assert(fetch->easy != NULL);
    struct http_client *client = fetch->client;
    struct http_pool *pool = fetch->call->allow_private ? client->unfiltered : client->filtered;
    struct http_transfer transfer = {on_done, fetch};
    set_up(fetch);
    fetch->wait = wait_begin();
    if (http_pool_add(pool, fetch->easy, &transfer) != 0)
        return fail(fetch->ctx, ERR_INTERNAL, "the call could not be started");
    Err err = fiber_wait(fetch->ctx, &fetch->wait);
    http_pool_remove(pool, fetch->easy);
    return err == OK ? conclude(fetch, ret) : err;
}

static void set_up(struct fetch *fetch)
{
    assert(fetch->body == NULL);
    CURL *easy = fetch->easy;
    struct ctx *ctx = fetch->ctx;
    const struct http_call *call = fetch->call;
    int64_t left_ms = clamp_i64((ctx->deadline_us - clock_now_us()) / MS_US + 1, 1, TIMEOUT_MAX_MS);

    fetch->body = buf_in_arena(ctx->arena, call->response_max);
    curl_easy_setopt(easy, CURLOPT_URL, str_z(ctx->arena, call->url));
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "spark/" SPARK_VERSION);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)left_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)min_i64(left_ms, CONNECT_MAX_MS));
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, fetch);
    if (!call->may_cut)
        curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)call->response_max);
    /* A cancelled call must not wait for the resolver. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    if (!call->allow_private) {
        curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
        curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, fetch);
        /* A proxy would resolve and connect where our filter has no effect. */
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
    }
    set_method(fetch);
    set_headers(fetch);
}

static void set_method(struct fetch *fetch)
{
    CURL *easy = fetch->easy;
    const struct http_call *call = fetch->call;
    if (str_eq(call->method, STR("HEAD"))) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        return;
    }
    bool may_lack_body = str_eq(call->method, STR("GET")) || str_eq(call->method, STR("DELETE")) ||
                         str_eq(call->method, STR("OPTIONS"));
    if (call->body.len > 0 || !may_lack_body) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.len);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body.len > 0 ? call->body.data : "");
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, str_z(fetch->ctx->arena, call->method));
}

static void set_headers(struct fetch *fetch)
{
    assert(fetch->headers == NULL);
    const struct http_call *call = fetch->call;
    /* No "Expect: 100-continue": it costs a second with servers that do not support it. No form
     * content type either, which libcurl adds to any body. */
    static const char *const UNWANTED[] = {"Expect:", "Content-Type:"};
    for (size_t i = 0; i < COUNT_OF(UNWANTED); i++)
        fetch->headers = curl_slist_append(fetch->headers, UNWANTED[i]);
    for (uint32_t i = 0; i < call->header_count; i++)
        fetch->headers =
            curl_slist_append(fetch->headers, str_z(fetch->ctx->arena, call->headers[i]));
    curl_easy_setopt(fetch->easy, CURLOPT_HTTPHEADER, fetch->headers);
}

static void on_done(void *arg, int code)
{
    struct fetch *fetch = arg;
    fetch->code = code;
    wait_end(&fetch->wait, OK);
}

/* Scheme and host, without possible secrets: a password before the host, a token after it. */
static Str origin_of(Str url)
{
    ptrdiff_t scheme = str_find(url, STR("://"));
    size_t from = scheme < 0 ? 0 : (size_t)scheme + 3;
    size_t to = from;
    while (to < url.len && url.data[to] != '/' && url.data[to] != '?' && url.data[to] != '#' &&
           url.data[to] != '\\')
        to++;
    Str host = str_slice(url, from, to);
    ptrdiff_t at = str_find_char(host, '@');
    return at < 0 ? str_slice(url, 0, to) : STR("(an address with a password)");
}

static Err explain(struct fetch *fetch, CURLcode code)
{
    assert(code != CURLE_OK);
    struct ctx *ctx = fetch->ctx;
    Str origin = origin_of(fetch->call->url);
    if (fetch->was_filtered)
        return fail(ctx, ERR_FORBIDDEN, "the address of '%.*s' is not public", STR_FMT(origin));
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
        return fail(ctx, ERR_INVALID_PAYLOAD, "'%.*s' is not an http or https URL",
                    STR_FMT(origin));
    if (code == CURLE_OPERATION_TIMEDOUT)
        TRY(fiber_check(ctx)); /* else the connect timeout of the call */
    return fail(ctx, ERR_UNAVAILABLE, "no answer from '%.*s': %s", STR_FMT(origin),
                curl_easy_strerror(code));
}

static Err conclude(struct fetch *fetch, struct http_answer *ret)
{
    assert(fetch->body != NULL);
    struct ctx *ctx = fetch->ctx;
    CURLcode code = (CURLcode)fetch->code;
    bool is_cut = code == CURLE_FILESIZE_EXCEEDED || fetch->body->is_full;
    if (is_cut && !fetch->call->may_cut)
        return fail(ctx, ERR_TOO_LARGE, "the answer is larger than %u bytes",
                    fetch->call->response_max);
    if (code != CURLE_OK && !is_cut)
        return explain(fetch, code);

    long status = 0;
    const char *type = NULL;
    curl_off_t retry_after_s = 0;
    curl_easy_getinfo(fetch->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
    curl_easy_getinfo(fetch->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(fetch->easy, CURLINFO_CONTENT_TYPE, &type);
    *ret = (struct http_answer){
        .status = (int)status,
        .body = buf_str(fetch->body),
        .content_type = str_dup(ctx->arena, str_from_z(type)),
        .retry_after_s = retry_after_s,
    };
    return OK;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    struct fetch *fetch = arg;
    buf_put(fetch->body, str_of(data, size * count));
    return fetch->body->is_full ? 0 : size * count;
}

/* A mail server can be abused by a crafted POST. */
static bool is_web_port(uint16_t port)
{
    return port == 80 || port == 443 || port >= 1024;
}

static bool may_reach(const struct fetch *fetch, const struct curl_sockaddr *address)
{
    uint16_t port = address_port(&address->addr, address->addrlen);
    if (address_is_public(&address->addr, address->addrlen) && is_web_port(port))
        return true;
    const struct http_call *call = fetch->call;
    char ip[ADDRESS_TEXT_MAX];
    return call->is_exempt != NULL && address_text(&address->addr, address->addrlen, ip) &&
           call->is_exempt(call->exempt_arg, str_from_z(ip));
}

/* The filter runs when the socket is opened, after name resolution, so a changed DNS answer cannot
 * bypass it. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)purpose;
    struct fetch *fetch = arg;
    if (!may_reach(fetch, address)) {
        fetch->was_filtered = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}
