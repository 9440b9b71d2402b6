/*
 * What higher layers demand of rows: guards check single values, rules belong to a whole
 * collection.
 */
#include "base/memory/array.h"
#include "base/system/ctx.h"
#include "content/filter/filter_eval.h"
#include "content/items/items_rules.h"

#include <assert.h>

static const struct items_guard OWN[] = {
    {STR_INIT("directus_fields"), STR_INIT("validation"), rule_text_check},
    {STR_INIT("directus_permissions"), STR_INIT("validation"), rule_text_check},
};

static const struct items_guard *guards;
static uint32_t guard_count;

void items_set_guards(const struct items_guard *new_guards, uint32_t count)
{
    assert(count == 0 || new_guards != NULL);
    guards = new_guards;
    guard_count = count;
}

static const struct items_guard *find_in(const struct items_guard *list, uint32_t count,
                                         Str collection, Str field)
{
    for (uint32_t i = 0; i < count; i++)
        if (str_eq(list[i].field, field) && str_eq(list[i].collection, collection))
            return &list[i];
    return NULL;
}

const struct items_guard *items_guard_find(Str collection, Str field)
{
    const struct items_guard *guard = find_in(guards, guard_count, collection, field);
    return guard != NULL ? guard : find_in(OWN, COUNT_OF(OWN), collection, field);
}

fiber_fn Err items_guard_check(struct ctx *ctx, const struct field *field, Str text)
{
    assert(field->collection != NULL);
    const struct items_guard *guard = items_guard_find(field->collection->name, field->name);
    if (text.data == NULL || guard == NULL)
        return OK;
    Err err = guard->judge(ctx, text);
    if (err != OK)
        fail_note(ctx, "field", field->name);
    return err;
}

static const struct collection_rules *rules;
static uint32_t rules_count;

void items_set_rules(const struct collection_rules *list, uint32_t count)
{
    assert(list != NULL || count == 0);
    rules = list;
    rules_count = count;
}

/* Only system collections have rules, so that other writes pay nothing for them. */
const struct collection_rules *items_rules_find(const struct collection *collection)
{
    if (!collection->is_system)
        return NULL;
    for (uint32_t i = 0; i < rules_count; i++) {
        if (str_eq(rules[i].collection, collection->name))
            return &rules[i];
    }
    return NULL;
}
