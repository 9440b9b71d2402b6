/*
 * From selected fields to the projection of a row: result columns, joined objects, branches for
 * to-many.
 */
#include "base/json/json_writer.h"
#include "base/memory/list.h"
#include "content/plan/compile.h"
#include "content/plan/sql_print.h"
#include "content/plan/wants.h"
#include "content/query/query.h"

#include <assert.h>

enum {
    SHAPE_MASKS_MAX = 16 /* sets of rules that share a column; further fields have their own */
};

struct shaper {
    struct compiler *c;
    struct select *select;
    struct source *source;
    const struct access *access;
    const struct query_deep *deep;
    struct place place;
    struct shape *shape;
    struct {
        uint64_t rules;
        uint32_t column;
    } masks[SHAPE_MASKS_MAX];
    uint32_t mask_count;
};

/* `"title":`, preceded by a comma unless it is the first. */
static Str json_key_text(struct arena *arena, Str name, bool is_first)
{
    struct buf *text = buf_in_arena(arena, name.len * 6 + 8);
    if (!is_first)
        buf_put_char(text, ',');
    buf_put_char(text, '"');
    json_escape(text, name);
    buf_put(text, STR("\":"));
    assert(!text->is_full);
    return buf_str(text);
}

struct out *shape_add(struct compiler *c, struct shape *shape, Str name, enum out_kind kind)
{
    assert(shape->outs != NULL);
    struct out *out = &shape->outs[shape->count];
    *out = (struct out){.name = str_dup(c->arena, name),
                        .json_key = json_key_text(c->arena, name, shape->count == 0),
                        .kind = kind,
                        .mask = NO_COLUMN,
                        .column = NO_COLUMN};
    shape->count++;
    return out;
}

uint32_t column_add(struct compiler *c, struct select *select, struct column column)
{
    assert(column.kind != COLUMN_OPERAND || column.operand.field != NULL);
    for (uint32_t i = 0; i < select->column_count; i++) {
        const struct column *other = &select->columns[i];
        if (other->kind == COLUMN_OPERAND && column.kind == COLUMN_OPERAND &&
            other->operand.source == column.operand.source &&
            other->operand.field == column.operand.field &&
            other->operand.function == column.operand.function &&
            str_eq(other->operand.argument, column.operand.argument) &&
            other->mask == column.mask && other->as_text == column.as_text)
            return i;
    }
    if (select->column_count == select->column_room) {
        uint32_t room = select->column_room == 0 ? 16 : select->column_room * 2;
        struct column *grown = arena_array(c->arena, struct column, room);
        if (select->column_count > 0)
            memcpy(grown, select->columns, select->column_count * sizeof grown[0]);
        select->columns = grown;
        select->column_room = room;
    }
    select->columns[select->column_count] = column;
    return select->column_count++;
}

static Err check_columns(struct compiler *c, const struct select *select)
{
    if (select->column_count > PLAN_COLUMNS_MAX)
        return fail(c->ctx, ERR_INVALID_QUERY, "More than %d fields in one query",
                    PLAN_COLUMNS_MAX);
    return OK;
}

Err column_add_field(struct compiler *c, struct select *select, const struct access *access,
                     struct operand operand, uint32_t *ret)
{
    assert(operand.field != NULL);
    struct column column = {.kind = COLUMN_OPERAND, .operand = operand};
    column.read = reader_of(&operand, &column.as_text);
    if (access != NULL)
        TRY(access_mask(c, operand.source, access, operand.field, &column.mask));
    *ret = column_add(c, select, column);
    return check_columns(c, select);
}

/* Adds a key in its binary form, for joining rows in memory. */
static uint32_t add_raw(struct compiler *c, struct select *select, struct operand operand)
{
    assert(operand.field != NULL);
    struct column column = {.kind = COLUMN_OPERAND, .operand = operand};
    column.read = reader_of(&operand, &column.as_text);
    return column_add(c, select, column);
}

static Err refuse_path(struct compiler *c)
{
    return fail(c->ctx, ERR_INVALID_QUERY, "Invalid json() syntax: unsupported path expression");
}

static void put_element(struct buf *out, uint32_t *count, Str element)
{
    buf_put(out, (*count)++ == 0 ? STR("\"") : STR(",\""));
    for (size_t i = 0; i < element.len; i++) {
        if (element.data[i] == '"' || element.data[i] == '\\')
            buf_put_char(out, '\\');
        buf_put_char(out, element.data[i]);
    }
    buf_put_char(out, '"');
}

