/*
 * The value of one parameter, and what several parameters read in the same way.
 */
#pragma once

#include "content/query/query.h"

struct query_input {
    const char *name; /* for error messages */
    const struct filter_value *value;
    enum query_blanks { BLANKS_LEFT_OUT, BLANKS_REFUSED, BLANKS_KEPT } blanks; /* empty names */
};

struct query_list {
    Str *items;
    uint32_t count;
    uint32_t capacity;
};

Err query_list_push(struct ctx *ctx, struct query_list *list, const char *name, Str item);
/* A CSV text, or a list of texts, each of which may be CSV. */
Err query_take_list(struct ctx *ctx, struct query_input input, struct query_list *ret);
/* The same for dotted paths, which have at most QUERY_DEPTH_MAX names. */
Err query_take_paths(struct ctx *ctx, struct query_input input, struct query_list *ret);
Err query_take_integer(struct ctx *ctx, struct query_input input, int64_t min, int64_t max,
                       int64_t *ret);
