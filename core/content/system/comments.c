/* Comments: about an item that the author may read, by somebody. A mention notifies (mentions.c).
 */
#include "access/grants/actor.h"
#include "content/system/system_rules.h"
#include "gen/sql.h"

#include <assert.h>

/* The text of a member; a number becomes its digits. */
static Err take(struct ctx *ctx, const struct rules_write *write, const char *member, Str *ret)
{
    const struct json *given = json_get(write->body, str_from_z(member));
    enum json_kind kind = json_kind(given);
    bool is_empty = json_is_null(given) || (kind == JSON_STRING && json_str(given).len == 0);
    if (is_empty)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"%s\" is required", member);
    if (kind != JSON_STRING && kind != JSON_INT)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"%s\" must be a string", member);
    *ret = kind == JSON_STRING ? json_str(given) : json_text(ctx->arena, given);
    return OK;
}

static fiber_fn Err before(struct ctx *ctx, const struct rules_write *write,
                           const struct json **ret)
{
    assert(write->tx != NULL);
    *ret = write->body;
    if (write->action != ITEMS_CREATE || json_kind(write->body) != JSON_OBJECT)
        return OK;
    if (ctx->actor->kind == ACTOR_PUBLIC)
        return fail_plain(ctx, ERR_FORBIDDEN);
    Str comment = STR_NONE;
    Str collection = STR_NONE;
    Str item = STR_NONE;
    TRY(take(ctx, write, "comment", &comment));
    TRY(take(ctx, write, "collection", &collection));
    TRY(take(ctx, write, "item", &item));
    return rule_check_readable(ctx, write->schema, collection, item);
}

static fiber_fn Err complete(struct ctx *ctx, const struct rules_write *write)
{
    if (write->action != ITEMS_CREATE)
        return OK;
    struct mentions mentions = {.schema = write->schema, .tx = write->tx};
    TRY(take(ctx, write, "comment", &mentions.comment));
    TRY(take(ctx, write, "collection", &mentions.collection));
    TRY(take(ctx, write, "item", &mentions.item));
    TRY(rule_follow_item(ctx, write, &SQL_SYSTEM_COMMENT_MOVES, mentions.collection,
                         mentions.item));
    return mentions_notify(ctx, &mentions);
}

const struct collection_rules COMMENTS_RULES = {
    .collection = STR_INIT("directus_comments"),
    .before = before,
    .complete = complete,
};
