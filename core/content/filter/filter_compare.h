/*
 * Comparing two values by the type of a field, as PostgreSQL would, and its LIKE.
 */
#pragma once

#include "content/filter/filter.h"

bool filter_equal(enum field_type type, Str a, Str b);
/* -1, 0, 1. Texts compare as numbers or moments where both sides are such, else by their bytes. */
int filter_order(enum field_type type, Str a, Str b);

/* `detail` of operators.def: where other text may stand. `is_plain`: % and _ stand for themselves.
 */
bool filter_like(struct arena *arena, const char *detail, bool is_plain, Str text, Str part);

/* A function of a value's text; what is no moment is returned as it is. */
Str filter_part(struct arena *arena, enum function function, enum field_type type, Str text);
