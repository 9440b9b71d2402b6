/*
 * Order, limits and search.
 */
#include "base/memory/array.h"
#include "content/plan/compile.h"
#include "content/schema/schema.h"

#include <assert.h>
#include <math.h>

static struct column *push_order(struct compiler *c, struct select *select, struct operand operand,
                                 bool descending)
{
    struct column *column = arena_new(c->arena, struct column);
    *column = (struct column){.kind = COLUMN_OPERAND, .operand = operand};
    select->orders[select->order_count++] =
        (struct order){.column = column, .descending = descending};
    return column;
}

/* On rows where the field may not be seen, it does not affect the order. */
static Err add_order(struct compiler *c, struct select *select, struct operand operand,
                     bool descending)
{
    assert(operand.field != NULL && select->orders != NULL);
    if (operand.field->type_oid == OID_JSON && operand.function == FUNCTION_NONE)
        return fail(c->ctx, ERR_INVALID_QUERY, "\"%.*s\" can't be sorted or grouped by",
                    STR_FMT(operand.field->name));
    struct source *first = source_first(operand.source);
    if (first != NULL)
        first->is_last = descending;
    struct access access;
    struct column *column = push_order(c, select, operand, descending);
    if (access_find(c, operand.source->collection, ACTION_READ, &access))
        TRY(access_mask(c, operand.source, &access, operand.field, &column->mask));
    return OK;
}

/* sort_field if it is readable, else the key, else any readable field. */
static const struct field *default_order(const struct collection *collection,
                                         const struct access *access,
                                         const struct field *default_sort)
{
    assert(collection->key != NULL);
    const struct field *choices[] = {default_sort, collection->sort_field, collection->key};
    for (size_t i = 0; i < COUNT_OF(choices); i++) {
        if (choices[i] != NULL && !choices[i]->is_alias && choices[i]->type_oid != OID_JSON &&
            access_field(access, choices[i]))
            return choices[i];
    }
    for (uint32_t i = 0; i < collection->field_count; i++) {
        const struct field *field = collection->fields[i];
        if (!field->is_alias && access_field(access, field) && field->type != FIELD_JSON)
            return field;
    }
    return collection->key;
}

Err order_compile(struct compiler *c, struct select *select, const struct access *access,
                  const struct query *query, const struct field *default_sort, struct place place)
{
    select->orders = arena_array(c->arena, struct order, query->sort_count + 1);
    for (uint32_t i = 0; i < query->sort_count; i++) {
        struct operand operand;
        TRY(path_operand(c, select->root, query->sort[i].path, true, place, &operand));
        TRY(add_order(c, select, operand, query->sort[i].descending));
    }
    if (query->sort_count > 0)
        return OK;
    const struct collection *collection = select->root->collection;
    const struct field *field = default_order(collection, access, default_sort);
    struct operand operand = operand_of(select->root, field);
    /* An order that the schema gives and no caller chooses is that of all rows, as in Directus. */
    if (field != default_sort && field != collection->sort_field && field != collection->key)
        return add_order(c, select, operand, false);
    (void)push_order(c, select, operand, false);
    return OK;
}

#define OFFSET_MAX                                                                                 \
    (INT64_MAX / 2) /* no table has as many rows; with a limit it is still a bigint */

void limit_compile(const struct compiler *c, const struct query *query, struct select *select)
{
    int64_t limit = query->has_limit ? query->limit : c->limit_default;
    select->offset = query->offset;
    if (limit > 0 && query->page > OFFSET_MAX / limit)
        select->offset = OFFSET_MAX;
    else if (limit >= 0 && query->page > 1)
        select->offset = limit * (query->page - 1);
    else if (query->page == 1)
        select->offset = 0;
    select->limit = limit < 0 ? c->limit_max : limit;
    if (select->limit > c->limit_max)
        select->limit = c->limit_max;
}

