/*
 * Comparing two values by the type of a field, as PostgreSQL does, and LIKE.
 */
#pragma once

#include "content/filter/filter.h"

bool filter_equal(enum field_type type, Str a, Str b);
/* -1, 0, 1. Texts compare as numbers or moments if both parse as such, else by their bytes. */
int filter_order(enum field_type type, Str a, Str b);

/* `detail`: the pattern of operators.def. `is_plain`: % and _ are literal characters. */
bool filter_like(struct arena *arena, const char *detail, bool is_plain, Str text, Str part);

/* A function of a value's text; a text that is not a moment is returned unchanged. */
Str filter_part(struct arena *arena, enum function function, enum field_type type, Str text);
