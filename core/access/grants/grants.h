/*
 * Compiled policies: for a collection and an action, the rules that grant it. Immutable, built
 * once per (epoch, set of policies), shared by every request of the thread.
 *
 * Directus 11 semantics (permissions are ORed per item, fields are merged): a rule without filter
 * grants every row; a field is readable on a row when a rule that grants the row grants the field.
 */
#pragma once

#include "base/json/json.h"
#include "base/text/str.h"

enum action { ACTION_CREATE, ACTION_READ, ACTION_UPDATE, ACTION_DELETE, ACTION_COUNT };

struct grant_rule {
    const struct json *filter;     /* NULL or {}: every row */
    const struct json *validation; /* NULL: none */
    const struct json *presets;    /* NULL: none */
    bool all_fields;
    const Str *fields; /* sorted */
    uint32_t field_count;
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
const char *action_name(enum action action);
