/*
 * god: schema and bulk operations for holders of X-God-Token. Uses only the public header; the
 * routes do not exist while GOD_MODE_TOKEN is unset, and the route guard refuses a missing or wrong
 * token.
 */
#include "god.h"

#include "text.h"
#include "yaml.h"

#include <stdint.h>
#include <stdio.h>
#include <time.h>

static const spark_api *host_api;

static spark_status refuse_parameter(spark_call *call, spark_str query)
{
    enum { SHOWN_MAX = 100 };
    size_t len = 0;
    while (len < query.len && len < SHOWN_MAX && query.data[len] != '=' && query.data[len] != '&')
        len++;
    return host_api->fail(
        call, SPARK_BAD_INPUT,
        host_api->format(call, "\"%.*s\" is not known here; this route has no parameters", (int)len,
                         query.data));
}

static spark_status run(spark_call *call, const spark_request *request, void *user)
{
    const struct god_route *route = user;
    return request->query.len > 0 ? refuse_parameter(call, request->query)
                                  : route->run(call, request, NULL);
}

spark_status god_add(const spark_api *host, spark_registry *registry,
                     const struct god_route *routes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        spark_status status =
            host->add_endpoint(registry, routes[i].method, routes[i].pattern, SPARK_GUARD_GOD,
                               routes[i].body, run, (void *)(uintptr_t)&routes[i]);
        if (status != SPARK_OK)
            return status;
    }
    return SPARK_OK;
}

/* The host copies the body: tens of MiB take a turn of their own. */
spark_status god_reply(const spark_api *api, spark_call *call, spark_str body)
{
    spark_status status = api->breathe(call);
    if (status == SPARK_OK)
        api->reply(call, 200, SPARK_STR("application/json; charset=utf-8"), body);
    return status;
}

spark_status god_read(const spark_api *api, spark_call *call, const spark_request *request,
                      spark_str known, const spark_json **body)
{
    spark_status status = api->json_parse(call, request->body, body);
    if (status == SPARK_OK && api->json_kind(*body) != SPARK_JSON_OBJECT)
        return api->fail(call, SPARK_BAD_INPUT, SPARK_STR("The body must be an object"));
    return status == SPARK_OK ? api->json_check(call, *body, known) : status;
}

static spark_str member_text(spark_call *call, const spark_json *object, spark_str key,
                             spark_str absent)
{
    const spark_json *value = host_api->json_get(object, key);
    return host_api->json_kind(value) == SPARK_JSON_NULL ? absent
                                                         : host_api->json_text(call, value);
}

/* Adds defaults for omitted members, so that the result is a table that Directus tracks; Directus'
 * own route would create a folder. */
static spark_status complete(spark_call *call, const spark_json *body,
                             const spark_json **definition)
{
    spark_str name = member_text(call, body, SPARK_STR("collection"), SPARK_STR("null"));
    spark_str fields = member_text(call, body, SPARK_STR("fields"), SPARK_STR("[]"));
    spark_str meta = member_text(call, body, SPARK_STR("meta"), SPARK_STR("{}"));
    spark_str schema = member_text(call, body, SPARK_STR("schema"), SPARK_STR("{}"));
    spark_str text = host_api->format(
        call, "{\"collection\":%.*s,\"fields\":%.*s,\"meta\":%.*s,\"schema\":%.*s}",
        SPARK_FMT(name), SPARK_FMT(fields), SPARK_FMT(meta), SPARK_FMT(schema));
    return host_api->json_parse(call, text, definition);
}

/* meta and schema are in Directus' format; unsupported members of them are ignored, as in
 * Directus. */
#define COLLECTION_MEMBERS "collection meta schema fields{collection field type meta schema}"

static spark_status collections_create(spark_call *call, const spark_request *request, void *user)
{
    (void)user;
    const spark_json *body;
    const spark_json *definition;
    size_t fields = 0;
    spark_status status = god_read(host_api, call, request, SPARK_STR(COLLECTION_MEMBERS), &body);
    if (status == SPARK_OK)
        status = complete(call, body, &definition);
    if (status == SPARK_OK)
        status = host_api->create_collection(call, definition, &fields);
    if (status != SPARK_OK)
        return status;
    spark_str name = host_api->json_text(call, host_api->json_get(body, SPARK_STR("collection")));
    return god_reply(
        host_api, call,
        host_api->format(call, "{\"success\":true,\"collection\":%.*s,\"fields_created\":%zu}",
                         SPARK_FMT(name), fields));
}

/* Without meta the relation would be a foreign key that is invisible in the editor. */
static spark_status complete_relation(spark_call *call, const spark_json *body,
                                      const spark_json **definition)
{
    *definition = body;
    if (host_api->json_kind(host_api->json_get(body, SPARK_STR("meta"))) != SPARK_JSON_NULL)
        return SPARK_OK;
    spark_str absent = SPARK_STR("null");
    spark_str collection = member_text(call, body, SPARK_STR("collection"), absent);
    spark_str field = member_text(call, body, SPARK_STR("field"), absent);
    spark_str related = member_text(call, body, SPARK_STR("related_collection"), absent);
    spark_str schema = member_text(call, body, SPARK_STR("schema"), absent);
    spark_str text = host_api->format(
        call,
        "{\"collection\":%.*s,\"field\":%.*s,\"related_collection\":%.*s,"
        "\"schema\":%.*s,\"meta\":{}}",
        SPARK_FMT(collection), SPARK_FMT(field), SPARK_FMT(related), SPARK_FMT(schema));
    return host_api->json_parse(call, text, definition);
}

