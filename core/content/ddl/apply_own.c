/* What came with the platform, as a set to ask. */
#include "content/ddl/apply_internal.h"
#include "gen/sql.h"

#include <assert.h>

static Str key_of(struct arena *arena, Str collection, Str field)
{
    return str_printf(arena, "%.*s.%.*s", STR_FMT(collection), STR_FMT(field));
}

fiber_fn Err apply_own_load(struct db_tx *tx, struct own *ret)
{
    assert(tx->connection != NULL);
    static char mark;
    struct arena *arena = tx->ctx->arena;
    struct rows rows;
    TRY(db_tx_query(tx, &SQL_APPLY_OWN, NO_ARGS, &rows));
    struct map *collections = map_in_arena(arena);
    struct map *fields = map_in_arena(arena);
    for (uint32_t i = 0; i < rows.count; i++) {
        TRY(fiber_breathe(tx->ctx));
        Str collection = row_text(&rows, i, APPLY_OWN_COLLECTION);
        map_put(collections, collection, &mark);
        map_put(fields, key_of(arena, collection, row_text(&rows, i, APPLY_OWN_FIELD)), &mark);
    }
    *ret = (struct own){collections, fields};
    return OK;
}

bool own_has_collection(const struct own *own, Str collection)
{
    assert(own->collections != NULL);
    return map_get(own->collections, collection) != NULL;
}

bool own_has_field(struct arena *arena, const struct own *own, Str collection, Str field)
{
    assert(own->fields != NULL);
    return map_get(own->fields, key_of(arena, collection, field)) != NULL;
}
