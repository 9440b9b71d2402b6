/* Writes a site as a blueprint: streams its rows and replaces ids by names. */
#include "base/system/ctx.h"
#include "factory/blueprint/blueprint_parts.h"
#include "io/fiber/json_apart.h"

#include <assert.h>
#include <inttypes.h>

enum { ROW_DEPTH = 24, ROW_KEYS = 1024 };

struct export
{
    struct ctx *ctx;
    struct json_writer *w;
    const struct blueprint_layout *layout;
    struct blueprint_names own;
    struct blueprint_names library;
    Str site; /* its id */
    enum blueprint_part part;
    Str name; /* name of the row being written, for messages */
};

Str blueprint_left_out(void)
{
    return STR("[\"name, domains, state and guards of the site (quality gate, ramp, thresholds, "
               "backdating)\",\"secrets: measuring accounts, webhook addresses and keys, mail "
               "recipients, tokens, users\",\"personal data: leads, submissions, subscribers, "
               "visits, e-mail addresses of authors\",\"files, and what refers to them\","
               "\"generated articles, queues, jobs, flags and the work log\"]");
}

static const struct blueprint_row *find_id(const struct export *x, Str id, bool *ret_library)
{
    const struct blueprint_row *row = blueprint_names_of_id(&x->own, id);
    *ret_library = row == NULL;
    return row != NULL ? row : blueprint_names_of_id(&x->library, id);
}

/* "name", or {"library": "name"}. */
static void put_label(struct json_writer *w, Str label, bool is_library)
{
    if (!is_library) {
        json_put_str(w, label);
        return;
    }
    json_object_begin(w);
    json_field_str(w, "library", label);
    json_object_end(w);
}

/* Replaces an id in a JSON value if it is one of the site's rows or the site itself. Ids of the
 * library stay: they are valid in every site of this installation. */
static void put_text(const struct export *x, Str text)
{
    const struct blueprint_row *row = blueprint_names_of_id(&x->own, text);
    if (row != NULL)
        json_put_str(x->w,
                     str_printf(x->ctx->arena, BLUEPRINT_TOKEN "%.*s/%.*s",
                                STR_FMT(blueprint_part_name(row->part)), STR_FMT(row->label)));
    else if (str_eq_nocase(text, x->site))
        json_put_str(x->w, STR(BLUEPRINT_TOKEN "site"));
    else
        json_put_str(x->w, text);
}

static Err put_mapped(const struct export *x, const struct json *value, Str column, uint32_t depth)
{
    if (depth > BLUEPRINT_VALUE_DEPTH_MAX)
        return fail(x->ctx, ERR_TOO_LARGE,
                    "%.*s \"%.*s\": %.*s is nested deeper than the %d levels that a blueprint has.",
                    STR_FMT(blueprint_part_name(x->part)), STR_FMT(x->name), STR_FMT(column),
                    BLUEPRINT_VALUE_DEPTH_MAX);
    switch (json_kind(value)) {
    case JSON_STRING:
        put_text(x, json_str(value));
        return OK;
    case JSON_ARRAY:
        json_array_begin(x->w);
        for (uint32_t i = 0; i < json_len(value); i++)
            TRY(put_mapped(x, json_at(value, i), column, depth + 1));
        json_array_end(x->w);
        return OK;
    case JSON_OBJECT:
        json_object_begin(x->w);
        for (struct json_iter it = json_iter(value); json_next(&it);) {
            json_key(x->w, it.key);
            TRY(put_mapped(x, it.value, column, depth + 1));
        }
        json_object_end(x->w);
        return OK;
    default:
        json_put_value(x->w, value);
        return OK;
    }
}

/* A row was inserted or deleted between the two statements. */
static Err moved(const struct export *x, const struct blueprint_field *field)
{
    return fail(x->ctx, ERR_CONFLICT, "%.*s.%.*s changed while the site was being read; try again.",
                STR_FMT(blueprint_part_name(x->part)), STR_FMT(field->name));
}

static Err put_reference(const struct export *x, const struct blueprint_field *field,
                         const struct json *value)
{
    bool is_library;
    const struct blueprint_row *row = find_id(x, json_str(value), &is_library);
    if (row == NULL)
        return moved(x, field);
    json_key(x->w, field->name);
    put_label(x->w, row->label, is_library);
    return OK;
}

static Err put_named(const struct export *x, const struct blueprint_field *field,
                     const struct json *row, const struct json *value)
{
    const struct json *site = json_get(row, field->site_column);
    json_key(x->w, field->name);
    put_label(x->w, json_str(value),
              json_kind(site) == JSON_STRING && !str_eq_nocase(json_str(site), x->site));
    return OK;
}

/* Replaces a value that has no meaning in another site by the first one that has. */
static void put_choice(const struct export *x, const struct blueprint_field *field, Str text)
{
    Str rest = field->choices;
    Str first;
    json_key(x->w, field->name);
    if (!blueprint_is_choice(field, text) && str_next(&rest, ',', &first))
        text = first;
    json_put_str(x->w, text);
}

/* A target that no longer exists becomes null. */
static void put_place(const struct export *x, const struct blueprint_field *field,
                      const struct json *value)
{
    bool is_library;
    const struct blueprint_row *row = find_id(x, json_str(value), &is_library);
    if (row == NULL || (row->part != BLUEPRINT_PART_states && row->part != BLUEPRINT_PART_counties))
        return;
    json_key(x->w, field->name);
    json_object_begin(x->w);
    json_key(x->w, row->part == BLUEPRINT_PART_states ? STR("state") : STR("county"));
    put_label(x->w, row->label, is_library);
    json_object_end(x->w);
}

