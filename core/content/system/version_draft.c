#include "access/grants/actor.h"
#include "base/json/json_build.h"
#include "base/json/json_writer.h"
#include "content/items/items_draft.h"
#include "content/plan/plan.h"
#include "content/system/system_rules.h"
#include "content/system/version_secrets.h"
#include "content/system/versions.h"
#include "gen/sql.h"
#include "io/pg/db.h"

#include <assert.h>

static const char WHY[] = "a version is of a row of its own site";
static const struct items_target VERSIONS = {STR_INIT("directus_versions"), ITEMS_SYSTEM};

/* A version that the caller reads, and its item. */
struct version {
    Str id;
    Str collection;
    Str item;
    Str hash;
    const struct json *delta; /* its secrets are open; NULL: nothing was saved */
    Scope scope;              /* of its item */
};

/* Everything that the caller may read of one row. */
static fiber_fn Err read_value(struct ctx *ctx, struct items_target target, Str key,
                               const struct query *query, const struct json **ret)
{
    assert(query != NULL && !query->is_unparsed);
    struct value_sink *sink;
    TRY(value_sink_new(ctx, VERSION_ITEM_MAX, &sink));
    TRY(items_read(ctx, target, key, query, value_sink_rows(sink)));
    *ret = value_sink_value(sink);
    return OK;
}

static Str text_of(const struct json *row, const char *member)
{
    const struct json *value = json_get(row, str_from_z(member));
    return json_kind(value) == JSON_STRING ? json_str(value) : STR_NONE;
}

static fiber_fn Err find(struct ctx *ctx, Str id, struct version *ret)
{
    const struct query all = {0};
    const struct json *row;
    TRY(read_value(ctx, VERSIONS, id, &all, &row));
    const struct json *delta = json_get(row, STR("delta"));
    *ret = (struct version){
        .id = id,
        .collection = text_of(row, "collection"),
        .item = text_of(row, "item"),
        .hash = text_of(row, "hash"),
        .delta = json_kind(delta) == JSON_OBJECT ? delta : NULL,
    };
    const struct schema *schema;
    Uuid uuid;
    TRY(schema_current(ctx, &schema));
    const struct collection *collection = schema_find(schema, ret->collection);
    if (collection == NULL || !uuid_parse(id, &uuid))
        return fail_plain(ctx, ERR_FORBIDDEN); /* also where these fields are not granted */
    if (ret->delta != NULL)
        TRY(version_secrets(ctx, schema, collection, ret->delta, SECRETS_OPEN, &ret->delta));
    return item_scope(ctx, collection, &SQL_SYSTEM_VERSION_SITE, db_uuid(uuid), &ret->scope);
}

static struct items_target item_of(const struct version *version)
{
    assert(version->collection.len > 0);
    return (struct items_target){version->collection, ITEMS_USER};
}

static Err builder_open(struct ctx *ctx, struct json_builder **ret)
{
    TRY(json_builder_new(ctx, VERSION_ITEM_MAX, ret));
    json_build_object_begin(*ret);
    return OK;
}

static Err builder_close(struct ctx *ctx, struct json_builder *b, const struct json **ret)
{
    json_build_object_end(b);
    return json_builder_end(ctx, b, ret);
}

/* `main` with the members of `delta` in place of its own; NULL changes nothing. */
static Err lay_over(struct ctx *ctx, const struct json *main, const struct json *delta,
                    bool adds_members, const struct json **ret)
{
    assert(main != NULL);
    struct json_builder *b;
    TRY(builder_open(ctx, &b));
    for (struct json_iter it = json_iter(main); json_next(&it);) {
        const struct json *changed = delta == NULL ? NULL : json_get(delta, it.key);
        json_build_key(b, it.key);
        json_build_value(b, changed == NULL ? it.value : changed);
    }
    if (delta != NULL && adds_members) {
        for (struct json_iter it = json_iter(delta); json_next(&it);) {
            if (json_get(main, it.key) != NULL)
                continue;
            json_build_key(b, it.key);
            json_build_value(b, it.value);
        }
    }
    return builder_close(ctx, b, ret);
}

/* The draft with the key of its item, as Directus shows it. */
static fiber_fn Err delta_with_key(struct ctx *ctx, const struct version *version,
                                   const struct json **ret)
{
    const struct schema *schema;
    struct json_builder *b;
    TRY(schema_current(ctx, &schema));
    const struct collection *collection = schema_find(schema, version->collection);
    if (collection == NULL)
        return fail_plain(ctx, ERR_FORBIDDEN);
    assert(collection->key != NULL);
    const struct json *delta = version->delta;
    if (delta != NULL)
        TRY(version_secrets(ctx, schema, collection, delta, SECRETS_MASKED, &delta));
    TRY(builder_open(ctx, &b));
    json_build_key(b, collection->key->name);
    json_build_str(b, version->item);
    for (struct json_iter it = json_iter(delta); json_next(&it);) {
        if (str_eq(it.key, collection->key->name))
            continue;
        json_build_key(b, it.key);
        json_build_value(b, it.value);
    }
    return builder_close(ctx, b, ret);
}

