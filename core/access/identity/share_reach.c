#include "access/identity/share_reach.h"

#include "base/json/json_build.h"
#include "base/memory/list.h"
#include "gen/sql.h"
#include "io/pg/db.h"
#include "io/reactor/reactor.h"

#include <assert.h>

/* Ways are found breadth-first; no schema needs as many. */
enum { FILTER_MAX = 64 * 1024, STEPS_MAX = 2000 };

/* A collection on a way from the item. */
struct step {
    struct step *outer; /* nearer to the item; NULL: the item's own collection */
    struct step *next;  /* in the order in which they were found */
    Str collection;
    Str back;          /* in a filter of this collection: the way back, one step */
    Str back_further;  /* the same on the way to somewhere else; STR_NONE: nothing is behind it */
    bool is_column;    /* it is a column that holds a key, not a list */
    uint32_t relation; /* by which row of the relations it was found, if it is a column */
    uint32_t depth;
};

struct walk {
    struct ctx *ctx;
    const struct rows *relations;
    ShareMayFn *may;
    const void *arg;
    struct step *first;
    struct step *last;
    uint32_t count;
};

struct item {
    Str collection;
    Str key_field;
    Str key;
};

static Str text_at(const struct walk *walk, uint32_t row, uint32_t column)
{
    return row_text(walk->relations, row, column);
}

static bool knows(const struct walk *walk, Str collection, Str field)
{
    return walk->may(walk->arg, collection, STR_NONE) && walk->may(walk->arg, collection, field);
}

/* A relation counts only if the token may know both of its ends. */
static bool is_known(const struct walk *walk, uint32_t row)
{
    assert(row < walk->relations->count);
    Str one = text_at(walk, row, SHARE_RELATIONS_ONE_COLLECTION);
    Str alias = text_at(walk, row, SHARE_RELATIONS_ONE_FIELD);
    Str allowed = text_at(walk, row, SHARE_RELATIONS_ONE_ALLOWED_COLLECTIONS);
    Str name;
    if (!knows(walk, text_at(walk, row, SHARE_RELATIONS_MANY_COLLECTION),
               text_at(walk, row, SHARE_RELATIONS_MANY_FIELD)))
        return false;
    if (one.len > 0 && !walk->may(walk->arg, one, STR_NONE))
        return false;
    while (str_next(&allowed, ',', &name))
        if (!walk->may(walk->arg, str_trim(name), STR_NONE))
            return false;
    return one.len == 0 || alias.len == 0 || knows(walk, one, alias);
}

static bool was_visited(const struct step *step)
{
    for (const struct step *outer = step->outer; outer != NULL; outer = outer->outer)
        if (str_eq(outer->collection, step->collection))
            return true;
    return false;
}

static void add(struct walk *walk, struct step found)
{
    assert(found.collection.len > 0);
    if (walk->count == STEPS_MAX || found.depth > SHARE_WAY_MAX)
        return;
    struct step *step = arena_new(walk->ctx->arena, struct step);
    *step = found;
    LIST_APPEND(walk->first, walk->last, step);
    walk->count++;
}

static void add_children(struct walk *walk, struct step *from, uint32_t row)
{
    Str field = text_at(walk, row, SHARE_RELATIONS_MANY_FIELD);
    add(walk, (struct step){.outer = from,
                            .collection = text_at(walk, row, SHARE_RELATIONS_MANY_COLLECTION),
                            .back = field,
                            .back_further = field,
                            .is_column = true,
                            .relation = row,
                            .depth = from->depth + 1});
}

static void add_target(struct walk *walk, struct step *from, uint32_t row)
{
    Str back = str_printf(walk->ctx->arena, "$FOLLOW(%.*s,%.*s)", STR_FMT(from->collection),
                          STR_FMT(text_at(walk, row, SHARE_RELATIONS_MANY_FIELD)));
    add(walk,
        (struct step){.outer = from,
                      .collection = text_at(walk, row, SHARE_RELATIONS_ONE_COLLECTION),
                      .back = back,
                      .back_further = row_bool(walk->relations, row, SHARE_RELATIONS_IS_OF_SITE)
                                          ? STR_NONE
                                          : text_at(walk, row, SHARE_RELATIONS_ONE_FIELD),
                      .depth = from->depth + 1});
}

static void add_any(struct walk *walk, struct step *from, uint32_t row)
{
    Str allowed = text_at(walk, row, SHARE_RELATIONS_ONE_ALLOWED_COLLECTIONS);
    Str back = str_printf(walk->ctx->arena, "$FOLLOW(%.*s,%.*s,%.*s)", STR_FMT(from->collection),
                          STR_FMT(text_at(walk, row, SHARE_RELATIONS_MANY_FIELD)),
                          STR_FMT(text_at(walk, row, SHARE_RELATIONS_ONE_COLLECTION_FIELD)));
    Str name;
    while (str_next(&allowed, ',', &name))
        add(walk, (struct step){.outer = from,
                                .collection = str_trim(name),
                                .back = back,
                                .depth = from->depth + 1});
}

