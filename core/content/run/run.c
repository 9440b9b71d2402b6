#include "content/run/run.h"

#include "content/schema/schema.h"

#include <assert.h>

struct span {
    uint32_t first;
    uint32_t count;
};

Str key_text(struct arena *arena, const struct rows *rows, uint32_t row, uint32_t column)
{
    switch (row_oid(rows, column)) {
    case OID_UUID:
        return uuid_text(arena, row_uuid(rows, row, column));
    case OID_INT2:
    case OID_INT4:
    case OID_INT8:
        return str_printf(arena, "%jd", (intmax_t)row_int(rows, row, column));
    default:
        return row_text(rows, row, column);
    }
}

/* The parents' keys, each once. Of a to-any relation only those that point into this collection. */
static fiber_fn Str gather(struct run *run, const struct branch *branch, const struct rows *rows)
{
    struct arena *arena = run->ctx->arena;
    struct map *seen = map_in_arena(arena);
    Str *keys = arena_array(arena, Str, rows->count + 1);
    uint32_t count = 0;
    const struct field *child_key = branch->select->columns[branch->child_key].operand.field;
    for (uint32_t i = 0; i < rows->count; i++) {
        fiber_pause();
        if (row_is_null(rows, i, branch->parent_key))
            continue;
        bool is_any = branch->collection_column != NO_COLUMN;
        if (is_any && !str_eq(row_text(rows, i, branch->collection_column), branch->collection))
            continue;
        Str key = key_text(arena, rows, i, branch->parent_key);
        if ((is_any && !key_is_valid(child_key, key)) || map_get(seen, key) != NULL)
            continue;
        map_put(seen, key, run);
        keys[count++] = key;
    }
    return count == 0 ? STR_NONE : array_literal(arena, keys, count);
}

/* What tells one parent from the others: its key, where sites share keys with its site. */
static Str parent_name(const struct run *run, const struct rows *rows, uint32_t row, uint32_t key,
                       uint32_t site)
{
    struct arena *arena = run->ctx->arena;
    Str text = key_text(arena, rows, row, key);
    if (site == NO_COLUMN || row_is_null(rows, row, site))
        return text;
    return str_printf(arena, "%.*s/%.*s", STR_FMT(text),
                      STR_FMT(uuid_text(arena, row_uuid(rows, row, site))));
}

/* Children of one parent stand together: the statement orders by the parent's key first. */
static fiber_fn void index_rows(struct run *run, const struct branch *branch)
{
    struct branch_rows *result = &run->branches[branch->index];
    result->spans = map_in_arena(run->ctx->arena);
    struct span *span = NULL;
    Str last = STR_NONE;
    for (uint32_t i = 0; i < result->rows.count; i++) {
        fiber_pause();
        Str key = parent_name(run, &result->rows, i, branch->child_key, branch->child_site);
        if (span == NULL || !str_eq(key, last)) {
            span = arena_new(run->ctx->arena, struct span);
            span->first = i;
            last = key;
            map_put(result->spans, key, span);
        }
        span->count++;
    }
}

/* One statement needs no batch. */
static fiber_fn Err flush(struct run *run, struct db_batch *batch)
{
    if (batch->count == 0)
        return OK;
    if (batch->count == 1)
        return db_query(run->ctx, batch->commands[0].statement, batch->commands[0].args,
                        batch->commands[0].ret_rows);
    return db_batch_run(run->ctx, batch);
}

static fiber_fn Err send(struct run *run, const struct select *select, struct db_batch *batch,
                         struct rows *ret)
{
    struct db_args args;
    if (batch->count == DB_BATCH_MAX) {
        TRY(flush(run, batch));
        *batch = (struct db_batch){.lane = batch->lane};
    }
    TRY(run_bind(run, select, &args));
    db_batch_add(batch, &select->statement, args, ret);
    return OK;
}

