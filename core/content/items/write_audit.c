/*
 * Changes of configuration are audited, regardless of the actor: site, entity, actor, address and,
 * for an update, the names of the fields. Values are left out, because some are secrets.
 */
#include "access/audit/audit.h"
#include "base/json/json_writer.h"
#include "content/items/write.h"
#include "content/plan/sql_print.h"
#include "gen/sql.h"

#include <assert.h>

enum { DETAILS_MAX = 64 * 1024 };

static Str action_text(enum action action)
{
    assert(action != ACTION_READ);
    return action == ACTION_CREATE   ? STR("created")
           : action == ACTION_UPDATE ? STR("updated")
                                     : STR("deleted");
}

static DbArg details_of(struct ctx *ctx, const struct write_shape *shape)
{
    if (shape->action != ACTION_UPDATE)
        return db_null();
    struct json_writer w = json_writer(buf_in_arena(ctx->arena, DETAILS_MAX));
    json_object_begin(&w);
    json_key(&w, STR("fields"));
    json_array_begin(&w);
    for (uint32_t i = 0; i < shape->field_count; i++)
        json_put_str(&w, shape->fields[i]->name);
    json_array_end(&w);
    json_object_end(&w);
    return w.out->is_full ? db_null() : db_text(buf_str(w.out));
}

/* A deleted site has no log any more: its deletion is logged for the platform. */
static Uuid log_of(const struct plan *plan, const struct write_shape *shape,
                   const struct rows *rows, uint32_t row)
{
    bool is_gone =
        shape->action == ACTION_DELETE && plan->collection->site == plan->collection->key;
    bool has_site = plan->site_column != NO_COLUMN && !row_is_null(rows, row, plan->site_column);
    if (is_gone || !has_site)
        return UUID_LIBRARY_SITE;
    return row_uuid(rows, row, plan->site_column);
}

fiber_fn Err write_audit(struct writer *w, const struct plan *plan, const struct write_shape *shape,
                         const struct rows *rows)
{
    assert(w->tx != NULL && plan->collection->is_audited);
    struct ctx *ctx = w->ctx;
    if (rows->count == 0)
        return OK;
    Uuid *sites = arena_array(ctx->arena, Uuid, rows->count);
    Str *keys = arena_array(ctx->arena, Str, rows->count);
    for (uint32_t i = 0; i < rows->count; i++) {
        sites[i] = log_of(plan, shape, rows, i);
        keys[i] = key_of_row(ctx->arena, rows, i, plan->key_column);
    }
    return db_tx_query(w->tx, &SQL_AUDIT_ROWS,
                       audit_rows_args(ctx->arena,
                                       &(struct audit_rows_args){
                                           .sites = {sites, rows->count},
                                           .keys = {keys, rows->count},
                                           .action = action_text(shape->action),
                                           .entity_type = plan->collection->name,
                                           .details = details_of(ctx, shape),
                                           .audit_user = audit_user(ctx),
                                           .audit_actor = audit_actor(ctx),
                                           .audit_ip = audit_ip(ctx),
                                       }),
                       NULL);
}