static Err put_field(const struct export *x, const struct blueprint_field *field,
                     const struct json *row)
{
    const struct json *value = json_get(row, field->name);
    if (json_is_null(value))
        return OK;
    switch (field->kind) {
    case BLUEPRINT_REF:
        return put_reference(x, field, value);
    case BLUEPRINT_NAME:
        return put_named(x, field, row, value);
    case BLUEPRINT_PLACE:
        put_place(x, field, value);
        return OK;
    case BLUEPRINT_CHOICE:
        put_choice(x, field, json_str(value));
        return OK;
    case BLUEPRINT_JSON:
    case BLUEPRINT_ARRAY:
    case BLUEPRINT_OBJECT:
        json_key(x->w, field->name);
        return put_mapped(x, value, field->name, 1);
    default:
        json_key(x->w, field->name);
        json_put_value(x->w, value);
        return OK;
    }
}

static fiber_fn Err put_row(struct export *x, Str text)
{
    const struct json *row;
    TRY(json_parse_apart(x->ctx, text, ((struct json_limits){ROW_DEPTH, ROW_KEYS}), &row));
    const struct json *id = json_get(row, STR("id"));
    const struct blueprint_row *named =
        json_kind(id) == JSON_STRING ? blueprint_names_of_id(&x->own, json_str(id)) : NULL;
    x->name = named != NULL ? named->label : STR("");
    json_object_begin(x->w);
    for (uint32_t i = 0; i < x->layout->counts[x->part]; i++)
        TRY(put_field(x, &x->layout->fields[x->part][i], row));
    json_object_end(x->w);
    return OK;
}

static void part_begin(struct export *x, enum blueprint_part part)
{
    x->part = part;
    json_key(x->w, blueprint_part_name(part));
    if (!blueprint_is_single(part))
        json_array_begin(x->w);
}

static void part_end(struct export *x)
{
    if (x->part != BLUEPRINT_PARTS && !blueprint_is_single(x->part))
        json_array_end(x->w);
}

static Err check_count(struct ctx *ctx, enum blueprint_part part, uint32_t count)
{
    const struct blueprint_part_info *info = blueprint_part_info(part);
    if (count <= info->most)
        return OK;
    return fail(ctx, ERR_TOO_LARGE,
                "The site has more than the %" PRIu32 " %.*s that a blueprint may hold; name the "
                "others with \"parts\".",
                info->most, STR_FMT(info->name));
}

static fiber_fn Err put_rows(struct export *x, const struct rows *rows)
{
    enum { PART, ROW };
    x->part = BLUEPRINT_PARTS;
    uint32_t count = 0;
    for (uint32_t i = 0; i < rows->count; i++) {
        TRY(fiber_breathe(x->ctx));
        enum blueprint_part part = (enum blueprint_part)row_int(rows, i, PART);
        assert(part < BLUEPRINT_PARTS);
        if (part != x->part) {
            part_end(x);
            part_begin(x, part);
            count = 0;
        }
        TRY(check_count(x->ctx, part, ++count));
        ArenaMark mark = arena_mark(x->ctx->arena);
        TRY(put_row(x, row_text(rows, i, ROW)));
        arena_rewind(x->ctx->arena, mark);
    }
    part_end(x);
    return OK;
}

static fiber_fn Err load(struct export *x, uint64_t wanted, size_t bytes, struct rows *ret)
{
    struct ctx *ctx = x->ctx;
    {
        SCOPED_TX struct db_tx tx = {0};
        TRY(db_begin(ctx, &tx));
        TRY(blueprint_names_load(&tx, x->layout, ctx->scope.site, blueprint_named_parts(),
                                 &x->own));
        TRY(blueprint_names_load(&tx, x->layout, UUID_LIBRARY_SITE,
                                 blueprint_library_parts(x->layout), &x->library));
        TRY(db_commit(&tx));
    }
    struct statement statement = blueprint_rows_sql(ctx->arena, x->layout, wanted);
    TRY(db_query(
        ctx, &statement,
        ARGS(db_uuid(ctx->scope.site), db_int(BLUEPRINT_SITE_ROWS_MAX + 1), db_int((int64_t)bytes)),
        ret));
    if (ret->count > BLUEPRINT_SITE_ROWS_MAX)
        return fail(ctx, ERR_TOO_LARGE,
                    "The site has more than the %d rows that a blueprint may hold; name some of "
                    "its parts with \"parts\".",
                    BLUEPRINT_SITE_ROWS_MAX);
    return OK;
}

fiber_fn Err blueprint_site_write(struct ctx *ctx, uint64_t wanted, size_t bytes,
                                  struct json_writer *w)
{
    assert(ctx->scope.kind == SCOPE_SITE);
    struct arena *kept = arena_create_within(ctx->arena);
    struct export x = {.ctx = ctx, .w = w, .site = uuid_text(ctx->arena, ctx->scope.site)};
    TRY(blueprint_layout_read(ctx, &x.layout));
    blueprint_names_init(&x.own, kept);
    blueprint_names_init(&x.library, kept);
    struct rows rows;
    TRY(load(&x, wanted, bytes, &rows));
    json_object_begin(w);
    json_field_str(w, "format", STR(BLUEPRINT_SITE_FORMAT));
    json_field_raw(w, "left_out", blueprint_left_out());
    TRY(put_rows(&x, &rows));
    json_object_end(w);
    if (!w->out->is_full && w->out->len <= bytes)
        return OK;
    return fail(ctx, ERR_TOO_LARGE,
                "The blueprint is larger than the %zu bytes that an import takes "
                "(BULK_PAYLOAD_SIZE); name some of its parts with \"parts\".",
                bytes);
}
