#include "base/memory/array.h"
#include "base/system/clock.h"
#include "server/rest/export.h"

#include <assert.h>

/* JSON in a column may be nested as deep as JSON text may be. */
#define COLUMN_LIMITS ((struct json_limits){32, JSON_VALUES_MAX})

void export_open(struct rest_export *to, bool is_object)
{
    struct export_level *parent = export_top(to);
    if (to->depth == EXPORT_DEPTH_MAX) {
        to->is_too_deep = to->visitor.is_full = true;
        return;
    }
    Str own = parent == NULL ? STR_NONE : parent->is_object ? parent->name : parent->own;
    to->levels[to->depth++] = (struct export_level){.is_object = is_object, .own = own};
    to->format->open(to, is_object);
    if (parent != NULL)
        parent->count++;
}

void export_close(struct rest_export *to)
{
    assert(to->depth > 0 || to->is_too_deep);
    if (to->is_too_deep)
        return;
    to->format->close(to);
    to->depth--;
}

void export_name(struct rest_export *to, Str name)
{
    if (to->depth > 0)
        export_top(to)->name = name;
}

void export_scalar(struct rest_export *to, enum export_scalar kind, Str text)
{
    to->format->scalar(to, kind, text);
    if (to->depth > 0)
        export_top(to)->count++;
}

static void put_json(struct rest_export *to, const struct json *value)
{
    switch (json_kind(value)) {
    case JSON_NULL:
        export_scalar(to, SCALAR_NULL, STR("null"));
        break;
    case JSON_STRING:
        export_scalar(to, SCALAR_TEXT, json_str(value));
        break;
    case JSON_ARRAY:
        export_open(to, false);
        for (uint32_t i = 0; i < json_len(value) && !to->visitor.is_full; i++)
            put_json(to, json_at(value, i));
        export_close(to);
        break;
    case JSON_OBJECT:
        export_open(to, true);
        for (struct json_iter it = json_iter(value); json_next(&it) && !to->visitor.is_full;) {
            export_name(to, it.key);
            put_json(to, it.value);
        }
        export_close(to);
        break;
    default:
        export_scalar(to, SCALAR_BARE, json_text(to->scratch, value));
    }
}

static void put_column(struct rest_export *to, Str text)
{
    struct ctx scratch = {.arena = to->scratch};
    const struct json *value;
    if (json_parse(&scratch, text, COLUMN_LIMITS, &value) == OK)
        put_json(to, value);
    else
        export_scalar(to, SCALAR_TEXT, text);
}

static void put_list(struct rest_export *to, Str rest)
{
    Str part;
    export_open(to, false);
    if (rest.len == 0)
        rest = STR_NONE;
    while (str_next(&rest, ',', &part))
        export_scalar(to, SCALAR_TEXT, part);
    export_close(to);
}

static struct rest_export *of_visitor(struct row_visitor *visitor)
{
    return (struct rest_export *)((char *)visitor - offsetof(struct rest_export, visitor));
}

static void visit_value(struct row_visitor *visitor, const struct row_value *value)
{
    struct rest_export *to = of_visitor(visitor);
    switch (value->kind) {
    case ROW_NULL:
        export_scalar(to, SCALAR_NULL, STR("null"));
        break;
    case ROW_BOOL:
    case ROW_INT:
    case ROW_REAL:
    case ROW_NUMBER:
        export_scalar(to, SCALAR_BARE, row_value_text(to->scratch, value));
        break;
    case ROW_JSON:
        put_column(to, value->text);
        break;
    case ROW_CSV:
        put_list(to, value->text);
        break;
    default:
        export_scalar(to, SCALAR_TEXT, row_value_text(to->scratch, value));
    }
    visitor->is_full |= to->out->is_full;
}

static void visit_object(struct row_visitor *visitor)
{
    export_open(of_visitor(visitor), true);
}

static void visit_list(struct row_visitor *visitor)
{
    export_open(of_visitor(visitor), false);
}

static void visit_end(struct row_visitor *visitor)
{
    export_close(of_visitor(visitor));
}

static void visit_member(struct row_visitor *visitor, Str name)
{
    export_name(of_visitor(visitor), name);
}

