/* Shares: of an item that whoever shares it may read and share. */
#include "access/grants/actor.h"
#include "content/rights/rights.h"
#include "content/system/system_rules.h"
#include "gen/sql.h"

#include <assert.h>

static Str text_of(const struct rules_write *write, const char *member)
{
    const struct json *given = json_get(write->body, str_from_z(member));
    return json_kind(given) == JSON_STRING ? json_str(given) : STR_NONE;
}

static bool names_self(const struct ctx *ctx, const struct json *given)
{
    Uuid named;
    return json_kind(given) == JSON_STRING && uuid_parse(json_str(given), &named) &&
           uuid_eq(named, ctx->actor->user);
}

/* The creator's rights bound what a share reaches: nobody but an administrator names another. */
static Err check_creator(struct ctx *ctx, const struct rules_write *write)
{
    assert(ctx->actor != NULL);
    if (ctx->actor->is_admin || json_kind(write->body) != JSON_OBJECT ||
        !rule_is_given(write, "user_created") ||
        names_self(ctx, json_get(write->body, STR("user_created"))))
        return OK;
    return fail(ctx, ERR_FORBIDDEN, "Only an administrator names another creator of a share.");
}

/* Sharing an item is an action of its own. */
static fiber_fn Err check_item(struct ctx *ctx, const struct schema *schema, Str collection,
                               Str item)
{
    const struct collection *found = schema_find(schema, collection);
    bool may;
    if (found != NULL && found->key != NULL) {
        TRY(rights_may(ctx, schema, found, ACTION_SHARE, item, &may));
        if (!may)
            return schema_forbidden_collection(ctx, collection, STR_NONE);
    }
    return rule_check_readable(ctx, schema, collection, item);
}

/* What is missing is reported with all other faults of the body. */
static fiber_fn Err before(struct ctx *ctx, const struct rules_write *write,
                           const struct json **ret)
{
    assert(write->tx != NULL);
    *ret = write->body;
    TRY(check_creator(ctx, write));
    bool creates = write->action == ITEMS_CREATE && json_kind(write->body) == JSON_OBJECT;
    Str collection = creates ? text_of(write, "collection") : STR_NONE;
    Str item = creates ? text_of(write, "item") : STR_NONE;
    if (collection.len == 0 || item.len == 0)
        return OK;
    return check_item(ctx, write->schema, collection, item);
}

/* Whoever makes a share lead elsewhere, or with other rights, answers for it from then on. */
static fiber_fn Err adopt(struct ctx *ctx, const struct rules_write *write)
{
    if (write->action != ITEMS_UPDATE || ctx->actor->is_admin)
        return OK;
    if (!rule_is_given(write, "collection") && !rule_is_given(write, "item") &&
        !rule_is_given(write, "role"))
        return OK;
    Uuid user = ctx->actor->user;
    return db_tx_query(write->tx, &SQL_SYSTEM_SHARE_ADOPT,
                       ARGS(db_text_array(ctx->arena, write->keys, write->count),
                            uuid_is_nil(user) ? db_null() : db_uuid(user)),
                       NULL);
}

/* A share that is moved to another item is a new share of that one. */
static fiber_fn Err complete(struct ctx *ctx, const struct rules_write *write)
{
    TRY(adopt(ctx, write));
    bool is_moved = write->action == ITEMS_CREATE || rule_is_given(write, "collection") ||
                    rule_is_given(write, "item");
    if (write->action == ITEMS_DELETE || !is_moved)
        return OK;
    struct rows rows;
    TRY(db_tx_query(write->tx, &SQL_SYSTEM_SHARE_ITEMS,
                    ARGS(db_text_array(ctx->arena, write->keys, write->count)), &rows));
    for (uint32_t i = 0; i < rows.count; i++) {
        Str key = row_text(&rows, i, SYSTEM_SHARE_ITEMS_ID);
        Str collection = row_text(&rows, i, SYSTEM_SHARE_ITEMS_COLLECTION);
        Str item = row_text(&rows, i, SYSTEM_SHARE_ITEMS_ITEM);
        struct rules_write one = *write;
        one.keys = &key;
        one.count = 1;
        TRY(check_item(ctx, write->schema, collection, item));
        TRY(rule_follow_item(ctx, &one, &SQL_SYSTEM_SHARE_MOVES, collection, item));
    }
    return OK;
}

const struct collection_rules SHARES_RULES = {
    .collection = STR_INIT("directus_shares"),
    .before = before,
    .complete = complete,
};
