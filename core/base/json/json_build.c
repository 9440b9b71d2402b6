#include "base/json/json_build.h"

#include "base/json/json_jansson.h"
#include "base/json/json_memory.h"
#include "base/json/json_scan.h"
#include "base/system/ctx.h"

#include <assert.h>
#include <math.h>

enum { ALONE_ROOM = 1024 }; /* for one value and its overhead */

struct json_builder {
    struct json_memory *memory;
    uint64_t bytes_max;
    uint64_t bytes; /* upper bound of the bytes added so far */
    json_t *root;
    json_t *open[JSON_DEPTH_CAP];
    uint32_t depth;
    Str key; /* of the next member; STR_NONE where no value is expected */
    bool is_full;
};

static void release(void *memory)
{
    json_memory_free(memory);
}

Err json_builder_new(struct ctx *ctx, uint64_t bytes_max, struct json_builder **ret)
{
    assert(bytes_max > 0);
    struct json_memory *memory = json_memory_new(json_owner(ctx), 0, bytes_max);
    if (memory == NULL)
        return json_no_room(ctx, bytes_max);
    arena_defer(ctx->arena, release, memory);
    struct json_builder *b = arena_new(ctx->arena, struct json_builder);
    b->memory = memory;
    b->bytes_max = bytes_max;
    *ret = b;
    return OK;
}

struct json_builder *json_builder_measuring(struct ctx *ctx)
{
    struct json_builder *b = arena_new(ctx->arena, struct json_builder);
    b->is_full = true;
    return b;
}

uint64_t json_builder_bytes(const struct json_builder *b)
{
    return b->bytes;
}

bool json_builder_is_full(const struct json_builder *b)
{
    return b->is_full;
}

static bool is_in_object(const struct json_builder *b)
{
    return b->depth > 0 && json_typeof(b->open[b->depth - 1]) == JANSSON_OBJECT;
}

static bool take(struct json_builder *b, uint64_t bytes)
{
    b->bytes += bytes + JSON_SLOT_BYTES;
    b->is_full |= b->bytes > b->bytes_max;
    return !b->is_full;
}

/* Adds a new value at the current position, and takes over its reference. */
static void place(struct json_builder *b, json_t *value)
{
    int failed = 0; /* jansson fails only without memory, and then malloc has aborted */
    if (b->depth == 0) {
        assert(b->root == NULL);
        b->root = value;
    } else if (is_in_object(b)) {
        assert(b->key.data != NULL);
        failed =
            json_object_setn_new_nocheck(b->open[b->depth - 1], b->key.data, b->key.len, value);
        b->key = STR_NONE;
    } else {
        failed = json_array_append_new(b->open[b->depth - 1], value);
    }
    assert(value != NULL && failed == 0);
}

static void open_container(struct json_builder *b, json_t *(*make)(void))
{
    if (!take(b, JSON_CONTAINER_BYTES))
        return;
    assert(b->depth < JSON_DEPTH_CAP);
    json_memory_enter(b->memory);
    json_t *container = make();
    place(b, container);
    json_memory_leave();
    b->open[b->depth++] = container;
}

/* When the builder is full, not every container was opened. */
static void close_container(struct json_builder *b)
{
    if (b->is_full)
        return;
    assert(b->depth > 0 && b->key.data == NULL);
    b->depth--;
}

void json_build_object_begin(struct json_builder *b)
{
    open_container(b, json_object);
}

void json_build_object_end(struct json_builder *b)
{
    assert(b->is_full || is_in_object(b));
    close_container(b);
}

void json_build_array_begin(struct json_builder *b)
{
    open_container(b, json_array);
}

void json_build_array_end(struct json_builder *b)
{
    assert(b->is_full || !is_in_object(b));
    close_container(b);
}

void json_build_key(struct json_builder *b, Str key)
{
    if (!take(b, JSON_MEMBER_BYTES + key.len * 2))
        return;
    assert(is_in_object(b) && b->key.data == NULL && key.data != NULL);
    b->key = key;
}

static void put(struct json_builder *b, json_t *value)
{
    if (!take(b, 0))
        return;
    json_memory_enter(b->memory);
    place(b, value);
    json_memory_leave();
}

/* jansson shares one null, one true and one false between all trees. */
void json_build_null(struct json_builder *b)
{
    put(b, json_null());
}

void json_build_bool(struct json_builder *b, bool value)
{
    put(b, json_boolean(value));
}

void json_build_int(struct json_builder *b, int64_t value)
{
    if (!take(b, JSON_SCALAR_BYTES))
        return;
    json_memory_enter(b->memory);
    place(b, json_integer(value));
    json_memory_leave();
}

void json_build_real(struct json_builder *b, double value)
{
    if (!isfinite(value)) {
        json_build_null(b);
        return;
    }
    if (!take(b, JSON_SCALAR_BYTES))
        return;
    json_memory_enter(b->memory);
    place(b, json_real(value));
    json_memory_leave();
}

void json_build_str(struct json_builder *b, Str value)
{
    if (!take(b, JSON_STRING_BYTES + value.len))
        return;
    json_memory_enter(b->memory);
    place(b, json_stringn_nocheck(value.len == 0 ? "" : value.data, value.len));
    json_memory_leave();
}

void json_build_value(struct json_builder *b, const struct json *value)
{
    /* Only its reference count changes, which is never read, because trees are freed as a whole. */
    put(b, value == NULL ? json_null() : (json_t *)(uintptr_t)json_inside(value));
}

Err json_build_text(struct ctx *ctx, struct json_builder *b, Str text, struct json_limits limits)
{
    struct json_scanned scanned;
    TRY(json_scan(ctx, text, limits, &scanned));
    if (!take(b, scanned.tree_max))
        return OK;
    json_error_t error;
    json_memory_enter(b->memory);
    json_t *value = json_load_scanned(&scanned, &error);
    if (value != NULL)
        place(b, value);
    json_memory_leave();
    return value == NULL ? json_no_grammar(ctx, &error) : OK;
}

Err json_builder_end(struct ctx *ctx, struct json_builder *b, const struct json **ret)
{
    assert(b->memory != NULL);
    json_memory_settle(b->memory);
    if (b->is_full)
        return fail(ctx, ERR_TOO_LARGE, "The value takes more than %ju bytes of memory.",
                    (uintmax_t)b->bytes_max);
    assert(b->root != NULL && b->depth == 0);
    *ret = json_outside(b->root);
    return OK;
}

Err json_of_str(struct ctx *ctx, Str text, const struct json **ret)
{
    struct json_builder *b;
    TRY(json_builder_new(ctx, text.len + ALONE_ROOM, &b));
    json_build_str(b, text);
    return json_builder_end(ctx, b, ret);
}

Err json_of_no_members(struct ctx *ctx, const struct json **ret)
{
    struct json_builder *b;
    TRY(json_builder_new(ctx, ALONE_ROOM, &b));
    json_build_object_begin(b);
    json_build_object_end(b);
    return json_builder_end(ctx, b, ret);
}
