#include "server/dispatch/denials.h"

#include "access/audit/audit.h"
#include "access/limits/denial_limit.h"
#include "base/system/clock.h"
#include "base/system/counters.h"
#include "server/dispatch/route.h"
#include "server/http/exchange.h"

enum { WRITE_US = 2 * 1000 * 1000, PATH_MAX_LOGGED = 200 };

/* The data of the log entry, copied from the exchange, which may end first. */
struct denial {
    struct server *server;
    struct arena *arena;
    const char *actor;
    Uuid user;
    Scope scope;
    Str what; /* "POST /items/:collection" */
    Str details;
    Str ip;
};

/* An expired JWT is not a refusal: its client refreshes it every quarter of an hour. A failed login
 * has its own entry. */
static bool is_denial(const struct exchange *exchange, Err err)
{
    if (err != ERR_FORBIDDEN && err != ERR_UNAUTHENTICATED && err != ERR_INVALID_TOKEN &&
        err != ERR_INVALID_CREDENTIALS)
        return false;
    const struct route *route = exchange->request.route;
    return route == NULL || !str_eq(route->pattern, STR("/auth/login"));
}

static Str what_of(struct arena *arena, const struct request *request)
{
    Str where = request->route != NULL ? request->route->pattern : STR("an unknown route");
    return str_printf(arena, "%.*s %.*s", STR_FMT(request->method), STR_FMT(where));
}

/* The path without its query, which may contain a token. Only in the platform's own entries: a
 * site's log must not name rows of another site, even if its own token requested them. */
static Str details_of(struct arena *arena, const struct exchange *exchange, Err err,
                      uint64_t skipped)
{
    enum { DETAILS_MAX = 4096 };
    struct buf *out = buf_in_arena(arena, DETAILS_MAX);
    struct json_writer w = json_writer(out);
    json_object_begin(&w);
    if (exchange->ctx->scope.kind != SCOPE_SITE)
        json_field_str(&w, "path", str_cut(exchange->request.path, PATH_MAX_LOGGED));
    json_field_str(&w, "code", str_from_z(err_info(err)->code));
    if (skipped > 0)
        json_field_int(&w, "left_out_before", (int64_t)skipped);
    json_object_end(&w);
    return out->is_full ? STR_NONE : buf_str(out);
}

static struct denial *denial_make(struct exchange *exchange, Err err, uint64_t skipped)
{
    struct arena *arena = arena_create();
    struct denial *denial = arena_new(arena, struct denial);
    *denial = (struct denial){
        .server = exchange->server,
        .arena = arena,
        .scope = exchange->ctx->scope,
        .what = what_of(arena, &exchange->request),
        .details = details_of(arena, exchange, err, skipped),
        .ip = str_dup(arena, exchange->request.ip),
    };
    const struct actor *actor = exchange->ctx->actor;
    denial->actor = actor != NULL ? audit_actor_name(actor) : "public";
    if (actor != NULL)
        denial->user = actor->user;
    return denial;
}

static void run(void *arg)
{
    struct denial *denial = arg;
    struct server *server = denial->server;
    server->in_flight++; /* a draining server waits for this fiber too */
    struct ctx ctx = reactor_ctx(server->reactor, denial->arena, WRITE_US);
    struct audit audit = {
        .action = STR("denied"),
        .entity_type = STR("route"),
        .entity_id = denial->what,
        .details = denial->details,
        .level = "warning",
        .status = "refused",
        .ip = denial->ip,
        .user = denial->user,
        .actor = denial->actor,
    };
    if (denial->scope.kind == SCOPE_SITE)
        audit.site = denial->scope.site;
    if (audit_note(reactor_platform(&ctx), &audit) != OK)
        counter_inc(audit_failures);
    arena_destroy(denial->arena);
    server->in_flight--;
}

void denial_note(struct exchange *exchange, Err err)
{
    if (!is_denial(exchange, err))
        return;
    uint64_t skipped;
    if (!denial_limit_take(exchange->arena, exchange->request.ip, clock_now_us(), &skipped)) {
        counter_inc(denials_skipped);
        return;
    }
    fiber_spawn(exchange->server->reactor->loop, "denial", run,
                denial_make(exchange, err, skipped));
}
