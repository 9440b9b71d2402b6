/*
 * Updating: one row, rows by keys, rows by query, several rows with different changes; reverting
 * and sorting.
 */
#include "base/json/json_build.h"
#include "content/items/items_draft.h"
#include "content/items/nested.h"
#include "gen/sql.h"

#include <assert.h>

/* Of an invalid payload for a row that may not be changed, the row is what is refused. */
static fiber_fn Err make(struct writer *w, const struct write_target *target,
                         const struct json *body, const Str *keys, uint32_t count,
                         struct payload *ret)
{
    Err err = payload_make(target, body, ret);
    if (err != ERR_FAILED_VALIDATION || count == 0)
        return err;
    struct diag story = w->ctx->diag;
    diag_clear(w->ctx);
    TRY(write_check_access(w, target, ret, keys, count));
    w->ctx->diag = story;
    return err;
}

/* A missing row is no fault of an administrator's. */
static Err missing(struct writer *w, const struct write_target *target,
                   const struct payload *payload)
{
    assert(target->action == ACTION_UPDATE);
    return write_ignores_missing(w->ctx, target) ? OK : write_forbidden(w->ctx, target, payload);
}

/* Applies one change to one or many rows. *run has no rows when none matched. An empty change still
 * needs grants and leaves activity. */
static fiber_fn Err apply(struct writer *w, const struct write_target *target,
                          const struct payload *payload, const Str *keys, uint32_t count,
                          bool is_many, const struct query *query, struct run *run)
{
    assert(count > 0 && target->action == ACTION_UPDATE);
    assert(is_many || count == 1);
    struct write_shape shape = {.action = ACTION_UPDATE,
                                .is_many = is_many,
                                .has_lineage = write_has_lineage(target, payload),
                                .parent_revision = target->parent_revision,
                                .access = target->access,
                                .query = query};
    write_columns(w->ctx, payload, &shape);
    const struct plan *plan;
    if (is_many)
        run->keys = keys_arg(w->ctx->arena, target->collection->key, keys, count);
    else
        TRY(key_parse(w->ctx, target->collection, keys[0], &run->key));
    TRY(write_plan(w, target->collection, &shape, &plan));
    TRY(write_run(w, plan, &shape, payload, payload_json(w->ctx, payload), run));
    return run->rows.count < count ? missing(w, target, payload) : OK;
}

/* The row of a payload, and the rows that point to it. */
static fiber_fn Err apply_to_one(struct writer *w, const struct write_target *target,
                                 const struct payload *payload, Str key, const struct query *query,
                                 struct run *run)
{
    TRY(apply(w, target, payload, &key, 1, false, query, run));
    struct revision *revision = w->revision;
    nested_adopt(w, payload, revision);
    TRY(nested_after(w, target, payload, key, false));
    w->revision = revision;
    return OK;
}

fiber_fn Err write_update_one(struct writer *w, const struct write_target *target, Str key,
                              const struct json *body, const struct query *query, struct run *run)
{
    assert(target->action == ACTION_UPDATE);
    TRY(write_check_rows(w->ctx, (uint64_t)w->rows + 1));
    struct payload payload;
    TRY(write_before(w, ITEMS_UPDATE, target->collection, &key, 1, body, &body));
    TRY(make(w, target, body, &key, 1, &payload));
    if (payload.first_nested != NULL)
        TRY(write_check_access(w, target, &payload, &key, 1));
    TRY(nested_before(w, target, &payload, 1));
    TRY(apply_to_one(w, target, &payload, key, query, run));
    return write_after(w, ITEMS_UPDATE, target->collection, &key, 1, body);
}

struct update {
    const struct write_target *target;
    Str key;
    const struct json *body;
};

static fiber_fn Err update_nested(struct writer *w, void *arg)
{
    assert(w->tx != NULL);
    const struct update *update = arg;
    struct run run = {.ctx = w->ctx};
    return write_update_one(w, update->target, update->key, update->body, NULL, &run);
}

