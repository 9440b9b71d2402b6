/*
 * Rows written in the transaction of the row they belong to: to-one before it (its key is needed),
 * to-many after it (they need its key, nested_many.c).
 */
#include "content/items/nested.h"

#include <assert.h>

static bool writes_more(const struct field *field, const struct json *value)
{
    if (field == NULL || field->relation == NULL)
        return false;
    switch (field->relation->kind) {
    case RELATION_TO_MANY:
        return true;
    case RELATION_TO_ANY:
        return !json_is_null(value); /* the transaction checks the reference */
    default:
        return json_kind(value) == JSON_OBJECT;
    }
}

bool nested_is_in(const struct collection *collection, const struct json *body)
{
    for (struct json_iter it = json_iter(body); json_next(&it);) {
        if (writes_more(collection_field(collection, it.key), it.value))
            return true;
    }
    return false;
}

static const Str KEY_ONLY[] = {STR_INIT("")};

/* Whether a row exists and may be read, as seen inside the transaction. */
fiber_fn Err nested_exists(struct writer *w, const struct collection *collection, Str key,
                           bool *ret)
{
    assert(w->tx != NULL);
    struct query query = {.fields = KEY_ONLY, .field_count = 1};
    struct plan_request request = {.op = PLAN_ONE, .collection = collection, .query = &query};
    struct run run = {.ctx = w->ctx};
    struct db_args args;
    TRY(key_parse(w->ctx, collection, key, &run.key));
    TRY(plan_get(w->ctx, w->schema, &request, &run.plan));
    TRY(run_bind(&run, run.plan->root, &args));
    TRY(write_queue_run(w));
    TRY(db_tx_query(w->tx, &run.plan->root->statement, args, &run.rows));
    TRY(run_check_keys(&run));
    *ret = run.rows.count > 0;
    return OK;
}

Err nested_open(struct writer *w, const struct collection *child, enum action action,
                const struct nested_path *path, struct write_target *ret)
{
    assert(action != ACTION_READ && path != NULL);
    TRY(write_target_open(w->ctx, w->schema, child, action, ret));
    ret->takes_key = true;
    ret->path = path;
    return OK;
}

/* Updates if the key is present and exists; else creates. */
static fiber_fn Err upsert(struct writer *w, const struct collection *child,
                           const struct nested_path *path, const struct json *object, Str *ret_key)
{
    assert(w->tx != NULL && json_kind(object) == JSON_OBJECT);
    const struct json *given = json_get(object, child->key->name);
    bool is_known = false;
    Str key = STR_NONE;
    if (!json_is_null(given)) {
        if (!write_key_of_json(w->ctx->arena, child->key, given, &key))
            return fail_plain(w->ctx, ERR_FORBIDDEN);
        TRY(nested_exists(w, child, key, &is_known));
    }
    struct write_target target;
    struct run run = {.ctx = w->ctx};
    w->revision = NULL;
    if (!is_known) {
        TRY(nested_open(w, child, ACTION_CREATE, path, &target));
        return write_create_one(w, &target, object, NULL, &run, ret_key);
    }
    *ret_key = key;
    if (json_len(object) == 1)
        return OK; /* only the key: link the row without changing it */
    TRY(nested_open(w, child, ACTION_UPDATE, path, &target));
    return write_update_one(w, &target, key, object, NULL, &run);
}

static fiber_fn Err before_to_one(struct writer *w, struct payload *payload, struct nested *nested,
                                  const struct nested_path *path)
{
    assert(nested->field->relation->kind == RELATION_TO_ONE);
    Str key;
    TRY(upsert(w, nested->field->relation->target, path, nested->value, &key));
    nested->revision = w->revision;
    nested->key = key;
    payload_set(w->ctx, payload, nested->field, key);
    return OK;
}

/* The collection that the payload names for a to-any field. */
static Err any_target(struct writer *w, const struct payload *payload, const struct field *field,
                      const struct collection **ret)
{
    const struct relation *relation = field->relation;
    const struct cell *cell = payload_find(payload, relation->collection_field);
    Str table = payload->collection->name;
    if (cell == NULL || cell->text.data == NULL)
        return fail(
            w->ctx, ERR_INVALID_PAYLOAD,
            "Can't update nested record \"%.*s.%.*s\" without field \"%.*s.%.*s\" being set",
            STR_FMT(table), STR_FMT(field->name), STR_FMT(table),
            STR_FMT(relation->collection_field->name));
    for (uint32_t i = 0; i < relation->allowed_count; i++) {
        *ret = relation->allowed[i];
        if (str_eq((*ret)->name, cell->text))
            return OK;
    }
    return fail(w->ctx, ERR_INVALID_PAYLOAD, "\"%.*s.%.*s\" can't be linked to collection \"%.*s\"",
                STR_FMT(table), STR_FMT(field->name), STR_FMT(cell->text));
}

