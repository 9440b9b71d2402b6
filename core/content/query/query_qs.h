/*
 * Query strings as the qs library reads them: a[b][c]=1, a[]=1, a=1&a=2. A parsed string is a tree
 * whose inner nodes can be turned into values.
 */
#pragma once

#include "base/system/ctx.h"
#include "content/filter/filter.h"

enum {
    QS_PARAMETERS_MAX = 1000,
    QS_DEPTH_MAX = 10,  /* brackets in one name; deeper ones become part of the last name */
    QS_INDEX_MAX = 500, /* larger numbers become names of an object */
};

struct qs_node {
    Str name;
    Str value; /* of a leaf */
    bool is_leaf;
    uint32_t index; /* among the siblings without a name */
    struct qs_node *first;
    struct qs_node *last;
    struct qs_node *next;
};

/* The children of *ret_root are the parameters, in order of first appearance. ERR_INVALID_QUERY for
 * too many parameters and for NUL. */
Err qs_parse(struct ctx *ctx, Str text, struct qs_node **ret_root);

/* Converts a node to a value: a text, a list if all names of its children are indices, else an
 * object. ERR_INVALID_QUERY when two children have the same name. */
Err qs_value(struct ctx *ctx, const struct qs_node *node, const struct filter_value **ret);