static fiber_fn Err update_object(struct writer *w, const struct write_target *target, Str key,
                                  const struct json *body, const struct query *query,
                                  struct row_sink *sink)
{
    assert(w->tx == NULL && sink != NULL);
    struct run run = {.ctx = w->ctx};
    bool answers = write_answers_all(query);
    struct update update = {target, key, body};
    TRY(key_parse(w->ctx, target->collection, key, &run.key));
    if (write_needs_tx(target->collection, body))
        TRY(writer_in_tx(w, update_nested, &update));
    else
        TRY(write_update_one(w, target, key, body, answers ? query : NULL, &run));
    write_announce(w);
    if (run.plan != NULL && answers)
        return write_answer_row(w, &run, query, sink);
    return write_read_back(w, target->collection, &key, 1, false, query, sink);
}

fiber_fn Err items_update(struct ctx *ctx, struct items_target target, Str key,
                          const struct json *body, const struct query *query, struct row_sink *sink)
{
    assert(query != NULL && sink != NULL);
    struct writer w;
    struct write_target write_target;
    TRY(write_open(ctx, target, ACTION_UPDATE, &w, &write_target));
    TRY(write_refuse_singleton(ctx, write_target.collection, key));
    return update_object(&w, &write_target, key, body, query, sink);
}

fiber_fn Err items_change(struct ctx *ctx, struct items_target target, Str key,
                          const struct json *body)
{
    struct writer w;
    struct write_target write_target;
    TRY(write_open(ctx, target, ACTION_UPDATE, &w, &write_target));
    struct run run = {.ctx = ctx};
    struct update update = {&write_target, key, body};
    TRY(key_parse(ctx, write_target.collection, key, &run.key));
    if (write_needs_tx(write_target.collection, body))
        TRY(writer_in_tx(&w, update_nested, &update));
    else
        TRY(write_update_one(&w, &write_target, key, body, NULL, &run));
    write_announce(&w);
    return OK;
}

/* Rows that get the same change. */
struct change {
    const struct write_target *target;
    const struct json *data;
    const Str *keys;
    uint32_t count;
};

/* Rows with nested rows are written one by one; what they point to is written once. */
static fiber_fn Err apply_in_turn(struct writer *w, const struct write_target *target,
                                  struct payload *payload, const Str *keys, uint32_t count)
{
    assert(payload->first_nested != NULL);
    TRY(nested_before(w, target, payload, 1));
    for (uint32_t i = 0; i < count; i++) {
        struct run run = {.ctx = w->ctx};
        TRY(write_check_rows(w->ctx, (uint64_t)w->rows + 1));
        TRY(apply_to_one(w, target, payload, keys[i], NULL, &run));
        nested_forget(payload);
    }
    return OK;
}

fiber_fn Err write_update_keys(struct writer *w, const struct write_target *target, const Str *keys,
                               uint32_t count, const struct json *body)
{
    assert(target->action == ACTION_UPDATE);
    struct payload payload;
    struct run run = {.ctx = w->ctx};
    TRY(write_before(w, ITEMS_UPDATE, target->collection, keys, count, body, &body));
    TRY(make(w, target, body, keys, count, &payload));
    if (count == 0)
        return OK;
    if (payload.first_nested != NULL)
        TRY(write_check_access(w, target, &payload, keys, count));
    if (payload.first_nested != NULL)
        TRY(apply_in_turn(w, target, &payload, keys, count));
    else
        TRY(apply(w, target, &payload, keys, count, true, NULL, &run));
    return write_after(w, ITEMS_UPDATE, target->collection, keys, count, body);
}

static fiber_fn Err update_rows(struct writer *w, void *arg)
{
    const struct change *change = arg;
    return write_update_keys(w, change->target, change->keys, change->count, change->data);
}

/* If one forbidden row forbids all, the statement needs a transaction that can be rolled back. */
static fiber_fn Err update_keys(struct writer *w, const struct write_target *target,
                                const struct json *data, const Str *keys, uint32_t count)
{
    assert(w->tx == NULL);
    struct change change = {target, data, keys, count};
    if (write_ignores_missing(w->ctx, target) && !write_needs_tx(target->collection, data))
        return update_rows(w, &change);
    return writer_in_tx(w, update_rows, &change);
}

/* Rows with a different change each. */
struct changes {
    const struct write_target *target;
    const struct json *list;
    Str *keys; /* keys of the rows, set as they are read */
};

