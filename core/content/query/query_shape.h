/*
 * A query string with its plain values taken out, so that queries which differ in nothing else
 * share a compiled plan: "filter[at][_lt]=2023-05-01&limit=25" and the same for another day.
 *
 * Taken out are texts that stand alone behind a simple comparison, in brackets or in JSON. Null,
 * dynamic variables, lists and whatever is written unusually stay: they may change what the query
 * means, and then it has a plan of its own.
 */
#pragma once

#include "base/memory/arena.h"
#include "base/text/str.h"

enum { SHAPE_VALUES_MAX = 16, SHAPE_VALUE_LEN_MAX = 1024 };

struct query_shape {
    Str text; /* the query string with a mark for each value */
    const Str *values;
    uint32_t count; /* 0: nothing was taken out, `text` means nothing */
};

struct query_shape query_shape(struct arena *arena, Str query_string);
