/*
 * Activity and revisions of the rows of directus_collections and directus_fields that a change of
 * the schema makes, changes or deletes. The server's own changes leave none.
 */
#include "access/audit/activity.h"
#include "base/json/json.h"
#include "content/ddl/ddl_rows.h"
#include "gen/sql.h"

#include <assert.h>

fiber_fn Err ddl_history(struct db_tx *tx, enum action action, const struct ddl_row *rows,
                         uint32_t count)
{
    assert(action == ACTION_CREATE || action == ACTION_UPDATE);
    struct arena *arena = tx->ctx->arena;
    if (count == 0 || !activity_is_kept(tx->ctx->actor))
        return OK;
    Str *collections = arena_array(arena, Str, count);
    Str *fields = arena_array(arena, Str, count);
    Str *given = arena_array(arena, Str, count);
    for (uint32_t i = 0; i < count; i++) {
        fiber_pause();
        collections[i] = rows[i].collection;
        fields[i] = rows[i].field.len == 0 ? STR_NONE : rows[i].field;
        given[i] = rows[i].meta == NULL ? STR("{}") : json_text(arena, rows[i].meta);
    }
    DbArg actor[ACTIVITY_ARGS];
    activity_put_actor(tx->ctx->actor, actor);
    const struct ddl_history_args args = {
        .action = str_from_z(action_name(action)),
        .collections = {collections, count},
        .fields = {fields, count},
        .given = {given, count},
        .user = actor[ACTIVITY_USER],
        .ip = actor[ACTIVITY_IP],
        .user_agent = actor[ACTIVITY_AGENT],
        .origin = actor[ACTIVITY_ORIGIN],
    };
    return db_tx_query(tx, &SQL_DDL_HISTORY, ddl_history_args(arena, &args), NULL);
}

fiber_fn Err ddl_history_gone(struct db_tx *tx, Str collection, Str field)
{
    assert(collection.len > 0);
    DbArg actor[ACTIVITY_ARGS];
    if (!activity_is_kept(tx->ctx->actor))
        return OK;
    activity_put_actor(tx->ctx->actor, actor);
    const struct ddl_history_gone_args args = {
        .collection = collection,
        .field = field,
        .user = actor[ACTIVITY_USER],
        .ip = actor[ACTIVITY_IP],
        .user_agent = actor[ACTIVITY_AGENT],
        .origin = actor[ACTIVITY_ORIGIN],
    };
    return db_tx_query(tx, &SQL_DDL_HISTORY_GONE, ddl_history_gone_args(tx->ctx->arena, &args),
                       NULL);
}
