#include "base/system/clock.h"
#include "base/system/log.h"
#include "io/pg/db_internal.h"
#include "io/pg/session/db_connect.h"
#include "io/reactor/reactor.h"

#include <assert.h>

enum { LOOK_AGAIN_US = 10000, FIRST_WORD_S = 1, NEXT_WORD_S = 10 };

/* Row-level security does not apply to superusers and table owners: the roles of the lanes must be
 * neither, nor inherit from one. */
static const struct statement ROLE_CHECK = {
    .name = "db_role_check",
    .sql = "select current_user::text, rolsuper, rolbypassrls, exists ("
           "select from pg_class c join pg_namespace n on n.oid = c.relnamespace "
           "where n.nspname in ('public', 'spark') and c.relkind in ('r', 'p') "
           "and pg_has_role(current_user, c.relowner, 'usage')) "
           "from pg_roles where rolname = current_user",
    .lane = DB_READ,
};
static const struct statement EPOCH_CHECK = {
    .name = "db_epoch_check",
    .sql = "select epoch from spark.epoch",
    .lane = DB_READ,
};

static fiber_fn Err lane_be_ready(struct ctx *ctx, const struct lane *lane);
static fiber_fn Err wait_for_lane(struct ctx *ctx, const struct lane *lane);
static fiber_fn Err check_role(struct ctx *ctx, const struct lane *lane);
static fiber_fn Err query_lane(struct ctx *ctx, const struct lane *lane,
                               const struct statement *statement, struct rows *ret);
static const char *last_error(const struct lane *lane);
static void log_waiting(const struct lane *lane);

fiber_fn Err db_wait_ready(struct ctx *ctx, struct db *db)
{
    assert(ctx->reactor != NULL && ctx->reactor->db == db);
    for (uint32_t role = 0; role < ROLE_COUNT; role++) {
        const struct lane *lane = &db->lanes[role][LANE_READ];
        Err err;
        /* The connection was up but lost before it answered: retry until the deadline. */
        while ((err = lane_be_ready(ctx, lane)) == ERR_UNAVAILABLE) {
            struct diag story = ctx->diag;
            if (fiber_sleep(ctx, LOOK_AGAIN_US) != OK) {
                ctx->diag = story;
                return err;
            }
            diag_clear(ctx);
        }
        TRY(err);
    }
    return OK;
}

static fiber_fn Err lane_be_ready(struct ctx *ctx, const struct lane *lane)
{
    struct rows rows;
    TRY(wait_for_lane(ctx, lane));
    TRY(check_role(ctx, lane));
    return query_lane(ctx, lane, &EPOCH_CHECK, &rows);
}

static fiber_fn Err wait_for_lane(struct ctx *ctx, const struct lane *lane)
{
    int64_t next_word_us = clock_now_us() + FIRST_WORD_S * SECOND_US;
    while (!lane_is_up(lane)) {
        if (clock_now_us() >= next_word_us) {
            log_waiting(lane);
            next_word_us = clock_now_us() + NEXT_WORD_S * SECOND_US;
        }
        Err err = fiber_sleep(ctx, LOOK_AGAIN_US);
        if (err == ERR_TIMEOUT && !lane_is_up(lane))
            return fail(ctx, ERR_UNAVAILABLE, "PostgreSQL is not reachable: %s", last_error(lane));
        TRY(err);
    }
    return OK;
}

static fiber_fn Err check_role(struct ctx *ctx, const struct lane *lane)
{
    struct rows rows;
    TRY(query_lane(ctx, lane, &ROLE_CHECK, &rows));
    if (rows.count != 1)
        return fail(ctx, ERR_CONFIG, "the database does not know its own current user");
    const char *lane_role = lane->role == ROLE_TENANT ? "tenant" : "platform";
    const char *fault = NULL;
    if (row_bool(&rows, 0, 1))
        fault = "is a superuser";
    else if (row_bool(&rows, 0, 2))
        fault = "has BYPASSRLS";
    else if (row_bool(&rows, 0, 3))
        fault = "owns tables (itself or through a role it is a member of)";
    if (fault == NULL)
        return OK;
    return fail(ctx, ERR_CONFIG,
                "the database user \"%.*s\" of the %s lane %s, so row security would not hold it; "
                "use a login that is only a member of spark_%s",
                STR_FMT(row_text(&rows, 0, 0)), lane_role, fault, lane_role);
}

/* Queries the catalog as a lane's own role, regardless of the scope of ctx. */
static fiber_fn Err query_lane(struct ctx *ctx, const struct lane *lane,
                               const struct statement *statement, struct rows *ret)
{
    static const char WHY[] = "queries a lane as its own role";
    SCOPED_CTX struct ctx own = lane->role == ROLE_TENANT
                                    ? ctx_for_site(ctx, UUID_LIBRARY_SITE, WHY)
                                    : ctx_as_machinery(ctx, WHY);
    return db_query(&own, statement, NO_ARGS, ret);
}

static const char *last_error(const struct lane *lane)
{
    assert(lane->max > 0);
    for (uint32_t i = 0; i < lane->max; i++)
        if (lane->connections[i].last_error[0] != '\0')
            return lane->connections[i].last_error;
    return "no answer yet";
}

static void log_waiting(const struct lane *lane)
{
    Str login = lane_login(lane);
    char place[CONNECT_PLACE_MAX];
    connect_place(login.len > 0 ? login : lane->db->settings->database_url, place, sizeof place);
    log_event(LOG_WARN, "waiting_for_postgres", LOG_Z("address", place),
              LOG_Z("reason", last_error(lane)));
}
