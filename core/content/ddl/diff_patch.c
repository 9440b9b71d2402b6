#include "content/ddl/diff_internal.h"

#include <assert.h>

enum { PATH_MAX_STEPS = JSON_DEPTH_MAX + 2 };

struct step {
    Str key; /* STR_NONE: an index */
    uint32_t index;
};

struct patch {
    struct json_builder *b;
    const struct json *records;
    struct step path[PATH_MAX_STEPS];
    uint32_t depth;
};

static void build(struct patch *p, const struct json *value);

static bool is_kind(const struct json *record, const char *kind)
{
    const struct json *is = json_get(record, STR("kind"));
    return json_kind(is) == JSON_STRING && str_eq(json_str(is), str_from_z(kind));
}

static bool is_step(const struct json *json, struct step step)
{
    if (step.key.data != NULL)
        return json_kind(json) == JSON_STRING && str_eq(json_str(json), step.key);
    return json_kind(json) == JSON_INT && json_int(json) == step.index;
}

/* Whether the record is about what is here, or `below` about a member of it. */
static bool is_here(const struct patch *p, const struct json *record, uint32_t below)
{
    assert(below <= 1 && p->depth <= PATH_MAX_STEPS);
    const struct json *path = json_get(record, STR("path"));
    if (json_len(path) != p->depth + below)
        return false;
    for (uint32_t i = 0; i < p->depth; i++)
        if (!is_step(json_at(path, i), p->path[i]))
            return false;
    return true;
}

static const struct json *find(const struct patch *p, const char *kind)
{
    for (uint32_t i = 0; i < json_len(p->records); i++) {
        const struct json *record = json_at(p->records, i);
        if (is_kind(record, kind) && is_here(p, record, 0))
            return record;
    }
    return NULL;
}

/* The record about one element of the array that is here. */
static const struct json *find_element(const struct patch *p, uint32_t index, const char *kind)
{
    for (uint32_t i = 0; i < json_len(p->records); i++) {
        const struct json *record = json_at(p->records, i);
        const struct json *at = json_get(record, STR("index"));
        if (is_kind(record, "A") && is_here(p, record, 0) && json_kind(at) == JSON_INT &&
            json_int(at) == index && is_kind(json_get(record, STR("item")), kind))
            return record;
    }
    return NULL;
}

static void build_object(struct patch *p, const struct json *object)
{
    assert(json_kind(object) == JSON_OBJECT);
    json_build_object_begin(p->b);
    for (struct json_iter it = json_iter(object); json_next(&it);) {
        p->path[p->depth++] = (struct step){.key = it.key};
        if (find(p, "D") == NULL) {
            json_build_key(p->b, it.key);
            build(p, it.value);
        }
        p->depth--;
    }
    for (uint32_t i = 0; i < json_len(p->records); i++) {
        const struct json *record = json_at(p->records, i);
        const struct json *key = json_at(json_get(record, STR("path")), p->depth);
        if (!is_kind(record, "N") || !is_here(p, record, 1) || json_kind(key) != JSON_STRING ||
            json_get(object, json_str(key)) != NULL)
            continue;
        json_build_key(p->b, json_str(key));
        json_build_value(p->b, json_get(record, STR("rhs")));
    }
    json_build_object_end(p->b);
}

static void build_array(struct patch *p, const struct json *array)
{
    assert(json_kind(array) == JSON_ARRAY);
    json_build_array_begin(p->b);
    for (uint32_t i = 0; i < json_len(array); i++) {
        if (find_element(p, i, "D") != NULL)
            continue;
        p->path[p->depth++] = (struct step){.index = i};
        build(p, json_at(array, i));
        p->depth--;
    }
    const struct json *added;
    for (uint32_t i = json_len(array); (added = find_element(p, i, "N")) != NULL; i++)
        json_build_value(p->b, json_get(json_get(added, STR("item")), STR("rhs")));
    json_build_array_end(p->b);
}

static void build(struct patch *p, const struct json *value)
{
    assert(p->depth < PATH_MAX_STEPS);
    const struct json *edited = find(p, "E");
    if (edited == NULL)
        edited = find(p, "N");
    if (edited != NULL)
        json_build_value(p->b, json_get(edited, STR("rhs")));
    else if (json_kind(value) == JSON_OBJECT)
        build_object(p, value);
    else if (json_kind(value) == JSON_ARRAY)
        build_array(p, value);
    else
        json_build_value(p->b, value);
}

void diff_patch_build(struct json_builder *b, const struct json *value, const struct json *records)
{
    struct patch patch = {.b = b, .records = records};
    build(&patch, value);
}
