/*
 * Schema and bulk operations: for administrators of the platform, regardless of the endpoint's
 * guard.
 */
#include "access/grants/actor.h"
#include "content/ddl/ddl.h"
#include "content/load/load.h"
#include "runtime/api.h"

static Err platform_of(struct ctx *ctx, struct platform *ret)
{
    TRY(actor_require_admin(ctx));
    return actor_platform(ctx, ret);
}

static fiber_fn Err create_collection(struct ctx *ctx, const struct json *definition,
                                      uint32_t *ret_fields)
{
    struct platform platform;
    TRY(platform_of(ctx, &platform));
    return collection_create(platform, definition, ret_fields);
}

fiber_fn spark_status api_create_collection(spark_call *call, const spark_json *definition,
                                            size_t *fields_created)
{
    uint32_t fields = 0;
    Err err = create_collection(call->ctx, json_of_spark(definition), &fields);
    if (err == OK && fields_created != NULL)
        *fields_created = fields;
    return call_status(call, err);
}

static fiber_fn Err create_relation(struct ctx *ctx, const struct json *definition, Str *ret)
{
    struct platform platform;
    TRY(platform_of(ctx, &platform));
    return relation_create(platform, definition, ret);
}

fiber_fn spark_status api_create_relation(spark_call *call, const spark_json *definition,
                                          spark_str *relation_json)
{
    Str relation = STR_NONE;
    Err err = create_relation(call->ctx, json_of_spark(definition), &relation);
    if (err == OK && relation_json != NULL)
        *relation_json = spark_of_str(relation);
    return call_status(call, err);
}

static fiber_fn Err snapshot(struct ctx *ctx, Str *ret)
{
    struct platform platform;
    TRY(platform_of(ctx, &platform));
    return schema_snapshot_text(platform, ret);
}

fiber_fn spark_status api_schema_snapshot(spark_call *call, spark_str *json)
{
    Str text = STR_NONE;
    Err err = snapshot(call->ctx, &text);
    if (err == OK)
        *json = spark_of_str(text);
    return call_status(call, err);
}

static fiber_fn Err create_field(struct ctx *ctx, const struct json *definition)
{
    struct platform platform;
    TRY(platform_of(ctx, &platform));
    return field_create(platform, definition);
}

fiber_fn spark_status api_create_field(spark_call *call, const spark_json *definition)
{
    return call_status(call, create_field(call->ctx, json_of_spark(definition)));
}

static fiber_fn Err delete_field(struct ctx *ctx, Str collection, Str field)
{
    struct platform platform;
    TRY(platform_of(ctx, &platform));
    return field_delete(platform, collection, field);
}

fiber_fn spark_status api_delete_field(spark_call *call, spark_str collection, spark_str field)
{
    return call_status(call,
                       delete_field(call->ctx, str_of_spark(collection), str_of_spark(field)));
}

static fiber_fn Err apply(struct ctx *ctx, const struct schema_wish *wish, Str *ret)
{
    struct platform platform;
    TRY(platform_of(ctx, &platform));
    return schema_apply(platform, wish, ret);
}

fiber_fn spark_status api_schema_apply(spark_call *call, const spark_json *snapshot,
                                       bool is_dry_run, bool may_delete, spark_str *result_json)
{
    Str result = STR_NONE;
    struct schema_wish wish = {json_of_spark(snapshot), is_dry_run, may_delete};
    Err err = apply(call->ctx, &wish, &result);
    if (err == OK)
        *result_json = spark_of_str(result);
    return call_status(call, err);
}

static fiber_fn Err load(struct ctx *ctx, Str collection, const struct json *items, bool atomic,
                         struct bulk_result *ret)
{
    struct platform platform;
    TRY(platform_of(ctx, &platform));
    return bulk_insert(platform, collection, items, atomic, ret);
}

fiber_fn spark_status api_bulk_insert(spark_call *call, spark_str collection,
                                      const spark_json *items, bool atomic, spark_str *result_json)
{
    struct bulk_result result = {0};
    Err err = load(call->ctx, str_of_spark(collection), json_of_spark(items), atomic, &result);
    if (err == OK)
        *result_json = spark_of_str(result.json);
    return call_status(call, err);
}
