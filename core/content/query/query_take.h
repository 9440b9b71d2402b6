/*
 * Taking the parameters of a query one by one, from text (query string) or JSON (SEARCH, deep).
 */
#pragma once

#include "content/query/query.h"

struct query_input {
    const char *name; /* as in error sentences */
    Str text;         /* used when json is NULL */
    const struct json *json;
};

Err query_take(struct ctx *ctx, Str name, struct query_input input, struct query *query);

/* "a,b,json(c, d)" → three; commas inside parentheses stay. Blanks around names go. */
Err query_split(struct ctx *ctx, Str csv, const Str **ret, uint32_t *ret_count);