fiber_fn Err version_compare(struct ctx *ctx, Str id, struct version_comparison *ret)
{
    const struct query all = {0};
    struct version version;
    TRY(find(ctx, id, &version));
    SCOPED_CTX struct ctx own = ctx_for_actor(ctx, ctx->actor, version.scope, WHY);
    TRY(read_value(&own, item_of(&version), version.item, &all, &ret->main));
    TRY(items_fingerprint(&own, item_of(&version), version.item, NULL, &ret->main_hash));
    ret->is_outdated = !str_eq(version.hash, ret->main_hash);
    return delta_with_key(ctx, &version, &ret->current);
}

/* The members that are fields of the item, but not its key. */
static Err known_members(struct ctx *ctx, const struct collection *collection,
                         const struct json *changes, const struct json **ret)
{
    assert(json_kind(changes) == JSON_OBJECT);
    struct json_builder *b;
    TRY(builder_open(ctx, &b));
    for (struct json_iter it = json_iter(changes); json_next(&it);) {
        const struct field *field = collection_field(collection, it.key);
        if (field == NULL || field->is_key || field->is_hidden_site)
            continue;
        json_build_key(b, it.key);
        json_build_value(b, it.value);
    }
    return builder_close(ctx, b, ret);
}

/* *ret: the whole draft, as answers show it. */
static fiber_fn Err store(struct ctx *ctx, const struct version *version,
                          const struct collection *collection, const struct json *members,
                          const struct json **ret)
{
    const struct actor *actor = ctx->actor;
    assert(actor != NULL);
    const struct schema *schema;
    const struct json *sealed;
    const struct json *masked;
    TRY(schema_current(ctx, &schema));
    TRY(version_secrets(ctx, schema, collection, members, SECRETS_SEALED, &sealed));
    TRY(version_secrets(ctx, schema, collection, members, SECRETS_MASKED, &masked));
    bool is_null = json_len(members) == 0;
    Uuid id;
    struct rows rows;
    bool is_uuid = uuid_parse(version->id, &id);
    assert(is_uuid);
    struct system_version_save_args args = {
        .id = id,
        .delta = json_text(ctx->arena, sealed),
        .saved = is_null ? STR("null") : json_text(ctx->arena, masked),
        .user = actor->user,
        .ip = actor->ip,
        .user_agent = actor->user_agent,
        .origin = actor->origin,
        .tracks_activity = collection->accountability != TRACK_NOTHING,
        .tracks_data = collection->accountability == TRACK_ALL,
    };
    TRY(db_query(ctx, &SQL_SYSTEM_VERSION_SAVE, system_version_save_args(ctx->arena, &args),
                 &rows));
    if (!is_uuid || rows.count == 0)
        return fail_plain(ctx, ERR_FORBIDDEN);
    Str text = row_text(&rows, 0, SYSTEM_VERSION_SAVE_DELTA);
    TRY(json_parse(ctx, text, JSON_LIMITS_DEFAULT, ret));
    return version_secrets(ctx, schema, collection, *ret, SECRETS_MASKED, ret);
}

fiber_fn Err version_save(struct ctx *ctx, Str id, const struct json *changes,
                          const struct json **ret)
{
    const struct query all = {0};
    const struct schema *schema;
    const struct json *main;
    const struct json *members;
    const struct json *delta;
    struct version version;
    if (json_kind(changes) != JSON_OBJECT)
        return fail(ctx, ERR_INVALID_PAYLOAD, "A version is saved from an object");
    TRY(find(ctx, id, &version));
    SCOPED_CTX struct ctx own = ctx_for_actor(ctx, ctx->actor, version.scope, WHY);
    TRY(read_value(&own, item_of(&version), version.item, &all, &main));
    TRY(schema_current(ctx, &schema));
    const struct collection *collection = schema_find(schema, version.collection);
    if (collection == NULL)
        return fail_plain(ctx, ERR_FORBIDDEN);
    TRY(known_members(ctx, collection, changes, &members));
    TRY(store(ctx, &version, collection, members, &delta));
    return lay_over(ctx, main, delta, true, ret);
}

static bool is_listed(const struct json *fields, Str name)
{
    for (uint32_t i = 0; i < json_len(fields); i++) {
        const struct json *field = json_at(fields, i);
        if (json_kind(field) == JSON_STRING && str_eq(json_str(field), name))
            return true;
    }
    return false;
}

static Err listed_members(struct ctx *ctx, const struct json *delta, const struct json *fields,
                          const struct json **ret)
{
    struct json_builder *b;
    TRY(builder_open(ctx, &b));
    for (struct json_iter it = json_iter(delta); json_next(&it);) {
        if (fields != NULL && !is_listed(fields, it.key))
            continue;
        json_build_key(b, it.key);
        json_build_value(b, it.value);
    }
    return builder_close(ctx, b, ret);
}

