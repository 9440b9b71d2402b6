/*
 * One row under the rules of one action: which of them match it. Private to this module.
 */
#pragma once

#include "content/plan/compile.h"
#include "io/fiber/fiber.h"

struct checked {
    bool is_there;       /* within the scope; the rows of other sites are not */
    const bool *matches; /* one for each rule of the grant; NULL: there is no grant or no row */
};

/* A text that is no key of the collection finds no row. */
fiber_fn Err check_row(struct ctx *ctx, const struct schema *schema,
                       const struct collection *collection, enum action action,
                       const struct access *access, Str key, struct checked *ret);

/* Whether the row may be acted on with these fields: some rule that matches grants all of them. */
bool check_grants(const struct access *access, const struct checked *row, const Str *fields,
                  uint32_t count);
bool rule_grants(const struct grant_rule *rule, Str field);