static fiber_fn Err before_to_any(struct writer *w, struct payload *payload, struct nested *nested,
                                  const struct nested_path *path)
{
    assert(nested->field->relation->kind == RELATION_TO_ANY);
    const struct collection *target = NULL;
    TRY(any_target(w, payload, nested->field, &target));
    Str key;
    if (json_kind(nested->value) == JSON_OBJECT) {
        TRY(upsert(w, target, path, nested->value, &key));
        nested->revision = w->revision;
    } else {
        bool is_there = false;
        if (write_key_of_json(w->ctx->arena, target->key, nested->value, &key))
            TRY(nested_exists(w, target, key, &is_there));
        if (!is_there)
            return fail_plain(w->ctx, ERR_FORBIDDEN);
    }
    nested->key = key;
    payload_set(w->ctx, payload, nested->field, key);
    return OK;
}

static Err deeper(struct writer *w)
{
    assert(w->depth <= WRITE_DEPTH_MAX);
    if (w->depth == WRITE_DEPTH_MAX)
        return fail(w->ctx, ERR_INVALID_PAYLOAD, "Nested rows are more than %d levels deep",
                    WRITE_DEPTH_MAX);
    w->depth++;
    return OK;
}

static const struct nested_path *path_to(struct writer *w, const struct write_target *target,
                                         const struct field *field)
{
    struct nested_path *path = arena_new(w->ctx->arena, struct nested_path);
    *path = (struct nested_path){target->path, field->name};
    return path;
}

static bool is_new_row(const struct nested *nested)
{
    const struct relation *relation = nested->field->relation;
    return relation->kind == RELATION_TO_ONE &&
           json_is_null(json_get(nested->value, relation->target->key->name));
}

/* New rows of one field, together. */
static fiber_fn Err create_for(struct writer *w, const struct write_target *target,
                               struct payload *payloads, uint32_t count, const struct field *field)
{
    struct arena *arena = w->ctx->arena;
    const struct json **items = arena_array(arena, const struct json *, count);
    struct nested **owners = arena_array(arena, struct nested *, count);
    struct payload **rows = arena_array(arena, struct payload *, count);
    struct write_target child;
    TRY(nested_open(w, field->relation->target, ACTION_CREATE, path_to(w, target, field), &child));
    struct new_rows new = {.target = &child, .items = items};
    for (uint32_t i = 0; i < count; i++) {
        for (struct nested *n = payloads[i].first_nested; n != NULL; n = n->next) {
            if (n->field != field || !is_new_row(n))
                continue;
            items[new.count] = n->value;
            rows[new.count] = &payloads[i];
            owners[new.count++] = n;
        }
    }
    assert(new.count > 0 && new.count <= count); /* a payload holds a field once */
    TRY(write_create_rows(w, &new));
    for (uint32_t i = 0; i < new.count; i++) {
        owners[i]->revision = new.revisions[i];
        owners[i]->key = new.keys[i];
        payload_set(w->ctx, rows[i], field, new.keys[i]);
    }
    return OK;
}

static fiber_fn Err before_one(struct writer *w, const struct write_target *target,
                               struct payload *payload, struct nested *n)
{
    const struct nested_path *path = path_to(w, target, n->field);
    if (n->field->relation->kind == RELATION_TO_ANY)
        return before_to_any(w, payload, n, path);
    assert(n->field->relation->kind == RELATION_TO_ONE);
    return before_to_one(w, payload, n, path);
}

fiber_fn Err nested_before(struct writer *w, const struct write_target *target,
                           struct payload *payloads, uint32_t count)
{
    bool is_deep = false;
    for (uint32_t i = 0; i < count; i++) {
        for (struct nested *n = payloads[i].first_nested; n != NULL; n = n->next) {
            if (w->tx == NULL) /* a preset or a hook supplied it */
                return fail(w->ctx, ERR_INVALID_PAYLOAD, "Nested rows are not expected here");
            if (!is_deep)
                TRY(deeper(w));
            is_deep = true;
            if (n->field->relation->kind == RELATION_TO_MANY || n->key.data != NULL)
                continue;
            if (is_new_row(n))
                TRY(create_for(w, target, &payloads[i], count - i, n->field));
            else
                TRY(before_one(w, target, &payloads[i], n));
        }
    }
    w->depth -= is_deep;
    return OK;
}

void nested_adopt(struct writer *w, const struct payload *payload, struct revision *revision)
{
    for (const struct nested *n = payload->first_nested; n != NULL; n = n->next) {
        if (n->revision != NULL && revision != NULL)
            write_history_adopt(w, n->revision, revision);
    }
}

void nested_forget(struct payload *payload)
{
    for (struct nested *n = payload->first_nested; n != NULL; n = n->next)
        n->revision = NULL;
}

fiber_fn Err nested_after(struct writer *w, const struct write_target *target,
                          const struct payload *payload, Str key, bool is_new)
{
    if (payload->first_nested == NULL)
        return OK;
    struct revision *revision = w->revision;
    TRY(deeper(w));
    for (const struct nested *n = payload->first_nested; n != NULL; n = n->next) {
        if (n->field->relation->kind != RELATION_TO_MANY)
            continue;
        /* Children refer to their parent by its key, which must be unambiguous. */
        bool is_there;
        if (w->ctx->scope.kind == SCOPE_PLATFORM && target->collection->is_keyed_by_site)
            TRY(nested_exists(w, target->collection, key, &is_there));
        const struct nested_parent parent = {key, is_new, revision, path_to(w, target, n->field)};
        TRY(nested_to_many(w, n->field->relation, n->value, &parent));
    }
    w->depth--;
    return OK;
}
