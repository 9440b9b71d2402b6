/*
 * Encrypted fields in drafts. A draft keeps them sealed, its item gets them open when it is
 * promoted, and answers show asterisks.
 */
#pragma once

#include "base/json/json.h"
#include "content/schema/schema.h"

enum secrets { SECRETS_SEALED, SECRETS_OPEN, SECRETS_MASKED };

/* `members` of a row of the collection, also those of nested rows, with each encrypted value in
 * that form: sealed from open ones, open or masked from sealed ones. What was never sealed is taken
 * for open. */
Err version_secrets(struct ctx *ctx, const struct schema *schema,
                    const struct collection *collection, const struct json *members,
                    enum secrets form, const struct json **ret);
