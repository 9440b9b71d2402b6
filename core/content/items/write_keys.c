/*
 * Keys that a request names in its body or selects by a query, and whether the actor may change
 * their rows.
 */
#include "content/items/nested.h"

#include <assert.h>

/* Memory for each key: the longest key that a request may name, plus overhead. */
enum { KEY_ROOM = 1024 + 256 };

bool write_key_of_json(struct arena *arena, const struct field *key, const struct json *json,
                       Str *ret)
{
    assert(key != NULL);
    if (json_kind(json) != JSON_STRING && json_kind(json) != JSON_INT)
        return false;
    Str text = json_kind(json) == JSON_STRING ? json_str(json) : json_text(arena, json);
    Uuid uuid;
    if (!key_is_valid(key, text))
        return false;
    /* Normalised, so that keys can be compared as text. */
    *ret = uuid_parse(text, &uuid) && key->type == FIELD_UUID ? uuid_text(arena, uuid) : text;
    return true;
}

static Err check_key_list(struct ctx *ctx, const struct json *keys)
{
    if (keys == NULL)
        return OK;
    if (json_kind(keys) != JSON_ARRAY)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"keys\" must be an array");
    for (uint32_t i = 0; i < json_len(keys); i++) {
        enum json_kind kind = json_kind(json_at(keys, i));
        if (kind != JSON_STRING && kind != JSON_INT && kind != JSON_REAL)
            return fail(ctx, ERR_INVALID_PAYLOAD, "\"keys[%u]\" must be one of [string, number]",
                        i);
    }
    return OK;
}

Err write_check_batch(struct ctx *ctx, const struct json *body, bool has_data)
{
    const struct json *query = json_get(body, STR("query"));
    const struct json *data = json_get(body, STR("data"));
    TRY(check_key_list(ctx, json_get(body, STR("keys"))));
    if (query != NULL && json_kind(query) != JSON_OBJECT)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"query\" must be of type object");
    if (has_data && data == NULL)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"data\" is required");
    if (has_data && json_kind(data) != JSON_OBJECT)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"data\" must be of type object");
    for (struct json_iter it = json_iter(body); json_next(&it);) {
        bool is_known = str_eq(it.key, STR("keys")) || str_eq(it.key, STR("query")) ||
                        (has_data && str_eq(it.key, STR("data")));
        if (!is_known)
            return fail(ctx, ERR_INVALID_PAYLOAD, "\"%.*s\" is not allowed", STR_FMT(it.key));
    }
    return OK;
}

static Err take_keys(struct ctx *ctx, const struct collection *collection, const struct json *list,
                     const Str **ret, uint32_t *ret_count)
{
    assert(collection->key != NULL);
    uint32_t count = json_len(list);
    if (json_kind(list) != JSON_ARRAY)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"keys\" must be an array");
    if (count > ITEMS_WRITE_MAX)
        return fail(ctx, ERR_INVALID_PAYLOAD, "More than %d keys", ITEMS_WRITE_MAX);
    struct map *seen = map_in_arena(ctx->arena);
    Str *keys = arena_array(ctx->arena, Str, count + 1);
    *ret_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        Str key;
        if (!write_key_of_json(ctx->arena, collection->key, json_at(list, i), &key))
            return fail_plain(ctx, ERR_FORBIDDEN);
        if (map_put(seen, key, seen) == NULL)
            keys[(*ret_count)++] = key;
    }
    *ret = keys;
    return OK;
}

fiber_fn Err write_keys_of_rows(const struct run *run, const Str **ret, uint32_t *ret_count)
{
    assert(run->plan->root->shape->is_key_only);
    struct ctx *ctx = run->ctx;
    struct value_sink *sink;
    TRY(value_sink_new(ctx, ((uint64_t)run->rows.count + 1) * KEY_ROOM, &sink));
    TRY(run_emit_list(run, value_sink_rows(sink)));
    const struct json *list = value_sink_value(sink);
    assert(json_len(list) == run->rows.count);
    Str *keys = arena_array(ctx->arena, Str, run->rows.count + 1);
    for (uint32_t i = 0; i < run->rows.count; i++) {
        const struct json *key = json_at(list, i);
        keys[i] = json_kind(key) == JSON_STRING ? json_str(key) : json_text(ctx->arena, key);
    }
    *ret = keys;
    *ret_count = run->rows.count;
    return OK;
}

