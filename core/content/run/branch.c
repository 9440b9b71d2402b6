/*
 * To-many and to-any relations: executes the statements of branches and assigns their rows to
 * parent rows.
 */
#include "content/run/branch.h"

#include "content/schema/schema.h"

#include <assert.h>

/* Rows of one parent in the result of a branch. */
struct span {
    uint32_t first;
    uint32_t count;
};

/* The distinct keys of the parents; returns their number. For a to-any relation, only of those that
 * point into this collection. */
static fiber_fn uint32_t gather(struct run *run, const struct branch *branch,
                                const struct rows *rows)
{
    assert(branch->select->keys != NULL);
    struct arena *arena = run->ctx->arena;
    struct map *seen = map_in_arena(arena);
    Str *keys = arena_array(arena, Str, rows->count + 1);
    uint32_t count = 0;
    const struct field *link = branch->select->keys->operand.field;
    for (uint32_t i = 0; i < rows->count; i++) {
        fiber_pause();
        if (row_is_null(rows, i, branch->parent_key))
            continue;
        bool is_any = branch->collection_column != NO_COLUMN;
        if (is_any && !str_eq(row_text(rows, i, branch->collection_column), branch->collection))
            continue;
        Str key = key_of_row(arena, rows, i, branch->parent_key);
        if ((is_any && !key_is_valid(link, key)) || map_get(seen, key) != NULL)
            continue;
        map_put(seen, key, run);
        keys[count++] = key;
    }
    run->branches[branch->index].keys = keys;
    run->keys = keys_arg(arena, link, keys, count);
    return count;
}

/* Identifies a parent: its key, plus its site if sites share keys. */
static Str parent_name(const struct run *run, const struct rows *rows, uint32_t row, uint32_t key,
                       uint32_t site)
{
    struct arena *arena = run->ctx->arena;
    Str text = key_of_row(arena, rows, row, key);
    if (site == NO_COLUMN || row_is_null(rows, row, site))
        return text;
    return str_printf(arena, "%.*s/%.*s", STR_FMT(text),
                      STR_FMT(uuid_text(arena, row_uuid(rows, row, site))));
}

static struct span *add_span(struct run *run, struct branch_rows *result, Str name, uint32_t first)
{
    assert(result->spans != NULL);
    struct span *span = arena_new(run->ctx->arena, struct span);
    span->first = first;
    map_put(result->spans, name, span);
    return span;
}

/* Children of one parent are adjacent: the statement orders by the parent's key first. */
static fiber_fn void index_by_key(struct run *run, const struct branch *branch,
                                  struct branch_rows *result)
{
    struct span *span = NULL;
    Str last = STR_NONE;
    for (uint32_t i = 0; i < result->rows.count; i++) {
        fiber_pause();
        Str name = parent_name(run, &result->rows, i, branch->child_key, branch->child_site);
        if (span == NULL || !str_eq(name, last))
            span = add_span(run, result, name, i);
        last = name;
        span->count++;
    }
}

/* The same where the rows tell the place of their parent. */
static fiber_fn void index_by_place(struct run *run, const struct branch *branch,
                                    struct branch_rows *result)
{
    assert(branch->child_site == NO_COLUMN && result->keys != NULL);
    struct span *span = NULL;
    int64_t last = 0;
    for (uint32_t i = 0; i < result->rows.count; i++) {
        int64_t place = row_int(&result->rows, i, branch->child_key);
        assert(place >= 1 && place >= last);
        if (place != last) {
            fiber_pause();
            span = add_span(run, result, result->keys[place - 1], i);
        }
        last = place;
        span->count++;
    }
}

static fiber_fn void index_rows(struct run *run, const struct branch *branch)
{
    assert(branch->index < run->plan->branch_count && run->branches != NULL);
    struct branch_rows *result = &run->branches[branch->index];
    result->spans = map_in_arena(run->ctx->arena);
    if (branch->select->is_per_parent)
        index_by_place(run, branch, result);
    else
        index_by_key(run, branch, result);
}

fiber_fn Err run_branches(struct run *run, const struct select *select, const struct rows *rows)
{
    assert(run->plan != NULL && run->ctx != NULL);
    TRY(run_check_types(run, select, rows));
    if (select->first_branch == NULL || rows->count == 0)
        return OK;
    if (run->branches == NULL)
        run->branches = arena_array(run->ctx->arena, struct branch_rows, run->plan->branch_count);
    struct db_batch batch = {.lane = DB_READ};
    for (const struct branch *b = select->first_branch; b != NULL; b = b->next) {
        if (gather(run, b, rows) > 0)
            TRY(run_send(run, b->select, &batch, &run->branches[b->index].rows));
    }
    TRY(run_flush(run, &batch));
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

/* NULL: the branch has no rows. */
static const struct branch_rows *rows_of(const struct run *run, const struct branch *branch)
{
    assert(branch->index < run->plan->branch_count);
    const struct branch_rows *result = run->branches == NULL ? NULL : &run->branches[branch->index];
    return result == NULL || result->spans == NULL ? NULL : result;
}

static struct branch_span span_of(const struct branch_rows *result, Str name)
{
    assert(result->spans != NULL);
    const struct span *span = map_get(result->spans, name);
    if (span == NULL)
        return (struct branch_span){0};
    assert(span->count > 0 && span->first + span->count <= result->rows.count);
    return (struct branch_span){&result->rows, span->first, span->count};
}

struct branch_span branch_children(const struct run *run, const struct branch *branch,
                                   const struct rows *rows, uint32_t row)
{
    const struct branch_rows *children = rows_of(run, branch);
    if (children == NULL)
        return (struct branch_span){0};
    return span_of(children, parent_name(run, rows, row, branch->parent_key, branch->parent_site));
}

/* A row refers to a row of its own site, or of the library. */
struct branch_span branch_target(const struct run *run, const struct branch *branch,
                                 const struct rows *rows, uint32_t row)
{
    assert(branch->collection_column != NO_COLUMN);
    const struct branch_rows *targets = rows_of(run, branch);
    if (targets == NULL ||
        !str_eq(row_text(rows, row, branch->collection_column), branch->collection))
        return (struct branch_span){0};
    struct branch_span own =
        span_of(targets, parent_name(run, rows, row, branch->parent_key, branch->parent_site));
    if (own.count > 0 || branch->child_site == NO_COLUMN)
        return own;
    struct arena *arena = run->ctx->arena;
    Str key = key_of_row(arena, rows, row, branch->parent_key);
    Str library = uuid_text(arena, UUID_LIBRARY_SITE);
    return span_of(targets, str_printf(arena, "%.*s/%.*s", STR_FMT(key), STR_FMT(library)));
}
