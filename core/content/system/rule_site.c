/* A comment, a share or a version belongs to the site of the item that it is about, whoever writes
 * it. */
#include "content/plan/sql_print.h"
#include "content/run/run.h"
#include "content/system/system_rules.h"
#include "io/pg/db.h"

#include <assert.h>

enum { SITE_SQL_MAX = 4096 };

/* select nullif(x."site_id", '<library>')  from "posts" x where x."id" = $1 */
static struct statement site_statement(struct ctx *ctx, const struct collection *collection)
{
    struct buf *text = buf_in_arena(ctx->arena, SITE_SQL_MAX);
    struct sql sql = {.out = text};
    sql_text(&sql, "select nullif(x.");
    sql_name(&sql, collection->site->name);
    sql_text(&sql, ", '" UUID_LIBRARY_SITE_TEXT "'::uuid) from ");
    sql_name(&sql, collection->name);
    sql_text(&sql, " x where x.");
    sql_name(&sql, collection->key->name);
    sql_text(&sql, " = $1");
    buf_put_char(text, '\0');
    return (struct statement){
        .sql = text->data, .lane = DB_WRITE, .types = collection->key->type_oid};
}

fiber_fn Err rule_follow_item(struct ctx *ctx, const struct rules_write *write,
                              const struct statement *statement, Str collection, Str item)
{
    assert(write->count == 1);
    const struct collection *found = schema_find(write->schema, collection);
    if (ctx->scope.kind != SCOPE_PLATFORM || found == NULL || found->site == NULL)
        return OK;
    struct rows rows;
    DbArg key;
    struct statement find = site_statement(ctx, found);
    if (!key_is_valid(found->key, item))
        return OK;
    TRY(key_parse(ctx, found, item, &key));
    TRY(db_tx_query(write->tx, &find, ARGS(key), &rows));
    if (rows.count > 1)
        return fail_plain(ctx, ERR_AMBIGUOUS_KEY);
    if (rows.count == 0 || row_is_null(&rows, 0, 0))
        return OK;
    return db_tx_query(write->tx, statement,
                       ARGS(db_text(write->keys[0]), db_uuid(row_uuid(&rows, 0, 0))), NULL);
}
