/*
 * A payload: what a request body becomes before it is written. Checked against the schema, the
 * grants and the rules; presets and specials filled in; every value as the text its column reads.
 */
#pragma once

#include "content/items/items.h"
#include "content/plan/compile.h"

struct cell {
    const struct field *field;
    const struct json *json; /* as given or preset; NULL: made by us */
    Str text;                /* for the column; STR_NONE: null */
    bool is_asked;           /* by the body, so that it needs a right; not a preset or a special */
};

/* A to-many or to-one value that writes rows of its own. */
struct nested {
    struct nested *next;
    const struct field *field;
    const struct json *value;
};

struct payload {
    const struct collection *collection;
    enum action action;
    struct cell *cells; /* in the order of the columns */
    uint32_t count;
    struct nested *first_nested;
    struct nested *last_nested;
    Str key; /* created rows whose key is known before; else STR_NONE */
};

/* What a write needs to know about its collection. */
struct write_target {
    struct ctx *ctx;
    const struct schema *schema;
    const struct collection *collection;
    enum action action;
    struct access access;
    const struct field *link;  /* nested: the column that points to the parent … */
    Str link_value;            /* … and its value */
    const struct field *order; /* nested: the column that orders siblings … */
    int64_t order_value;       /* … and its value where the body has none */
};

/* ERR_FORBIDDEN when this actor, in this scope, may not write here at all. */
Err write_target_open(struct ctx *ctx, const struct schema *schema,
                      const struct collection *collection, enum action action,
                      struct write_target *ret);

/* Every fault of the body is reported, not only the first. Waits for password hashes and for
 * fields of the current user in rules. */
fiber_fn Err payload_make(const struct write_target *target, const struct json *body,
                          struct payload *ret);
struct cell *payload_find(const struct payload *payload, const struct field *field);
/* Replaces or adds. */
void payload_set(struct ctx *ctx, struct payload *payload, const struct field *field, Str text);
/* As revisions keep it: {"field": value, …} without secrets. */
Str payload_json(struct ctx *ctx, const struct payload *payload);

/* payload_cell.c: a JSON value as the text of its column; faults are added to the diag. */
fiber_fn Err cell_text(const struct write_target *target, const struct field *field,
                       const struct json *json, Str *ret);

/* validate.c: filters as conditions on a payload; faults are added to the diag. */
fiber_fn Err validate_rule(const struct write_target *target, const struct payload *payload,
                           const struct filter_value *rule);
/* Adds what a rule's condition refuses: `value` is shown, and may be NULL where `op` shows none. */
Err validation_failed(struct ctx *ctx, Str field, const struct filter_operator *op,
                      const struct filter_value *value);

/* Dynamic variables outside SQL: "$CURRENT_USER" → its text; STR_NONE is null. */
fiber_fn Err dynamic_text(struct ctx *ctx, const struct schema *schema, Str text, bool *ret_is,
                          Str *ret);
