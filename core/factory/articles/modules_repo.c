#include "factory/articles/modules.h"
#include "gen/sql.h"

#include <string.h>

/* The library is ordered by id. */
static uint32_t index_of(const struct library *library, Uuid id)
{
    uint32_t low = 0;
    uint32_t high = library->fragment_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (memcmp(library->fragments[middle].id.bytes, id.bytes, sizeof id.bytes) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool is_there = low < library->fragment_count && uuid_eq(library->fragments[low].id, id);
    return is_there ? low : UINT32_MAX;
}

static DbArg ids_of(struct arena *arena, const struct library *library)
{
    Uuid *ids = arena_array(arena, Uuid, library->fragment_count + 1);
    for (uint32_t i = 0; i < library->fragment_count; i++)
        ids[i] = library->fragments[i].id;
    return db_uuid_array(arena, ids, library->fragment_count);
}

fiber_fn Err modules_usage(struct db_tx *tx, const struct library *library, uint32_t *usage)
{
    struct ctx *ctx = tx->ctx;
    struct rows rows;
    TRY(db_tx_query(tx, &SQL_MODULES_USAGE,
                    ARGS(db_uuid(ctx->scope.site), ids_of(ctx->arena, library)), &rows));
    for (uint32_t i = 0; i < rows.count; i++) {
        uint32_t index = index_of(library, row_uuid(&rows, i, MODULES_USAGE_ID));
        if (index != UINT32_MAX)
            usage[index] = (uint32_t)row_int(&rows, i, MODULES_USAGE_USAGE_COUNT);
    }
    return OK;
}

fiber_fn Err modules_count(struct db_tx *tx, const struct library *library, const uint32_t *uses)
{
    struct ctx *ctx = tx->ctx;
    Uuid *ids = arena_array(ctx->arena, Uuid, library->fragment_count + 1);
    int64_t *counts = arena_array(ctx->arena, int64_t, library->fragment_count + 1);
    uint32_t count = 0;
    for (uint32_t i = 0; i < library->fragment_count; i++) {
        if (uses[i] == 0)
            continue;
        ids[count] = library->fragments[i].id;
        counts[count++] = uses[i];
    }
    return db_tx_query(tx, &SQL_MODULES_COUNT,
                       ARGS(db_uuid(ctx->scope.site), db_uuid_array(ctx->arena, ids, count),
                            db_int_array(ctx->arena, counts, count)),
                       NULL);
}
