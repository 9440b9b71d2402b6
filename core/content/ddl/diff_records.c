#include "content/ddl/apply_internal.h"
#include "content/ddl/diff_internal.h"

#include <assert.h>

enum { PATH_MAX_STEPS = JSON_DEPTH_MAX + 2 };

struct step {
    Str key; /* STR_NONE: an index */
    uint32_t index;
};

struct records {
    struct json_writer *w;
    struct step path[PATH_MAX_STEPS];
    uint32_t depth;
};

static void differ(struct records *r, const struct json *lhs, const struct json *rhs);

static void record_begin(struct records *r, const char *kind)
{
    json_object_begin(r->w);
    json_field_str(r->w, "kind", str_from_z(kind));
    if (r->depth == 0)
        return;
    json_key(r->w, STR("path"));
    json_array_begin(r->w);
    for (uint32_t i = 0; i < r->depth; i++) {
        if (r->path[i].key.data != NULL)
            json_put_str(r->w, r->path[i].key);
        else
            json_put_uint(r->w, r->path[i].index);
    }
    json_array_end(r->w);
}

static void put_side(struct records *r, const char *name, const struct json *value)
{
    json_key(r->w, str_from_z(name));
    json_put_value(r->w, value);
}

/* Of a member that only one of the two has: `rhs` NULL: it goes. */
static void one_sided(struct records *r, const struct json *lhs, const struct json *rhs)
{
    assert((lhs == NULL) != (rhs == NULL));
    record_begin(r, rhs == NULL ? "D" : "N");
    put_side(r, rhs == NULL ? "lhs" : "rhs", rhs == NULL ? lhs : rhs);
    json_object_end(r->w);
}

static void element(struct records *r, uint32_t index, const struct json *lhs,
                    const struct json *rhs)
{
    assert((lhs == NULL) != (rhs == NULL));
    record_begin(r, "A");
    json_field_int(r->w, "index", index);
    json_key(r->w, STR("item"));
    json_object_begin(r->w);
    json_field_str(r->w, "kind", rhs == NULL ? STR("D") : STR("N"));
    put_side(r, rhs == NULL ? "lhs" : "rhs", rhs == NULL ? lhs : rhs);
    json_object_end(r->w);
    json_object_end(r->w);
}

static void step_in(struct records *r, struct step step, const struct json *lhs,
                    const struct json *rhs)
{
    assert(lhs != NULL || rhs != NULL);
    assert(r->depth < PATH_MAX_STEPS);
    r->path[r->depth++] = step;
    if (lhs == NULL || rhs == NULL)
        one_sided(r, lhs, rhs);
    else
        differ(r, lhs, rhs);
    r->depth--;
}

static void objects(struct records *r, const struct json *lhs, const struct json *rhs)
{
    for (struct json_iter it = json_iter(lhs); json_next(&it);)
        step_in(r, (struct step){.key = it.key}, it.value, json_get(rhs, it.key));
    for (struct json_iter it = json_iter(rhs); json_next(&it);)
        if (json_get(lhs, it.key) == NULL)
            step_in(r, (struct step){.key = it.key}, NULL, it.value);
}

/* From the end, as the library goes. */
static void arrays(struct records *r, const struct json *lhs, const struct json *rhs)
{
    uint32_t left = json_len(lhs);
    uint32_t right = json_len(rhs);
    for (; left > right; left--)
        element(r, left - 1, json_at(lhs, left - 1), NULL);
    for (; right > left; right--)
        element(r, right - 1, NULL, json_at(rhs, right - 1));
    for (; left > 0; left--)
        step_in(r, (struct step){.index = left - 1}, json_at(lhs, left - 1),
                json_at(rhs, left - 1));
}

/* As deep as the parser allows. */
static void differ(struct records *r, const struct json *lhs, const struct json *rhs)
{
    assert(lhs != NULL && rhs != NULL);
    if (apply_is_same(lhs, rhs))
        return;
    if (json_kind(lhs) == JSON_OBJECT && json_kind(rhs) == JSON_OBJECT) {
        objects(r, lhs, rhs);
        return;
    }
    if (json_kind(lhs) == JSON_ARRAY && json_kind(rhs) == JSON_ARRAY) {
        arrays(r, lhs, rhs);
        return;
    }
    record_begin(r, "E");
    put_side(r, "lhs", lhs);
    put_side(r, "rhs", rhs);
    json_object_end(r->w);
}

void diff_records_write(struct json_writer *w, const struct json *lhs, const struct json *rhs)
{
    assert(lhs != NULL || rhs != NULL);
    struct records records = {.w = w};
    if (lhs == NULL || rhs == NULL)
        one_sided(&records, lhs, rhs);
    else
        differ(&records, lhs, rhs);
}
