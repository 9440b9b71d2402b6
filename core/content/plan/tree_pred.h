/*
 * Sources and conditions of the query tree: tables and how they are joined, their fields, and the
 * values that they are compared with.
 */
#pragma once

#include "content/filter/filter.h"
#include "content/query/query.h"
#include "content/schema/schema.h"

/* How a source is joined to its parent. */
enum source_kind {
    SOURCE_ROOT,
    SOURCE_JOIN,   /* left join, to one; below SOURCE_FIRST also to many */
    SOURCE_SCALAR, /* each use of a column is a subquery: for conditions that may not join */
    SOURCE_FIRST,  /* the first of many rows, as a subquery: for sorting by a to-many field */
};

struct source {
    uint32_t id; /* printed as t<id> */
    enum source_kind kind;
    const struct collection *collection;
    struct source *parent;
    const struct relation *via;
    struct pred *on; /* conditions in addition to the equality of keys: site, grants, deep filter */
    bool is_private; /* has a deep filter, so it is not shared */
    uint64_t
        proven; /* read rules of which at least one matches every remaining row, as bits; 0: any */
    bool is_last; /* SOURCE_FIRST: the first in descending order */
    struct source *first_join;
    struct source *next;
};

struct operand {
    struct source *source;
    const struct field *field;
    enum function function;
    Str argument;           /* FUNCTION_JSON: the path as a PostgreSQL text array */
    struct source *counted; /* FUNCTION_COUNT of a to-many alias */
};

enum param_kind {
    PARAM_TEXT, /* constant */
    PARAM_LIST, /* an array literal of `items` */
    PARAM_SITE,
    PARAM_KEY,    /* bound at each execution */
    PARAM_KEYS,   /* an array, bound at each execution */
    PARAM_NOW,    /* time of the execution plus shift_ms */
    PARAM_NOW_MS, /* the same, as milliseconds since 1970 */
    PARAM_USER,
    PARAM_ROLE,
    PARAM_ROLES,    /* array literal */
    PARAM_POLICIES, /* array literal */
    PARAM_ARGUMENT, /* argument number `index` of a write */
};

struct param {
    enum param_kind kind;
    uint32_t index;
    uint32_t shared; /* PARAM_TEXT: 1 + index among the query's literals; 0: none */
    Str text;
    int64_t shift_ms;
    struct param **items;
    uint32_t item_count;
};

/* The operand that a lifted literal is compared with. */
struct shared_value {
    const struct operand *operand;
    const char *cast;
};

/* Maps lifted literals to parameters while the plan is compiled. */
struct sharing {
    const struct query_fingerprint *of;
    struct shared_value values[FINGERPRINT_LITERALS_MAX];
    bool is_met[FINGERPRINT_LITERALS_MAX];
    bool is_impossible;
};

/* The right side of a comparison: a parameter or a subquery over the current user's row. */
struct value {
    struct param *param;
    const char *cast;          /* NULL or a type name */
    struct operand user_field; /* used when param is NULL */
    struct source *user_root;
};

enum pred_kind {
    PRED_AND,
    PRED_OR,
    PRED_NOT,
    PRED_TRUE,
    PRED_FALSE,
    PRED_COMPARE, /* operand operation value */
    PRED_LIKE,    /* operand [not] like value, either side lowered if is_folded */
    PRED_ANY,     /* operand = any (value), <> all when is_negated */
    PRED_KEYS,    /* operand is one of PARAM_KEYS */
    PRED_BETWEEN, /* two values */
    PRED_NULL,
    PRED_EMPTY, /* null or '' */
    PRED_EXISTS,
    PRED_LIBRARY, /* operand is the library site */
    PRED_SITE,    /* operand is the scope's site */
    PRED_SITE_OR_LIBRARY,
    PRED_CHILD_OF, /* in an EXISTS: child's operand equals the parent's */
    /* In PLATFORM scope, for collections whose keys are unique per site: */
    PRED_SAME_SITE, /* operand, the site of the referenced row, equals `parent`, the referring row's
                       site, or the library */
    PRED_ONE_SITE,  /* operand is the only site with the row's key; otherwise is_refused raises an
                       error */
    PRED_OF_PARENT, /* in the rows of each parent: operand is the parent's key */
    PRED_SHARED,    /* `first`, which stands in other places as well: it is no member of a list */
};

struct pred {
    enum pred_kind kind;
    struct pred *next; /* sibling under AND, OR, NOT */
    struct pred *first;
    struct pred *last;
    struct operand operand;
    struct operand parent; /* PRED_CHILD_OF, PRED_SAME_SITE */
    const char *operation; /* "=", "<" … */
    struct value *value;
    struct value *value_to;
    struct source *source; /* PRED_EXISTS: its root; `first` is the condition */
    bool is_negated;
    bool is_folded;
    bool is_refused; /* PRED_ONE_SITE */
};

/* plan_operator.c: whether a condition on the rows of a to-many relation also holds for a row that
 * has none of them. NULL: no condition. */
bool pred_holds_on_nothing(const struct pred *pred);
