/*
 * Rows written in the transaction of the row they belong to: to-one before it (its key is needed),
 * to-many after it (they need its key).
 */
#include "base/json/json_build.h"
#include "content/items/write.h"
#include "content/plan/sql_print.h"

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
static fiber_fn Err row_exists(struct writer *w, const struct collection *collection, Str key,
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
    TRY(db_tx_query(w->tx, &run.plan->root->statement, args, &run.rows));
    TRY(run_check_keys(&run));
    *ret = run.rows.count > 0;
    return OK;
}

static Err open_child(struct writer *w, const struct collection *child, enum action action,
                      const struct field *link, Str link_value, struct write_target *ret)
{
    assert(action != ACTION_READ);
    TRY(write_target_open(w->ctx, w->schema, child, action, ret));
    ret->link = link;
    ret->link_value = link_value;
    return OK;
}

/* Updates if the key is present and exists; else creates. `link` sets the reference to the
 * parent. */
static fiber_fn Err upsert(struct writer *w, const struct collection *child,
                           const struct json *object, const struct field *link, Str link_value,
                           Str *ret_key)
{
    assert(w->tx != NULL && json_kind(object) == JSON_OBJECT);
    const struct json *given = json_get(object, child->key->name);
    bool is_known = false;
    Str key = STR_NONE;
    if (given != NULL && !json_is_null(given)) {
        if (!write_key_of_json(w->ctx->arena, child->key, given, &key))
            return fail_plain(w->ctx, ERR_FORBIDDEN);
        TRY(row_exists(w, child, key, &is_known));
    }
    struct write_target target;
    struct run run = {.ctx = w->ctx};
    if (!is_known) {
        TRY(open_child(w, child, ACTION_CREATE, link, link_value, &target));
        return write_create_one(w, &target, object, NULL, &run, ret_key);
    }
    *ret_key = key;
    if (json_len(object) == 1 && link == NULL)
        return OK; /* only the key: link the row without changing it */
    TRY(open_child(w, child, ACTION_UPDATE, link, link_value, &target));
    return write_update_one(w, &target, key, object, NULL, &run);
}

static fiber_fn Err before_to_one(struct writer *w, struct payload *payload,
                                  const struct nested *nested)
{
    assert(nested->field->relation->kind == RELATION_TO_ONE);
    Str key;
    TRY(upsert(w, nested->field->relation->target, nested->value, NULL, STR_NONE, &key));
    payload_set(w->ctx, payload, nested->field, key);
    return OK;
}

