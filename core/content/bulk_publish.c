/*
 * Telling caches, subscribers and hooks what was loaded: once for up to a thousand keys of a site.
 */
#include "content/bulk_internal.h"
#include "content/items_hook.h"

static bool is_next(const struct bulk *bulk, const bool *is_told, uint32_t index, Uuid site)
{
    return bulk->rows[index].is_stored && !is_told[index] && uuid_eq(bulk->rows[index].site, site);
}

static void tell_site(struct bulk *bulk, bool *is_told, uint32_t from)
{
    Str *keys = arena_array(bulk->ctx->arena, Str, BULK_CHUNK);
    struct items_change change = {.action = ITEMS_CREATE,
                                  .collection = bulk->collection->name,
                                  .site = bulk->rows[from].site,
                                  .keys = keys,
                                  .is_audited = true};
    for (uint32_t i = from; i < bulk->count && change.count < BULK_CHUNK; i++) {
        if (!is_next(bulk, is_told, i, change.site))
            continue;
        keys[change.count++] = bulk->rows[i].key;
        is_told[i] = true;
    }
    items_announce(bulk->ctx, &change);
}

/* Lost messages are made good by the short life of what they invalidate. */
void bulk_publish(struct bulk *bulk)
{
    bool *is_told = arena_array(bulk->ctx->arena, bool, bulk->count);
    for (uint32_t i = 0; i < bulk->count; i++)
        if (bulk->rows[i].is_stored && !is_told[i])
            tell_site(bulk, is_told, i);
}
