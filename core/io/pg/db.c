#include "io/pg/db.h"

#include "base/crypto/crypto.h"
#include "base/system/clock.h"
#include "io/pg/db_internal.h"
#include "io/reactor/reactor.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static fiber_fn Err run(struct ctx *ctx, Scope scope, const Uuid *account, enum db_lane lane,
                        const struct db_command *commands, uint32_t count);
static enum request_kind kind_of(enum db_lane lane);
static void flush_lanes(void *arg);

struct db *db_new(struct loop *loop, const struct settings *settings, const char *application)
{
    assert(loop != NULL && settings != NULL && application != NULL);
    struct db *db = calloc(1, sizeof(*db));
    if (db == NULL)
        abort();
    uint64_t seed;
    random_bytes(&seed, sizeof(seed));
    *db = (struct db){
        .loop = loop,
        .settings = settings,
        .application = str_from_z(application),
        .hook = {.after_turn = flush_lanes, .arg = db},
        .random = random_seeded(seed),
        .scratch = arena_create(),
    };
    loop_add_hook(loop, &db->hook);
    for (uint32_t role = 0; role < ROLE_COUNT; role++)
        for (uint32_t kind = 0; kind < LANE_KINDS; kind++)
            lane_init(&db->lanes[role][kind], db, role, kind);
    return db;
}

void db_free(struct db *db)
{
    if (db == NULL)
        return;
    assert(!db->is_closing);
    db->is_closing = true;
    loop_remove_hook(db->loop, &db->hook);
    timer_stop(db->loop, &db->stall_watch);
    cancel_finish(db);
    for (uint32_t role = 0; role < ROLE_COUNT; role++)
        for (uint32_t kind = 0; kind < LANE_KINDS; kind++)
            lane_finish(&db->lanes[role][kind]);
    for (uint32_t role = 0; role < ROLE_COUNT; role++)
        for (uint32_t kind = 0; kind < LANE_KINDS; kind++)
            free(db->lanes[role][kind].connections);
    flow_table_finish(&db->flows);
    while (db->spare != NULL) {
        struct db_request *request = db->spare;
        db->spare = request->next;
        free(request);
    }
    db_params_finish(&db->params);
    arena_destroy(db->scratch);
    free(db);
}

bool db_is_pooled(const struct db *db)
{
    return db->settings->database_pooler.len > 0;
}

uint64_t db_losses(const struct db *db)
{
    return db->losses;
}

struct db *db_of(const struct ctx *ctx)
{
    assert(ctx->reactor != NULL && ctx->reactor->db != NULL);
    return ctx->reactor->db;
}

/* Sends once per turn, so that statements queued in the same turn share sync groups. */
static void flush_lanes(void *arg)
{
    struct db *db = arg;
    for (uint32_t role = 0; role < ROLE_COUNT; role++)
        for (uint32_t kind = 0; kind < LANE_KINDS; kind++)
            if (db->lanes[role][kind].ring != NULL || db->lanes[role][kind].owned.first != NULL)
                lane_flush(&db->lanes[role][kind]);
}

fiber_fn Err db_query(struct ctx *ctx, const struct statement *statement, struct db_args args,
                      struct rows *ret_rows)
{
    assert(statement->sql != NULL);
    struct db_command command = {statement, args, ret_rows};
    return run(ctx, ctx->scope, &ctx->account, statement->lane, &command, 1);
}

fiber_fn Err db_query_platform(struct platform platform, const struct statement *statement,
                               struct db_args args, struct rows *ret_rows)
{
    assert(platform.ctx != NULL && statement->sql != NULL);
    struct db_command command = {statement, args, ret_rows};
    return run(platform.ctx, (Scope){.kind = SCOPE_PLATFORM}, NULL, statement->lane, &command, 1);
}

void db_batch_add(struct db_batch *batch, const struct statement *statement, struct db_args args,
                  struct rows *ret_rows)
{
    assert(batch->count < DB_BATCH_MAX && statement != NULL);
    batch->commands[batch->count++] = (struct db_command){statement, args, ret_rows};
}

fiber_fn Err db_batch_run(struct ctx *ctx, struct db_batch *batch)
{
    assert(batch->count <= DB_BATCH_MAX);
    if (batch->count == 0)
        return OK;
    return run(ctx, ctx->scope, &ctx->account, batch->lane, batch->commands, batch->count);
}

fiber_fn Err db_batch_run_platform(struct platform platform, struct db_batch *batch)
{
    assert(platform.ctx != NULL && batch->count <= DB_BATCH_MAX);
    if (batch->count == 0)
        return OK;
    return run(platform.ctx, (Scope){.kind = SCOPE_PLATFORM}, NULL, batch->lane, batch->commands,
               batch->count);
}

/* `account`: the flow in PLATFORM scope; NULL: the platform's own statements. */
static fiber_fn Err run(struct ctx *ctx, Scope scope, const Uuid *account, enum db_lane lane,
                        const struct db_command *commands, uint32_t count)
{
    assert(count > 0 && count <= DB_BATCH_MAX);
    for (uint32_t i = 0; i < count; i++)
        TRY(db_check_args(ctx, commands[i].args));

    struct db *db = db_of(ctx);
    enum db_role role = scope.kind == SCOPE_SITE ? ROLE_TENANT : ROLE_PLATFORM;
    struct db_request *request = request_new(db_lane_for(db, role, lane), kind_of(lane));
    request->commands = commands;
    request->count = count;
    request->scope = scope;
    request_take_stamps(request, ctx);
    for (uint32_t i = 0; i < count; i++)
        request->is_alone |= commands[i].statement->is_alone;
    request_join(request, account);
    return request_run(ctx, request);
}

Err db_check_args(struct ctx *ctx, struct db_args args)
{
    assert(args.count <= DB_ARGS_MAX);
    assert(args.count == 0 || args.list != NULL);
    for (uint32_t i = 0; i < args.count; i++) {
        const DbArg *arg = &args.list[i];
        if (arg->is_inline || arg->data == NULL)
            continue;
        if (arg->len > DB_ARG_SIZE_MAX)
            return fail(ctx, ERR_TOO_LARGE, "a value is larger than the database accepts");
        /* libpq would silently truncate the text there. */
        if (!arg->is_binary && memchr(arg->data, '\0', arg->len) != NULL)
            return fail(ctx, ERR_INVALID_PAYLOAD, "Text must not hold a NUL character");
    }
    return OK;
}

struct lane *db_lane_for(struct db *db, enum db_role role, enum db_lane lane)
{
    assert(role < ROLE_COUNT);
    switch (lane) {
    case DB_READ:
        return &db->lanes[role][LANE_READ];
    case DB_WRITE:
    case DB_SHARED:
        return &db->lanes[role][LANE_WRITE];
    case DB_SLOW:
        return &db->lanes[role][LANE_SLOW];
    }
    abort();
}

static enum request_kind kind_of(enum db_lane lane)
{
    switch (lane) {
    case DB_READ:
        return REQUEST_READ;
    case DB_WRITE:
        return REQUEST_WRITE;
    case DB_SHARED:
        return REQUEST_SHARED;
    case DB_SLOW:
        return REQUEST_SLOW;
    }
    abort();
}

void db_copy_z(char *out, size_t size, const char *z)
{
    assert(size > 0);
    snprintf(out, size, "%s", z != NULL ? z : "");
}
