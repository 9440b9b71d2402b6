/*
 * cache-bust: notifies front ends and proxies of changes of a site's content, so that they may
 * cache pages until then.
 *
 * A generation: spark:ext:{site}:cache-bust:<collection>, a counter in Redis. Store it with
 * rendered content, or use it in the cache key: a different number means that the content is stale.
 *
 * A message on spark:ext:{site}:cache-bust:changed, for purging caches:
 *
 *   {"site":…|null,"collection":…,"action":…,"generation":n,"surrogate_keys":[…]}
 *
 * Keys are <site>/<collection>, and <site>/<collection>/<id> for each of at most 100 rows; with
 * more rows, only the collection's key. <site> is "all" for content of all sites.
 *
 * PSUBSCRIBE spark:ext:*:cache-bust:changed receives the messages of all sites. Messages are lost
 * while Redis is unavailable, so a cache needs a maximum age as well (a minute).
 * CACHE_BUST_COLLECTIONS replaces the list of collections.
 */
#include <spark/spark.h>

#include <string.h>

enum { KEYS_NAMED = 100 };

static const spark_api *api; /* valid from start to stop */

static spark_str surrogate_keys(spark_call *call, const spark_item_event *event, spark_str site)
{
    spark_str whole = api->json_quote(
        call, api->format(call, "%.*s/%.*s", SPARK_FMT(site), SPARK_FMT(event->collection)));
    spark_str list = whole;
    for (size_t i = 0; i < event->key_count && event->key_count <= KEYS_NAMED; i++) {
        spark_str key = api->format(call, "%.*s/%.*s/%.*s", SPARK_FMT(site),
                                    SPARK_FMT(event->collection), SPARK_FMT(event->keys[i]));
        list =
            api->format(call, "%.*s,%.*s", SPARK_FMT(list), SPARK_FMT(api->json_quote(call, key)));
    }
    return list;
}

static spark_str message(spark_call *call, const spark_item_event *event, int64_t generation)
{
    bool has_site = event->site_id.len > 0;
    spark_str site = has_site ? event->site_id : SPARK_STR("all");
    spark_str name = has_site ? api->json_quote(call, site) : SPARK_STR("null");
    spark_str keys = surrogate_keys(call, event, site);
    return api->format(call,
                       "{\"site\":%.*s,\"collection\":%.*s,\"action\":\"%.*s\",\"generation\":%lld,"
                       "\"surrogate_keys\":[%.*s]}",
                       SPARK_FMT(name), SPARK_FMT(api->json_quote(call, event->collection)),
                       SPARK_FMT(event->action), (long long)generation, SPARK_FMT(keys));
}

/* Increments the generation first: a subscriber may read it immediately after the message. */
static spark_status bust(spark_call *call, const spark_item_event *event, void *user)
{
    (void)user;
    int64_t generation;
    spark_status status = api->count_up(call, event->site_id, event->collection, &generation);
    if (status != SPARK_OK)
        return status;
    return api->publish(call, event->site_id, SPARK_STR("changed"),
                        message(call, event, generation));
}

/* One hook per collection, so that other collections cause no calls. */
static spark_status watch(spark_registry *registry, spark_str list)
{
    while (list.len > 0) {
        const char *comma = memchr(list.data, ',', list.len);
        size_t len = comma == NULL ? list.len : (size_t)(comma - list.data);
        spark_str name = {list.data, len};
        while (name.len > 0 && name.data[0] == ' ')
            name = (spark_str){name.data + 1, name.len - 1};
        while (name.len > 0 && name.data[name.len - 1] == ' ')
            name.len--;
        spark_status status =
            name.len == 0 ? SPARK_OK : api->add_action(registry, name, SPARK_STR("*"), bust, NULL);
        if (status != SPARK_OK)
            return status;
        size_t used = comma == NULL ? len : len + 1;
        list = (spark_str){list.data + used, list.len - used};
    }
    return SPARK_OK;
}

static spark_status start(const spark_api *host, spark_registry *registry)
{
    api = host;
    spark_str list = host->setting(registry, SPARK_STR("CACHE_BUST_COLLECTIONS"));
    if (list.len == 0)
        list = SPARK_STR("sites,globals,navigation,pages,page_blocks,posts,authors,hub_pages,"
                         "generated_articles,forms");
    return watch(registry, list);
}

static const spark_extension CACHE_BUST = {
    SPARK_EXTENSION_HEAD,
    .name = "cache-bust",
    .version = "1.0.0",
    .start = start,
};

const spark_extension *spark_extension_get(void)
{
    return &CACHE_BUST;
}
