/*
 * Writes a parsed value, with an explicit stack instead of recursion.
 */
#include "base/json/json_scan.h"
#include "base/json/json_writer.h"
#include "base/system/ctx.h"

#include <assert.h>

/* One open array or object. */
struct level {
    const struct json *value;
    struct json_iter members; /* of an object */
    uint32_t next;            /* of an array */
};

struct walk {
    struct level levels[JSON_DEPTH_CAP];
    uint32_t depth;
};

static void open_level(struct json_writer *w, struct walk *walk, const struct json *value)
{
    assert(walk->depth < JSON_DEPTH_CAP); /* json_parse limits the depth */
    walk->levels[walk->depth++] = (struct level){.value = value, .members = json_iter(value)};
    if (json_kind(value) == JSON_OBJECT)
        json_object_begin(w);
    else
        json_array_begin(w);
}

static void put_one(struct json_writer *w, struct walk *walk, const struct json *value)
{
    switch (json_kind(value)) {
    case JSON_NULL:
        json_put_null(w);
        break;
    case JSON_BOOL:
        json_put_bool(w, json_bool(value));
        break;
    case JSON_INT:
        json_put_int(w, json_int(value));
        break;
    case JSON_REAL:
        json_put_real(w, json_number(value));
        break;
    case JSON_STRING:
        json_put_str(w, json_str(value));
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        open_level(w, walk, value);
        break;
    }
}

/* Writes the next member of the innermost level, or closes it. */
static void put_next(struct json_writer *w, struct walk *walk)
{
    struct level *level = &walk->levels[walk->depth - 1];
    if (json_kind(level->value) == JSON_OBJECT) {
        if (json_next(&level->members)) {
            json_key(w, level->members.key);
            put_one(w, walk, level->members.value);
        } else {
            walk->depth--;
            json_object_end(w);
        }
    } else if (level->next < json_len(level->value)) {
        put_one(w, walk, json_at(level->value, level->next++));
    } else {
        walk->depth--;
        json_array_end(w);
    }
}

void json_put_value(struct json_writer *w, const struct json *value)
{
    struct walk walk;
    walk.depth = 0;
    put_one(w, &walk, value);
    while (walk.depth > 0)
        put_next(w, &walk);
}

Str json_text(struct arena *arena, const struct json *json)
{
    struct buf out;
    buf_init(&out, SIZE_MAX);
    struct json_writer w = json_writer(&out);
    json_put_value(&w, json);
    Str text = str_dup(arena, buf_str(&out));
    buf_finish(&out);
    return text;
}

/* Opens `value`, and returns the minimum length of its text, without its members. */
static size_t measure_one(struct walk *walk, const struct json *value)
{
    enum { LEAST = 2 }; /* "1," */
    enum json_kind kind = json_kind(value);
    if (kind == JSON_ARRAY || kind == JSON_OBJECT) {
        assert(walk->depth < JSON_DEPTH_CAP);
        walk->levels[walk->depth++] = (struct level){.value = value, .members = json_iter(value)};
    }
    return LEAST + (kind == JSON_STRING ? json_str(value).len : 0);
}

/* The minimum length of the next member of the innermost level, or of its end. */
static size_t measure_next(struct walk *walk)
{
    struct level *level = &walk->levels[walk->depth - 1];
    if (json_kind(level->value) == JSON_OBJECT && json_next(&level->members))
        return level->members.key.len + measure_one(walk, level->members.value);
    if (json_kind(level->value) == JSON_ARRAY && level->next < json_len(level->value))
        return measure_one(walk, json_at(level->value, level->next++));
    walk->depth--;
    return 0;
}

bool json_is_long(const struct json *json, size_t bytes)
{
    struct walk walk;
    walk.depth = 0;
    size_t sum = measure_one(&walk, json);
    while (walk.depth > 0 && sum < bytes)
        sum += measure_next(&walk);
    return sum >= bytes;
}