static fiber_fn Err update_each(struct writer *w, void *arg)
{
    assert(w->tx != NULL);
    const struct changes *changes = arg;
    const struct field *key = changes->target->collection->key;
    for (uint32_t i = 0; i < json_len(changes->list); i++) {
        const struct json *item = json_at(changes->list, i);
        const struct json *given = json_get(item, key->name);
        if (given == NULL || json_is_null(given))
            return fail(w->ctx, ERR_INVALID_PAYLOAD, "Item in update misses primary key");
        if (!write_key_of_json(w->ctx->arena, key, given, &changes->keys[i]))
            return fail_plain(w->ctx, ERR_FORBIDDEN);
        struct run run = {.ctx = w->ctx};
        TRY(write_update_one(w, changes->target, changes->keys[i], item, NULL, &run));
    }
    return OK;
}

static fiber_fn Err update_selected(struct writer *w, const struct write_target *target,
                                    const struct json *body, const Str **keys, uint32_t *count)
{
    TRY(write_check_batch(w->ctx, body, true));
    TRY(write_keys_of_body(w, target->collection, json_get(body, STR("keys")),
                           json_get(body, STR("query")), keys, count));
    return update_keys(w, target, json_get(body, STR("data")), *keys, *count);
}

static fiber_fn Err update_listed(struct writer *w, const struct write_target *target,
                                  const struct json *list, const Str **ret, uint32_t *ret_count)
{
    assert(json_kind(list) == JSON_ARRAY);
    uint32_t count = json_len(list);
    TRY(write_check_rows(w->ctx, count));
    struct changes changes = {target, list, arena_array(w->ctx->arena, Str, count + 1)};
    if (count > 0)
        TRY(writer_in_tx(w, update_each, &changes));
    *ret = changes.keys;
    *ret_count = count;
    return OK;
}

/* The body is the row: the first row is updated, or created. */
static fiber_fn Err update_singleton(struct writer *w, const struct write_target *target,
                                     const struct json *body, const struct query *query,
                                     struct row_sink *sink)
{
    assert(target->collection->is_singleton);
    const struct query first = {.has_limit = true, .limit = 1};
    const Str *keys;
    uint32_t count;
    TRY(write_keys_by_query(w, target->collection, &first, &keys, &count));
    if (count > 0)
        return update_object(w, target, keys[0], body, query, sink);
    struct write_target creating;
    TRY(write_target_open(w->ctx, w->schema, target->collection, ACTION_CREATE, &creating));
    return write_create_object(w, &creating, body, query, sink);
}

fiber_fn Err items_update_many(struct ctx *ctx, struct items_target target, const struct json *body,
                               const struct query *query, struct row_sink *sink)
{
    assert(query != NULL && sink != NULL);
    struct writer w;
    struct write_target write_target;
    TRY(write_open(ctx, target, ACTION_UPDATE, &w, &write_target));
    write_target.takes_key = true;
    if (write_target.collection->is_singleton)
        return update_singleton(&w, &write_target, body, query, sink);
    const Str *keys = NULL;
    uint32_t count = 0;
    if (json_kind(body) == JSON_ARRAY)
        TRY(update_listed(&w, &write_target, body, &keys, &count));
    else
        TRY(update_selected(&w, &write_target, body, &keys, &count));
    write_announce(&w);
    return write_read_back(&w, write_target.collection, keys, count, true, query, sink);
}

/*
 * Reverting: a row gets the values that one of its revisions holds.
 */

enum { REVISION_MAX = 64 * 1024 * 1024 };

/* The revision as the actor may read it: an object with collection, item and data. */
static fiber_fn Err read_revision(struct ctx *ctx, Str key, const struct json **ret)
{
    static const Str FIELDS[] = {STR_INIT("collection"), STR_INIT("item"), STR_INIT("data")};
    const struct query query = {.fields = FIELDS, .field_count = 3};
    const struct items_target revisions = {STR("directus_revisions"), ITEMS_SYSTEM};
    struct value_sink *sink;
    TRY(value_sink_new(ctx, REVISION_MAX, &sink));
    TRY(items_read(ctx, revisions, key, &query, value_sink_rows(sink)));
    *ret = value_sink_value(sink);
    return OK;
}

static void build_shown(struct json_builder *b, const struct collection *collection,
                        const struct json *data)
{
    json_build_object_begin(b);
    for (struct json_iter it = json_iter(data); json_next(&it);) {
        const struct field *field = collection_field(collection, it.key);
        if (field == NULL || field->is_alias || payload_hides(field))
            continue;
        json_build_key(b, it.key);
        json_build_value(b, it.value);
    }
    json_build_object_end(b);
}

