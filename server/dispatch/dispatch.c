#include "server/dispatch/dispatch.h"

#include "access/identity/current.h"
#include "base/system/clock.h"
#include "base/system/counters.h"
#include "base/system/log.h"
#include "base/system/range.h"
#include "base/text/percent.h"
#include "io/fiber/fiber.h"
#include "server/dispatch/cookie.h"
#include "server/dispatch/denials.h"
#include "server/dispatch/gatekeeper.h"
#include "server/dispatch/input.h"
#include "server/dispatch/origin.h"
#include "server/dispatch/router.h"
#include "server/http/exchange.h"

#include <assert.h>
#include <stdlib.h>

/* Schema or rights that change during a request restart it; after FREE_TRIES_MAX attempts, changes
 * are paused meanwhile. Then the next attempt nearly always succeeds, and the deadline ends the
 * request long before EPOCH_TRIES_MAX. */
enum { EPOCH_TRIES_MAX = 50, FREE_TRIES_MAX = 2 };
enum { PROBE_WHO_US = 1000 * 1000 };
/* Fibers that requests start themselves fit in addition to the largest REQUESTS_MAX. */
static_assert(18000 + 2000 <= FIBER_LIVE_MAX, "REQUESTS_MAX of settings.def");

static Err refuse_early(struct exchange *exchange);
static void run(void *arg);
static void answer(struct exchange *exchange, Err err);
static void watch_client(struct exchange *exchange);

void dispatch_answer(struct exchange *exchange)
{
    Err refusal = refuse_early(exchange);
    if (refusal != OK) {
        answer(exchange, refusal);
        exchange_release(exchange);
        return;
    }
    exchange->fiber = fiber_spawn(exchange->server->reactor->loop, "request", run, exchange);
    if (exchange->fiber != NULL && exchange->req != NULL)
        watch_client(exchange);
}

/* While the fiber waits, the socket is watched: a disconnect cancels the fiber, which would
 * otherwise run until its deadline. */
static void watch_client(struct exchange *exchange)
{
    if (!exchange->conn->is_watched)
        conn_watch(exchange->conn);
}

/* Checks */

static Str bearer_of(const struct request *request)
{
    Str value = request_header(request, STR("authorization"));
    if (value.len < 7 || !str_eq_nocase(str_slice(value, 0, 7), STR("bearer ")))
        return STR_NONE;
    return str_trim(str_slice(value, 7, value.len));
}

