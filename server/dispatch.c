/*
 * Dispatch: the life of a request. Copies it, starts its fiber, finds out who asks, runs the
 * handler, sends the reply or the error, writes the log line. The one file that knows that h2o may
 * drop a request under a waiting fiber; no handler ever learns of it.
 */
#include "base/clock.h"
#include "base/counters.h"
#include "base/log.h"
#include "content/schema.h"
#include "io/fiber.h"
#include "server/exchange.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

/* A schema that changes while a request runs makes it start again, this often at most. */
enum { EPOCH_TRIES_MAX = 4 };

static struct exchange *exchange_new(struct server *server, h2o_req_t *req);
static void run(void *arg);
static void watch_client(struct exchange *exchange);

int dispatch_on_request(h2o_handler_t *self, h2o_req_t *req)
{
    (void)self;
    struct server *server = H2O_STRUCT_FROM_MEMBER(struct server, h2o, req->conn->ctx);
    struct exchange *exchange = exchange_new(server, req);
    exchange->fiber = fiber_spawn(server->reactor->loop, "request", run, exchange);
    if (exchange->fiber != NULL && exchange->req != NULL)
        watch_client(exchange);
    exchange_release(exchange);
    return 0;
}

static struct arena *arena_take(struct server *server)
{
    if (server->arena_count == 0)
        return arena_create();
    return server->arenas[--server->arena_count];
}

static void arena_give(struct server *server, struct arena *arena)
{
    if (server->arena_count == ARENA_POOL_MAX) {
        arena_destroy(arena);
        return;
    }
    arena_reset(arena);
    server->arenas[server->arena_count++] = arena;
}

void exchange_release(struct exchange *exchange)
{
    assert(exchange->references > 0);
    if (--exchange->references > 0)
        return;
    struct server *server = exchange->server;
    arena_give(server, exchange->arena);
}

struct link {
    struct exchange *exchange;
};

/* h2o's side ends: the reply is out, or the client went away. */
static void link_dispose(void *memory)
{
    struct exchange *exchange = ((struct link *)memory)->exchange;
    if (exchange->watched_fd >= 0) {
        exchange->server->by_fd[exchange->watched_fd] = NULL;
        h2o_socket_dont_read(exchange->req->conn->callbacks->get_socket(exchange->req->conn), 0);
    }
    exchange->req = NULL;
    if (exchange->stream_wait != NULL)
        wait_end(exchange->stream_wait, ERR_CANCELLED);
    else if (exchange->fiber != NULL)
        fiber_cancel(exchange->fiber);
    exchange_release(exchange);
}

/* Three hold a new exchange: the caller, the fiber and h2o's request. */
static struct exchange *exchange_new(struct server *server, h2o_req_t *req)
{
    struct arena *arena = arena_take(server);
    struct exchange *exchange = arena_new(arena, struct exchange);
    exchange->server = server;
    exchange->arena = arena;
    exchange->req = req;
    exchange->references = 3;
    exchange->watched_fd = -1;
    exchange->started_us = clock_now_us();
    exchange_copy_request(exchange, req);

    struct link *link = h2o_mem_alloc_shared(&req->pool, sizeof *link, link_dispose);
    link->exchange = exchange;
    return exchange;
}

/*
 * While the fiber waits, an HTTP/1 socket is not polled, and a client that closes would go
 * unnoticed until the deadline. So its socket is watched without reading: end of file cancels the
 * fiber, pipelined data ends the watch.
 */
static struct exchange *exchange_of_socket(h2o_socket_t *socket)
{
    const h2o_conn_t *conn = socket->data;
    struct server *server = H2O_STRUCT_FROM_MEMBER(struct server, h2o, conn->ctx);
    return server->by_fd[h2o_socket_get_fd(socket)];
}

static void on_client_event(h2o_socket_t *socket, const char *err)
{
    (void)err;
    h2o_socket_read_stop(socket);
    struct exchange *exchange = exchange_of_socket(socket);
    if (exchange == NULL || exchange->fiber == NULL)
        return;
    char byte;
    ssize_t got = recv(h2o_socket_get_fd(socket), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR)))
        return;
    counter_inc(http_cancelled);
    fiber_cancel(exchange->fiber);
    fibers_run_ready(exchange->server->reactor->loop);
}

static void watch_client(struct exchange *exchange)
{
    h2o_conn_t *conn = exchange->req->conn;
    h2o_socket_t *socket = conn->callbacks->get_socket(conn);
    if (exchange->req->version >= 0x200 || socket->ssl != NULL)
        return;
    int fd = h2o_socket_get_fd(socket);
    if (fd < 0 || fd >= FD_MAX)
        return;
    exchange->server->by_fd[fd] = exchange;
    exchange->watched_fd = fd;
    h2o_socket_dont_read(socket, 1);
    h2o_socket_read_start(socket, on_client_event);
}

/* What to do ------------------------------------------------------------------------------- */

static Str bearer_of(const struct request *request)
{
    Str value = request_header(request, STR("authorization"));
    if (value.len < 7 || !str_eq_nocase(str_slice(value, 0, 7), STR("bearer ")))
        return STR_NONE;
    return str_trim(str_slice(value, 7, value.len));
}