static void go_on(struct walk *walk, struct step *from)
{
    assert(from->outer == NULL || from->outer->depth + 1 == from->depth);
    bool is_start = from->outer == NULL;
    if ((!is_start && from->back_further.len == 0) || was_visited(from))
        return;
    for (uint32_t i = 0; i < walk->relations->count; i++) {
        Str one = text_at(walk, i, SHARE_RELATIONS_ONE_COLLECTION);
        bool is_many = str_eq(text_at(walk, i, SHARE_RELATIONS_MANY_COLLECTION), from->collection);
        bool is_one = str_eq(one, from->collection);
        /* A row leads to its site, but not from there to all other rows of the site. */
        bool is_of_site = row_bool(walk->relations, i, SHARE_RELATIONS_IS_OF_SITE);
        if ((!is_many && !is_one) || !is_known(walk, i) || (is_one && is_of_site && !is_start))
            continue;
        if (is_one)
            add_children(walk, from, i);
        else if (from->is_column && from->relation == i)
            continue; /* straight back: to some of the rows that were reached already */
        else if (one.len > 0)
            add_target(walk, from, i);
        else
            add_any(walk, from, i);
    }
}

static void put_way(struct json_builder *b, const struct step *step, const struct item *item)
{
    assert(item->key_field.len > 0 && step->depth <= SHARE_WAY_MAX);
    uint32_t open = 0;
    bool is_column = false;
    for (const struct step *at = step; at->outer != NULL; at = at->outer, open++) {
        json_build_object_begin(b);
        json_build_key(b, at == step ? at->back : at->back_further);
        is_column = at->is_column;
    }
    json_build_object_begin(b);
    if (!is_column) { /* else what refers to the item holds its key */
        json_build_key(b, item->key_field);
        json_build_object_begin(b);
    }
    json_build_key(b, STR("_eq"));
    json_build_str(b, item->key);
    if (!is_column)
        json_build_object_end(b);
    json_build_object_end(b);
    while (open-- > 0)
        json_build_object_end(b);
}

/* One condition for all ways to the collection of the first of them. */
static Err reach_make(struct walk *walk, const struct step *first, const struct item *item,
                      struct share_reach **ret)
{
    struct json_builder *b;
    uint32_t ways = 0;
    TRY(json_builder_new(walk->ctx, FILTER_MAX, &b));
    json_build_object_begin(b);
    json_build_key(b, STR("_or"));
    json_build_array_begin(b);
    for (const struct step *step = first; step != NULL && ways < SHARE_WAYS_MAX;
         step = step->next) {
        if (!str_eq(step->collection, first->collection))
            continue;
        put_way(b, step, item);
        ways++;
    }
    json_build_array_end(b);
    json_build_object_end(b);
    struct share_reach *reach = arena_new(walk->ctx->arena, struct share_reach);
    reach->collection = first->collection;
    *ret = reach;
    return json_builder_end(walk->ctx, b, &reach->filter);
}

static bool is_told(const struct share_reach *reaches, Str collection)
{
    for (; reaches != NULL; reaches = reaches->next)
        if (str_eq(reaches->collection, collection))
            return true;
    return false;
}

fiber_fn Err share_reach_find(struct ctx *ctx, Uuid share, ShareMayFn *may, const void *arg,
                              struct share_reach **ret)
{
    struct rows root;
    struct rows relations;
    struct platform platform = reactor_platform(ctx);
    struct share_reach *last = NULL;
    *ret = NULL;
    TRY(db_query_platform(platform, &SQL_SHARE_ROOT, ARGS(db_uuid(share)), &root));
    if (root.count == 0)
        return OK;
    TRY(db_query_platform(platform, &SQL_SHARE_RELATIONS, NO_ARGS, &relations));
    struct walk walk = {.ctx = ctx, .relations = &relations, .may = may, .arg = arg};
    const struct item item = {row_text(&root, 0, SHARE_ROOT_COLLECTION),
                              row_text(&root, 0, SHARE_ROOT_KEY),
                              row_text(&root, 0, SHARE_ROOT_ITEM)};
    add(&walk, (struct step){.collection = item.collection});
    for (struct step *step = walk.first; step != NULL; step = step->next)
        go_on(&walk, step);
    for (const struct step *step = walk.first; step != NULL; step = step->next) {
        struct share_reach *reach;
        if (is_told(*ret, step->collection))
            continue;
        TRY(reach_make(&walk, step, &item, &reach));
        LIST_APPEND(*ret, last, reach);
    }
    return OK;
}