static struct credentials credentials_of(struct ctx *ctx, const struct request *request)
{
    const struct settings *settings = ctx->reactor->settings;
    bool has_query_token = str_find(request->query, STR("access_token")) >= 0;
    return (struct credentials){
        .bearer = bearer_of(request),
        .query_token =
            has_query_token ? request_query(ctx->arena, request, STR("access_token")) : STR_NONE,
        .session_cookie = cookie_get(settings, request, COOKIE_SESSION),
        .god_token = request_header(request, STR("x-god-token")),
        .site_selector = request_header(request, STR("x-site-id")),
        .host = request->host,
        .ip = request->ip,
        .user_agent = request_header(request, STR("user-agent")),
        .origin = request_header(request, STR("origin")),
        .is_own_page = origin_is_own(settings, request),
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

/* A read-only token cannot write anywhere. */
static Err write_check(struct ctx *ctx, const struct route *route)
{
    if (route->write != WRITES || ctx->actor->may_write)
        return OK;
    return fail(ctx, ERR_FORBIDDEN, "This token may only read.");
}

/* Checks the head before a large body is read. */
static Err body_check(struct ctx *ctx, const struct exchange *exchange, uint64_t max)
{
    const struct conn *conn = exchange->conn;
    uint64_t size = exchange->request.body.len;
    if (size == 0 && conn != NULL && conn->head.body == BODY_COUNTED)
        size = conn->head.length;
    if (size <= max)
        return OK;
    counter_inc(http_body_rejected);
    return fail(ctx, ERR_TOO_LARGE, "The body has %ju bytes; this route takes %ju.",
                (uintmax_t)size, (uintmax_t)max);
}

/* A route's limit, and at most what the memory budget allows for one owner. */
static uint64_t body_max(const struct exchange *exchange, const struct route *route)
{
    uint64_t max = route_body_max(exchange->server->reactor->settings, route->body);
    uint64_t share = budget_share(&exchange->server->budgets, BUDGET_BODIES);
    return min_u64(max, share);
}

/* For probes: if the database does not answer in time, the request continues without an actor. */
static fiber_fn Err authenticate_caller(struct exchange *exchange)
{
    const struct request *request = &exchange->request;
    struct ctx *ctx = exchange->ctx;
    struct credentials credentials = credentials_of(ctx, request);
    if (request->route == NULL || request->route->guard != GUARD_PROBE)
        return authenticate(ctx, &credentials, &exchange->ctx);
    int64_t deadline_us = ctx->deadline_us;
    ctx->deadline_us = clock_now_us() + PROBE_WHO_US;
    Err err = authenticate(ctx, &credentials, &exchange->ctx);
    exchange->ctx->deadline_us = deadline_us;
    if (err != ERR_UNAVAILABLE && err != ERR_TIMEOUT)
        return err;
    diag_clear(exchange->ctx);
    return OK;
}

/* A bad token in the cookie is refused once: the browser stops sending it, and a page of the site
 * may read why. */
static fiber_fn Err refuse_caller(struct exchange *exchange, Err err)
{
    struct ctx *ctx = exchange->ctx;
    struct credentials credentials = credentials_of(ctx, &exchange->request);
    bool is_bad =
        err == ERR_INVALID_CREDENTIALS || err == ERR_INVALID_TOKEN || err == ERR_TOKEN_EXPIRED;
    if (is_bad && credentials_are_cookie(&credentials))
        cookie_set(ctx, &exchange->reply, COOKIE_SESSION, STR(""));
    struct diag story = ctx->diag;
    TRY(cors_open(ctx, &exchange->request, &exchange->reply, false));
    ctx->diag = story;
    return err;
}

/* From here on the fiber counts as work of the site, and is scheduled fairly with other sites. */
static fiber_fn Err enter(struct exchange *exchange)
{
    Err err = authenticate_caller(exchange);
    if (err != OK)
        return refuse_caller(exchange, err);
    if (exchange->ctx->scope.kind == SCOPE_SITE)
        fiber_own(exchange->ctx->scope.site);
    return fiber_breathe(exchange->ctx);
}

/* Which site the request found: a client learns that its host or token means another. */
static void tell_site(struct exchange *exchange)
{
    const Scope *scope = &exchange->ctx->scope;
    if (scope->kind == SCOPE_SITE && !reply_has_header(&exchange->reply, STR("x-site-id")))
        reply_header(&exchange->reply, STR("x-site-id"), uuid_text(exchange->arena, scope->site));
}

static fiber_fn Err handle(struct exchange *exchange)
{
    struct ctx *ctx = exchange->ctx;
    struct request *request = &exchange->request;
    const struct router *router = exchange->server->parts.answerer;
    if (cors_platform(ctx, request, &exchange->reply))
        return OK;
    struct route_match match = router_find(router, ctx->arena, request->method, request->path);
    const struct route *preflight =
        match.route == NULL ? cors_preflight_route(router, ctx->arena, request) : NULL;
    const struct route *route = preflight != NULL ? preflight : match.route;
    request->route = route;
    request->envelope = route != NULL ? route->envelope : envelope_of_path(request->path);
    request->json = NULL; /* belongs to the previous attempt, whose memory is rewound */
    request->input = NULL;
    for (uint32_t i = 0; i < REQUEST_PARAMS_MAX; i++)
        request->params[i] = percent_decode(ctx->arena, match.params[i], PERCENT_PLUS_STAYS);

    if (route != NULL)
        fiber_work(route->method, route->pattern);
    bool is_authenticated = route == NULL || route->guard != GUARD_OPEN;
    if (preflight == NULL && is_authenticated)
        TRY(enter(exchange));
    ctx = exchange->ctx;
    TRY(cors_open(ctx, request, &exchange->reply, preflight == NULL && is_authenticated));
    if (preflight != NULL)
        return cors_preflight_answer(ctx, preflight, &exchange->reply);
    if (route == NULL && match.allowed.len > 0 && request->envelope == ENVELOPE_API) {
        reply_header(&exchange->reply, STR("allow"), match.allowed);
        return fail(ctx, ERR_METHOD_NOT_ALLOWED, "Use %.*s here.", STR_FMT(match.allowed));
    }
    if (route == NULL)
        return fail_route(ctx, request);
    TRY(guard_check(ctx, route->guard));
    TRY(write_check(ctx, route));
    TRY(body_check(ctx, exchange, body_max(exchange, route)));
    if (!exchange->is_counted)
        TRY(rate_pass(ctx, request, &exchange->reply));
    exchange->is_counted = true; /* a restarted request counts once */
    TRY(input_check_query(ctx, request));
    TRY(exchange_receive_body(ctx, exchange, body_max(exchange, route)));
    TRY(input_read(ctx, request));
    TRY(site_rule_enter(ctx, request, &exchange->ctx));
    tell_site(exchange);
    return route->handler(exchange->ctx, request, &exchange->reply);
}

static void reply_init(struct exchange *exchange)
{
    exchange_begin_answer(exchange);
    exchange->reply = (struct reply){
        .status = 200,
        .content_type = STR("application/json; charset=utf-8"),
        .body = &exchange->answer,
        .json = json_writer(&exchange->answer),
        .exchange = exchange,
    };
}

static void ctx_init(struct exchange *exchange)
{
    struct reactor *reactor = exchange->server->reactor;
    int64_t timeout_us = reactor->settings->request_timeout_ms * MS_US;
    const struct ctx nobody = {
        .arena = exchange->arena,
        .reactor = reactor,
        .deadline_us = exchange->started_us + timeout_us,
        .tally = &exchange->tally,
    };
    exchange->ctx = ctx_new(exchange->arena, nobody);
}

/* Refusals without a fiber, because the limit of fibers may be reached. */
static Err refuse_early(struct exchange *exchange)
{
    struct server *server = exchange->server;
    ctx_init(exchange);
    reply_init(exchange);
    if (server->in_flight >= (uint64_t)server->reactor->settings->requests_max)
        return fail(exchange->ctx, ERR_UNAVAILABLE, "The server is already handling %u requests.",
                    server->in_flight);
    return OK;
}

/* One attempt, from the start. No refusal depends on a state from before the request. */
static fiber_fn Err handle_once(struct exchange *exchange)
{
    reply_init(exchange);
    Err err = handle(exchange);
    if (exchange->reply.is_streaming)
        return err;
    return access_settle(exchange->ctx, err, exchange->started_us);
}

/* After an attempt that met a change: revalidates, and in the later attempts pauses changes, so
 * that the state stays current until the handler is done. */
static fiber_fn Err prepare_retry(struct exchange *exchange, ArenaMark mark, int try,
                                  struct access_pause *pause, bool *of_all)
{
    const struct ctx before = *exchange->ctx;
    arena_rewind(exchange->arena, mark);
    ctx_init(exchange);
    struct ctx *ctx = exchange->ctx;
    ctx->epoch = before.epoch;
    ctx->stamp = before.stamp;
    ctx->is_repeated = true;
    if (try >= FREE_TRIES_MAX)
        access_pause_begin(ctx, *of_all, pause);
    TRY(access_catch_up(ctx, of_all));
    ctx->epoch = 0;
    ctx->stamp = (SiteStamp){0};
    return OK;
}

/* The request has changed nothing: the state that it was compiled against is another now, or
 * PostgreSQL ended its transaction for the sake of another, as beside a change of the schema. */
static bool may_start_again(const struct exchange *exchange, Err err)
{
    bool is_repeatable = err == ERR_STALE_EPOCH || err == ERR_DEADLOCK;
    return is_repeatable && !exchange->ctx->has_committed && !exchange->reply.is_streaming;
}

/* Runs the handler, again while that may help. */
static fiber_fn Err handle_with_retries(struct exchange *exchange)
{
    ArenaMark mark = arena_mark(exchange->arena);
    bool of_all = false;
    Err err = OK;
    for (int try = 0; try < EPOCH_TRIES_MAX; try++) {
        struct access_pause SCOPED_ACCESS_PAUSE pause = {0};
        if (try > 0)
            TRY(prepare_retry(exchange, mark, try, &pause, &of_all));
        err = handle_once(exchange);
        if (!may_start_again(exchange, err))
            break;
    }
    if (err == OK)
        err = buf_check(exchange->ctx, exchange->reply.body, "The answer");
    return err;
}

/* The answer */

/* One wide log line; the path without its query, which may contain a token. */
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
    const struct diag_entry *entry = exchange->ctx->diag.first;
    struct actor none = {0};
    const struct actor *actor = exchange->ctx->actor != NULL ? exchange->ctx->actor : &none;
    Str site = exchange->ctx->scope.kind == SCOPE_SITE
                   ? uuid_text(exchange->arena, exchange->ctx->scope.site)
                   : STR_NONE;
    log_event(level, "request", LOG_S("method", request->method), LOG_S("path", request->path),
              LOG_S("route", request->route != NULL ? request->route->pattern : STR_NONE),
              LOG_I("status", status), LOG_S("site", site), LOG_I("actor", actor->kind),
              LOG_I("us", clock_now_us() - exchange->started_us),
              LOG_I("statements", exchange->tally.statements), LOG_I("db_us", exchange->tally.us),
              LOG_I("arena", (int64_t)arena_used(exchange->arena)),
              LOG_Z("error", err != OK ? err_info(err)->name : NULL),
              LOG_S("reason", entry != NULL && status >= 500 ? entry->reason : STR_NONE),
              LOG_Z("at", entry != NULL && status >= 500 ? entry->file : NULL),
              LOG_I("line", entry != NULL && status >= 500 ? entry->line : 0));
}

/* What the request took in the database: for administrators of the platform, since times tell of
 * others' rows. */
static void put_timing(struct exchange *exchange)
{
    const struct ctx *ctx = exchange->ctx;
    if (ctx->actor == NULL || !ctx->actor->is_admin || ctx->scope.kind != SCOPE_PLATFORM ||
        exchange->reply.is_streaming)
        return;
    reply_header(&exchange->reply, STR("server-timing"),
                 str_printf(exchange->arena, "db;dur=%.3f;desc=\"%u statements\"",
                            (double)exchange->tally.us / 1000, exchange->tally.statements));
}

static void answer(struct exchange *exchange, Err err)
{
    /* Cancelled by the draining server, not by the client. */
    if (err == ERR_CANCELLED && exchange->server->is_draining)
        err = fail(exchange->ctx, ERR_UNAVAILABLE, "The server is stopping.");
    if (err != OK && !exchange->reply.is_streaming) {
        exchange_begin_answer(exchange);
        reply_error(exchange->ctx, &exchange->reply, exchange->request.envelope, err);
        tell_site(exchange);
    }
    put_timing(exchange);
    /* The body was not read to its end, so the start of the next request is unknown. */
    if (exchange->conn != NULL && !exchange->conn->is_body_complete) {
        exchange->must_close = true;
        conn_linger(exchange->conn);
    }
    exchange_send(exchange);
    log_request(exchange, err);
    denial_note(exchange, err);
}

/* Public routes set their own ETag, or none. */
static bool is_conditional(const struct route *route)
{
    return route != NULL && route->guard != GUARD_OPEN;
}

static void run(void *arg)
{
    struct exchange *exchange = arg;
    exchange->fiber = fiber_self();
    exchange->server->in_flight++;
    counter_inc(http_requests);
    counter_add(COUNTER_http_in_flight, 1);

    Err err = handle_with_retries(exchange);
    if (err == OK && is_conditional(exchange->request.route))
        exchange_make_conditional(exchange);
    answer(exchange, err);
    /* Frees the body, the rows and the plan before the answer is sent: a client may read it
     * slowly. */
    exchange_drop_body(exchange);
    const struct ctx left = {
        .arena = exchange->arena,
        .reactor = exchange->ctx->reactor,
        .scope = exchange->ctx->scope, /* the owner that the answer is charged to */
        .has_committed = exchange->ctx->has_committed,
    };
    arena_rewind(exchange->arena, exchange->mark);
    exchange->ctx = ctx_new(exchange->arena, left);
    arena_trim(exchange->arena);

    counter_add(COUNTER_http_in_flight, -1);
    exchange->server->in_flight--;
    exchange->fiber = NULL;
    exchange_release(exchange);
}
