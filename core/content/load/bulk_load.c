/*
 * One transaction: COPY into a temporary table, then INSERT … SELECT through the row policies, a
 * thousand rows at a time. If rows may fail individually, a failed range is bisected until the
 * invalid rows are isolated.
 */
#include "access/audit/audit.h"
#include "base/json/json_writer.h"
#include "base/system/range.h"
#include "content/ddl/ddl.h"
#include "content/items/write_reference.h"
#include "content/load/bulk_internal.h"
#include "gen/sql.h"

#include <assert.h>

enum { SQL_MAX = 256 * 1024, DEPTH_MAX = 12 };

/* Rows [from, to) of the order; all with the same column set. */
struct range {
    uint32_t from;
    uint32_t to;
};

struct insert {
    struct bulk *bulk;
    struct statement statement; /* for the current column set */
    struct range range;
};

static fiber_fn Err make_table(struct bulk *bulk, struct db_tx *tx)
{
    assert(bulk->column_count <= BULK_COLUMNS_MAX);
    struct arena *arena = bulk->ctx->arena;
    struct buf *sql = buf_in_arena(arena, SQL_MAX);
    buf_put_z(sql, "create temporary table spark_bulk on commit drop as select 0::int4 as r");
    for (uint32_t i = 0; i < bulk->column_count; i++) {
        if (bulk->is_unchecked[i])
            buf_printf(sql, ", null::text as c%u", i);
        else
            buf_printf(sql, ", %.*s as c%u", STR_FMT(sql_ident(arena, bulk->columns[i]->name)), i);
    }
    buf_printf(sql, " from %.*s with no data", STR_FMT(sql_table(arena, bulk->collection->name)));
    TRY(buf_check(bulk->ctx, sql, "The list of fields"));
    return ddl_run(tx, buf_str(sql));
}

static fiber_fn Err fill_table(struct bulk *bulk, struct db_tx *tx, Str lines)
{
    int64_t copied;
    TRY(db_copy_in(tx, STR("copy pg_temp.spark_bulk from stdin"), lines, &copied));
    assert(copied == bulk->order_count);
    if (bulk->order_count <= BULK_CHUNK)
        return OK;
    return ddl_run(tx, STR("create unique index on pg_temp.spark_bulk (r)"));
}

/* Type names of unchecked columns, by column number. */
static fiber_fn Err unchecked_types(struct bulk *bulk, struct db_tx *tx, Str *types)
{
    bool is_needed = false;
    for (uint32_t i = 0; i < bulk->column_count; i++)
        is_needed = is_needed || bulk->is_unchecked[i];
    if (!is_needed)
        return OK;
    struct rows rows;
    TRY(db_tx_query(tx, &SQL_BULK_TYPES, ARGS(db_text(bulk->collection->name)), &rows));
    for (uint32_t i = 0; i < rows.count; i++)
        for (uint32_t k = 0; k < bulk->column_count; k++)
            if (str_eq(row_text(&rows, i, BULK_TYPES_FIELD), bulk->columns[k]->name))
                types[k] = row_text(&rows, i, BULK_TYPES_TYPE);
    return OK;
}

static Err insert_sql(struct bulk *bulk, const struct bulk_shape *shape, const Str *types, Str *ret)
{
    struct arena *arena = bulk->ctx->arena;
    struct buf *sql = buf_in_arena(arena, SQL_MAX);
    struct buf *values = buf_in_arena(arena, SQL_MAX);
    items_put_announced(sql, ITEMS_CREATE, bulk->collection->name);
    buf_printf(sql, "insert into %.*s ", STR_FMT(sql_table(arena, bulk->collection->name)));
    const char *separator = "(";
    for (uint32_t i = 0; i < bulk->column_count; i++) {
        if (!shape_has(shape, i))
            continue;
        buf_printf(sql, "%s%.*s", separator, STR_FMT(sql_ident(arena, bulk->columns[i]->name)));
        buf_printf(values, "%sc%u", values->len == 0 ? "" : ", ", i);
        if (bulk->is_unchecked[i])
            buf_printf(values, "::%.*s", STR_FMT(types[i]));
        separator = ", ";
    }
    if (values->len == 0)
        return fail(bulk->ctx, ERR_INVALID_PAYLOAD, "An item must have at least one field");
    buf_printf(sql, ") select %.*s from pg_temp.spark_bulk where r >= $1 and r < $2 order by r ",
               STR_FMT(buf_str(values)));
    buf_printf(sql, "returning %.*s::text", STR_FMT(sql_ident(arena, bulk->collection->key->name)));
    TRY(buf_check(bulk->ctx, sql, "The list of fields"));
    *ret = buf_str(sql);
    return OK;
}

