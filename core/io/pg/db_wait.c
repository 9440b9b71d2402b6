#include "io/pg/db_wait.h"

#include "base/system/clock.h"
#include "base/system/ctx.h"
#include "io/pg/session/db_connect.h"

#include <assert.h>
#include <time.h>

enum {
    RETRY_MS = 200,
    REFUSALS_MAX = 5, /* attempts refused by a running server before giving up */
    ERROR_SIZE = 512,
    FIRST_WORD_S = 1,
    NEXT_WORD_S = 10,
};

static void (*reporter)(Str sentence);

void db_wait_tell(void (*say)(Str sentence))
{
    reporter = say;
}

static bool server_answers(Str url)
{
    const char *const keys[] = {"dbname", "connect_timeout", NULL};
    const char *const values[] = {url.data, "3", NULL};
    return PQpingParams(keys, values, 1) == PQPING_OK;
}

static void report_wait(struct ctx *ctx, Str url, Str reason)
{
    char place[CONNECT_PLACE_MAX];
    connect_place(url, place, sizeof place);
    if (reporter != NULL)
        reporter(
            str_printf(ctx->arena, "waiting for PostgreSQL at %s: %.*s", place, STR_FMT(reason)));
}

/* A server that is starting or unreachable is retried until the deadline; five refusals end the
 * wait. */
Err connect_in_time(struct ctx *ctx, const struct connect_target *target, int64_t deadline_us,
                    PGconn **ret)
{
    assert(target->url.data[target->url.len] == '\0');
    char error[ERROR_SIZE] = "";
    int64_t next_word_us = clock_now_us() + FIRST_WORD_S * SECOND_US;
    for (uint32_t refusals = 0;;) {
        PGconn *pg = connect_now(target, error, sizeof(error));
        if (pg != NULL) {
            *ret = pg;
            return OK;
        }
        Str reason = str_dup(ctx->arena, str_trim(str_from_z(error)));
        if (server_answers(target->url) && ++refusals >= REFUSALS_MAX)
            return fail(ctx, ERR_CONFIG, "PostgreSQL refuses the connection: %.*s",
                        STR_FMT(reason));
        if (clock_now_us() >= deadline_us)
            return fail(ctx, ERR_UNAVAILABLE, "PostgreSQL is not reachable: %.*s", STR_FMT(reason));
        if (clock_now_us() >= next_word_us) {
            report_wait(ctx, target->url, reason);
            next_word_us = clock_now_us() + NEXT_WORD_S * SECOND_US;
        }
        nanosleep(&(struct timespec){.tv_nsec = RETRY_MS * 1000000L}, NULL);
    }
}

Err db_wait_reachable(struct ctx *ctx, Str url, int64_t deadline_us)
{
    struct connect_target target = {.url = str_from_z(str_z(ctx->arena, url)),
                                    .application = STR("spark cli")};
    PGconn *pg = NULL;
    TRY(connect_in_time(ctx, &target, deadline_us, &pg));
    PQfinish(pg);
    return OK;
}
