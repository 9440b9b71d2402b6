/*
 * Values of fields with the special `encrypt`. They are stored as sealed text: AES-256-GCM with a
 * key that is derived from SECRET for the field alone, in base64url after a mark. So the database
 * does not tell them without SECRET, and the value of one field cannot be opened as another's.
 * Answers never hold them, neither sealed nor open.
 */
#pragma once

#include "base/crypto/seal.h"
#include "content/schema/schema.h"

/* What answers show in place of a secret. */
#define FIELD_MASK "**********"
enum { FIELD_SEAL_MAX = SEAL_TEXT_MAX };

/* Whether its column can hold sealed text. Numbers and the like are only masked, as in Directus. */
bool field_is_sealed(const struct field *field);
/* `text`: 1 to FIELD_SEAL_MAX bytes. ERR_CONFIG without SECRET. */
Err field_seal(struct ctx *ctx, const struct field *field, Str text, Str *ret);
/* For what the platform itself does with the value. False when it was not sealed for this field,
 * or with another SECRET; *ret is untouched then. */
bool field_unseal(struct ctx *ctx, const struct field *field, Str stored, Str *ret);
