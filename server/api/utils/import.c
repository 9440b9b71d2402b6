/* POST /utils/import/:collection: rows from a file, CSV or JSON; and what stands for exports. */
#include "server/api/utils/import.h"

#include "content/schema/schema.h"
#include "gen/routes/utils.h"
#include "io/fiber/json_apart.h"
#include "server/dispatch/media_type.h"

#include <assert.h>

struct json_source {
    struct items_source source; /* the first member */
    const struct json *rows;
    uint32_t at;
};

static fiber_fn Err next(struct items_source *self, struct ctx *ctx, const struct json **ret)
{
    (void)ctx;
    struct json_source *source = (struct json_source *)self;
    *ret = source->at < json_len(source->rows) ? json_at(source->rows, source->at++) : NULL;
    return OK;
}

static fiber_fn Err json_open(struct ctx *ctx, Str text, struct items_source **ret)
{
    struct json_source *source = arena_new(ctx->arena, struct json_source);
    source->source.next = next;
    Err err = json_parse_apart(ctx, text, JSON_LIMITS_DEFAULT, &source->rows);
    if (err == ERR_INVALID_JSON) {
        Str reason = ctx->diag.last == NULL ? STR("") : ctx->diag.last->reason;
        return fail(ctx, ERR_INVALID_PAYLOAD, "Parser cannot parse input: %.*s", STR_FMT(reason));
    }
    TRY(err);
    if (json_kind(source->rows) != JSON_ARRAY)
        return fail(ctx, ERR_INVALID_PAYLOAD, "Top-level object should be an array.");
    *ret = &source->source;
    return OK;
}

static fiber_fn Err open(struct ctx *ctx, const struct multipart_part *file,
                         struct items_source **ret)
{
    /* What a form says of a file without saying its type. */
    Str type = file->content_type.len == 0 ? STR("text/plain") : file->content_type;
    if (media_type_is(type, STR("application/json")))
        return json_open(ctx, file->body, ret);
    if (media_type_is(type, STR("text/csv")) ||
        media_type_is(type, STR("application/vnd.ms-excel")))
        return import_csv_open(ctx, file->body, ret);
    return media_type_refuse(ctx, type, "file import");
}

/* Whether it exists at all is told first, as in Directus. */
static fiber_fn Err check_collection(struct ctx *ctx, Str name, bool *ret_is_system)
{
    const struct schema *schema;
    TRY(schema_current(ctx, &schema));
    const struct collection *collection = schema_find(schema, name);
    if (collection == NULL)
        return schema_forbidden_collection(ctx, name, STR_NONE);
    *ret_is_system = collection->is_system;
    return OK;
}

fiber_fn Err route_utils_import(struct ctx *ctx, const struct request *request,
                                const struct utils_import_input *input, struct reply *reply)
{
    (void)input;
    Str name = request->params[0];
    Str type = request_header(request, STR("content-type"));
    bool is_system = false;
    struct multipart m;
    struct multipart_part file;
    struct items_source *source;
    TRY(check_collection(ctx, name, &is_system));
    if (!multipart_begin(type, request->body, &m))
        return media_type_refuse(ctx, type, MEDIA_TYPE_HEADER);
    if (is_system)
        return fail_plain(ctx, ERR_FORBIDDEN);
    TRY(media_type_file(ctx, &m, &file));
    TRY(open(ctx, &file, &source));
    TRY(items_import(ctx, (struct items_target){name, ITEMS_USER}, source));
    reply_text(reply, 200, STR_NONE, STR(""));
    return OK;
}