/* "w[0][1]" → w, 0 and 1 */
static Err put_step(struct compiler *c, Str step, struct buf *out, uint32_t *count)
{
    ptrdiff_t open = str_find_char(step, '[');
    Str name = open < 0 ? step : str_slice(step, 0, (size_t)open);
    Str rest = open < 0 ? STR_NONE : str_slice(step, (size_t)open, step.len);
    if (name.len > 0 || open < 0)
        put_element(out, count, name);
    while (rest.len > 0) {
        ptrdiff_t close = str_find_char(rest, ']');
        Str index = close < 1 ? STR_NONE : str_slice(rest, 1, (size_t)close);
        int64_t number;
        if (rest.data[0] != '[' || !str_to_i64(index, &number) || number < 0)
            return refuse_path(c);
        put_element(out, count, index);
        rest = str_slice(rest, (size_t)close + 1, rest.len);
    }
    return OK;
}

/* "dim.w[0]" → '{"dim","w","0"}' */
static Err json_path(struct compiler *c, Str path, Str *ret)
{
    struct buf *out = buf_in_arena(c->arena, path.len * 4 + 16);
    uint32_t count = 0;
    for (size_t i = 0; i < path.len; i++)
        if (strchr("*?@$", path.data[i]) != NULL)
            return refuse_path(c);
    buf_put_char(out, '{');
    Str step;
    while (str_next(&path, '.', &step))
        TRY(put_step(c, step, out, &count));
    buf_put_char(out, '}');
    if (count > QUERY_DEPTH_MAX)
        return fail(c->ctx, ERR_INVALID_QUERY, "JSON path depth (%u) exceeds allowed maximum of %d",
                    count, QUERY_DEPTH_MAX);
    *ret = buf_str(out);
    return OK;
}

/* One boolean column for all fields that the same rules grant: cheaper than a condition in each of
 * their columns. NO_COLUMN: the field is never masked. */
static Err mask_column(struct shaper *s, const struct field *field, uint32_t *ret)
{
    struct pred *mask;
    uint64_t rules = 0;
    *ret = NO_COLUMN;
    TRY(access_mask(s->c, s->source, s->access, field, &mask));
    if (mask == NULL)
        return OK;
    bool has_bits = access_rules(s->access, field, &rules);
    for (uint32_t i = 0; has_bits && i < s->mask_count; i++) {
        if (s->masks[i].rules != rules)
            continue;
        *ret = s->masks[i].column;
        return OK;
    }
    *ret = column_add(s->c, s->select, (struct column){.kind = COLUMN_PRED, .mask = mask});
    if (has_bits && s->mask_count < SHAPE_MASKS_MAX) {
        s->masks[s->mask_count].rules = rules;
        s->masks[s->mask_count++].column = *ret;
    }
    return check_columns(s->c, s->select);
}

static Err add_value(struct shaper *s, const struct want *want)
{
    struct operand operand = operand_of(s->source, want->field);
    operand.function = want->function;
    if (want->function == FUNCTION_JSON)
        TRY(json_path(s->c, want->argument, &operand.argument));
    TRY(function_bind(s->c, &operand, s->place));
    struct out *out = shape_add(s->c, s->shape, want->key, OUT_VALUE);
    TRY(mask_column(s, want->field, &out->mask));
    TRY(column_add_field(s->c, s->select, NULL, operand, &out->column));
    out->read = s->select->columns[out->column].read;
    return OK;
}

/* A related row of which no field is selected is its bare key. */
static void key_only_if_empty(struct query *query)
{
    static const Str KEY_ONLY[] = {STR_INIT("")};
    if (query->field_count > 0)
        return;
    query->fields = KEY_ONLY;
    query->field_count = 1;
}

static Err add_object(struct shaper *s, const struct want *want)
{
    assert(want->field->relation->kind == RELATION_TO_ONE);
    struct compiler *c = s->c;
    struct place below = place_below(c, s->place, want->key);
    below.via = want->field->relation;
    struct query query;
    TRY(want_query(c, query_deep_find(s->deep, want->key), want,
                   want->field->relation->target->name, &query));
    struct access access;
    bool is_readable = access_find(c, want->field->relation->target, ACTION_READ, &access);
    assert(is_readable);
    struct source *join;
    bool is_private = query.filter != NULL || query.search.len > 0;
    TRY(source_join(c, s->source, want->field, below, is_private, &join));
    if (is_private) {
        enum source_kind kind = join->kind;
        struct pred *filter;
        join->kind = SOURCE_SCALAR; /* it must not be turned into a join later */
        TRY(filter_compile(c, join, query.filter, false, below, &filter));
        join->kind = kind;
        join->on = pred_and(c, join->on, filter);
        TRY(search_compile(c, join, &access, query.search, &filter));
        join->on = pred_and(c, join->on, filter);
    }
    struct pred *mask; /* if the reference may not be seen, neither may its target */
    TRY(access_mask(c, s->source, s->access, want->field, &mask));
    struct out *out = shape_add(c, s->shape, want->key, OUT_OBJECT);
    TRY(shape_compile(c, s->select, join, &access, &query, below, &out->shape));
    struct operand key = operand_of(join, join->collection->key);
    struct column column = {.kind = COLUMN_OPERAND, .operand = key};
    column.mask = pred_and(c, mask, out->shape->seen);
    column.read = reader_of(&key, &column.as_text);
    out->shape->key = column_add(c, s->select, column);
    out->shape->read_key = column.read;
    return OK;
}

