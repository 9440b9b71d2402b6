/*
 * DDL as the owner of the tables: what is to be done is collected, and then sent many statements in
 * one round trip. The rows of the Directus tables are not the owner's, so they are written before.
 */
#include "base/memory/list.h"
#include "content/ddl/ddl.h"
#include "content/ddl/ddl_internal.h"
#include "gen/sql.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

struct ddl_line {
    struct ddl_line *next;
    struct statement statement;
    Str path;
};

void ddl_add(struct ddl_script *script, const char *format, ...)
{
    struct arena *arena = script->tx->ctx->arena;
    struct ddl_line *line = arena_new(arena, struct ddl_line);
    va_list args;
    va_start(args, format);
    Str sql = str_vprintf(arena, format, args);
    va_end(args);
    assert(sql.len > 0);
    line->statement = (struct statement){.sql = str_z(arena, sql), .lane = DB_WRITE};
    line->path = script->path;
    LIST_APPEND(script->first, script->last, line);
}

static Str note_of(const struct diag_entry *entry, const char *key)
{
    for (const struct diag_note *note = entry->notes; note != NULL; note = note->next)
        if (strcmp(note->key, key) == 0)
            return note->value;
    return STR_NONE;
}

/* A row that is there has no value, where a column must have one from now on. */
static Err fail_nulls(struct ctx *ctx)
{
    assert(ctx->diag.first != NULL);
    Str collection = note_of(ctx->diag.first, "collection");
    Str field = note_of(ctx->diag.first, "field");
    Err err = fail_noted(ctx, ERR_CONTAINS_NULLS, "collection", collection,
                         "Field \"%.*s\" in collection \"%.*s\" contains null values.",
                         STR_FMT(field), STR_FMT(collection));
    fail_note(ctx, "field", field);
    return err;
}

static Err explain(struct ctx *ctx, Err err, const struct statement *statement)
{
    assert(err != OK);
    if (err == ERR_FORBIDDEN && statement == &SQL_DDL_BECOME_OWNER)
        return fail(ctx, ERR_CONFIG,
                    "the login of the platform lane may not assume the role spark_owner: "
                    "grant it a role with noinherit that spark_owner is granted to");
    return err == ERR_NOT_NULL ? fail_nulls(ctx) : err;
}

/* One batch: the owner's role, what fits of the lines from *next on, and the own role again. */
static fiber_fn Err send(struct db_tx *tx, const struct ddl_line **next)
{
    assert(*next != NULL);
    struct db_batch batch = {.lane = DB_WRITE};
    Str paths[DB_BATCH_MAX] = {0};
    db_batch_add(&batch, &SQL_DDL_BECOME_OWNER, NO_ARGS, NULL);
    for (; *next != NULL && batch.count < DB_BATCH_MAX - 1; *next = (*next)->next) {
        paths[batch.count] = (*next)->path;
        db_batch_add(&batch, &(*next)->statement, NO_ARGS, NULL);
    }
    db_batch_add(&batch, &SQL_DDL_RESIGN_OWNER, NO_ARGS, NULL);
    Err err = db_tx_batch_run(tx, &batch);
    if (err == OK)
        return OK;
    assert(batch.done <= batch.count);
    uint32_t failed = batch.done < batch.count ? batch.done : 0;
    return ddl_at(tx->ctx, paths[failed], explain(tx->ctx, err, batch.commands[failed].statement));
}

fiber_fn Err ddl_script_run(struct ddl_script *script)
{
    const struct ddl_line *next = script->first;
    script->first = script->last = NULL;
    while (next != NULL)
        TRY(send(script->tx, &next));
    return OK;
}

fiber_fn Err ddl_run(struct db_tx *tx, Str sql)
{
    assert(tx->connection != NULL && sql.len > 0);
    struct statement statement = {.sql = str_z(tx->ctx->arena, sql), .lane = DB_WRITE};
    return db_tx_query(tx, &statement, NO_ARGS, NULL);
}