fiber_fn Err write_keys_by_query(struct writer *w, const struct collection *collection,
                                 const struct query *query, const Str **ret, uint32_t *ret_count)
{
    assert(query != NULL);
    struct run run = {.ctx = w->ctx};
    struct plan_request request = {
        .op = PLAN_ONLY_KEYS, .collection = collection, .query = query, .ret_values = &run.values};
    TRY(plan_get(w->ctx, w->schema, &request, &run.plan));
    TRY(run_plan(&run));
    if (run.rows.count > ITEMS_WRITE_MAX)
        return fail(w->ctx, ERR_INVALID_PAYLOAD, "The query names more than %d rows",
                    ITEMS_WRITE_MAX);
    return write_keys_of_rows(&run, ret, ret_count);
}

fiber_fn Err write_keys_of_body(struct writer *w, const struct collection *collection,
                                const struct json *by_keys, const struct json *by_query,
                                const Str **ret, uint32_t *ret_count)
{
    if (by_keys == NULL && by_query == NULL)
        return fail(w->ctx, ERR_INVALID_PAYLOAD,
                    "\"value\" must contain at least one of [query, keys]");
    if (by_keys != NULL && by_query != NULL)
        return fail(w->ctx, ERR_INVALID_PAYLOAD,
                    "\"value\" contains a conflict between exclusive peers [query, keys]");
    if (by_keys != NULL)
        return take_keys(w->ctx, collection, by_keys, ret, ret_count);
    struct query query;
    TRY(query_from_json(w->ctx, by_query, &query));
    return write_keys_by_query(w, collection, &query, ret, ret_count);
}

struct asked {
    const struct access *access;
    const struct payload *payload;
};

static Err compile_asked(struct compiler *c, struct plan *plan, const void *arg)
{
    const struct asked *asked = arg;
    struct select *select = plan->root;
    struct operand key = operand_of(select->root, plan->collection->key);
    struct pred *keys = pred_keys(c, key);
    struct pred *granted;
    TRY(access_rows_for(c, select->root, asked->access, asked->payload->given,
                        asked->payload->given_count, &granted));
    select->where = pred_and(c, pred_and(c, scope_rows(c, select->root, true), keys), granted);
    TRY(column_add_field(c, select, NULL, key, &plan->key_column));
    plan->is_unreadable = true;
    select->shape = arena_new(c->arena, struct shape);
    select->shape->is_key_only = true;
    select->shape->key = plan->key_column;
    return OK;
}

/* The fields that need a grant, after a byte that no action's name begins with. */
static Str detail_of(struct ctx *ctx, const struct payload *payload)
{
    size_t len = 1 + (size_t)payload->given_count * 2;
    char *detail = arena_alloc_raw(ctx->arena, len);
    detail[0] = '\1';
    for (uint32_t i = 0; i < payload->given_count; i++) {
        detail[1 + i * 2] = (char)(payload->given[i]->ordinal >> 8);
        detail[2 + i * 2] = (char)(payload->given[i]->ordinal & 0xFF);
    }
    return str_of(detail, len);
}

fiber_fn Err write_check_access(struct writer *w, const struct write_target *target,
                                const struct payload *payload, const Str *keys, uint32_t count)
{
    assert(target->action == ACTION_UPDATE && count > 0);
    static const struct query NOTHING = {0};
    struct asked asked = {&target->access, payload};
    struct plan_request request = {
        .op = PLAN_CHECK,
        .collection = target->collection,
        .query = &NOTHING,
        .detail = detail_of(w->ctx, payload),
        .extend = compile_asked,
        .extend_arg = &asked,
    };
    if (target->access.is_full)
        return OK;
    struct run run = {.ctx = w->ctx,
                      .keys = keys_arg(w->ctx->arena, target->collection->key, keys, count)};
    struct db_args args;
    TRY(plan_get(w->ctx, w->schema, &request, &run.plan));
    TRY(run_bind(&run, run.plan->root, &args));
    const struct statement *statement = &run.plan->root->statement;
    TRY(write_queue_run(w));
    if (w->tx != NULL)
        TRY(db_tx_query(w->tx, statement, args, &run.rows));
    else
        TRY(db_query(w->ctx, statement, args, &run.rows));
    return run.rows.count < count ? write_forbidden(w->ctx, target, payload) : OK;
}

Err write_check_grant(struct ctx *ctx, const struct schema *schema, Str name, enum action action)
{
    assert(action != ACTION_READ);
    const struct collection *collection = schema_find(schema, name);
    struct compiler c = {.ctx = ctx, .actor = ctx->actor, .scope = ctx->scope.kind};
    struct access access;
    if (collection == NULL || access_find(&c, collection, action, &access))
        return OK;
    struct write_target target = {.collection = collection, .action = action};
    return write_forbidden(ctx, &target, NULL);
}
