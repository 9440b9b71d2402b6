/*
 * Moving a row to the place of another one in the order of its collection.
 */
#include "content/items/write.h"
#include "gen/sql.h"

#include <assert.h>

struct moving {
    const struct write_target *target;
    Str moved;
    Str to;
};

/* Both rows have to be visible; a row of another site is as good as none. */
static fiber_fn Err move_row(struct writer *w, void *arg)
{
    const struct moving *moving = arg;
    const struct collection *collection = moving->target->collection;
    bool is_there;
    TRY(nested_exists(w, collection, moving->moved, &is_there));
    if (is_there)
        TRY(nested_exists(w, collection, moving->to, &is_there));
    if (!is_there)
        return fail_plain(w->ctx, ERR_FORBIDDEN);
    Str site_column = collection->site == NULL ? STR_NONE : collection->site->name;
    return db_tx_query(w->tx, &SQL_ITEMS_MOVE,
                       items_move_args(w->ctx->arena,
                                       &(struct items_move_args){
                                           .collection = collection->name,
                                           .order_column = collection->sort_field->name,
                                           .key_column = collection->key->name,
                                           .site_column = site_column,
                                           .moved = moving->moved,
                                           .target = moving->to,
                                       }),
                       NULL);
}

/* The collection exists, but the actor may not change it: Directus has a message of its own here.
 */
static Err check_update(struct ctx *ctx, const struct schema *schema, Str name)
{
    const struct collection *collection = schema_find(schema, name);
    struct compiler c = {.ctx = ctx, .actor = ctx->actor, .scope = ctx->scope.kind};
    struct access access;
    if (collection == NULL || access_find(&c, collection, ACTION_UPDATE, &access))
        return OK;
    struct write_target target = {.collection = collection, .action = ACTION_UPDATE};
    return write_forbidden(ctx, &target, NULL);
}

fiber_fn Err items_move(struct ctx *ctx, struct items_target target, Str moved, Str to)
{
    struct writer w = {.ctx = ctx};
    struct write_target write_target;
    TRY(schema_current(ctx, &w.schema));
    TRY(check_update(ctx, w.schema, target.collection));
    TRY(write_open(ctx, target, ACTION_UPDATE, &w, &write_target));
    const struct collection *collection = write_target.collection;
    if (collection->sort_field == NULL)
        return fail(ctx, ERR_INVALID_PAYLOAD, "Collection \"%.*s\" doesn't have a sort field",
                    STR_FMT(collection->name));
    bool may_order = access_field(&write_target.access, collection->sort_field);
    if (!may_order || !key_is_valid(collection->key, moved) || !key_is_valid(collection->key, to))
        return fail_plain(ctx, ERR_FORBIDDEN);
    struct moving moving = {&write_target, moved, to};
    return writer_in_tx(&w, move_row, &moving);
}
