#include "base/json/json.h"

#include "base/json/json_jansson.h"
#include "base/json/json_memory.h"
#include "base/json/json_scan.h"
#include "base/json/json_writer.h"
#include "base/system/ctx.h"

#include <assert.h>

static const enum json_kind KIND_OF[] = {
    [JANSSON_OBJECT] = JSON_OBJECT, [JANSSON_ARRAY] = JSON_ARRAY, [JANSSON_STRING] = JSON_STRING,
    [JSON_INTEGER] = JSON_INT,      [JANSSON_REAL] = JSON_REAL,   [JSON_TRUE] = JSON_BOOL,
    [JSON_FALSE] = JSON_BOOL,       [JANSSON_NULL] = JSON_NULL,
};

/* Our own messages: jansson's quote the text, which may be secret or cut inside a character. */
static const char *fault_of(const json_error_t *error)
{
    switch (json_error_code(error)) {
    case json_error_premature_end_of_input:
        return "the text ends too early";
    case json_error_end_of_input_expected:
        return "there is something after the end";
    case json_error_duplicate_key:
        return "a key appears twice in one object";
    case json_error_numeric_overflow:
        return "a number is out of range";
    default:
        return "unexpected text";
    }
}

json_t *json_load_scanned(const struct json_scanned *scanned, json_error_t *error)
{
    return json_loadb(scanned->text.data, scanned->text.len,
                      JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, error);
}

Err json_no_grammar(struct ctx *ctx, const json_error_t *error)
{
    return fail(ctx, ERR_INVALID_JSON, "Invalid JSON: %s (line %d, column %d).", fault_of(error),
                error->line, error->column);
}

struct json_tree {
    struct json_memory *memory;
    json_t *root;
};

Err json_no_room(struct ctx *ctx, uint64_t wanted)
{
    uint64_t share = json_memory_share();
    if (wanted > share)
        return fail(ctx, ERR_TOO_LARGE,
                    "The JSON text takes up to %ju bytes of memory; it may take %ju.",
                    (uintmax_t)wanted, (uintmax_t)share);
    return fail(ctx, ERR_UNAVAILABLE, "Out of memory for JSON; try again.");
}

Uuid json_owner(const struct ctx *ctx)
{
    return ctx->scope.kind == SCOPE_SITE ? ctx->scope.site : ctx->account;
}

Err json_parse_tree(struct ctx *ctx, Str text, struct json_limits limits, struct json_tree **ret)
{
    struct json_scanned scanned;
    TRY(json_scan(ctx, text, limits, &scanned));
    struct json_memory *memory =
        json_memory_new(json_owner(ctx), scanned.text.len, scanned.tree_max);
    if (memory == NULL)
        return json_no_room(ctx, scanned.tree_max);
    struct json_tree *tree = json_memory_alloc(memory, sizeof *tree);
    json_error_t error;
    json_memory_enter(memory);
    *tree = (struct json_tree){
        .memory = memory,
        .root = json_load_scanned(&scanned, &error),
    };
    json_memory_leave();
    json_memory_settle(memory);
    if (tree->root == NULL) {
        json_memory_free(memory);
        return json_no_grammar(ctx, &error);
    }
    *ret = tree;
    return OK;
}

const struct json *json_tree_root(const struct json_tree *tree)
{
    return json_outside(tree->root);
}

void json_tree_free(void *tree)
{
    json_memory_free(((struct json_tree *)tree)->memory);
}

Err json_parse(struct ctx *ctx, Str text, struct json_limits limits, const struct json **ret)
{
    struct json_tree *tree;
    TRY(json_parse_tree(ctx, text, limits, &tree));
    arena_defer(ctx->arena, json_tree_free, tree);
    *ret = json_tree_root(tree);
    return OK;
}

enum json_kind json_kind(const struct json *json)
{
    return json == NULL ? JSON_NULL : KIND_OF[json_typeof(json_inside(json))];
}

const char *json_kind_name(const struct json *json)
{
    static const char *const NAMES[] = {
        [JSON_NULL] = "null",        [JSON_BOOL] = "a boolean",  [JSON_INT] = "an integer",
        [JSON_REAL] = "a number",    [JSON_STRING] = "a string", [JSON_ARRAY] = "an array",
        [JSON_OBJECT] = "an object",
    };
    return NAMES[json_kind(json)];
}

bool json_is_null(const struct json *json)
{
    return json_kind(json) == JSON_NULL;
}

bool json_bool(const struct json *json)
{
    return json != NULL && json_typeof(json_inside(json)) == JSON_TRUE;
}

int64_t json_int(const struct json *json)
{
    assert(json_kind(json) == JSON_INT);
    return json_integer_value(json_inside(json));
}

double json_number(const struct json *json)
{
    assert(json_kind(json) == JSON_INT || json_kind(json) == JSON_REAL);
    return json_number_value(json_inside(json));
}

Str json_str(const struct json *json)
{
    assert(json_kind(json) == JSON_STRING);
    return str_of(json_string_value(json_inside(json)), json_string_length(json_inside(json)));
}

const struct json *json_get(const struct json *object, Str key)
{
    return json_outside(json_object_getn(json_inside(object), key.data, key.len));
}

uint32_t json_len(const struct json *json)
{
    if (json_kind(json) == JSON_OBJECT)
        return (uint32_t)json_object_size(json_inside(json));
    return (uint32_t)json_array_size(json_inside(json));
}

const struct json *json_at(const struct json *array, uint32_t index)
{
    return json_outside(json_array_get(json_inside(array), index));
}

struct json_iter json_iter(const struct json *object)
{
    return (struct json_iter){.object = object};
}

bool json_next(struct json_iter *it)
{
    /* Iterating does not modify the object; jansson only lacks the const. */
    json_t *object = (json_t *)(uintptr_t)it->object;
    if (!it->started)
        it->cursor = json_object_iter(object);
    else if (it->cursor != NULL)
        it->cursor = json_object_iter_next(object, it->cursor);
    it->started = true;
    if (it->cursor == NULL)
        return false;
    it->key = str_of(json_object_iter_key(it->cursor), json_object_iter_key_len(it->cursor));
    it->value = json_outside(json_object_iter_value(it->cursor));
    return true;
}
