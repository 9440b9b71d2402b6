/*
 * Rows of directus_collections, directus_fields and directus_relations: many in one statement. Each
 * of these statements fires triggers, which cost more than the rows.
 */
#include "base/json/json_build.h"
#include "content/ddl/ddl_rows.h"
#include "content/filter/filter_eval.h"
#include "gen/sql.h"

#include <assert.h>

enum { HIDDEN_BYTES = 2048 };

struct insert {
    enum ddl_rows_of table;
    const struct ddl_row *rows;
    uint32_t count;
    bool is_grouped; /* of collections: folders are named by those that are in them */
    bool is_change;  /* of fields: their rows are there */
    int64_t affected;
};

typedef Str TextOf(struct arena *arena, const struct ddl_row *row);

static Str collection_of(struct arena *arena, const struct ddl_row *row)
{
    (void)arena;
    return row->collection;
}

static Str field_of(struct arena *arena, const struct ddl_row *row)
{
    (void)arena;
    return row->field;
}

static Str related_of(struct arena *arena, const struct ddl_row *row)
{
    (void)arena;
    return row->related;
}

static Str meta_of(struct arena *arena, const struct ddl_row *row)
{
    return row->meta == NULL ? STR("{}") : json_text(arena, row->meta);
}

/* Whether its meta leaves the member to us. */
static bool is_left(const struct ddl_row *row, Str member)
{
    const struct json *value = json_get(row->meta, member);
    return row->is_whole ? value == NULL : json_is_null(value);
}

static Str place_of(struct arena *arena, const struct ddl_row *row)
{
    (void)arena;
    return row->type.len > 0 && is_left(row, STR("sort")) ? STR("next") : STR_NONE;
}

/* Of the types, only JSON marks its field without being asked, as in Directus. */
static Str mark_of(struct arena *arena, const struct ddl_row *row)
{
    (void)arena;
    return str_eq(row->type, STR("json")) && is_left(row, STR("special")) ? STR("cast-json")
                                                                          : STR_NONE;
}

static fiber_fn DbArg texts(struct arena *arena, const struct insert *insert, TextOf *text_of)
{
    assert(insert->count > 0);
    Str *list = arena_array(arena, Str, insert->count);
    for (uint32_t i = 0; i < insert->count; i++) {
        fiber_pause();
        list[i] = text_of(arena, &insert->rows[i]);
    }
    return db_text_array(arena, list, insert->count);
}

static fiber_fn Err run(struct db_tx *tx, void *arg)
{
    struct insert *insert = arg;
    struct arena *arena = tx->ctx->arena;
    DbArg collections = texts(arena, insert, collection_of);
    DbArg metas = texts(arena, insert, meta_of);
    if (insert->table == ROWS_OF_COLLECTIONS)
        return db_tx_query(tx, &SQL_DDL_COLLECTIONS_INSERT,
                           ARGS(collections, metas, db_bool(insert->is_grouped)), NULL);
    DbArg fields = texts(arena, insert, field_of);
    if (insert->table == ROWS_OF_RELATIONS)
        return db_tx_query(tx, &SQL_DDL_RELATIONS_INSERT,
                           ARGS(collections, fields, texts(arena, insert, related_of), metas),
                           NULL);
    struct rows rows;
    if (insert->is_change) {
        TRY(db_tx_query(tx, &SQL_APPLY_FIELD_META, ARGS(collections, fields, metas), &rows));
        insert->affected = rows.affected;
        return OK;
    }
    return db_tx_query(tx, &SQL_DDL_FIELDS_INSERT,
                       ARGS(collections, fields, metas, texts(arena, insert, place_of),
                            texts(arena, insert, mark_of)),
                       NULL);
}

static fiber_fn Err group_one(struct db_tx *tx, const struct ddl_row *row)
{
    const struct json *group = json_get(row->meta, STR("group"));
    if (json_is_null(group))
        return OK;
    return db_tx_query(tx, &SQL_DDL_COLLECTION_GROUP,
                       ARGS(db_text(row->collection), db_text(meta_of(tx->ctx->arena, row))), NULL);
}

