#include "content/items/items_rules.h"

#include <assert.h>

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