static fiber_fn Err before_to_any(struct writer *w, struct payload *payload,
                                  const struct nested *nested)
{
    assert(nested->field->relation->kind == RELATION_TO_ANY);
    const struct relation *relation = nested->field->relation;
    const struct cell *cell = payload_find(payload, relation->collection_field);
    Str table = payload->collection->name;
    Str name = nested->field->name;
    if (cell == NULL || cell->text.data == NULL)
        return fail(
            w->ctx, ERR_INVALID_PAYLOAD,
            "Can't update nested record \"%.*s.%.*s\" without field \"%.*s.%.*s\" being set",
            STR_FMT(table), STR_FMT(name), STR_FMT(table),
            STR_FMT(relation->collection_field->name));
    const struct collection *target = NULL;
    for (uint32_t i = 0; i < relation->allowed_count; i++) {
        if (str_eq(relation->allowed[i]->name, cell->text))
            target = relation->allowed[i];
    }
    if (target == NULL)
        return fail(w->ctx, ERR_INVALID_PAYLOAD,
                    "\"%.*s.%.*s\" can't be linked to collection \"%.*s\"", STR_FMT(table),
                    STR_FMT(name), STR_FMT(cell->text));
    Str key;
    if (json_kind(nested->value) == JSON_OBJECT) {
        TRY(upsert(w, target, nested->value, NULL, STR_NONE, &key));
    } else {
        bool is_there = false;
        if (write_key_of_json(w->ctx->arena, target->key, nested->value, &key))
            TRY(row_exists(w, target, key, &is_there));
        if (!is_there)
            return fail_plain(w->ctx, ERR_FORBIDDEN);
    }
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

fiber_fn Err nested_before(struct writer *w, const struct write_target *target,
                           struct payload *payload)
{
    (void)target;
    if (payload->first_nested == NULL)
        return OK;
    if (w->tx == NULL) /* a preset or a hook supplied it */
        return fail(w->ctx, ERR_INVALID_PAYLOAD, "Nested rows are not expected here");
    TRY(deeper(w));
    for (const struct nested *n = payload->first_nested; n != NULL; n = n->next) {
        if (n->field->relation->kind == RELATION_TO_ONE)
            TRY(before_to_one(w, payload, n));
        else if (n->field->relation->kind == RELATION_TO_ANY)
            TRY(before_to_any(w, payload, n));
    }
    w->depth--;
    return OK;
}

/* The current children of a parent. */
static fiber_fn Err current_children(struct writer *w, const struct relation *relation, Str parent,
                                     const Str **ret, uint32_t *ret_count)
{
    assert(w->tx != NULL && relation->kind == RELATION_TO_MANY);
    struct ctx *ctx = w->ctx;
    struct query query = {
        .has_limit = true,
        .limit = ITEMS_WRITE_MAX + 1,
        .filter = filter_condition(ctx->arena, relation->target_field->name, OPERATOR_EQ,
                                   filter_literal(parent)),
    };
    struct run run = {.ctx = ctx};
    struct plan_request request = {.op = PLAN_ONLY_KEYS,
                                   .collection = relation->target,
                                   .query = &query,
                                   .ret_values = &run.values};
    struct db_args args;
    TRY(plan_get(ctx, w->schema, &request, &run.plan));
    TRY(run_bind(&run, run.plan->root, &args));
    TRY(db_tx_query(w->tx, &run.plan->root->statement, args, &run.rows));
    if (run.rows.count > ITEMS_WRITE_MAX)
        return fail(ctx, ERR_INVALID_PAYLOAD, "More than %d rows in \"%.*s\"", ITEMS_WRITE_MAX,
                    STR_FMT(relation->field->name));
    return write_keys_of_rows(&run, ret, ret_count);
}

/* Children that no longer belong to the parent are unlinked or deleted. */
static fiber_fn Err deselect(struct writer *w, const struct relation *relation, const Str *keys,
                             uint32_t count)
{
    assert(w->tx != NULL && relation->kind == RELATION_TO_MANY);
    struct write_target target;
    if (relation->deselect_deletes) {
        TRY(open_child(w, relation->target, ACTION_DELETE, NULL, STR_NONE, &target));
        return write_delete_keys(w, &target, keys, count);
    }
    const struct json *nothing;
    TRY(json_of_no_members(w->ctx, &nothing));
    TRY(open_child(w, relation->target, ACTION_UPDATE, relation->target_field, STR_NONE, &target));
    for (uint32_t i = 0; i < count; i++) {
        struct run run = {.ctx = w->ctx};
        TRY(write_update_one(w, &target, keys[i], nothing, NULL, &run));
    }
    return OK;
}

/* An existing row is linked to the parent. */
static fiber_fn Err link_row(struct writer *w, const struct relation *relation,
                             const struct json *given, Str parent, Str *ret_key)
{
    assert(w->tx != NULL && relation->kind == RELATION_TO_MANY);
    const struct collection *child = relation->target;
    struct write_target target;
    const struct json *nothing;
    struct run run = {.ctx = w->ctx};
    if (!write_key_of_json(w->ctx->arena, child->key, given, ret_key))
        return fail_plain(w->ctx, ERR_FORBIDDEN);
    TRY(json_of_no_members(w->ctx, &nothing));
    TRY(open_child(w, child, ACTION_UPDATE, relation->target_field, parent, &target));
    TRY(write_update_one(w, &target, *ret_key, nothing, NULL, &run));
    return run.rows.count == 1 ? OK : fail_plain(w->ctx, ERR_FORBIDDEN);
}

static bool holds(const Str *keys, uint32_t count, Str key)
{
    for (uint32_t i = 0; i < count; i++) {
        if (str_eq(keys[i], key))
            return true;
    }
    return false;
}

/* The body is the complete new set: other children are deselected. */
static fiber_fn Err write_set(struct writer *w, const struct relation *relation,
                              const struct json *list, Str parent)
{
    assert(relation->kind == RELATION_TO_MANY);
    uint32_t count = json_len(list);
    if (count > ITEMS_WRITE_MAX)
        return fail(w->ctx, ERR_INVALID_PAYLOAD, "More than %d rows in \"%.*s\"", ITEMS_WRITE_MAX,
                    STR_FMT(relation->field->name));
    const Str *before;
    uint32_t before_count;
    TRY(current_children(w, relation, parent, &before, &before_count));
    Str *kept = arena_array(w->ctx->arena, Str, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        const struct json *element = json_at(list, i);
        if (json_kind(element) == JSON_OBJECT)
            TRY(upsert(w, relation->target, element, relation->target_field, parent, &kept[i]));
        else
            TRY(link_row(w, relation, element, parent, &kept[i]));
    }
    Str *gone = arena_array(w->ctx->arena, Str, before_count + 1);
    uint32_t gone_count = 0;
    for (uint32_t i = 0; i < before_count; i++) {
        if (!holds(kept, count, before[i]))
            gone[gone_count++] = before[i];
    }
    return deselect(w, relation, gone, gone_count);
}

static Err check_structure(struct writer *w, const struct json *changes)
{
    for (struct json_iter it = json_iter(changes); json_next(&it);) {
        bool is_known = str_eq(it.key, STR("create")) || str_eq(it.key, STR("update")) ||
                        str_eq(it.key, STR("delete"));
        if (!is_known)
            return fail(w->ctx, ERR_INVALID_PAYLOAD,
                        "Invalid one-to-many update structure: \"%.*s\" is not allowed",
                        STR_FMT(it.key));
        if (json_kind(it.value) != JSON_ARRAY)
            return fail(w->ctx, ERR_INVALID_PAYLOAD,
                        "Invalid one-to-many update structure: \"%.*s\" must be an array",
                        STR_FMT(it.key));
        if (json_len(it.value) > ITEMS_WRITE_MAX)
            return fail(w->ctx, ERR_INVALID_PAYLOAD, "More than %d rows in one request",
                        ITEMS_WRITE_MAX);
    }
    return OK;
}

static fiber_fn Err delete_listed(struct writer *w, const struct relation *relation,
                                  const struct json *list, Str parent)
{
    assert(relation->kind == RELATION_TO_MANY);
    const Str *current;
    uint32_t current_count;
    if (json_len(list) == 0)
        return OK;
    TRY(current_children(w, relation, parent, &current, &current_count));
    Str *gone = arena_array(w->ctx->arena, Str, json_len(list));
    uint32_t count = 0;
    for (uint32_t i = 0; i < json_len(list); i++) {
        Str key;
        bool is_key =
            write_key_of_json(w->ctx->arena, relation->target->key, json_at(list, i), &key);
        if (is_key && holds(current, current_count, key))
            gone[count++] = key;
    }
    return deselect(w, relation, gone, count);
}

/* The position after the last child, for relations with an order. */
static fiber_fn Err next_place(struct writer *w, const struct relation *relation, Str parent,
                               int64_t *ret)
{
    assert(w->tx != NULL && relation->sort_field != NULL);
    struct buf *text = buf_in_arena(w->ctx->arena, 4096);
    struct sql sql = {.out = text};
    sql_text(&sql, "select coalesce(max(");
    sql_name(&sql, relation->sort_field->name);
    sql_text(&sql, "), 0)::int8 from ");
    sql_name(&sql, relation->target->name);
    sql_text(&sql, " where ");
    sql_name(&sql, relation->target_field->name);
    sql_text(&sql, " = $1");
    bool is_site = w->ctx->scope.kind == SCOPE_SITE && relation->target->site != NULL;
    if (is_site) {
        sql_text(&sql, " and ");
        sql_name(&sql, relation->target->site->name);
        sql_text(&sql, " = $2");
    }
    buf_put_char(text, '\0');
    struct statement statement = {.sql = text->data, .lane = DB_WRITE};
    const DbArg list[] = {db_text(parent), db_uuid(w->ctx->scope.site)};
    struct rows rows;
    TRY(db_tx_query(w->tx, &statement, (struct db_args){list, is_site ? 2 : 1}, &rows));
    *ret = row_int(&rows, 0, 0) + 1;
    return OK;
}

static fiber_fn Err create_listed(struct writer *w, const struct relation *relation,
                                  const struct json *list, Str parent)
{
    assert(w->tx != NULL && relation->kind == RELATION_TO_MANY);
    const struct field *order = relation->sort_field;
    int64_t place = 0;
    if (json_len(list) > 0 && order != NULL)
        TRY(next_place(w, relation, parent, &place));
    for (uint32_t i = 0; i < json_len(list); i++) {
        struct write_target target;
        struct run run = {.ctx = w->ctx};
        Str key;
        TRY(open_child(w, relation->target, ACTION_CREATE, relation->target_field, parent,
                       &target));
        target.order = order;
        target.order_value = place + i;
        TRY(write_create_one(w, &target, json_at(list, i), NULL, &run, &key));
    }
    return OK;
}

/* {create: […], update: […], delete: […]} */
static fiber_fn Err write_changes(struct writer *w, const struct relation *relation,
                                  const struct json *changes, Str parent)
{
    assert(relation->kind == RELATION_TO_MANY);
    const struct collection *child = relation->target;
    TRY(check_structure(w, changes));
    TRY(create_listed(w, relation, json_get(changes, STR("create")), parent));
    const struct json *updated = json_get(changes, STR("update"));
    for (uint32_t i = 0; i < json_len(updated); i++) {
        const struct json *given = json_get(json_at(updated, i), child->key->name);
        struct write_target target;
        struct run run = {.ctx = w->ctx};
        Str key;
        if (given == NULL || !write_key_of_json(w->ctx->arena, child->key, given, &key))
            return fail(w->ctx, ERR_INVALID_PAYLOAD, "Item in update misses primary key");
        TRY(open_child(w, child, ACTION_UPDATE, relation->target_field, parent, &target));
        TRY(write_update_one(w, &target, key, json_at(updated, i), NULL, &run));
        if (run.rows.count != 1)
            return fail_plain(w->ctx, ERR_FORBIDDEN);
    }
    return delete_listed(w, relation, json_get(changes, STR("delete")), parent);
}

static fiber_fn Err after_to_many(struct writer *w, const struct nested *nested, Str parent)
{
    assert(nested->field->relation->kind == RELATION_TO_MANY);
    const struct relation *relation = nested->field->relation;
    struct access access;
    struct compiler c = {.ctx = w->ctx, .actor = w->ctx->actor, .scope = w->ctx->scope.kind};
    if (!access_find(&c, relation->target, ACTION_READ, &access))
        return schema_forbidden_collection(w->ctx, relation->target->name, nested->field->name);
    switch (json_kind(nested->value)) {
    case JSON_NULL:
    case JSON_ARRAY:
        return write_set(w, relation, nested->value, parent);
    case JSON_OBJECT:
        return write_changes(w, relation, nested->value, parent);
    default:
        return fail(w->ctx, ERR_INVALID_PAYLOAD, "\"%.*s\" must be an array or an object",
                    STR_FMT(nested->field->name));
    }
}

fiber_fn Err nested_after(struct writer *w, const struct write_target *target,
                          const struct payload *payload, Str key)
{
    if (payload->first_nested == NULL)
        return OK;
    TRY(deeper(w));
    for (const struct nested *n = payload->first_nested; n != NULL; n = n->next) {
        if (n->field->relation->kind != RELATION_TO_MANY)
            continue;
        /* Children refer to their parent by its key, which must be unambiguous. */
        bool is_there;
        if (w->ctx->scope.kind == SCOPE_PLATFORM && target->collection->is_keyed_by_site)
            TRY(row_exists(w, target->collection, key, &is_there));
        TRY(after_to_many(w, n, key));
    }
    w->depth--;
    return OK;
}
