/*
 * POST /god/schema/apply: applies a snapshot from GET /god/schema/snapshot of this or another
 * installation.
 */
#include "god.h"
#include "yaml.h"

static const spark_api *api;

static spark_status take_flag(spark_call *call, const spark_json *body, spark_str name, bool *ret)
{
    const spark_json *value = api->json_get(body, name);
    if (value != NULL && api->json_kind(value) != SPARK_JSON_BOOL)
        return api->fail(call, SPARK_BAD_INPUT,
                         api->format(call, "\"%.*s\" must be true or false", SPARK_FMT(name)));
    *ret = api->json_boolean(value);
    return SPARK_OK;
}

/* "yaml" is text; "schema" is an object, or text as in the snapshot's JSON answer. */
static spark_status take_snapshot(spark_call *call, const spark_json *body, const spark_json **ret)
{
    const spark_json *yaml = api->json_get(body, SPARK_STR("yaml"));
    const spark_json *schema = api->json_get(body, SPARK_STR("schema"));
    if ((yaml == NULL) == (schema == NULL))
        return api->fail(call, SPARK_BAD_INPUT,
                         SPARK_STR("One of \"yaml\" and \"schema\" is required"));
    const spark_json *given = yaml != NULL ? yaml : schema;
    if (api->json_kind(given) == SPARK_JSON_STRING)
        return json_of_yaml(api, call, api->json_string(given), ret);
    if (yaml != NULL || api->json_kind(given) != SPARK_JSON_OBJECT)
        return api->fail(call, SPARK_BAD_INPUT,
                         SPARK_STR("\"yaml\" must be text, \"schema\" an object or text"));
    *ret = given;
    return SPARK_OK;
}

/* {yaml | schema, dry_run = false, allow_delete = false} */
static spark_status schema_apply(spark_call *call, const spark_request *request, void *user)
{
    (void)user;
    const spark_json *body = NULL;
    const spark_json *snapshot = NULL;
    bool is_dry_run = false;
    bool may_delete = false;
    spark_str result;
    spark_status status =
        god_read(api, call, request, SPARK_STR("yaml schema dry_run allow_delete"), &body);
    if (status == SPARK_OK)
        status = take_flag(call, body, SPARK_STR("dry_run"), &is_dry_run);
    if (status == SPARK_OK)
        status = take_flag(call, body, SPARK_STR("allow_delete"), &may_delete);
    if (status == SPARK_OK)
        status = take_snapshot(call, body, &snapshot);
    if (status == SPARK_OK)
        status = api->schema_apply(call, snapshot, is_dry_run, may_delete, &result);
    return status == SPARK_OK ? god_reply(api, call, result) : status;
}

spark_status apply_start(const spark_api *host, spark_registry *registry)
{
    static const struct god_route ROUTE = {
        SPARK_STR_INIT("POST"), SPARK_STR_INIT("/god/schema/apply"), SPARK_BODY_BULK, schema_apply};
    api = host;
    return god_add(host, registry, &ROUTE, 1);
}
