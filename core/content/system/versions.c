/*
 * Versions: drafts of an item whose collection keeps them. A key names one of them; "main" is the
 * item. What a draft holds is written by version_save alone (version_draft.c).
 */
#include "access/grants/actor.h"
#include "content/items/items_draft.h"
#include "content/system/system_rules.h"
#include "gen/sql.h"
#include "io/pg/db.h"

#include <assert.h>

static const char *const OF_CREATE[] = {"id", "key", "name", "collection", "item", NULL};
static const char *const OF_UPDATE[] = {"id", "key", "name", NULL};

static Err check_members(struct ctx *ctx, const struct rules_write *write,
                         const char *const *allowed)
{
    for (struct json_iter it = json_iter(write->body); json_next(&it);) {
        bool is_allowed = false;
        for (const char *const *name = allowed; *name != NULL; name++)
            is_allowed |= str_eq(it.key, str_from_z(*name));
        if (!is_allowed)
            return fail(ctx, ERR_INVALID_PAYLOAD, "\"%.*s\" is not allowed", STR_FMT(it.key));
    }
    return OK;
}

static Err check_key(struct ctx *ctx, const struct rules_write *write)
{
    const struct json *key = json_get(write->body, STR("key"));
    if (key == NULL)
        return OK;
    if (json_kind(key) != JSON_STRING)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"key\" must be a string");
    if (json_str(key).len == 0)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"key\" is not allowed to be empty");
    if (str_eq(json_str(key), STR("main")))
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"main\" is a reserved version key");
    return OK;
}

static Err take(struct ctx *ctx, const struct rules_write *write, const char *member, Str *ret)
{
    const struct json *given = json_get(write->body, str_from_z(member));
    if (given == NULL)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"%s\" is required", member);
    if (json_kind(given) != JSON_STRING)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"%s\" must be a string", member);
    *ret = json_str(given);
    return OK;
}

static fiber_fn Err check_item(struct ctx *ctx, const struct rules_write *write, Str collection,
                               Str item)
{
    struct rows rows;
    bool is_readable = false;
    Err err = rule_find_readable(ctx, write->schema, collection, STR_NONE, &is_readable);
    if (err == ERR_FORBIDDEN)
        return fail_plain(ctx, ERR_FORBIDDEN);
    TRY(err);
    TRY(db_tx_query(write->tx, &SQL_SYSTEM_IS_VERSIONED, ARGS(db_text(collection)), &rows));
    if (!row_bool(&rows, 0, SYSTEM_IS_VERSIONED_IS_VERSIONED))
        return fail(ctx, ERR_UNPROCESSABLE,
                    "Content Versioning is not enabled for collection \"%.*s\"",
                    STR_FMT(collection));
    TRY(rule_find_readable(ctx, write->schema, collection, item, &is_readable));
    return is_readable ? OK : fail_plain(ctx, ERR_FORBIDDEN);
}

static fiber_fn Err before(struct ctx *ctx, const struct rules_write *write,
                           const struct json **ret)
{
    assert(write->tx != NULL);
    Str key = STR_NONE;
    Str collection = STR_NONE;
    Str item = STR_NONE;
    *ret = write->body;
    if (write->action == ITEMS_DELETE || json_kind(write->body) != JSON_OBJECT)
        return OK;
    if (write->action == ITEMS_UPDATE) {
        TRY(check_members(ctx, write, OF_UPDATE));
        return check_key(ctx, write);
    }
    TRY(take(ctx, write, "key", &key));
    TRY(take(ctx, write, "collection", &collection));
    TRY(take(ctx, write, "item", &item));
    TRY(check_members(ctx, write, OF_CREATE));
    TRY(check_key(ctx, write));
    TRY(check_item(ctx, write, collection, item));
    return db_tx_query(write->tx, &SQL_SYSTEM_LOCK_VERSIONS,
                       ARGS(db_text(collection), db_text(item)), NULL);
}

/* No constraint of the table says it. */
static fiber_fn Err check_double(struct ctx *ctx, const struct rules_write *write)
{
    struct rows rows;
    TRY(db_tx_query(write->tx, &SQL_SYSTEM_VERSION_IS_DOUBLE,
                    ARGS(db_text_array(ctx->arena, write->keys, write->count)), &rows));
    if (rows.count == 0)
        return OK;
    Str key = row_text(&rows, 0, SYSTEM_VERSION_IS_DOUBLE_KEY);
    Str item = row_text(&rows, 0, SYSTEM_VERSION_IS_DOUBLE_ITEM);
    Str collection = row_text(&rows, 0, SYSTEM_VERSION_IS_DOUBLE_COLLECTION);
    return fail(ctx, ERR_UNPROCESSABLE,
                "Version \"%.*s\" already exists for item \"%.*s\" in collection \"%.*s\"",
                STR_FMT(key), STR_FMT(item), STR_FMT(collection));
}

static fiber_fn Err complete(struct ctx *ctx, const struct rules_write *write)
{
    if (write->action == ITEMS_DELETE)
        return OK;
    if (write->action == ITEMS_CREATE) {
        Str collection = STR_NONE;
        Str item = STR_NONE;
        Str hash;
        TRY(take(ctx, write, "collection", &collection));
        TRY(take(ctx, write, "item", &item));
        TRY(rule_follow_item(ctx, write, &SQL_SYSTEM_VERSION_MOVES, collection, item));
        TRY(items_fingerprint(ctx, (struct items_target){collection, ITEMS_SYSTEM}, item, NULL,
                              &hash));
        TRY(db_tx_query(write->tx, &SQL_SYSTEM_VERSION_DATED,
                        ARGS(db_text(write->keys[0]), db_text(hash)), NULL));
    }
    return check_double(ctx, write);
}

const struct collection_rules VERSIONS_RULES = {
    .collection = STR_INIT("directus_versions"),
    .before = before,
    .complete = complete,
};
