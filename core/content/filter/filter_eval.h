/*
 * In memory: does a row, or the payload of a write, satisfy a filter?
 *
 * FILTER_OF_ROWS answers what SQL answers, for a filter on the row's own columns that the compiler
 * lets through (tests/db/content/test_filter_agreement.c holds them together). FILTER_OF_RULES is
 * validation: fields that are absent pass, conditions on related rows are left out, and operators
 * differ where the column `rules` of operators.def says so.
 *
 * Values compare by the type of their field; what a type cannot read compares as text.
 */
#pragma once

#include "content/filter/filter.h"

enum filter_semantics { FILTER_OF_ROWS, FILTER_OF_RULES };

struct filter_datum {
    bool is_present;
    enum field_type type;
    enum field_group group;
    const struct json *value; /* NULL: null */
};

/* Whose values are asked for; the first member of whatever holds them. */
struct filter_subject {
    /* false: there is no such field. */
    bool (*find)(const struct filter_subject *subject, Str field, struct filter_datum *ret);
    /* A variable's value; STR_NONE: null. */
    fiber_fn Err (*variable)(const struct filter_subject *subject, Str text, Str *ret);
    /* Rules: a condition that does not hold, once each. NULL: nobody wants to know. */
    void (*refused)(const struct filter_subject *subject, Str field,
                    const struct filter_operator *op, const struct filter_value *value);
};
fiber_fn Err filter_eval(struct ctx *ctx, const struct filter_value *filter,
                         enum filter_semantics semantics, const struct filter_subject *subject,
                         bool *ret);

/*
 * Patterns in rules (validation of fields and permissions), looked at when the rule is written: one
 * that does not compile would refuse every write that the rule is for.
 */

/* ERR_FAILED_VALIDATION names the first _regex that does not compile. */
fiber_fn Err rule_check(struct ctx *ctx, const struct json *rule);
/* The same for the text of a rule; what is no JSON is somebody else's to refuse. */
fiber_fn Err rule_text_check(struct ctx *ctx, Str text);
/* The pattern that a _regex holds, and its flags: "/…/i" is how JavaScript writes one. */
Str rule_pattern(Str text, unsigned *ret_flags);
