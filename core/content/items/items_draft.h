/*
 * Drafts: an item as it would be if a change were made, without making it; and a change that is
 * made only if the item is still what its author has seen.
 */
#pragma once

#include "content/items/items.h"

/*
 * The item with the members of `delta`, under the grants of the reader.
 *
 * Columns are laid over the row in the statement that reads it. Nested rows cannot be shown like
 * that, nor can the row where conditions decide which of its fields are read: a draft that changes
 * what they depend on would open the others. Then the change is made with the reader's own rights
 * in a transaction, read there, and rolled back; the row is locked for that long. Keys of new
 * nested rows are those that this transaction made: they mean nothing afterwards.
 */
fiber_fn Err items_read_draft(struct ctx *ctx, struct items_target target, Str key,
                              const struct json *delta, const struct query *query,
                              struct row_sink *sink);

/* What the row holds, as an opaque text: equal texts, equal rows. It is keyed, so it tells nothing
 * of fields that the caller may not read. In a transaction the row stays locked. ERR_FORBIDDEN: no
 * such row. */
fiber_fn Err items_fingerprint(struct ctx *ctx, struct items_target target, Str key,
                               struct db_tx *tx /* may be NULL */, Str *ret);

/* Updates the item if its fingerprint is this one; else ERR_UNPROCESSABLE, with `stale` as its
 * reason. */
fiber_fn Err items_update_unchanged(struct ctx *ctx, struct items_target target, Str key,
                                    Str fingerprint, const char *stale, const struct json *body);

/*
 * The scope of the row that a version or a revision is about.
 */

/* The caller's, or on the platform that of the one site (or the library) that the version or the
 * revision belongs to; `site_of` finds it by `id`. ERR_FORBIDDEN: there is no such row. */
fiber_fn Err item_scope(struct ctx *ctx, const struct collection *collection,
                        const struct statement *site_of, DbArg id, Scope *ret);
/* Where that row is written: rows of the library by the platform alone. `own` has found the row,
 * and no site has one with a key of the library. */
struct ctx *item_writer(struct ctx *caller, struct ctx *own);
