/* Translations: one value for a key in a language. */
#include "content/system/system_rules.h"
#include "gen/sql.h"
#include "io/pg/db.h"

#include <assert.h>

/* No constraint of the table says it, so writers of translations take turns. */
static fiber_fn Err before(struct ctx *ctx, const struct rules_write *write,
                           const struct json **ret)
{
    (void)ctx;
    assert(write->tx != NULL);
    *ret = write->body;
    if (write->action == ITEMS_DELETE)
        return OK;
    return db_tx_query(write->tx, &SQL_SYSTEM_LOCK_TRANSLATIONS, NO_ARGS, NULL);
}

static fiber_fn Err complete(struct ctx *ctx, const struct rules_write *write)
{
    struct rows rows;
    if (write->action == ITEMS_DELETE)
        return OK;
    TRY(db_tx_query(write->tx, &SQL_SYSTEM_TRANSLATION_IS_DOUBLE,
                    ARGS(db_text_array(ctx->arena, write->keys, write->count)), &rows));
    if (!row_bool(&rows, 0, SYSTEM_TRANSLATION_IS_DOUBLE_IS_DOUBLE))
        return OK;
    return fail(ctx, ERR_INVALID_PAYLOAD, "Duplicate key and language combination");
}

const struct collection_rules TRANSLATIONS_RULES = {
    .collection = STR_INIT("directus_translations"),
    .before = before,
    .complete = complete,
};
