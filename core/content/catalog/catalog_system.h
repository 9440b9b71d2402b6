/*
 * What the API says of Directus' own collections without rows in the Directus tables. Private to
 * catalog.
 */
#pragma once

#include "gen/system_meta.h"

/* NULL: none. */
const struct system_collection_meta *system_collection_find(Str collection);
const struct system_field_meta *system_field_find(Str collection, Str field);
/* The first relation of the field that begins at *cursor or behind it; NULL: no more. */
const struct system_relation_meta *system_relation_next(Str collection, Str field,
                                                        uint32_t *cursor);