static struct credentials credentials_of(struct ctx *ctx, const struct request *request)
{
    const struct route *route = request->route;
    bool has_query_token = str_find(request->query, STR("access_token")) >= 0;
    return (struct credentials){
        .bearer = bearer_of(request),
        .query_token =
            has_query_token ? request_query(ctx->arena, request, STR("access_token")) : STR_NONE,
        .session_cookie = request_cookie(request, STR("directus_session_token")),
        .god_token = request_header(request, STR("x-god-token")),
        .site_selector = request_header(request, STR("x-site-id")),
        .host = request->host,
        .ip = request->ip,
        .user_agent = request_header(request, STR("user-agent")),
        .origin = request_header(request, STR("origin")),
        .by_origin = route != NULL && route->guard == GUARD_VISITOR,
    };
}

static Err guard_check(struct ctx *ctx, enum route_guard guard)
{
    const struct actor *actor = ctx->actor;
    if (guard == GUARD_ADMIN)
        return actor_require_admin(ctx);
    if (guard == GUARD_MEMBER && actor->kind == ACTOR_PUBLIC)
        return fail(ctx, ERR_UNAUTHENTICATED, "This route needs a token.");
    if (guard == GUARD_GOD && actor->kind != ACTOR_GOD)
        return fail(ctx, ERR_UNAUTHENTICATED, "This route needs the header X-God-Token.");
    return OK;
}

static Err body_check(struct ctx *ctx, const struct exchange *exchange, const struct route *route)
{
    uint64_t max = route_body_max(ctx->reactor->settings, route->body);
    if (exchange->request.body.len <= max)
        return OK;
    counter_inc(http_body_rejected);
    return fail(ctx, ERR_TOO_LARGE, "The body has %zu bytes; this route takes %ju.",
                exchange->request.body.len, (uintmax_t)max);
}

static fiber_fn Err handle(struct exchange *exchange)
{
    struct ctx *ctx = &exchange->ctx;
    struct request *request = &exchange->request;
    struct route_match match =
        router_find(exchange->server->router, ctx->arena, request->method, request->path);
    const struct route *route = match.route;
    request->route = route;
    for (uint32_t i = 0; i < REQUEST_PARAMS_MAX; i++)
        request->params[i] = percent_decode(ctx->arena, match.params[i], false);

    if (route == NULL || route->guard != GUARD_OPEN) {
        struct credentials credentials = credentials_of(ctx, request);
        TRY(authenticate(ctx, &credentials));
    }
    if (route == NULL && match.allowed.len > 0 && envelope_of_path(request->path) == ENVELOPE_API) {
        reply_header(&exchange->reply, STR("allow"), match.allowed);
        return fail(ctx, ERR_METHOD_NOT_ALLOWED, "Use %.*s here.", STR_FMT(match.allowed));
    }
    if (route == NULL) {
        err_ignore(fail(ctx, ERR_ROUTE_NOT_FOUND, "%.*s", STR_FMT(request->path)), "noted below");
        return fail_note(ctx, "path", request->path);
    }
    TRY(guard_check(ctx, route->guard));
    TRY(body_check(ctx, exchange, route));
    return route->handler(ctx, request, &exchange->reply);
}

static void reply_init(struct exchange *exchange)
{
    struct buf *body = buf_in_arena(exchange->arena, REPLY_MAX);
    exchange->reply = (struct reply){
        .status = 200,
        .content_type = STR("application/json; charset=utf-8"),
        .body = body,
        .json = json_writer(body),
        .exchange = exchange,
    };
}

static void ctx_init(struct exchange *exchange)
{
    struct reactor *reactor = exchange->server->reactor;
    exchange->ctx = (struct ctx){
        .arena = exchange->arena,
        .reactor = reactor,
        .deadline_us = exchange->started_us + reactor->settings->request_timeout_ms * MS_US,
    };
}

/* Runs the handler; again, from the start, while what it was compiled against has changed. */
static fiber_fn Err handle_with_retries(struct exchange *exchange)
{
    ArenaMark mark = arena_mark(exchange->arena);
    Err err = OK;
    for (int try = 0; try < EPOCH_TRIES_MAX; try++) {
        arena_rewind(exchange->arena, mark);
        ctx_init(exchange);
        reply_init(exchange);
        err = handle(exchange);
        if (err != ERR_STALE_EPOCH || exchange->ctx.has_committed)
            break;
        schema_invalidate(&exchange->ctx);
        access_invalidate(&exchange->ctx);
    }
    if (err == OK)
        err = buf_check(&exchange->ctx, exchange->reply.body, "The answer");
    return err;
}

/* How it goes out -------------------------------------------------------------------------- */

static void add_header(h2o_req_t *req, Str name, Str value)
{
    h2o_add_header_by_str(&req->pool, &req->res.headers, name.data, name.len, 1, NULL, value.data,
                          value.len);
}