/* After they were refused together: to tell which of them it is. */
static fiber_fn Err insert_apart(struct db_tx *tx, struct insert *insert)
{
    struct ctx *ctx = tx->ctx;
    diag_clear(ctx);
    for (uint32_t i = 0; i < insert->count; i++) {
        const struct ddl_row *row = &insert->rows[i];
        struct insert one = {
            .table = insert->table, .rows = row, .count = 1, .is_change = insert->is_change};
        TRY(ddl_at(ctx, row->path, run(tx, &one)));
    }
    for (uint32_t i = 0; i < insert->count && insert->table == ROWS_OF_COLLECTIONS; i++)
        TRY(ddl_at(ctx, insert->rows[i].path, group_one(tx, &insert->rows[i])));
    return OK;
}

static fiber_fn Err insert_all(struct db_tx *tx, struct insert *insert)
{
    const struct ddl_row *first = insert->rows;
    if (insert->count == 1 || first->path.len == 0)
        return ddl_at(tx->ctx, first->path, run(tx, insert));
    Err failed;
    TRY(db_savepoint(tx, run, insert, &failed));
    return failed == OK ? OK : insert_apart(tx, insert);
}

static fiber_fn Err row_check(struct ctx *ctx, const struct ddl_row *row)
{
    bool is_searchable;
    TRY(rule_check(ctx, json_get(row->meta, STR("validation"))));
    return json_take_bool(ctx, row->meta, "searchable", &is_searchable);
}

static fiber_fn Err rows_check(struct ctx *ctx, const struct ddl_row *rows, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        TRY(fiber_breathe(ctx));
        TRY(ddl_at(ctx, rows[i].path, row_check(ctx, &rows[i])));
    }
    return OK;
}

/* Those whose meta says so. */
static fiber_fn Err set_searchable(struct db_tx *tx, const struct ddl_row *rows, uint32_t count,
                                   bool is_searchable)
{
    struct arena *arena = tx->ctx->arena;
    struct ddl_row *meant = arena_array(arena, struct ddl_row, count);
    struct insert those = {.table = ROWS_OF_FIELDS, .rows = meant};
    for (uint32_t i = 0; i < count; i++) {
        const struct json *said = json_get(rows[i].meta, STR("searchable"));
        if (json_kind(said) == JSON_BOOL && json_bool(said) == is_searchable)
            meant[those.count++] = rows[i];
    }
    if (those.count == 0)
        return OK;
    return db_tx_query(tx, &SQL_DDL_FIELDS_SEARCHABLE,
                       ARGS(texts(arena, &those, collection_of), texts(arena, &those, field_of),
                            db_bool(is_searchable)),
                       NULL);
}

fiber_fn Err ddl_rows_insert(struct db_tx *tx, enum ddl_rows_of table, const struct ddl_row *rows,
                             uint32_t count)
{
    struct insert insert = {.table = table, .rows = rows, .count = count, .is_grouped = true};
    if (count == 0)
        return OK;
    if (table == ROWS_OF_FIELDS)
        TRY(rows_check(tx->ctx, rows, count));
    TRY(insert_all(tx, &insert));
    return table == ROWS_OF_FIELDS ? set_searchable(tx, rows, count, false) : OK;
}

fiber_fn Err ddl_fields_describe(struct db_tx *tx, const struct ddl_row *rows, uint32_t count,
                                 int64_t *ret_found)
{
    struct insert change = {
        .table = ROWS_OF_FIELDS, .rows = rows, .count = count, .is_change = true};
    assert(count > 0);
    TRY(rows_check(tx->ctx, rows, count));
    TRY(insert_all(tx, &change));
    TRY(set_searchable(tx, rows, count, true));
    TRY(set_searchable(tx, rows, count, false));
    *ret_found = change.affected;
    return OK;
}

Err ddl_meta_hidden(struct ctx *ctx, Str interface, const struct json **ret)
{
    assert(interface.len > 0);
    struct json_builder *b;
    TRY(json_builder_new(ctx, HIDDEN_BYTES, &b));
    json_build_object_begin(b);
    json_build_key(b, STR("hidden"));
    json_build_bool(b, true);
    json_build_key(b, STR("readonly"));
    json_build_bool(b, true);
    json_build_key(b, STR("interface"));
    json_build_str(b, interface);
    json_build_object_end(b);
    return json_builder_end(ctx, b, ret);
}
