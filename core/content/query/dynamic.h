/*
 * The variables of filters, presets and validation rules.
 */
#pragma once

#include "base/text/str.h"

enum dynamic_kind {
    DYNAMIC_NONE,
    DYNAMIC_NOW,
    DYNAMIC_USER,
    DYNAMIC_USER_FIELD,
    DYNAMIC_ROLE,
    DYNAMIC_ROLE_FIELD,
    DYNAMIC_ROLES,
    DYNAMIC_POLICIES,
};
enum dynamic_kind dynamic_kind(Str text);

/* "$NOW(-1 year)" → milliseconds; 0 for what cannot be read, as Directus does. */
int64_t dynamic_shift_ms(Str text);
