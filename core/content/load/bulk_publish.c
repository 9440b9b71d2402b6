/*
 * Announces loaded rows to caches, subscribers and hooks: one message per site and up to a thousand
 * keys.
 */
#include "base/memory/map.h"
#include "content/items/items.h"
#include "content/load/bulk_internal.h"

#include <assert.h>

/* The stored rows of each site as a linked list, in order. */
struct chains {
    struct map *heads; /* by the bytes of a site: its first row */
    uint32_t *next;    /* by row: 1 + the next row of its site; 0: it is the last */
};

static Str site_key(const struct bulk_row *row)
{
    return str_of((const char *)row->site.bytes, sizeof row->site.bytes);
}

/* Built from the last row to the first, so that each row finds its successor. */
static fiber_fn void chains_make(struct bulk *bulk, struct chains *ret)
{
    ret->heads = map_in_arena(bulk->ctx->arena);
    ret->next = arena_array(bulk->ctx->arena, uint32_t, bulk->count);
    for (uint32_t i = bulk->count; i-- > 0;) {
        fiber_pause();
        struct bulk_row *row = &bulk->rows[i];
        if (!row->is_stored)
            continue;
        const struct bulk_row *behind = map_put(ret->heads, site_key(row), row);
        ret->next[i] = behind == NULL ? 0 : (uint32_t)(behind - bulk->rows) + 1;
    }
}

static fiber_fn void announce_site(struct bulk *bulk, const struct chains *chains, uint32_t first)
{
    assert(first < bulk->count && bulk->rows[first].is_stored);
    Str *keys = arena_array(bulk->ctx->arena, Str, BULK_CHUNK);
    struct items_change change = {.action = ITEMS_CREATE,
                                  .collection = bulk->collection->name,
                                  .site = bulk->rows[first].site,
                                  .keys = keys,
                                  .is_audited = true};
    for (uint32_t next = first + 1; next != 0; next = chains->next[next - 1]) {
        keys[change.count++] = bulk->rows[next - 1].key;
        if (change.count < BULK_CHUNK && chains->next[next - 1] != 0)
            continue;
        items_announce(bulk->ctx, &change);
        change.count = 0;
        fiber_pause();
    }
}

/* A lost message is tolerable: the caches that it invalidates expire soon. */
fiber_fn void bulk_publish(struct bulk *bulk)
{
    struct chains chains;
    chains_make(bulk, &chains);
    for (uint32_t i = 0; i < bulk->count; i++) {
        fiber_pause();
        const struct bulk_row *row = &bulk->rows[i];
        if (!row->is_stored || map_get(chains.heads, site_key(row)) != row)
            continue;
        ArenaMark mark = arena_mark(bulk->ctx->arena);
        announce_site(bulk, &chains, i);
        arena_rewind(bulk->ctx->arena, mark);
    }
}