static struct branch *branch_new(struct shaper *s)
{
    struct branch *branch = arena_new(s->c->arena, struct branch);
    branch->index = s->c->branch_count++;
    branch->collection_column = branch->parent_site = branch->child_site = NO_COLUMN;
    LIST_APPEND(s->select->first_branch, s->select->last_branch, branch);
    return branch;
}

/* Conditions of every select over a child: keys bound at run time, scope, grants, filter,
 * search. */
static Err bind_branch(struct compiler *c, struct select *child, const struct field *link,
                       const struct access *access, const struct query *query, struct place place)
{
    assert(link != NULL);
    struct pred *keys = pred_keys(c, operand_of(child->root, link));
    child->keys = keys;
    struct pred *granted;
    struct pred *filter;
    struct pred *search;
    TRY(access_rows(c, child->root, access, &granted));
    TRY(filter_compile(c, child->root, query->filter, false, place, &filter));
    TRY(search_compile(c, child->root, access, query->search, &search));
    struct pred *where = pred_and(c, scope_rows(c, child->root, false), keys);
    child->where = pred_and(c, pred_and(c, pred_and(c, where, granted), filter), search);
    return select_check_count(c);
}

/* If keys may repeat, a child also carries the site of its parent: its own site or the
 * library's. */
static Err name_parents(struct shaper *s, struct branch *branch, const struct relation *relation,
                        struct place place)
{
    assert(branch->select != NULL);
    struct compiler *c = s->c;
    const struct collection *one = s->source->collection;
    if (!key_may_repeat(c, one))
        return OK;
    const struct relation *up = relation->target_field->relation;
    struct source *root = branch->select->root;
    struct operand site = operand_of(root, root->collection->site);
    if (up != NULL && up->kind == RELATION_TO_ONE && up->target == one) {
        struct source *parent;
        TRY(source_scalar(c, root, relation->target_field, SOURCE_SCALAR, place, &parent));
        site = operand_of(parent, one->site);
    }
    if (site.field == NULL)
        return OK;
    branch->child_site = add_raw(c, branch->select, site);
    branch->parent_site = add_raw(c, s->select, operand_of(s->source, one->site));
    return OK;
}

/* With an index on the link, the first rows of each parent are read from it, and no others. */
static bool is_found_per_parent(const struct compiler *c, const struct shaper *s,
                                const struct field *link)
{
    bool is_of_site = c->scope == SCOPE_SITE && link->collection->site != NULL;
    return sql_key_type(link) != NULL && !key_may_repeat(c, s->source->collection) &&
           (link->indexed == INDEX_ALONE || (link->indexed == INDEX_IN_SITE && is_of_site));
}

/* The column by which a child finds its parent. */
static uint32_t add_link(struct shaper *s, struct select *child, const struct field *link)
{
    child->is_per_parent = is_found_per_parent(s->c, s, link);
    if (!child->is_per_parent)
        return add_raw(s->c, child, operand_of(child->root, link));
    child->keys->kind = PRED_OF_PARENT;
    return column_add(s->c, child, (struct column){.kind = COLUMN_PLACE});
}

/* The rows of a relation, in order, limited for each parent. */
static Err select_children(struct shaper *s, struct branch *branch, const struct relation *relation,
                           const struct access *access, struct query *query, struct place below)
{
    struct compiler *c = s->c;
    struct select *child = branch->select;
    TRY(order_compile(c, child, access, query, relation->sort_field, below));
    branch->child_key = add_link(s, child, relation->target_field);
    key_only_if_empty(query);
    TRY(shape_compile(c, child, child->root, access, query, below, &child->shape));
    child->where = pred_and(c, child->where, child->shape->seen);
    return name_parents(s, branch, relation, below);
}