static const char *reason_of(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 201:
        return "Created";
    case 202:
        return "Accepted";
    case 204:
        return "No Content";
    case 302:
        return "Found";
    case 304:
        return "Not Modified";
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 408:
        return "Request Timeout";
    case 409:
        return "Conflict";
    case 413:
        return "Payload Too Large";
    case 415:
        return "Unsupported Media Type";
    case 422:
        return "Unprocessable Entity";
    case 429:
        return "Too Many Requests";
    case 503:
        return "Service Unavailable";
    default:
        return status < 400 ? "OK" : "Error";
    }
}

void exchange_start_response(struct exchange *exchange)
{
    h2o_req_t *req = exchange->req;
    const struct reply *reply = &exchange->reply;
    req->res.status = reply->status;
    req->res.reason = reason_of(reply->status);
    req->compress_hint = H2O_COMPRESS_HINT_DISABLE;
    if (exchange->server->is_draining)
        req->http1_is_persistent = 0;
    if (reply->content_type.len > 0)
        h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL,
                       reply->content_type.data, reply->content_type.len);
    for (uint32_t i = 0; i < reply->header_count; i++)
        add_header(req, reply->headers[i].name, reply->headers[i].value);
    h2o_start_response(req, &exchange->generator);
}

/* Weak, as Directus': the length and a hash of the bytes. Keyed per process, so a restart costs
 * clients one full answer. */
static Str etag_of(struct arena *arena, Str body)
{
    return str_printf(arena, "W/\"%zx-%016jx\"", body.len, (uintmax_t)str_hash(body));
}

static void make_conditional(struct exchange *exchange)
{
    struct reply *reply = &exchange->reply;
    bool is_get = str_eq(exchange->request.method, STR("GET")) || exchange->is_head;
    if (!is_get || reply->status != 200 || reply->body->len == 0)
        return;
    Str etag = etag_of(exchange->arena, buf_str(reply->body));
    reply_header(reply, STR("cache-control"), STR("no-cache"));
    reply_header(reply, STR("etag"), etag);
    if (str_eq(request_header(&exchange->request, STR("if-none-match")), etag)) {
        reply->status = 304;
        reply->content_type = STR_NONE;
        buf_clear(reply->body);
    }
}

static void send_reply(struct exchange *exchange)
{
    if (exchange->req == NULL)
        return;
    if (exchange->reply.is_streaming) {
        h2o_send(exchange->req, NULL, 0, H2O_SEND_STATE_FINAL);
        return;
    }
    const struct route *route = exchange->request.route;
    if (route != NULL && route->guard != GUARD_OPEN)
        make_conditional(exchange);
    Str body = buf_str(exchange->reply.body);
    exchange->req->res.content_length = body.len;
    exchange_start_response(exchange);
    h2o_iovec_t vec = h2o_iovec_init(body.data, exchange->is_head ? 0 : body.len);
    h2o_send(exchange->req, &vec, vec.len > 0 ? 1 : 0, H2O_SEND_STATE_FINAL);
}

/* One wide line; the path only without its query, which may hold a token. */
static void log_request(struct exchange *exchange, Err err)
{
    int status = exchange->reply.status;
    if (status >= 500)
        counter_inc(http_errors_server);
    else if (status >= 400)
        counter_inc(http_errors_client);
    enum log_level level = status >= 500 ? LOG_ERROR : LOG_INFO;
    if (!log_is_on(level))
        return;
    const struct request *request = &exchange->request;
    const struct diag_entry *entry = exchange->ctx.diag.first;
    struct actor none = {0};
    const struct actor *actor = exchange->ctx.actor != NULL ? exchange->ctx.actor : &none;
    Str site = exchange->ctx.scope.kind == SCOPE_SITE
                   ? uuid_text(exchange->arena, exchange->ctx.scope.site)
                   : STR_NONE;
    log_event(level, "request", LOG_S("method", request->method), LOG_S("path", request->path),
              LOG_S("route", request->route != NULL ? request->route->pattern : STR_NONE),
              LOG_I("status", status), LOG_S("site", site), LOG_I("actor", actor->kind),
              LOG_I("us", clock_now_us() - exchange->started_us),
              LOG_I("arena", (int64_t)arena_used(exchange->arena)),
              LOG_Z("error", err != OK ? err_info(err)->name : NULL),
              LOG_S("reason", entry != NULL && status >= 500 ? entry->reason : STR_NONE),
              LOG_Z("at", entry != NULL && status >= 500 ? entry->file : NULL),
              LOG_I("line", entry != NULL && status >= 500 ? entry->line : 0));
}

static void run(void *arg)
{
    struct exchange *exchange = arg;
    exchange->fiber = fiber_self();
    exchange->server->in_flight++;
    counter_inc(http_requests);
    counter_add(COUNTER_http_in_flight, 1);

    Err err = handle_with_retries(exchange);
    if (err != OK && !exchange->reply.is_streaming)
        reply_error(&exchange->ctx, &exchange->reply, envelope_of_path(exchange->request.path),
                    err);
    send_reply(exchange);
    log_request(exchange, err);

    counter_add(COUNTER_http_in_flight, -1);
    exchange->server->in_flight--;
    exchange->fiber = NULL;
    exchange_release(exchange);
}
