/*
 * aggregate and groupBy.
 */
#include "base/memory/array.h"
#include "content/plan/compile.h"
#include "content/query/query.h"

#include <assert.h>

static const struct {
    Str name;
    const char *sql;
    bool is_distinct;
} AGGREGATES[] = {
    {STR_INIT("count"), "count", false},    {STR_INIT("countDistinct"), "count", true},
    {STR_INIT("countAll"), "count", false}, {STR_INIT("sum"), "sum", false},
    {STR_INIT("sumDistinct"), "sum", true}, {STR_INIT("avg"), "avg", false},
    {STR_INIT("avgDistinct"), "avg", true}, {STR_INIT("min"), "min", false},
    {STR_INIT("max"), "max", false},
};

struct aggregator {
    struct compiler *c;
    struct select *select;
    const struct access *access;
    struct place place;
    struct shape *shape;
};

static void add_value(struct aggregator *a, struct shape *shape, Str name, uint32_t column)
{
    assert(column < a->select->column_count);
    struct out *out = shape_add(a->c, shape, name, OUT_VALUE);
    out->column = column;
    out->read = a->select->columns[column].read;
}

/* `is_answered`: the group's value is a member of the answer. */
static Err add_group(struct aggregator *a, Str path, bool is_answered)
{
    struct compiler *c = a->c;
    Str rest = path;
    Str head;
    path_next(&rest, &head);
    if (rest.len > 0)
        return forbid_field(c, a->select->root->collection, path, a->place);
    struct operand operand;
    TRY(path_operand(c, a->select->root, path, false, a->place, &operand));
    if (operand.field->type_oid == OID_JSON && operand.function == FUNCTION_NONE)
        return fail(c->ctx, ERR_INVALID_QUERY, "\"%.*s\" can't be sorted or grouped by",
                    STR_FMT(operand.field->name));
    struct column column = {.kind = COLUMN_OPERAND, .operand = operand};
    column.read = reader_of(&operand, &column.as_text);
    /* Rows on which the field may not be seen belong to no group. */
    struct pred *mask;
    TRY(access_mask(c, operand.source, a->access, operand.field, &mask));
    a->select->where = pred_and(c, a->select->where, mask);
    uint32_t index = column_add(c, a->select, column);
    if (index >= a->select->group_count)
        a->select->group_count = index + 1;
    Str name = operand.function == FUNCTION_NONE
                   ? operand.field->name
                   : str_printf(c->arena, "%.*s_%s", STR_FMT(operand.field->name),
                                function_name(operand.function));
    if (is_answered)
        add_value(a, a->shape, name, index);
    return OK;
}

static bool takes(const char *function, bool is_distinct, const struct field *field)
{
    if (strcmp(function, "count") == 0)
        return !is_distinct || field->type_oid != OID_JSON; /* which has no equality */
    bool is_number = field->type == FIELD_INTEGER || field->type == FIELD_BIG_INTEGER ||
                     field->type == FIELD_FLOAT || field->type == FIELD_DECIMAL;
    if (strcmp(function, "sum") == 0 || strcmp(function, "avg") == 0)
        return is_number;
    return is_number || field->type == FIELD_STRING || field->type == FIELD_TEXT ||
           field->type == FIELD_CSV || field->type == FIELD_DATE ||
           field->type == FIELD_DATE_TIME || field->type == FIELD_TIME ||
           field->type == FIELD_TIMESTAMP;
}

static Err make_column(struct aggregator *a, size_t which, Str name, struct column *ret)
{
    assert(which < COUNT_OF(AGGREGATES));
    struct compiler *c = a->c;
    struct column column = {.kind = COLUMN_AGGREGATE, .aggregate = AGGREGATES[which].sql};
    column.is_distinct = AGGREGATES[which].is_distinct;
    bool is_rows = str_eq(name, STR("*")) && strcmp(column.aggregate, "count") == 0;
    if (!is_rows) {
        const struct collection *collection = a->select->root->collection;
        const struct field *field = collection_field(collection, name);
        bool is_secret = field != NULL && (field->special & SPECIAL_SECRET) != 0;
        if (field == NULL || field->is_alias || !access_field(a->access, field) || is_secret)
            return never_ok(forbid_field(c, collection, name, a->place));
        if (!takes(column.aggregate, column.is_distinct, field))
            return fail(c->ctx, ERR_INVALID_QUERY, "\"%.*s\" can't be aggregated with \"%.*s\"",
                        STR_FMT(name), STR_FMT(AGGREGATES[which].name));
        column.operand = operand_of(a->select->root, field);
        TRY(access_mask(c, a->select->root, a->access, field, &column.mask));
    }
    column.read = reader_of_aggregate(&column, &column.as_text);
    *ret = column;
    return OK;
}

/* {"sum": {"n": …, "m": …}}: one object for all fields of a function. */
static struct shape *function_shape(struct aggregator *a, Str function, uint32_t room)
{
    assert(room > 0);
    for (uint32_t i = 0; i < a->shape->count; i++) {
        struct out *out = &a->shape->outs[i];
        if (out->kind == OUT_GROUP && str_eq(out->name, function))
            return out->shape;
    }
    struct out *out = shape_add(a->c, a->shape, function, OUT_GROUP);
    out->shape = arena_new(a->c->arena, struct shape);
    out->shape->outs = arena_array(a->c->arena, struct out, room);
    return out->shape;
}