static fiber_fn Err insert_range(struct db_tx *tx, void *arg)
{
    struct insert *insert = arg;
    struct bulk *bulk = insert->bulk;
    struct range range = insert->range;
    assert(range.from < range.to && range.to <= bulk->order_count);
    struct rows rows;
    TRY(db_tx_query(tx, &insert->statement,
                    ARGS(db_int4((int32_t)range.from), db_int4((int32_t)range.to)), &rows));
    if (rows.count != range.to - range.from)
        return fail(bulk->ctx, ERR_CONFLICT, "A rule of the database left rows out.");
    for (uint32_t i = 0; i < rows.count; i++) {
        struct bulk_row *row = &bulk->rows[bulk->order[range.from + i]];
        row->key = row_text(&rows, i, 0);
        row->is_stored = true;
    }
    return OK;
}

static Err note_refusal(struct bulk *bulk, uint32_t index)
{
    assert(index < bulk->count);
    struct ctx *ctx = bulk->ctx;
    Str sentence = ctx->diag.first != NULL ? diag_message(ctx, ctx->diag.first)
                                           : STR("The database refused the item.");
    bulk_fault(bulk, index, "%.*s", STR_FMT(sentence));
    diag_clear(ctx);
    if (++bulk->refusals <= BULK_REFUSALS_MAX)
        return OK;
    return fail(ctx, ERR_INVALID_PAYLOAD, "More than %d items were refused; the last reason: %.*s",
                BULK_REFUSALS_MAX, STR_FMT(sentence));
}

/* The right half is on the stack while the left one is tried; the depth is the number of
 * bisections. */
static fiber_fn Err insert_bisecting(struct db_tx *tx, struct insert *insert, struct range whole)
{
    assert(whole.from < whole.to && whole.to - whole.from <= BULK_CHUNK);
    struct range stack[DEPTH_MAX + 1];
    uint32_t count = 0;
    stack[count++] = whole;
    while (count > 0) {
        struct range range = stack[--count];
        insert->range = range;
        Err failed;
        TRY(db_savepoint(tx, insert_range, insert, &failed));
        if (failed == OK)
            continue;
        if (range.to - range.from == 1) {
            TRY(note_refusal(insert->bulk, insert->bulk->order[range.from]));
            continue;
        }
        uint32_t middle = range.from + (range.to - range.from) / 2;
        assert(count + 2 <= DEPTH_MAX + 1);
        stack[count++] = (struct range){middle, range.to};
        stack[count++] = (struct range){range.from, middle};
    }
    return OK;
}

static fiber_fn Err insert_shape(struct db_tx *tx, struct insert *insert, struct range shape,
                                 bool atomic)
{
    assert(shape.from < shape.to);
    for (uint32_t from = shape.from; from < shape.to; from += BULK_CHUNK) {
        uint32_t to = from + min_u32(shape.to - from, BULK_CHUNK);
        insert->range = (struct range){from, to};
        if (atomic)
            TRY(insert_range(tx, insert));
        else
            TRY(insert_bisecting(tx, insert, insert->range));
    }
    return OK;
}

static fiber_fn Err insert_all(struct bulk *bulk, struct db_tx *tx, bool atomic)
{
    Str *types = arena_array(bulk->ctx->arena, Str, bulk->column_count);
    TRY(unchecked_types(bulk, tx, types));
    struct range range = {0, 0};
    while (range.to < bulk->order_count) {
        range.from = range.to;
        uint32_t shape = bulk->rows[bulk->order[range.from]].shape;
        while (range.to < bulk->order_count && bulk->rows[bulk->order[range.to]].shape == shape)
            range.to++;
        assert(range.from < range.to);
        Str sql = STR_NONE;
        TRY(insert_sql(bulk, &bulk->shapes[shape], types, &sql));
        struct insert insert = {
            .bulk = bulk,
            .statement = {.sql = str_z(bulk->ctx->arena, sql), .lane = DB_WRITE},
        };
        TRY(insert_shape(tx, &insert, range, atomic));
    }
    return OK;
}