static void release(void *arena)
{
    arena_destroy(arena);
}

static const struct {
    const char *extension;
    const char *type;
    const struct export_format *format;
} FORMATS[] = {
    [EXPORT_CSV] = {"csv", "text/csv; charset=utf-8", &EXPORT_FORMAT_CSV},
    [EXPORT_CSV_UTF8] = {"csv", "text/csv; charset=utf-8", &EXPORT_FORMAT_CSV},
    [EXPORT_JSON] = {"json", "application/json; charset=utf-8", &EXPORT_FORMAT_JSON},
    [EXPORT_XML] = {"xml", "text/xml; charset=utf-8", &EXPORT_FORMAT_XML},
    [EXPORT_YAML] = {"yaml", "text/yaml; charset=utf-8", &EXPORT_FORMAT_YAML},
};

static Str disposition(struct arena *arena, Str collection, enum query_export format,
                       int64_t wall_us)
{
    char digits[CLOCK_ISO_LEN];
    char iso[CLOCK_ISO_LEN];
    size_t count = 0;
    clock_write_iso(wall_us, iso);
    for (size_t i = 0; i < sizeof "2026-02-29T10:20:30" - 1; i++)
        if (iso[i] >= '0' && iso[i] <= '9')
            digits[count++] = iso[i];
    struct buf *name = buf_in_arena(arena, collection.len + 64);
    for (size_t i = 0; i < collection.len; i++) {
        unsigned char c = (unsigned char)collection.data[i];
        buf_put_char(name, c < ' ' || c == '"' || c == '\\' || c > '~' ? '_' : (char)c);
    }
    Str safe = buf_str(name);
    return str_printf(arena, "attachment; filename=\"%.*s %.8s-%.6s.%s\"", STR_FMT(safe), digits,
                      digits + 8, FORMATS[format].extension);
}

static void begin(struct row_sink *sink, const struct rows_head *head)
{
    struct rest_export *to = (struct rest_export *)sink;
    to->reply->content_type = str_from_z(FORMATS[to->kind].type);
    reply_header(to->reply, STR("content-disposition"),
                 disposition(to->ctx->arena, to->collection, to->kind, clock_wall_us()));
    if (to->kind == EXPORT_CSV_UTF8)
        buf_put(to->out, STR("\xEF\xBB\xBF"));
    to->format->begin(to, head->is_list);
    if (head->is_list)
        export_open(to, false);
}

static fiber_fn bool take_row(struct row_sink *sink, const struct row *row)
{
    struct rest_export *to = (struct rest_export *)sink;
    row_walk(row, &to->visitor);
    arena_reset(to->scratch);
    to->visitor.is_full |= to->out->is_full;
    return !to->visitor.is_full;
}

static Err end(struct row_sink *sink, struct ctx *ctx)
{
    struct rest_export *to = (struct rest_export *)sink;
    if (to->is_too_deep)
        return fail(ctx, ERR_INVALID_QUERY, "More than %d levels in one row", EXPORT_DEPTH_MAX);
    TRY(buf_check(ctx, to->out, "the answer"));
    while (to->depth > 0)
        export_close(to);
    to->format->end(to);
    return buf_check(ctx, to->out, "the answer");
}

struct row_sink *rest_export(struct ctx *ctx, Str collection, enum query_export format,
                             struct reply *reply)
{
    assert(format > EXPORT_NONE && (size_t)format < COUNT_OF(FORMATS));
    struct rest_export *to = arena_new(ctx->arena, struct rest_export);
    *to = (struct rest_export){
        .sink = {begin, take_row, end},
        .visitor = {.object_begin = visit_object,
                    .object_end = visit_end,
                    .list_begin = visit_list,
                    .list_end = visit_end,
                    .member = visit_member,
                    .value = visit_value},
        .ctx = ctx,
        .scratch = arena_create(),
        .reply = reply,
        .collection = collection,
        .kind = format,
        .out = reply->body,
        .format = FORMATS[format].format,
    };
    arena_defer(ctx->arena, release, to->scratch);
    return &to->sink;
}
