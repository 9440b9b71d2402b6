/*
 * Telling caches and subscribers what was loaded: one message for up to a thousand keys of a site.
 */
#include "base/json_writer.h"
#include "content/bulk_internal.h"
#include "content/items.h"
#include "io/reactor.h"
#include "io/redis.h"

enum { MESSAGE_MAX = 1024 * 1024 };

static bool is_next(const struct bulk *bulk, const bool *is_told, uint32_t index, Uuid site)
{
    return bulk->rows[index].is_stored && !is_told[index] && uuid_eq(bulk->rows[index].site, site);
}

static void send_site(struct bulk *bulk, bool *is_told, uint32_t from)
{
    struct ctx *ctx = bulk->ctx;
    Uuid site = bulk->rows[from].site;
    bool has_site = !uuid_is_nil(site) && !uuid_eq(site, UUID_LIBRARY_SITE);
    struct json_writer w = json_writer(buf_in_arena(ctx->arena, MESSAGE_MAX));
    json_object_begin(&w);
    json_key(&w, STR("site"));
    if (has_site)
        json_put_uuid(&w, site);
    else
        json_put_null(&w);
    json_field_str(&w, "collection", bulk->collection->name);
    json_field_str(&w, "action", STR("create"));
    json_key(&w, STR("keys"));
    json_array_begin(&w);
    uint32_t keys = 0;
    for (uint32_t i = from; i < bulk->count && keys < BULK_CHUNK; i++) {
        if (!is_next(bulk, is_told, i, site))
            continue;
        json_put_str(&w, bulk->rows[i].key);
        is_told[i] = true;
        keys++;
    }
    json_array_end(&w);
    json_object_end(&w);
    const Str words[] = {STR("PUBLISH"), ITEMS_CHANNEL, buf_str(w.out)};
    if (!w.out->is_full)
        (void)redis_send(ctx->reactor->redis, words, sizeof words / sizeof words[0]);
}

/* Lost messages are made good by the short life of what they invalidate. */
void bulk_publish(struct bulk *bulk)
{
    if (bulk->ctx->reactor->redis == NULL)
        return;
    bool *is_told = arena_array(bulk->ctx->arena, bool, bulk->count);
    for (uint32_t i = 0; i < bulk->count; i++)
        if (bulk->rows[i].is_stored && !is_told[i])
            send_site(bulk, is_told, i);
}