/* deep[x][_aggregate]: groups of them, always of one parent each. */
static Err select_groups(struct shaper *s, struct branch *branch, const struct relation *relation,
                         const struct access *access, const struct query *query, struct place below)
{
    struct select *child = branch->select;
    branch->child_key = add_raw(s->c, child, operand_of(child->root, relation->target_field));
    TRY(name_parents(s, branch, relation, below));
    child->group_count = child->column_count;
    return aggregate_compile(s->c, child, access, query, true, below);
}

static Err add_list(struct shaper *s, const struct want *want)
{
    assert(want->field->relation->kind == RELATION_TO_MANY);
    struct compiler *c = s->c;
    const struct relation *relation = want->field->relation;
    struct place below = place_below(c, s->place, want->key);
    below.via = relation;
    struct query query;
    TRY(want_query(c, query_deep_find(s->deep, want->key), want,
                   want->field->relation->target->name, &query));
    struct access access;
    bool is_readable = access_find(c, relation->target, ACTION_READ, &access);
    assert(is_readable);
    struct branch *branch = branch_new(s);
    struct select *child = select_new(c, source_root(c, relation->target));
    uint32_t joins = c->join_count; /* each statement counts its own joins */
    c->join_count = 0;
    branch->select = child;
    TRY(bind_branch(c, child, relation->target_field, &access, &query, below));
    limit_compile(c, &query, child);
    if (query.aggregate_count > 0 || query.group_by_count > 0)
        TRY(select_groups(s, branch, relation, &access, &query, below));
    else
        TRY(select_children(s, branch, relation, &access, &query, below));
    child->partition = &child->columns[branch->child_key];
    if (branch->child_site != NO_COLUMN)
        child->partition_site = &child->columns[branch->child_site];
    c->join_count = joins;
    branch->parent_key = add_raw(c, s->select, operand_of(s->source, s->source->collection->key));
    struct out *out = shape_add(s->c, s->shape, want->key, OUT_LIST);
    out->branch = branch;
    struct pred *mask;
    TRY(access_mask(c, s->source, s->access, want->field, &mask));
    if (mask != NULL)
        out->mask = column_add(c, s->select, (struct column){.kind = COLUMN_PRED, .mask = mask});
    return OK;
}

static Err add_any_branch(struct shaper *s, const struct want *want,
                          const struct collection *target, struct branch **end)
{
    struct compiler *c = s->c;
    const struct relation *relation = want->field->relation;
    struct access access;
    if (!access_find(c, target, ACTION_READ, &access))
        return OK;
    Str scoped = str_printf(c->ctx->arena, "%.*s:%.*s", STR_FMT(want->key), STR_FMT(target->name));
    struct place below = place_below(c, s->place, scoped);
    struct query query;
    TRY(want_query(c, query_deep_find(s->deep, scoped), want, target->name, &query));
    key_only_if_empty(&query);
    struct branch *branch = branch_new(s);
    *end = branch;
    struct select *child = select_new(c, source_root(c, target));
    uint32_t joins = c->join_count;
    c->join_count = 0;
    branch->select = child;
    branch->collection = target->name;
    TRY(bind_branch(c, child, target->key, &access, &query, below));
    child->limit = BRANCH_ROWS_MAX;
    branch->child_key = add_raw(c, child, operand_of(child->root, target->key));
    TRY(shape_compile(c, child, child->root, &access, &query, below, &child->shape));
    child->where = pred_and(c, child->where, child->shape->seen);
    c->join_count = joins;
    branch->parent_key = add_raw(c, s->select, operand_of(s->source, want->field));
    branch->collection_column =
        add_raw(c, s->select, operand_of(s->source, relation->collection_field));
    if (!key_may_repeat(c, target) || s->source->collection->site == NULL)
        return OK;
    branch->child_site = add_raw(c, child, operand_of(child->root, target->site));
    branch->parent_site = add_raw(c, s->select, operand_of(s->source, s->source->collection->site));
    return OK;
}

static Err add_any(struct shaper *s, const struct want *want)
{
    assert(want->field->relation->kind == RELATION_TO_ANY);
    const struct relation *relation = want->field->relation;
    struct branch *first = NULL;
    struct branch **end = &first;
    for (uint32_t i = 0; i < relation->allowed_count; i++) {
        TRY(add_any_branch(s, want, relation->allowed[i], end));
        while (*end != NULL)
            end = &(*end)->next_any;
    }
    struct out *out = shape_add(s->c, s->shape, want->key, OUT_ANY);
    TRY(column_add_field(s->c, s->select, s->access, operand_of(s->source, want->field),
                         &out->column));
    out->read = s->select->columns[out->column].read;
    out->branch = first;
    return OK;
}

