/*
 * Query strings as the qs library reads them: a[b][c]=1, a[]=1, a=1&a=2. A parsed string is a tree
 * whose inner nodes can be turned into values.
 */
#pragma once

#include "base/system/ctx.h"
#include "content/filter/filter.h"

enum {
    QS_PARAMETERS_MAX = 1000,
    QS_DEPTH_MAX = 10,  /* brackets in one name; deeper ones are part of the last name */
    QS_INDEX_MAX = 500, /* larger numbers are names of an object */
};

struct qs_node {
    Str name;
    Str value; /* of a leaf */
    bool is_leaf;
    uint32_t index; /* among its siblings that have no name of their own */
    struct qs_node *first;
    struct qs_node *last;
    struct qs_node *next;
};

/* The children of *ret_root are the parameters, in the order of their first mention.
 * ERR_INVALID_QUERY for too many of them and for NUL. */
Err qs_parse(struct ctx *ctx, Str text, struct qs_node **ret_root);

/* A node as a value: a text, a list when all names of its children are indices, else an object.
 * ERR_INVALID_QUERY when two of them have one name. */
Err qs_value(struct ctx *ctx, const struct qs_node *node, const struct filter_value **ret);
