#include "base/json/json_build.h"
#include "base/text/csv.h"
#include "server/api/utils/import.h"

#include <assert.h>

/* A member of the objects, or an element of an array in them. */
struct node {
    struct node *next;
    struct node *first; /* its own members */
    Str name;
    int column; /* NO_COLUMN: it has members alone */
};

enum { NO_COLUMN = -1, COLUMNS_MAX = JSON_KEYS_MAX };

struct csv_source {
    struct items_source source; /* the first member */
    struct csv csv;
    struct node root;
};

static struct node *find_or_add(struct arena *arena, struct node *parent, Str name)
{
    struct node **end = &parent->first;
    for (; *end != NULL; end = &(*end)->next)
        if (str_eq((*end)->name, name))
            return *end;
    *end = arena_new(arena, struct node);
    **end = (struct node){.name = str_dup(arena, name), .column = NO_COLUMN};
    return *end;
}

/* Of names that appear twice the first counts; so does a value of which another name wants to be a
 * part. */
static void add_column(struct arena *arena, struct csv_source *source, Str path, int column)
{
    assert(column >= 0 && column < COLUMNS_MAX);
    struct node *node = &source->root;
    Str part;
    for (uint32_t depth = 0; str_next(&path, '.', &part); depth++) {
        if (node->column != NO_COLUMN || depth == JSON_DEPTH_MAX)
            return;
        node = find_or_add(arena, node, part);
    }
    if (node->column == NO_COLUMN && node->first == NULL)
        node->column = column;
}

static bool is_array(const struct node *node)
{
    int64_t index;
    for (const struct node *child = node->first; child != NULL; child = child->next)
        if (!str_to_i64(child->name, &index) || index < 0)
            return false;
    return node->first != NULL;
}

/* A cell: what it says, and that as JSON if it is any. */
struct value {
    Str text;
    const struct json *json;
};

/* An empty cell is no value, and an object without values is none either. */
static bool has_value(const struct node *node, const struct value *values)
{
    if (node->column != NO_COLUMN)
        return values[node->column].text.len > 0;
    for (const struct node *child = node->first; child != NULL; child = child->next)
        if (has_value(child, values))
            return true;
    return false;
}

/* What is JSON but no number is taken for that: true, null, a text between quotes, an object. A
 * number stays the text that it is, because 007 may be one. */
static struct value value_of(struct ctx *ctx, Str cell)
{
    struct value value = {.text = cell};
    if (cell.len == 0 || str_find_char(STR("{[\"tfn \t\r\n"), cell.data[0]) < 0)
        return value;
    if (json_parse(ctx, cell, JSON_LIMITS_DEFAULT, &value.json) != OK) {
        diag_clear(ctx);
        value.json = NULL;
    }
    enum json_kind kind = json_kind(value.json);
    if (kind == JSON_INT || kind == JSON_REAL)
        value.json = NULL;
    return value;
}

static void build_members(struct json_builder *b, const struct node *parent,
                          const struct value *values);

static void build_node(struct json_builder *b, const struct node *node, const struct value *values)
{
    if (node->column != NO_COLUMN && values[node->column].json != NULL) {
        json_build_value(b, values[node->column].json);
        return;
    }
    if (node->column != NO_COLUMN) {
        json_build_str(b, values[node->column].text);
        return;
    }
    if (!is_array(node)) {
        build_members(b, node, values);
        return;
    }
    json_build_array_begin(b);
    for (const struct node *child = node->first; child != NULL; child = child->next)
        if (has_value(child, values))
            build_node(b, child, values);
    json_build_array_end(b);
}

static void build_members(struct json_builder *b, const struct node *parent,
                          const struct value *values)
{
    json_build_object_begin(b);
    for (const struct node *child = parent->first; child != NULL; child = child->next) {
        if (!has_value(child, values))
            continue;
        json_build_key(b, child->name);
        build_node(b, child, values);
    }
    json_build_object_end(b);
}

/* One row. *ret_found: false after the last. */
static Err next_row(struct ctx *ctx, struct csv_source *source, Str *cells, uint32_t *ret_count,
                    bool *ret_found)
{
    Str before = source->csv.rest;
    *ret_found = csv_next(&source->csv, ctx->arena, cells, COLUMNS_MAX, ret_count);
    if (source->csv.is_too_long)
        return fail(ctx, ERR_INVALID_PAYLOAD, "A row of the file has more than %d bytes",
                    CSV_ROW_MAX);
    assert(source->csv.rest.len <= before.len);
    if (!str_is_utf8(str_slice(before, 0, before.len - source->csv.rest.len)))
        return fail(ctx, ERR_INVALID_PAYLOAD, "The file must be UTF-8");
    return OK;
}

static fiber_fn Err next(struct items_source *self, struct ctx *ctx, const struct json **ret)
{
    struct csv_source *source = (struct csv_source *)self;
    Str *cells = arena_array(ctx->arena, Str, COLUMNS_MAX);
    struct value *values = arena_array(ctx->arena, struct value, COLUMNS_MAX);
    uint32_t count;
    bool is_found;
    *ret = NULL;
    TRY(next_row(ctx, source, cells, &count, &is_found));
    if (!is_found)
        return OK;
    for (uint32_t i = 0; i < count; i++)
        values[i] = value_of(ctx, cells[i]);
    struct json_builder *measure = json_builder_measuring(ctx);
    build_members(measure, &source->root, values);
    struct json_builder *builder;
    TRY(json_builder_new(ctx, json_builder_bytes(measure), &builder));
    build_members(builder, &source->root, values);
    return json_builder_end(ctx, builder, ret);
}

Err import_csv_open(struct ctx *ctx, Str text, struct items_source **ret)
{
    struct csv_source *source = arena_new(ctx->arena, struct csv_source);
    *source = (struct csv_source){
        .source = {next}, .csv = csv_begin(text), .root = {.column = NO_COLUMN}};
    Str *names = arena_array(ctx->arena, Str, COLUMNS_MAX);
    uint32_t count;
    bool is_found;
    *ret = &source->source;
    TRY(next_row(ctx, source, names, &count, &is_found));
    if (!is_found)
        return OK;
    if (count == COLUMNS_MAX)
        return fail(ctx, ERR_INVALID_PAYLOAD, "The file must have fewer than %d columns",
                    COLUMNS_MAX);
    for (uint32_t i = 0; i < count; i++)
        add_column(ctx->arena, source, str_trim(names[i]), (int)i);
    return OK;
}
