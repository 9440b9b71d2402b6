/*
 * Filters: conditions on rows as data. A filter is read once from its source (JSON, a query string,
 * code) into a tree; SQL (content/plan) and filter_eval are both derived from that tree and from
 * the rows of operators.def.
 *
 * The tree is not checked against a schema: whether "_x" is an operator or a field of that name,
 * and whether the member below a name is a value or a relation, is decided by the caller, which
 * knows the fields. Texts are views into the source, which must live as long as the tree.
 *
 *   {"title": {"_contains": "x"}, "_or": [{"n": 1}, {"author": {"name": {"_eq": "Ann"}}}]}
 *
 *   members ── FIELD title ── members ── OPERATOR _contains ── text "x"
 *         └─── OR ── list ── members ── FIELD n ── number 1
 *                      └──── members ── FIELD author ── members ── FIELD name ── …
 */
#pragma once

#include "base/json/json.h"
#include "base/json/json_writer.h"
#include "base/memory/arena.h"
#include "content/filter/field_type.h"
#include "io/fiber/fiber.h"

enum {
    FILTER_VALUES_MAX = 200000, /* of one tree, all levels */
    FILTER_FIELDS_DEPTH = 10,   /* names of fields below each other, in filters of queries */
    FILTER_GEOMETRY_DEPTH = 10,
};

/*
 * Functions of fields: "year(date)".
 */
enum function {
    FUNCTION_NONE,
    FUNCTION_YEAR,
    FUNCTION_MONTH,
    FUNCTION_WEEK,
    FUNCTION_DAY,
    FUNCTION_WEEKDAY,
    FUNCTION_HOUR,
    FUNCTION_MINUTE,
    FUNCTION_SECOND,
    FUNCTION_COUNT,
    FUNCTION_JSON,
    FUNCTION_UNKNOWN,
};
/* "year(date)" → FUNCTION_YEAR and "date"; FUNCTION_NONE when it is not a call. */
enum function function_split(Str text, Str *ret_argument);
const char *function_name(enum function function);

/*
 * The variables of filters, presets and validation rules.
 */
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
/* "$NOW(-1 year)" → milliseconds; 0 for invalid text, as in Directus. */
int64_t dynamic_shift_ms(Str text);

/*
 * Operators: the rows of operators.def, which explains the columns.
 */
enum filter_meaning {
    MEANS_COMPARE,
    MEANS_LIKE,
    MEANS_ANY,
    MEANS_BETWEEN,
    MEANS_NULL,
    MEANS_EMPTY,
    MEANS_REGEX,
    MEANS_SUBMITTED,
};
enum filter_rule_difference {
    RULE_SAME = 0,
    RULE_NULL = 1,
    RULE_PLAIN = 2,
    RULE_VALUE = 4,
    RULE_LISTED = 8
};

struct filter_operator {
    Str name;
    const char *fault;
    enum filter_meaning meaning;
    bool is_negated;
    bool is_folded;
    unsigned groups; /* enum field_group */
    const char *detail;
    unsigned differs; /* enum filter_rule_difference */
    const char *sentence;
    const char *note;
};

enum filter_operator_id {
#define OPERATOR(id, ...) OPERATOR_##id,
#include "content/filter/operators.def"
#undef OPERATOR
    OPERATOR_COUNT
};
const struct filter_operator *filter_operator(enum filter_operator_id id);
const struct filter_operator *filter_operator_find(Str name); /* NULL: there is none */
/* ERR_INVALID_QUERY unless SQL supports `op` (NULL: `name` is not an operator) on a field of this
 * type. */
Err filter_operator_check(struct ctx *ctx, const struct filter_operator *op, Str name,
                          enum field_type type, enum field_group group, enum function function);

/*
 * The tree.
 */
struct filter;

enum filter_value_kind {
    FILTER_NULL,
    FILTER_BOOL,
    FILTER_NUMBER,
    FILTER_TEXT,
    FILTER_LIST,
    FILTER_MEMBERS,
};

struct filter_value {
    enum filter_value_kind kind;
    enum dynamic_kind dynamic; /* FILTER_TEXT: a variable, or DYNAMIC_NONE */
    Str text;                  /* FILTER_TEXT: the text; NULL, BOOL and NUMBER: the JSON spelling */
    uint32_t count;            /* of items or members */
    const struct filter_value *items;
    const struct filter *first;
};

enum filter_kind {
    FILTER_AND,
    FILTER_OR,
    /* Names that begin with "_": a field, if there is one of that name. */
    FILTER_OPERATOR,
    FILTER_SOME,
    FILTER_NONE,
    FILTER_FIELD,
};

/* One member of an object. */
struct filter {
    enum filter_kind kind;
    enum function function; /* name is function(field) */
    Str name;
    Str field;                        /* name, without the function */
    const struct filter_operator *op; /* OPERATOR: NULL if the operator is unknown */
    const struct filter_value *value;
    const struct filter *next;
};

/* `arena`: owns the tree. ERR_INVALID_QUERY beyond FILTER_VALUES_MAX. NULL reads as null. */
Err filter_read(struct ctx *ctx, struct arena *arena, const struct json *json,
                const struct filter_value **ret);

/* ERR_INVALID_QUERY for what no filter of a query may hold, independent of the fields. Rules of
 * policies are not checked. */
Err filter_check(struct ctx *ctx, const struct filter_value *filter);

/* Constructors. */
struct filter_value filter_text(Str text);    /* which may be a variable */
struct filter_value filter_literal(Str text); /* never a variable */
struct filter *filter_member(struct arena *arena, Str name, const struct filter_value *value);
/* An object of one member. */
const struct filter_value *filter_object(struct arena *arena, const struct filter *member);
/* {field: {op: value}} */
const struct filter_value *filter_condition(struct arena *arena, Str field,
                                            enum filter_operator_id op, struct filter_value value);

const struct filter *filter_find(const struct filter_value *object, Str name); /* or NULL */
bool filter_is_scalar(const struct filter_value *value);
/* null, and the texts that Directus treats as null. */
bool filter_means_null(const struct filter_value *value);
/* The argument of _null and _empty: true, "true", "" and null mean yes, false means no; the
 * function returns false for anything else. */
bool filter_flag(const struct filter_value *value, bool *ret);
void filter_write(struct json_writer *w, const struct filter_value *value);
Str filter_json(struct arena *arena, const struct filter_value *value);

/* The elements of a list, or the values of an object's members, in order. */
struct filter_elements {
    const struct filter_value *list;
    const struct filter *member;
    uint32_t next;
};
struct filter_elements filter_elements(const struct filter_value *list);
const struct filter_value *filter_next(struct filter_elements *elements); /* NULL: no more */