fiber_fn Err version_promote(struct ctx *ctx, Str id, Str main_hash, const struct json *fields,
                             Str *ret_key)
{
    static const char NOTHING[] = "No changes to promote";
    static const char STALE[] = "Main item has changed since this version was last updated";
    const struct json *body;
    struct version version;
    Str now;
    TRY(find(ctx, id, &version));
    if (version.delta == NULL)
        return fail(ctx, ERR_UNPROCESSABLE, "%s", NOTHING);
    SCOPED_CTX struct ctx own = ctx_for_actor(ctx, ctx->actor, version.scope, WHY);
    TRY(items_fingerprint(&own, item_of(&version), version.item, NULL, &now));
    if (!str_eq(now, main_hash))
        return fail(ctx, ERR_UNPROCESSABLE, "%s", STALE);
    TRY(listed_members(ctx, version.delta, fields, &body));
    if (json_len(body) == 0)
        return fail(ctx, ERR_UNPROCESSABLE, "%s", NOTHING);
    *ret_key = version.item;
    return items_update_unchanged(item_writer(ctx, &own), item_of(&version), version.item,
                                  main_hash, STALE, body);
}

/* The key of the one row of a singleton; STR_NONE: it has none. */
static fiber_fn Err singleton_key(struct ctx *ctx, struct items_target target, Str *ret)
{
    const struct schema *schema;
    struct value_sink *sink;
    TRY(schema_current(ctx, &schema));
    const struct collection *collection = schema_find(schema, target.collection);
    if (collection == NULL || collection->key == NULL)
        return schema_forbidden_collection(ctx, target.collection, STR_NONE);
    const struct query query = {.fields = &collection->key->name, .field_count = 1};
    TRY(value_sink_new(ctx, VERSION_ITEM_MAX, &sink));
    TRY(items_list(ctx, target, &query, value_sink_rows(sink)));
    const struct json *key = json_get(value_sink_value(sink), collection->key->name);
    *ret = json_is_null(key)               ? STR_NONE
           : json_kind(key) == JSON_STRING ? json_str(key)
                                           : json_text(ctx->arena, key);
    return OK;
}

static fiber_fn Err find_by_key(struct ctx *ctx, const struct version_reading *reading,
                                struct version *ret)
{
    assert(reading->key.data != NULL);
    struct rows rows;
    const struct schema *schema;
    const struct collection *versions;
    TRY(schema_current(ctx, &schema));
    TRY(plan_collection(ctx, schema, VERSIONS, ACTION_READ, &versions));
    TRY(db_query(
        ctx, &SQL_SYSTEM_VERSION_BY_KEY,
        ARGS(db_text(reading->target.collection), db_text(reading->key), db_text(reading->name)),
        &rows));
    if (rows.count == 0)
        return fail_plain(ctx, ERR_FORBIDDEN);
    if (ctx->scope.kind == SCOPE_PLATFORM && rows.count > 1)
        return fail_plain(ctx, ERR_AMBIGUOUS_KEY);
    Uuid id = row_uuid(&rows, 0, SYSTEM_VERSION_BY_KEY_ID);
    return find(ctx, uuid_text(ctx->arena, id), ret);
}

/* The draft as it was saved, over what the query selects. */
static fiber_fn Err read_raw(struct ctx *ctx, const struct version *version,
                             struct version_reading *reading)
{
    assert(reading->is_raw && reading->raw == NULL);
    const struct json *main;
    const struct json *delta;
    TRY(read_value(ctx, reading->target, version->item, reading->query, &main));
    TRY(delta_with_key(ctx, version, &delta));
    return lay_over(ctx, main, delta, reading->query->field_count == 0, &reading->raw);
}

fiber_fn Err version_read(struct ctx *ctx, struct version_reading *reading)
{
    assert(reading->sink != NULL && !reading->query->is_unparsed);
    static const Str NOTHING[] = {STR_INIT("")};
    const struct query probe = {.fields = NOTHING, .field_count = 1};
    const struct json *exists;
    struct version version;
    if (reading->key.data == NULL)
        TRY(singleton_key(ctx, reading->target, &reading->key));
    if (reading->key.data == NULL)
        return fail_plain(ctx, ERR_FORBIDDEN);
    TRY(find_by_key(ctx, reading, &version));
    SCOPED_CTX struct ctx own = ctx_for_actor(ctx, ctx->actor, version.scope, WHY);
    if (reading->is_raw)
        return read_raw(&own, &version, reading);
    if (version.delta == NULL)
        return items_read(&own, reading->target, reading->key, reading->query, reading->sink);
    /* A draft must not open an item that its reader may not read. */
    TRY(read_value(&own, reading->target, reading->key, &probe, &exists));
    return items_read_draft(&own, reading->target, reading->key, version.delta, reading->query,
                            reading->sink);
}