Err run_branches(struct run *run, const struct select *select, const struct rows *rows)
{
    if (select->first_branch == NULL || rows->count == 0)
        return OK;
    if (run->branches == NULL)
        run->branches = arena_array(run->ctx->arena, struct branch_rows, run->plan->branch_count);
    struct db_batch batch = {.lane = DB_READ};
    for (const struct branch *b = select->first_branch; b != NULL; b = b->next) {
        run->keys = gather(run, b, rows);
        if (run->keys.data != NULL)
            TRY(send(run, b->select, &batch, &run->branches[b->index].rows));
    }
    TRY(flush(run, &batch));
    for (const struct branch *b = select->first_branch; b != NULL; b = b->next) {
        struct branch_rows *result = &run->branches[b->index];
        if (result->rows.count > BRANCH_ROWS_MAX)
            return fail(run->ctx, ERR_INVALID_QUERY, "More than %d nested rows", BRANCH_ROWS_MAX);
        if (result->rows.count > 0)
            index_rows(run, b);
    }
    for (const struct branch *b = select->first_branch; b != NULL; b = b->next)
        TRY(run_branches(run, b->select, &run->branches[b->index].rows));
    return OK;
}

Err run_plan(struct run *run)
{
    const struct plan *plan = run->plan;
    struct rows total = {0};
    struct rows filtered = {0};
    /* What is counted is filtered like the rows, so the lane is the same. */
    struct db_batch batch = {.lane = plan->root->statement.lane};
    TRY(send(run, plan->root, &batch, &run->rows));
    if (plan->total != NULL)
        TRY(send(run, plan->total, &batch, &total));
    if (plan->filter != NULL)
        TRY(send(run, plan->filter, &batch, &filtered));
    TRY(flush(run, &batch));
    if (plan->total != NULL)
        run->total = row_int(&total, 0, 0);
    if (plan->filter != NULL)
        run->filtered = row_int(&filtered, 0, 0);
    return run_branches(run, plan->root, &run->rows);
}

const struct db_error_rule AMBIGUOUS_KEY_ERROR = {"SPK01", ERR_AMBIGUOUS_KEY, db_error_plain};

Err run_check_keys(const struct run *run)
{
    const struct plan *plan = run->plan;
    struct ctx *ctx = run->ctx;
    if (ctx->scope.kind != SCOPE_PLATFORM || !plan->collection->is_keyed_by_site)
        return OK;
    if (plan->is_single)
        return run->rows.count < 2 ? OK : fail_plain(ctx, ERR_AMBIGUOUS_KEY);
    struct map *seen = map_in_arena(ctx->arena);
    for (uint32_t i = 0; i < run->rows.count; i++) {
        Str key = key_text(ctx->arena, &run->rows, i, plan->key_column);
        if (map_put(seen, key, seen) != NULL)
            return fail_plain(ctx, ERR_AMBIGUOUS_KEY);
    }
    return OK;
}

/* What a shape is written from: one row of one statement. */
struct cursor {
    const struct run *run;
    const struct rows *rows;
    uint32_t row;
};

static fiber_fn void write_shape(const struct cursor *at, const struct shape *shape,
                                 struct buf *out);

static fiber_fn void write_children(const struct cursor *at, const struct branch *branch,
                                    struct buf *out)
{
    const struct branch_rows *children =
        at->run->branches == NULL ? NULL : &at->run->branches[branch->index];
    buf_put_char(out, '[');
    if (children != NULL && children->spans != NULL) {
        const struct span *span =
            map_get(children->spans, parent_name(at->run, at->rows, at->row, branch->parent_key,
                                                 branch->parent_site));
        for (uint32_t i = 0; span != NULL && i < span->count && !out->is_full; i++) {
            if (i > 0)
                buf_put_char(out, ',');
            struct cursor child = {at->run, &children->rows, span->first + i};
            write_shape(&child, branch->select->shape, out);
        }
    }
    buf_put_char(out, ']');
}

/* A row refers to one of its own site, or of the library's. */
static const struct span *find_target(const struct cursor *at, const struct branch *branch,
                                      const struct branch_rows *targets)
{
    struct arena *arena = at->run->ctx->arena;
    const struct span *own =
        map_get(targets->spans,
                parent_name(at->run, at->rows, at->row, branch->parent_key, branch->parent_site));
    if (own != NULL || branch->child_site == NO_COLUMN)
        return own;
    Str key = key_text(arena, at->rows, at->row, branch->parent_key);
    Str library = uuid_text(arena, UUID_LIBRARY_SITE);
    return map_get(targets->spans, str_printf(arena, "%.*s/%.*s", STR_FMT(key), STR_FMT(library)));
}

