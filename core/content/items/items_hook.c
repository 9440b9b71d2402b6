#include "base/json/json_writer.h"
#include "base/memory/array.h"
#include "content/items/items_rules.h"
#include "io/reactor/reactor.h"
#include "io/redis/redis.h"

#include <assert.h>

enum { MESSAGE_MAX = 1024 * 1024, KEYS_TOLD_MAX = 10000 };

static const struct items_hooks *hooks;

void items_set_hooks(const struct items_hooks *new_hooks)
{
    hooks = new_hooks;
}

bool items_are_filtered(enum items_action action, Str collection)
{
    return hooks != NULL && hooks->is_filtered(action, collection);
}

fiber_fn Err items_filter(struct ctx *ctx, const struct items_change *change,
                          const struct json *payload, const struct json **ret)
{
    assert(change != NULL);
    *ret = payload;
    if (hooks == NULL)
        return OK;
    return hooks->before(ctx, change, payload, ret);
}

Str items_action_name(enum items_action action)
{
    assert(action <= ITEMS_DELETE);
    static const Str NAMES[] = {
        [ITEMS_CREATE] = STR_INIT("create"),
        [ITEMS_UPDATE] = STR_INIT("update"),
        [ITEMS_DELETE] = STR_INIT("delete"),
    };
    return NAMES[action];
}

/* The collection name cannot terminate the comment, because asterisks in it are replaced. */
void items_put_announced(struct buf *sql, enum items_action action, Str collection)
{
    buf_printf(sql, "/* announced %.*s ", STR_FMT(items_action_name(action)));
    for (size_t i = 0; i < collection.len; i++)
        buf_put_char(sql, collection.data[i] == '*' ? '?' : collection.data[i]);
    buf_put_z(sql, " */ ");
}

/* Fire and forget: if the message is lost, a cache is stale for at most its sixty seconds. */
static void publish(struct ctx *ctx, const struct items_change *change)
{
    assert(change->count == 0 || change->keys != NULL);
    struct json_writer json = json_writer(buf_in_arena(ctx->arena, MESSAGE_MAX));
    json_object_begin(&json);
    if (uuid_is_nil(change->site) || uuid_eq(change->site, UUID_LIBRARY_SITE))
        json_field_null(&json, "site");
    else
        json_field_uuid(&json, "site", change->site);
    json_field_str(&json, "collection", change->collection);
    json_field_str(&json, "action", items_action_name(change->action));
    json_key(&json, STR("keys"));
    json_array_begin(&json);
    for (uint32_t i = 0; i < change->count; i++)
        json_put_str(&json, change->keys[i]);
    json_array_end(&json);
    json_object_end(&json);
    const Str words[] = {STR("PUBLISH"), ITEMS_CHANNEL, buf_str(json.out)};
    if (!json.out->is_full)
        (void)redis_send(ctx->reactor->redis, words, COUNT_OF(words));
}

void items_announce(struct ctx *ctx, const struct items_change *change)
{
    assert(ctx->reactor != NULL);
    struct items_change told = *change;
    if (told.count > KEYS_TOLD_MAX)
        told.count = KEYS_TOLD_MAX;
    if (ctx->reactor->redis != NULL)
        publish(ctx, &told);
    if (hooks != NULL)
        hooks->after(ctx, &told);
}

static const struct collection_rules *rules;
static uint32_t rules_count;

void items_set_rules(const struct collection_rules *list, uint32_t count)
{
    assert(list != NULL || count == 0);
    rules = list;
    rules_count = count;
}

/* Only system collections have rules, so that other writes pay nothing for them. */
const struct collection_rules *items_rules_find(const struct collection *collection)
{
    if (!collection->is_system)
        return NULL;
    for (uint32_t i = 0; i < rules_count; i++) {
        if (str_eq(rules[i].collection, collection->name))
            return &rules[i];
    }
    return NULL;
}
