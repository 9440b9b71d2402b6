/*
 * Notifications and presets belong to a user. Where the platform writes one for a user of a site,
 * the row belongs to that site too: else its owner could not see it.
 */
#include "content/system/system_rules.h"
#include "gen/sql.h"
#include "io/pg/db.h"

#include <assert.h>

static fiber_fn Err follow(struct ctx *ctx, const struct rules_write *write,
                           const struct statement *statement, const char *owner)
{
    assert(write->tx != NULL);
    bool may_move = write->action != ITEMS_DELETE && rule_is_given(write, owner);
    if (!may_move || ctx->scope.kind != SCOPE_PLATFORM)
        return OK;
    return db_tx_query(write->tx, statement,
                       ARGS(db_text_array(ctx->arena, write->keys, write->count)), NULL);
}

static fiber_fn Err complete_notification(struct ctx *ctx, const struct rules_write *write)
{
    return follow(ctx, write, &SQL_SYSTEM_NOTIFICATION_FOLLOWS, "recipient");
}

static fiber_fn Err complete_preset(struct ctx *ctx, const struct rules_write *write)
{
    return follow(ctx, write, &SQL_SYSTEM_PRESET_FOLLOWS, "user");
}

const struct collection_rules NOTIFICATIONS_RULES = {
    .collection = STR_INIT("directus_notifications"),
    .complete = complete_notification,
};

const struct collection_rules PRESETS_RULES = {
    .collection = STR_INIT("directus_presets"),
    .complete = complete_preset,
};