/* A relation to an unreadable collection is left out; its plain reference is kept. */
static Err add_relation(struct shaper *s, const struct want *want)
{
    assert(want->field->relation != NULL);
    const struct relation *relation = want->field->relation;
    if (relation->kind == RELATION_TO_ANY)
        return want->first_path == NULL ? add_value(s, want) : add_any(s, want);
    struct access access;
    bool is_readable = access_find(s->c, relation->target, ACTION_READ, &access);
    if (relation->kind == RELATION_TO_MANY)
        return is_readable ? add_list(s, want) : OK;
    if (want->first_path != NULL && is_readable)
        return add_object(s, want);
    return want->is_selected && want->first_path == NULL ? add_value(s, want) : OK;
}

static Err add_want(struct shaper *s, const struct want *want)
{
    if (want->field->relation != NULL && want->function == FUNCTION_NONE)
        return add_relation(s, want);
    return add_value(s, want);
}

/* Which rules grant a member of the projection, as bits. */
struct granting {
    uint64_t rules;
    bool is_known; /* of all members */
    bool has_key;
};

static void note_granting(const struct shaper *s, const struct want *want, struct granting *ret)
{
    uint64_t rules = 0;
    ret->is_known = ret->is_known && access_rules(s->access, want->field, &rules);
    ret->rules |= rules;
    ret->has_key |= want->field == s->source->collection->key;
}

/* As in Directus: a row on which nothing that is asked for may be seen is left out, and a joined
 * row whose key is asked for and may not be seen, too. */
static Err seen_of(struct shaper *s, const struct granting *granting, struct pred **ret)
{
    const struct field *key = s->source->collection->key;
    *ret = NULL;
    if (s->access->is_full || s->access->grant->is_unconditional)
        return OK;
    bool is_joined = s->source != s->select->root;
    bool needs_key = is_joined && (granting->has_key || s->shape->is_key_only);
    if (needs_key && access_field(s->access, key))
        return access_mask(s->c, s->source, s->access, key, ret);
    if (s->shape->is_key_only || !granting->is_known)
        return OK;
    return access_rows_any(s->c, s->source, s->access, granting->rules, ret);
}

/* The masks name every rule: a row that one of the rules grants shows some of the fields. */
static void tell_granting(struct shaper *s)
{
    uint64_t all;
    uint64_t named = 0;
    if (s->mask_count == 0 || !access_rules(s->access, NULL, &all))
        return;
    for (uint32_t i = 0; i < s->mask_count; i++)
        named |= s->masks[i].rules;
    if (named != all)
        return;
    s->shape->granting = arena_array(s->c->arena, uint32_t, s->mask_count);
    s->shape->granting_count = s->mask_count;
    for (uint32_t i = 0; i < s->mask_count; i++)
        s->shape->granting[i] = s->masks[i].column;
}

Err shape_compile(struct compiler *c, struct select *select, struct source *source,
                  const struct access *access, const struct query *query, struct place place,
                  struct shape **ret)
{
    assert(source->collection->key != NULL);
    struct shape *shape = arena_new(c->arena, struct shape);
    *ret = shape;
    struct operand key = operand_of(source, source->collection->key);
    bool as_text;
    shape->read_key = reader_of(&key, &as_text);
    bool wants_key_only =
        !access_has_fields(access) || (query->field_count == 1 && query->fields[0].len == 0);
    struct wants wants = {0};
    if (!wants_key_only)
        TRY(wants_collect(c, source->collection, access, query, place, &wants));
    shape->outs = arena_array(c->arena, struct out, wants.count + 1);
    struct shaper s = {.c = c,
                       .select = select,
                       .source = source,
                       .access = access,
                       .deep = query->deep,
                       .place = place,
                       .shape = shape};
    bool has_real = false;
    struct granting granting = {.is_known = true};
    const struct want **ordered = wants_in_order(c, &wants);
    for (uint32_t i = 0; i < wants.count; i++) {
        uint32_t before = shape->count;
        TRY(add_want(&s, ordered[i]));
        has_real |= shape->count > before && !ordered[i]->is_alias_name;
        if (shape->count > before)
            note_granting(&s, ordered[i], &granting);
    }
    shape->is_key_only = !has_real; /* as in Directus: no readable member is left */
    TRY(seen_of(&s, &granting, &shape->seen));
    tell_granting(&s);
    if (has_real)
        return OK;
    shape->granting_count = 0;
    shape->count = 0;
    return column_add_field(c, select, NULL, key, &shape->key);
}
