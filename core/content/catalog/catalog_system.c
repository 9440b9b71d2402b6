#include "content/catalog/catalog_system.h"

#include <assert.h>

const struct system_collection_meta *system_collection_find(Str collection)
{
    for (uint32_t i = 0; i < SYSTEM_COLLECTION_META_COUNT; i++)
        if (str_eq(SYSTEM_COLLECTION_METAS[i].collection, collection))
            return &SYSTEM_COLLECTION_METAS[i];
    return NULL;
}

static int compare(const struct system_field_meta *meta, Str collection, Str field)
{
    int order = str_cmp(meta->collection, collection);
    return order != 0 ? order : str_cmp(meta->field, field);
}

const struct system_field_meta *system_field_find(Str collection, Str field)
{
    uint32_t low = 0;
    uint32_t high = SYSTEM_FIELD_META_COUNT;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        assert(middle < SYSTEM_FIELD_META_COUNT);
        int order = compare(&SYSTEM_FIELD_METAS[middle], collection, field);
        if (order == 0)
            return &SYSTEM_FIELD_METAS[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct system_relation_meta *system_relation_next(Str collection, Str field, uint32_t *cursor)
{
    assert(cursor != NULL);
    while (*cursor < SYSTEM_RELATION_META_COUNT) {
        const struct system_relation_meta *meta = &SYSTEM_RELATION_METAS[(*cursor)++];
        if (str_eq(meta->collection, collection) && str_eq(meta->field, field))
            return meta;
    }
    return NULL;
}