static spark_status relations_create(spark_call *call, const spark_request *request, void *user)
{
    (void)user;
    const spark_json *body;
    const spark_json *definition;
    spark_str relation = {NULL, 0};
    spark_status status =
        god_read(host_api, call, request,
                 SPARK_STR("collection field related_collection schema meta"), &body);
    if (status == SPARK_OK)
        status = complete_relation(call, body, &definition);
    if (status == SPARK_OK)
        status = host_api->create_relation(call, definition, &relation);
    if (status != SPARK_OK)
        return status;
    return god_reply(
        host_api, call,
        host_api->format(call, "{\"success\":true,\"relation\":%.*s}", SPARK_FMT(relation)));
}

/* "2024-12-29T23:56:42.000Z" */
spark_str god_timestamp(const spark_api *api, spark_call *call)
{
    struct timespec now;
    struct tm utc;
    char date[32];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
    return api->format(call, "%s.%03ldZ", date, now.tv_nsec / 1000000);
}

enum { ANSWER_MAX = 64 * 1024 * 1024, ANSWER_REST = 256 };

/* Built as one text: format() would copy such a large one three times. */
static spark_status snapshot_reply(spark_call *call, spark_str yaml)
{
    struct text text = text_make(host_api, call, yaml.len + yaml.len / 8 + ANSWER_REST, ANSWER_MAX);
    spark_str now = god_timestamp(host_api, call);
    text_put(&text, SPARK_STR("{\"success\":true,\"schema\":"));
    text_put_quoted(&text, yaml);
    text_put(&text, host_api->format(call, ",\"timestamp\":\"%.*s\"}", SPARK_FMT(now)));
    spark_str answer;
    spark_status status = text_end(&text, SPARK_FAILED,
                                   SPARK_STR("The schema is too large for one answer."), &answer);
    return status == SPARK_OK ? god_reply(host_api, call, answer) : status;
}

static spark_status snapshot_show(spark_call *call, const spark_request *request, void *user)
{
    (void)request;
    (void)user;
    spark_str text;
    spark_str yaml;
    const spark_json *snapshot;
    spark_status status = host_api->schema_snapshot(call, &text);
    if (status == SPARK_OK)
        status = host_api->json_parse(call, text, &snapshot);
    if (status == SPARK_OK)
        status = yaml_of_json(host_api, call, snapshot, &yaml);
    return status == SPARK_OK ? snapshot_reply(call, yaml) : status;
}

/* The members of the result follow ours, so its opening brace is omitted. */
static spark_status bulk_reply(spark_call *call, spark_str name, spark_str result)
{
    struct text text = text_make(host_api, call, name.len + result.len + ANSWER_REST, ANSWER_MAX);
    text_put(&text, SPARK_STR("{\"success\":true,\"collection\":"));
    text_put(&text, name);
    text_put(&text, SPARK_STR(","));
    text_put(&text, (spark_str){result.data + 1, result.len - 1});
    spark_str answer;
    spark_status status = text_end(&text, SPARK_FAILED,
                                   SPARK_STR("The result is too large for one answer."), &answer);
    return status == SPARK_OK ? god_reply(host_api, call, answer) : status;
}

/* {collection, items, atomic = true} */
static spark_status bulk_insert(spark_call *call, const spark_request *request, void *user)
{
    (void)user;
    const spark_json *body;
    spark_status status =
        god_read(host_api, call, request, SPARK_STR("collection items atomic"), &body);
    if (status != SPARK_OK)
        return status;
    const spark_json *collection = host_api->json_get(body, SPARK_STR("collection"));
    const spark_json *items = host_api->json_get(body, SPARK_STR("items"));
    const spark_json *atomic = host_api->json_get(body, SPARK_STR("atomic"));
    if (host_api->json_kind(collection) != SPARK_JSON_STRING)
        return host_api->fail(call, SPARK_BAD_INPUT, SPARK_STR("\"collection\" is required"));
    if (host_api->json_kind(items) != SPARK_JSON_ARRAY)
        return host_api->fail(call, SPARK_BAD_INPUT, SPARK_STR("\"items\" must be an array"));
    if (atomic != NULL && host_api->json_kind(atomic) != SPARK_JSON_BOOL)
        return host_api->fail(call, SPARK_BAD_INPUT, SPARK_STR("\"atomic\" must be true or false"));
    spark_str result;
    status = host_api->bulk_insert(call, host_api->json_string(collection), items,
                                   atomic == NULL || host_api->json_boolean(atomic), &result);
    if (status != SPARK_OK)
        return status;
    return bulk_reply(call, host_api->json_text(call, collection), result);
}

static spark_status god_start(const spark_api *host, spark_registry *registry)
{
    static const struct god_route ROUTES[] = {
        {SPARK_STR_INIT("POST"), SPARK_STR_INIT("/god/schema/collections/create"),
         SPARK_BODY_CONTENT, collections_create},
        {SPARK_STR_INIT("POST"), SPARK_STR_INIT("/god/schema/relations/create"), SPARK_BODY_CONTENT,
         relations_create},
        {SPARK_STR_INIT("GET"), SPARK_STR_INIT("/god/schema/snapshot"), SPARK_BODY_NONE,
         snapshot_show},
        {SPARK_STR_INIT("POST"), SPARK_STR_INIT("/god/data/bulk-insert"), SPARK_BODY_BULK,
         bulk_insert},
    };
    host_api = host;
    spark_status status = god_add(host, registry, ROUTES, sizeof ROUTES / sizeof ROUTES[0]);
    if (status == SPARK_OK)
        status = apply_start(host, registry);
    return status == SPARK_OK ? operate_start(host, registry) : status;
}

static const spark_extension GOD = {
    SPARK_EXTENSION_HEAD,
    .name = "god",
    .version = "1.0.0",
    .start = god_start,
};

const spark_extension *spark_extension_get(void)
{
    return &GOD;
}
