/*
 * Building grants from the rows of directus_permissions. Private to access/.
 */
#pragma once

#include "access/grants/grants.h"
#include "base/memory/arena.h"

struct permission {
    int64_t id;
    Uuid policy;
    Str collection;
    Str action;
    const struct json *filter; /* lives in the arena of the grants */
    const struct json *validation;
    const struct json *presets;
    Str fields; /* comma-separated; "*" is all, empty or null none */
};

struct grants *grants_new(struct arena *arena);
void grants_add(struct grants *grants, struct arena *arena, const struct permission *permission);
