/*
 * In memory: does a row, or the payload of a write, satisfy a filter?
 *
 * FILTER_OF_ROWS answers what SQL answers, for a filter on the row's own columns that the compiler
 * accepts (tests/db/content/test_filter_agreement.c checks that they agree). FILTER_OF_RULES is
 * validation: fields that are absent pass, conditions on related rows are ignored, and operators
 * differ where the column `rules` of operators.def says so.
 *
 * Values compare by the type of their field; a value that its type cannot parse compares as text.
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

/* Supplies the values of the tested row; embed it as the first member of the caller's struct. */
struct filter_subject {
    /* false: no such field. */
    bool (*find)(const struct filter_subject *subject, Str field, struct filter_datum *ret);
    /* The value of a variable; STR_NONE: null. */
    fiber_fn Err (*variable)(const struct filter_subject *subject, Str text, Str *ret);
    /* Rules: called once for each condition that does not hold. NULL: failures are not reported. */
    void (*refused)(const struct filter_subject *subject, Str field,
                    const struct filter_operator *op, const struct filter_value *value);
};
fiber_fn Err filter_eval(struct ctx *ctx, const struct filter_value *filter,
                         enum filter_semantics semantics, const struct filter_subject *subject,
                         bool *ret);

/*
 * Patterns in rules (validation of fields and permissions) are checked when the rule is written: a
 * pattern that does not compile would make every write under the rule fail.
 */

/* ERR_FAILED_VALIDATION names the first _regex that does not compile. */
fiber_fn Err rule_check(struct ctx *ctx, const struct json *rule);
/* The same for the text of a rule. Text that is not JSON passes; other code refuses it. */
fiber_fn Err rule_text_check(struct ctx *ctx, Str text);
/* The pattern of a _regex and its flags; accepts the JavaScript form "/…/i". */
Str rule_pattern(Str text, unsigned *ret_flags);