/* The row a to-any reference points to; the key alone when it may not be seen or is gone. */
static fiber_fn void write_any(const struct cursor *at, const struct out *member, struct buf *out)
{
    for (const struct branch *b = member->branch; b != NULL; b = b->next_any) {
        const struct branch_rows *children =
            at->run->branches == NULL ? NULL : &at->run->branches[b->index];
        if (children == NULL || children->spans == NULL ||
            !str_eq(row_text(at->rows, at->row, b->collection_column), b->collection))
            continue;
        const struct span *span = find_target(at, b, children);
        if (span == NULL)
            continue;
        struct cursor child = {at->run, &children->rows, span->first};
        write_shape(&child, b->select->shape, out);
        return;
    }
    if (member->branch == NULL)
        member->write(out, at->rows, at->row, member->column);
    else
        buf_put(out, STR("null"));
}

static void write_group(const struct cursor *at, const struct shape *shape, struct buf *out)
{
    buf_put_char(out, '{');
    for (uint32_t i = 0; i < shape->count; i++) {
        buf_put(out, shape->outs[i].key);
        shape->outs[i].write(out, at->rows, at->row, shape->outs[i].column);
    }
    buf_put_char(out, '}');
}

static fiber_fn void write_member(const struct cursor *at, const struct out *member,
                                  struct buf *out)
{
    buf_put(out, member->key);
    switch (member->kind) {
    case OUT_VALUE:
        member->write(out, at->rows, at->row, member->column);
        break;
    case OUT_OBJECT:
        if (row_is_null(at->rows, at->row, member->shape->key))
            buf_put(out, STR("null"));
        else
            write_shape(at, member->shape, out);
        break;
    case OUT_LIST:
        if (member->mask != NO_COLUMN && !row_bool(at->rows, at->row, member->mask))
            buf_put(out, STR("null"));
        else
            write_children(at, member->branch, out);
        break;
    case OUT_ANY:
        write_any(at, member, out);
        break;
    case OUT_GROUP:
        write_group(at, member->shape, out);
        break;
    }
}

/* Rows in rows in rows are far more than were read: what is too large is given up at once. */
static fiber_fn void write_shape(const struct cursor *at, const struct shape *shape,
                                 struct buf *out)
{
    fiber_pause();
    if (out->is_full)
        return;
    if (shape->is_bare) {
        shape->write_key(out, at->rows, at->row, shape->key);
        return;
    }
    buf_put_char(out, '{');
    for (uint32_t i = 0; i < shape->count; i++)
        write_member(at, &shape->outs[i], out);
    buf_put_char(out, '}');
}

bool run_may_read(const struct run *run, uint32_t row)
{
    const struct plan *plan = run->plan;
    return !plan->is_mute &&
           (plan->readable_column == NO_COLUMN || row_bool(&run->rows, row, plan->readable_column));
}

fiber_fn void run_write_row(const struct run *run, uint32_t row, struct buf *out)
{
    struct cursor at = {run, &run->rows, row};
    write_shape(&at, run->plan->root->shape, out);
}

void run_write_nothing(const struct run *run, struct buf *out)
{
    const struct shape *shape = run->plan->root->shape;
    if (shape->is_bare) {
        buf_put(out, STR("null"));
        return;
    }
    buf_put_char(out, '{');
    for (uint32_t i = 0; i < shape->count; i++) {
        buf_put(out, shape->outs[i].key);
        buf_put(out, shape->outs[i].kind == OUT_LIST ? STR("[]") : STR("null"));
    }
    buf_put_char(out, '}');
}

fiber_fn void run_write_list(const struct run *run, struct buf *out)
{
    buf_put_char(out, '[');
    for (uint32_t i = 0; i < run->rows.count && !out->is_full; i++) {
        if (i > 0)
            buf_put_char(out, ',');
        run_write_row(run, i, out);
    }
    buf_put_char(out, ']');
}