static Err add_aggregate(struct aggregator *a, const struct query_aggregate *aggregate,
                         uint32_t room)
{
    size_t count = COUNT_OF(AGGREGATES);
    size_t which = 0;
    while (which < count && !str_eq(AGGREGATES[which].name, aggregate->function))
        which++;
    if (which == count)
        return OK; /* unknown functions are ignored, as Directus does */
    struct column column;
    TRY(make_column(a, which, aggregate->field, &column));
    uint32_t index = column_add(a->c, a->select, column);
    if (str_eq(aggregate->function, STR("countAll")))
        return OK; /* computed but not answered, as in Directus */
    if (column.operand.field == NULL)
        add_value(a, a->shape, aggregate->function, index);
    else
        add_value(a, function_shape(a, aggregate->function, room), aggregate->field, index);
    return OK;
}

/* The column for "count", "sum.n" or "count.*", or NULL. */
static struct column *sorted_column(struct aggregator *a, Str path)
{
    Str rest = path;
    Str function;
    path_next(&rest, &function);
    for (uint32_t i = 0; i < a->select->column_count; i++) {
        struct column *column = &a->select->columns[i];
        if (column->kind != COLUMN_AGGREGATE)
            continue;
        for (size_t n = 0; n < COUNT_OF(AGGREGATES); n++) {
            bool is_same = str_eq(AGGREGATES[n].name, function) &&
                           AGGREGATES[n].sql == column->aggregate &&
                           AGGREGATES[n].is_distinct == column->is_distinct;
            bool is_rows = rest.len == 0 || str_eq(rest, STR("*"));
            const struct field *field = column->operand.field;
            if (is_same && (field == NULL ? is_rows : rest.len == 0 || str_eq(rest, field->name)))
                return column;
        }
    }
    return NULL;
}

static Err add_order(struct aggregator *a, const struct query_sort *sort)
{
    struct order *order = &a->select->orders[a->select->order_count];
    *order = (struct order){.descending = sort->descending};
    order->column = sorted_column(a, sort->path);
    if (order->column == NULL) {
        struct operand operand;
        TRY(path_operand(a->c, a->select->root, sort->path, false, a->place, &operand));
        for (uint32_t i = 0; i < a->select->group_count; i++) {
            struct column *group = &a->select->columns[i];
            if (group->operand.field == operand.field &&
                group->operand.function == operand.function)
                order->column = group;
        }
    }
    if (order->column == NULL)
        return fail(a->c->ctx, ERR_INVALID_QUERY, "\"%.*s\" is neither grouped by nor aggregated",
                    STR_FMT(sort->path));
    a->select->order_count++;
    return OK;
}

static bool is_selected(const struct query *query, Str path)
{
    for (uint32_t i = 0; i < query->field_count; i++)
        if (str_eq(query->fields[i], STR("*")) || str_eq(query->fields[i], path))
            return true;
    return false;
}

struct names {
    Str *list;
    uint32_t count;
};

static void add_unreadable(struct names *names, const struct collection *collection,
                           const struct access *access, Str name)
{
    const struct field *field = collection_field(collection, name);
    if (field != NULL && access_field(access, field))
        return;
    for (uint32_t i = 0; i < names->count; i++)
        if (str_eq(names->list[i], name))
            return;
    names->list[names->count++] = name;
}

Err aggregate_check(struct compiler *c, const struct collection *collection,
                    const struct access *access, const struct query *query)
{
    if (access->is_full)
        return OK; /* administrators are told of unknown names one by one, as in Directus */
    uint32_t room = query->group_by_count + query->aggregate_count + 1;
    struct names names = {.list = arena_array(c->arena, Str, room)};
    for (uint32_t i = 0; i < query->group_by_count; i++) {
        Str name = query->group_by[i];
        (void)function_split(query->group_by[i], &name);
        if (str_find_char(name, '.') >= 0 || str_find_char(name, ',') >= 0)
            continue; /* a path: refused as such */
        add_unreadable(&names, collection, access, name);
    }
    for (uint32_t i = 0; i < query->aggregate_count; i++)
        if (!str_eq(query->aggregates[i].field, STR("*")))
            add_unreadable(&names, collection, access, query->aggregates[i].field);
    assert(names.count < room);
    if (names.count == 0)
        return OK;
    return forbid_unknown_first(c, collection, names.list, names.count, (struct place){0});
}

Err aggregate_compile(struct compiler *c, struct select *select, const struct access *access,
                      const struct query *query, bool is_below, struct place place)
{
    assert(select->shape == NULL);
    struct aggregator a = {.c = c, .select = select, .access = access, .place = place};
    uint32_t room = query->group_by_count + query->aggregate_count + 1;
    a.shape = select->shape = arena_new(c->arena, struct shape);
    a.shape->outs = arena_array(c->arena, struct out, room);
    for (uint32_t i = 0; i < query->group_by_count; i++)
        TRY(add_group(&a, query->group_by[i], !is_below || is_selected(query, query->group_by[i])));
    for (uint32_t i = 0; i < query->aggregate_count; i++)
        TRY(add_aggregate(&a, &query->aggregates[i], room));
    assert(a.shape->count < room);
    select->orders = arena_array(c->arena, struct order, query->sort_count + 1);
    if (select->group_count == 0)
        return OK; /* one row: nothing to sort, whatever is named */
    for (uint32_t i = 0; i < query->sort_count; i++)
        TRY(add_order(&a, &query->sort[i]));
    if (query->sort_count == 0)
        select->orders[select->order_count++] = (struct order){.column = &select->columns[0]};
    return OK;
}
