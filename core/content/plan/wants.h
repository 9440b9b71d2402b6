/*
 * The members that a list of dotted paths selects from one collection: in order, each once, with
 * the paths below it. The first half of compiling fields; plan_shape.c is the second.
 */
#pragma once

#include "content/plan/compile.h"

struct want_path {
    struct want_path *next;
    Str path;
    Str collection; /* "item:headings.title": headings; empty: all */
};

struct want {
    struct want *next;
    Str key; /* name in the answer */
    const struct field *field;
    enum function function;
    Str argument;     /* FUNCTION_JSON: the path inside */
    bool is_selected; /* selected itself, not only for the paths below it */
    bool is_alias_name;
    uint32_t nested_at; /* its place among the members that are rows of other collections; 0: it is
                           a value of the row itself */
    struct want_path *first_path;
    struct want_path *last_path;
};

struct wants {
    struct want *first;
    struct want *last;
    uint32_t count;
    uint32_t nested_count;
};

/* The members in the order of the answer: the row's own values, then rows of other collections,
 * then values under another name, each in the order in which the query names them first. */
const struct want **wants_in_order(struct compiler *c, const struct wants *wants);

/* The fields of `query`, or all. ERR_FORBIDDEN lists every field that does not exist or may not be
 * read. */
Err wants_collect(struct compiler *c, const struct collection *collection,
                  const struct access *access, const struct query *query, struct place place,
                  struct wants *ret);
/* Also those that are named and may not be read; `ret_missing`: what does not exist. */
Err wants_find(struct compiler *c, const struct collection *collection, const struct access *access,
               const struct query *query, struct place place, struct wants *ret,
               const Str **ret_missing, uint32_t *ret_count);
/* The query for the rows below `want`, with what deep[x] says of them. `target`: their collection,
 * of which a to-any relation has several. */
Err want_query(struct compiler *c, const struct query_deep *deep, const struct want *want,
               Str target, struct query *ret);
