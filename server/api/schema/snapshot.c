/* /schema: the schema as a snapshot, what another snapshot would change, and that carried out. */
#include "base/json/yaml.h"
#include "base/system/clock.h"
#include "content/ddl/ddl.h"
#include "gen/routes/schema.h"
#include "io/fiber/json_apart.h"
#include "server/api/schema/schema.h"
#include "server/dispatch/media_type.h"

#include <assert.h>
#include <time.h>

/* "Export 20261120-183245.yaml" */
static void attach(struct ctx *ctx, struct reply *reply, const char *extension)
{
    time_t now = (time_t)(clock_wall_us() / SECOND_US);
    struct tm utc;
    char stamp[32];
    gmtime_r(&now, &utc);
    strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", &utc);
    reply_header(reply, STR("content-disposition"),
                 str_printf(ctx->arena, "attachment; filename=\"Export %s.%s\"", stamp, extension));
}

/* One entry after the other, so that none holds up the loop. */
static fiber_fn Err put_yaml(struct ctx *ctx, struct buf *out, const struct json *snapshot)
{
    for (struct json_iter it = json_iter(snapshot); json_next(&it);) {
        if (json_kind(it.value) != JSON_ARRAY || json_len(it.value) == 0) {
            yaml_put_member(out, it.key, it.value, 0);
            continue;
        }
        buf_put(out, it.key);
        buf_put_z(out, ":\n");
        for (uint32_t i = 0; i < json_len(it.value); i++) {
            TRY(fiber_breathe(ctx));
            buf_put_z(out, "  - ");
            yaml_put(out, json_at(it.value, i), 2);
        }
    }
    return OK;
}

static fiber_fn Err send_yaml(struct ctx *ctx, struct platform platform, struct reply *reply)
{
    const struct json *snapshot;
    TRY(schema_snapshot(platform, &snapshot));
    reply->content_type = STR("text/yaml; charset=utf-8");
    attach(ctx, reply, "yaml");
    return put_yaml(ctx, reply->body, snapshot);
}

fiber_fn Err route_schema_snapshot(struct ctx *ctx, const struct request *request,
                                   struct reply *reply)
{
    struct platform platform;
    Str text;
    Str format = request_query(ctx->arena, request, STR("export"));
    TRY(schema_writer(ctx, &platform));
    if (str_eq(format, STR("yaml")))
        return send_yaml(ctx, platform, reply);
    if (format.len > 0 && !str_eq(format, STR("json")))
        return fail(ctx, ERR_INVALID_QUERY, "\"export\" must be one of [json, yaml]");
    TRY(schema_snapshot_text(platform, &text));
    if (format.len > 0) {
        attach(ctx, reply, "json");
        buf_put(reply->body, text);
        return OK;
    }
    data_begin(reply);
    json_put_raw(&reply->json, text);
    data_end(reply);
    return OK;
}

/* As in Directus: with a value or without. */
static bool is_forced(struct ctx *ctx, const struct request *request)
{
    return request_query(ctx->arena, request, STR("force")).data != NULL;
}

/* Directus names what it could not read, not why; the line helps whoever wrote it. */
static Err unreadable(struct ctx *ctx, Err err, const char *format)
{
    if (err != ERR_INVALID_JSON)
        return err;
    return fail(ctx, ERR_INVALID_PAYLOAD, "The provided %s is invalid", format);
}

static fiber_fn Err file_read(struct ctx *ctx, const struct multipart_part *file,
                              const struct json **ret)
{
    if (media_type_is(file->content_type, STR("application/json")))
        return unreadable(ctx, json_parse_apart(ctx, file->body, JSON_LIMITS_DEFAULT, ret), "JSON");
    return unreadable(ctx, yaml_parse_apart(ctx, file->body, ret), "YAML");
}

/* A snapshot or a difference, as JSON or as a file. */
static fiber_fn Err document_read(struct ctx *ctx, const struct request *request,
                                  const struct json **ret)
{
    Str type = request_header(request, STR("content-type"));
    struct multipart m;
    if (multipart_begin(type, request->body, &m)) {
        struct multipart_part file;
        TRY(media_type_file(ctx, &m, &file));
        return file_read(ctx, &file, ret);
    }
    if (!media_type_is(type, STR("application/json")))
        return media_type_refuse(ctx, type, MEDIA_TYPE_HEADER);
    TRY(request_json(ctx, request, ret));
    if (json_kind(*ret) != JSON_OBJECT || json_len(*ret) == 0)
        return fail(ctx, ERR_INVALID_PAYLOAD, "No data was included in the body");
    return OK;
}

fiber_fn Err route_schema_diff(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    struct platform platform;
    const struct json *snapshot = NULL;
    Str diff;
    TRY(schema_writer(ctx, &platform));
    TRY(document_read(ctx, request, &snapshot));
    TRY(schema_diff(platform, snapshot, is_forced(ctx, request), &diff));
    if (diff.len == 0) {
        reply_no_content(reply);
        return OK;
    }
    data_begin(reply);
    json_put_raw(&reply->json, diff);
    data_end(reply);
    return OK;
}

fiber_fn Err route_schema_apply(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    struct platform platform;
    const struct json *diff = NULL;
    TRY(schema_writer(ctx, &platform));
    TRY(document_read(ctx, request, &diff));
    TRY(schema_diff_apply(platform, diff, is_forced(ctx, request)));
    reply_no_content(reply);
    return OK;
}
