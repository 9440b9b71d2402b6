/* The rules of each subject, which system.c lists, and what several of them need. Private to this
 * module. */
#pragma once

#include "content/items/items_rules.h"
#include "io/pg/db.h"

extern const struct collection_rules COMMENTS_RULES;
extern const struct collection_rules NOTIFICATIONS_RULES;
extern const struct collection_rules POLICIES_RULES;
extern const struct collection_rules PRESETS_RULES;
extern const struct collection_rules SHARES_RULES;
extern const struct collection_rules TRANSLATIONS_RULES;
extern const struct collection_rules USERS_RULES;
extern const struct collection_rules VERSIONS_RULES;

/* FAILED_VALIDATION of a field: the condition that failed, as clients name it, and its sentence. */
Err rule_fail_field(struct ctx *ctx, const char *field, const char *type, const char *sentence);
/* Whether the body has the member, null or not. */
bool rule_is_given(const struct rules_write *write, const char *member);

/* rule_read.c. Whether the caller reads the row; ERR_FORBIDDEN when it may not read the collection.
 */
fiber_fn Err rule_find_readable(struct ctx *ctx, const struct schema *schema, Str collection,
                                Str key, bool *ret);
/* ERR_FORBIDDEN unless the caller reads the row. */
fiber_fn Err rule_check_readable(struct ctx *ctx, const struct schema *schema, Str collection,
                                 Str key);

/* rule_site.c. Runs `statement` (key, site) for the one written row if the item belongs to a site.
 */
fiber_fn Err rule_follow_item(struct ctx *ctx, const struct rules_write *write,
                              const struct statement *statement, Str collection, Str item);

/* mentions.c: a comment, in the transaction that writes it. */
enum { MENTIONS_MAX = 100 }; /* users of one comment */
struct mentions {
    const struct schema *schema;
    struct db_tx *tx;
    Str comment;
    Str collection;
    Str item;
};
fiber_fn Err mentions_notify(struct ctx *ctx, const struct mentions *m);