static struct pred *search_text(struct compiler *c, struct operand operand, Str text)
{
    assert(text.len > 0);
    struct pred *pred = pred_new(c, PRED_LIKE);
    pred->operand = operand;
    pred->is_folded = true;
    struct buf *pattern = buf_in_arena(c->arena, text.len * 2 + 8);
    buf_put_char(pattern, '%');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\\')
            buf_put_char(pattern, '\\');
        buf_put_char(pattern, text.data[i]);
    }
    buf_put_char(pattern, '%');
    pred->value = value_of_param(c, param_text(c, buf_str(pattern)));
    pred->value->cast = "text";
    return pred;
}

static struct pred *search_equal(struct compiler *c, struct operand operand, Str text,
                                 const char *cast)
{
    assert(text.len > 0);
    struct pred *pred = pred_new(c, PRED_COMPARE);
    pred->operand = operand;
    pred->operation = "=";
    pred->value = value_of_param(c, param_text(c, text));
    pred->value->cast = cast;
    return pred;
}

/* Whether JavaScript prints the number the same way; otherwise ("1e3", "007") only texts are
 * searched. */
static bool is_plain_number(Str text)
{
    double number;
    if (text.len == 0 || text.len > 15 || !str_to_double(text, &number))
        return false;
    size_t first = text.data[0] == '-' ? 1 : 0;
    bool has_point = false;
    for (size_t i = first; i < text.len; i++) {
        bool is_point = text.data[i] == '.';
        if (!is_point && (text.data[i] < '0' || text.data[i] > '9'))
            return false;
        has_point |= is_point;
    }
    bool leads_with_zero =
        text.len > first + 1 && text.data[first] == '0' && text.data[first + 1] != '.';
    return first < text.len && !leads_with_zero && text.data[first] != '.' &&
           !(has_point && (text.data[text.len - 1] == '0' || text.data[text.len - 1] == '.'));
}

/* Spelled as a bigint is printed; may be beyond what a double holds. */
static bool is_plain_integer(struct compiler *c, Str text)
{
    int64_t number;
    return str_to_i64(text, &number) && str_eq(str_printf(c->arena, "%jd", (intmax_t)number), text);
}

static struct pred *search_field(struct compiler *c, struct source *source,
                                 const struct field *field, Str text)
{
    struct operand operand = operand_of(source, field);
    Uuid uuid;
    switch (field->type) {
    case FIELD_STRING:
    case FIELD_TEXT:
        return search_text(c, operand, text);
    case FIELD_INTEGER:
    case FIELD_BIG_INTEGER:
        if (is_plain_integer(c, text))
            return search_equal(c, operand, text, "int8");
        return is_plain_number(text) ? search_equal(c, operand, text, "numeric") : NULL;
    case FIELD_FLOAT:
    case FIELD_DECIMAL:
        return is_plain_number(text) ? search_equal(c, operand, text, "numeric") : NULL;
    case FIELD_UUID:
        return field->type_oid == OID_UUID && uuid_parse(text, &uuid)
                   ? search_equal(c, operand, text, NULL)
                   : NULL;
    default:
        return NULL;
    }
}

Err search_compile(struct compiler *c, struct source *source, const struct access *access, Str text,
                   struct pred **ret)
{
    *ret = NULL;
    if (text.len == 0)
        return OK;
    struct pred *any = pred_new(c, PRED_FALSE);
    const struct collection *collection = source->collection;
    for (uint32_t i = 0; i < collection->field_count; i++) {
        const struct field *field = collection->fields[i];
        if (field->is_alias || !field->is_searchable || !access_field(access, field) ||
            (field->special & SPECIAL_SECRET) != 0)
            continue;
        struct pred *found = search_field(c, source, field, text);
        if (found == NULL)
            continue;
        struct pred *mask; /* on rows where the field may not be seen, the search ignores it */
        TRY(access_mask(c, source, access, field, &mask));
        found = pred_and(c, found, mask);
        any = any->kind == PRED_FALSE ? found : pred_or(c, any, found);
    }
    *ret = any;
    return OK;
}