/* Without secrets, of which a revision holds only asterisks, and without fields that are gone. */
static Err shown_values(struct ctx *ctx, const struct collection *collection,
                        const struct json *data, const struct json **ret)
{
    struct json_builder *measure = json_builder_measuring(ctx);
    build_shown(measure, collection, data);
    struct json_builder *builder;
    TRY(json_builder_new(ctx, json_builder_bytes(measure), &builder));
    build_shown(builder, collection, data);
    return json_builder_end(ctx, builder, ret);
}

fiber_fn Err items_revert(struct ctx *ctx, Str revision)
{
    const struct json *found;
    TRY(read_revision(ctx, revision, &found));
    const struct json *data = json_get(found, STR("data"));
    if (json_kind(data) != JSON_OBJECT)
        return fail(ctx, ERR_INVALID_PAYLOAD, "Revision doesn't contain data to revert to");
    const struct schema *schema;
    Str name = json_str(json_get(found, STR("collection")));
    TRY(schema_current(ctx, &schema));
    const struct collection *collection = schema_find(schema, name);
    if (collection == NULL)
        return schema_forbidden_collection(ctx, name, STR_NONE);
    const struct json *body;
    TRY(shown_values(ctx, collection, data, &body));
    const struct items_target target = {name, collection->is_system ? ITEMS_SYSTEM : ITEMS_USER};
    Scope scope;
    TRY(item_scope(ctx, collection, &SQL_REVISION_SITE, db_text(revision), &scope));
    SCOPED_CTX struct ctx own =
        ctx_for_actor(ctx, ctx->actor, scope, "a revision is of a row of its own site");
    Str item = json_str(json_get(found, STR("item")));
    struct ctx *writer = item_writer(ctx, &own);
    Str current;
    if (writer != &own)
        TRY(items_fingerprint(&own, target, item, NULL, &current)); /* the library has the row */
    return items_change(writer, target, item, body);
}

/*
 * Moving a row to the place of another one in the order of its collection.
 */

struct moving {
    const struct write_target *target;
    Str moved;
    Str to;
};

/* Both rows have to be visible; a row of another site is as good as none. */
static fiber_fn Err move_row(struct writer *w, void *arg)
{
    const struct moving *moving = arg;
    const struct collection *collection = moving->target->collection;
    bool is_there;
    TRY(nested_exists(w, collection, moving->moved, &is_there));
    if (is_there)
        TRY(nested_exists(w, collection, moving->to, &is_there));
    if (!is_there)
        return fail_plain(w->ctx, ERR_FORBIDDEN);
    Str site_column = collection->site == NULL ? STR_NONE : collection->site->name;
    return db_tx_query(w->tx, &SQL_ITEMS_MOVE,
                       items_move_args(w->ctx->arena,
                                       &(struct items_move_args){
                                           .collection = collection->name,
                                           .order_column = collection->sort_field->name,
                                           .key_column = collection->key->name,
                                           .site_column = site_column,
                                           .moved = moving->moved,
                                           .target = moving->to,
                                       }),
                       NULL);
}

fiber_fn Err items_move(struct ctx *ctx, struct items_target target, Str moved, Str to)
{
    struct writer w = {.ctx = ctx};
    struct write_target write_target;
    TRY(schema_current(ctx, &w.schema));
    TRY(write_check_grant(ctx, w.schema, target.collection, ACTION_UPDATE));
    TRY(write_open(ctx, target, ACTION_UPDATE, &w, &write_target));
    const struct collection *collection = write_target.collection;
    if (collection->sort_field == NULL)
        return fail(ctx, ERR_INVALID_PAYLOAD, "Collection \"%.*s\" doesn't have a sort field",
                    STR_FMT(collection->name));
    bool may_order = access_field(&write_target.access, collection->sort_field);
    if (!may_order || !key_is_valid(collection->key, moved) || !key_is_valid(collection->key, to))
        return fail_plain(ctx, ERR_FORBIDDEN);
    struct moving moving = {&write_target, moved, to};
    return writer_in_tx(&w, move_row, &moving);
}
