/*
 * work-log: writes a work log entry for each change of items, regardless of the actor.
 *
 * The server itself writes entries for its own operations (articles, queues, tokens, logins,
 * refusals), for configuration (sites, forms, globals) and for bulk loads: those events are marked
 * as logged, and skipped. So are tables with millions of rows from visitors.
 *
 * An entry is written a few milliseconds after the reply, and is lost if the process crashes in
 * between; directus_activity records the same change in its own transaction.
 * EXTENSIONS_DISABLED=work-log disables it.
 */
#include <spark/spark.h>

#include <string.h>

enum { KEYS_NAMED = 50 };

static const spark_api *api; /* valid from start to stop */

static bool equals(spark_str a, spark_str b)
{
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

static bool is_high_volume(spark_str collection)
{
    static const spark_str TABLES[] = {SPARK_STR_INIT("pageviews"), SPARK_STR_INIT("events"),
                                       SPARK_STR_INIT("conversions")};
    for (size_t i = 0; i < sizeof TABLES / sizeof TABLES[0]; i++)
        if (equals(collection, TABLES[i]))
            return true;
    return false;
}

/* "create" → "created" */
static spark_str past(spark_call *call, spark_str action)
{
    return api->format(call, "%.*sd", SPARK_FMT(action));
}

/* {"count":n,"keys":[…]}: at most the first fifty keys. */
static spark_str details_of(spark_call *call, const spark_item_event *event)
{
    spark_str list = SPARK_STR("");
    for (size_t i = 0; i < event->key_count && i < KEYS_NAMED; i++) {
        spark_str key = api->json_quote(call, event->keys[i]);
        list = api->format(call, "%.*s%s%.*s", SPARK_FMT(list), i > 0 ? "," : "", SPARK_FMT(key));
    }
    return api->format(call, "{\"count\":%zu,\"keys\":[%.*s]}", event->key_count, SPARK_FMT(list));
}

static spark_status note(spark_call *call, const spark_item_event *event, void *user)
{
    (void)user;
    if (event->is_logged || is_high_volume(event->collection))
        return SPARK_OK;
    spark_work work = {
        .size = sizeof work,
        .action = past(call, event->action),
        .entity_type = event->collection,
        .site_id = event->site_id,
    };
    if (event->key_count == 1)
        work.entity_id = event->keys[0];
    else
        work.details = details_of(call, event);
    return api->log_work(call, &work);
}

static spark_status start(const spark_api *host, spark_registry *registry)
{
    api = host;
    return host->add_action(registry, SPARK_STR("*"), SPARK_STR("*"), note, NULL);
}

static const spark_extension WORK_LOG = {
    SPARK_EXTENSION_HEAD,
    .name = "work-log",
    .version = "1.0.0",
    .start = start,
};

const spark_extension *spark_extension_get(void)
{
    return &WORK_LOG;
}
