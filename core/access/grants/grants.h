/*
 * Compiled policies: for a collection and an action, the rules that grant it. Immutable, built
 * once per (epoch, set of policies), shared by every request of the thread.
 *
 * Directus 11 semantics (permissions are ORed per item, fields are merged): a rule without filter
 * grants every row; a field is readable on a row when a rule that grants the row grants the field.
 */
#pragma once

#include "base/crypto/uuid.h"
#include "base/json/json.h"
#include "base/text/str.h"

enum action {
    ACTION_CREATE,
    ACTION_READ,
    ACTION_UPDATE,
    ACTION_DELETE,
    ACTION_SHARE,
    ACTION_COUNT
};

struct grant_rule {
    int64_t id;  /* of the row of directus_permissions; 0: of the app-access minimum */
    Uuid policy; /* nil: of the app-access minimum */
    const struct json *filter;     /* NULL or {}: every row */
    const struct json *validation; /* NULL: none */
    const struct json *presets;    /* NULL: none */
    bool all_fields;
    const Str *fields; /* sorted */
    uint32_t field_count;
    bool has_fields; /* false: null, which grants no field */
    Str fields_text; /* the same in the order of the row, comma-separated */
};

struct grant {
    const struct grant_rule *rules;
    uint32_t rule_count;
    bool is_unconditional; /* one rule without filter and with all fields */
};

struct grants;

/* Grants of an administrator: everything, unconditionally. */
const struct grants *grants_full(void);
/* Changes whenever the grants change: part of the key of compiled queries. */
uint64_t grants_id(const struct grants *grants);
/* NULL: not granted. */
const struct grant *grants_find(const struct grants *grants, Str collection, enum action action);
bool grant_allows_field(const struct grant *grant, Str field); /* by any rule */
/* The collections that some rule names, in the order of the rules; full grants name none. Begin
 * with NULL; NULL ends. */
struct collection_grants;
const struct collection_grants *grants_next(const struct grants *grants,
                                            const struct collection_grants *previous);
Str grants_name(const struct collection_grants *granted);
const char *action_name(enum action action);
bool action_parse(Str name, enum action *ret);