/* A key without the site may refer to another site. Checked once all rows exist, because they may
 * refer to each other. A violation rolls back the whole load, because the row is already
 * inserted. */
static fiber_fn Err check_reference(struct bulk *bulk, struct db_tx *tx, uint32_t column,
                                    uint32_t site)
{
    assert(column < bulk->column_count && site < bulk->column_count);
    struct arena *arena = bulk->ctx->arena;
    const struct field *field = bulk->columns[column];
    const struct collection *target = field->relation->target;
    assert(target != NULL && target->site != NULL);
    Str key = sql_ident(arena, target->key->name);
    Str owner = sql_ident(arena, target->site->name);
    Str table = sql_table(arena, target->name);
    const char *library = target->is_shared_read ? ", spark.library_site()" : "";
    Str sql = str_printf(arena,
                         "select 1 from pg_temp.spark_bulk b join %.*s t on t.%.*s = b.c%u "
                         "where t.%.*s not in (b.c%u%s) and not exists (select from %.*s o "
                         "where o.%.*s = b.c%u and o.%.*s in (b.c%u%s)) limit 1",
                         STR_FMT(table), STR_FMT(key), column, STR_FMT(owner), site, library,
                         STR_FMT(table), STR_FMT(key), column, STR_FMT(owner), site, library);
    struct statement statement = {.sql = str_z(arena, sql), .lane = DB_WRITE};
    struct rows rows;
    TRY(db_tx_query(tx, &statement, NO_ARGS, &rows));
    if (rows.count == 0)
        return OK;
    return fail(bulk->ctx, ERR_INVALID_FOREIGN_KEY,
                "Invalid foreign key for field \"%.*s\" in collection \"%.*s\".",
                STR_FMT(field->name), STR_FMT(bulk->collection->name));
}

static fiber_fn Err check_references(struct bulk *bulk, struct db_tx *tx)
{
    for (uint32_t site = 0; site < bulk->column_count; site++) {
        if (bulk->columns[site] != bulk->collection->site)
            continue;
        for (uint32_t i = 0; i < bulk->column_count; i++)
            if (!bulk->is_unchecked[i] && reference_is_open(SCOPE_PLATFORM, bulk->columns[i]))
                TRY(check_reference(bulk, tx, i, site));
    }
    return OK;
}

/* Audits a bulk load, if there is a work log. */
static fiber_fn Err log_work(struct bulk *bulk, struct db_tx *tx, bool atomic)
{
    struct ctx *ctx = bulk->ctx;
    uint32_t inserted = 0;
    for (uint32_t i = 0; i < bulk->count; i++)
        inserted += bulk->rows[i].is_stored;
    assert(inserted <= bulk->count);
    struct json_writer w = json_writer(buf_in_arena(ctx->arena, 4096));
    json_object_begin(&w);
    json_field_int(&w, "items", bulk->count);
    json_field_int(&w, "inserted", inserted);
    json_field_int(&w, "failed", bulk->count - inserted);
    json_field_bool(&w, "atomic", atomic);
    json_object_end(&w);
    assert(!w.out->is_full);
    struct audit audit = {.action = STR("bulk_insert"),
                          .entity_type = bulk->collection->name,
                          .details = buf_str(w.out),
                          .level = inserted < bulk->count ? "warning" : "success"};
    return audit_write(tx, &audit);
}

fiber_fn Err bulk_load(struct bulk *bulk, Str lines, bool atomic)
{
    assert(bulk->order_count <= bulk->count);
    if (bulk->order_count == 0)
        return OK;
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin_platform(bulk->platform, &tx));
    TRY(make_table(bulk, &tx));
    TRY(fill_table(bulk, &tx, lines));
    TRY(insert_all(bulk, &tx, atomic));
    TRY(check_references(bulk, &tx));
    TRY(log_work(bulk, &tx, atomic));
    return db_commit(&tx);
}
