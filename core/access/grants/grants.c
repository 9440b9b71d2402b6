#include "access/grants/grants_build.h"
#include "base/memory/list.h"
#include "base/memory/map.h"

#include <assert.h>
#include <stdlib.h>

struct collection_grants {
    Str name;
    struct collection_grants *next;
    struct grant actions[ACTION_COUNT];
};

struct grants {
    uint64_t id;
    bool is_full;
    struct map *collections;
    struct collection_grants *first;
    struct collection_grants *last;
};

static const struct grant_rule FULL_RULE = {.all_fields = true};
static const struct grant FULL_GRANT = {&FULL_RULE, 1, true};
static const struct grants FULL_GRANTS = {.id = 1, .is_full = true};

const struct grants *grants_full(void)
{
    return &FULL_GRANTS;
}

uint64_t grants_id(const struct grants *grants)
{
    assert(grants->id != 0);
    return grants->id;
}

const struct grant *grants_find(const struct grants *grants, Str collection, enum action action)
{
    assert(action < ACTION_COUNT && (grants->is_full || grants->collections != NULL));
    if (grants->is_full)
        return &FULL_GRANT;
    const struct collection_grants *found = map_get(grants->collections, collection);
    if (found == NULL || found->actions[action].rule_count == 0)
        return NULL;
    assert(found->actions[action].rules != NULL);
    return &found->actions[action];
}

const struct collection_grants *grants_next(const struct grants *grants,
                                            const struct collection_grants *previous)
{
    assert(!grants->is_full || previous == NULL);
    return previous == NULL ? grants->first : previous->next;
}

Str grants_name(const struct collection_grants *granted)
{
    assert(granted->name.len > 0);
    return granted->name;
}

static int compare_fields(const void *a, const void *b)
{
    return str_cmp(*(const Str *)a, *(const Str *)b);
}

bool grant_allows_field(const struct grant *grant, Str field)
{
    assert(grant->rule_count > 0);
    for (uint32_t i = 0; i < grant->rule_count; i++) {
        const struct grant_rule *rule = &grant->rules[i];
        if (rule->all_fields)
            return true;
        if (rule->field_count > 0 &&
            bsearch(&field, rule->fields, rule->field_count, sizeof field, compare_fields) != NULL)
            return true;
    }
    return false;
}

const char *action_name(enum action action)
{
    assert(action < ACTION_COUNT);
    static const char *const names[ACTION_COUNT] = {"create", "read", "update", "delete", "share"};
    return names[action];
}

bool action_parse(Str name, enum action *ret)
{
    for (int i = 0; i < ACTION_COUNT; i++) {
        if (str_eq(name, str_from_z(action_name((enum action)i)))) {
            *ret = (enum action)i;
            return true;
        }
    }
    return false;
}

struct grants *grants_new(struct arena *arena)
{
    static _Thread_local uint64_t last_id = 1;
    struct grants *grants = arena_new(arena, struct grants);
    grants->id = ++last_id;
    assert(grants->id > FULL_GRANTS.id);
    grants->collections = map_in_arena(arena);
    return grants;
}

static void parse_fields(struct arena *arena, Str csv, struct grant_rule *rule)
{
    assert(rule->field_count == 0);
    uint32_t count = 0;
    for (size_t i = 0; i < csv.len; i++)
        count += csv.data[i] == ',';
    Str *fields = arena_array(arena, Str, count + 1);
    Str rest = csv;
    Str field;
    while (str_next(&rest, ',', &field)) {
        field = str_trim(field);
        if (str_eq(field, STR("*")))
            rule->all_fields = true;
        else if (field.len > 0)
            fields[rule->field_count++] = str_dup(arena, field);
    }
    qsort(fields, rule->field_count, sizeof fields[0], compare_fields);
    assert(rule->field_count <= count + 1);
    rule->fields = fields;
}

static bool is_empty(const struct json *json)
{
    return json == NULL || json_is_null(json) || json_len(json) == 0;
}

void grants_add(struct grants *grants, struct arena *arena, const struct permission *permission)
{
    assert(!grants->is_full && grants->collections != NULL);
    enum action action;
    if (!action_parse(permission->action, &action))
        return; /* an action of a later Directus version */
    struct collection_grants *found = map_get(grants->collections, permission->collection);
    if (found == NULL) {
        found = arena_new(arena, struct collection_grants);
        found->name = str_dup(arena, permission->collection);
        map_put(grants->collections, found->name, found);
        LIST_APPEND(grants->first, grants->last, found);
    }
    struct grant *grant = &found->actions[action];
    struct grant_rule *rules = arena_array(arena, struct grant_rule, grant->rule_count + 1);
    for (uint32_t i = 0; i < grant->rule_count; i++)
        rules[i] = grant->rules[i];
    struct grant_rule *rule = &rules[grant->rule_count];
    rule->filter = is_empty(permission->filter) ? NULL : permission->filter;
    rule->validation = is_empty(permission->validation) ? NULL : permission->validation;
    rule->presets = is_empty(permission->presets) ? NULL : permission->presets;
    rule->id = permission->id;
    rule->policy = permission->policy;
    rule->has_fields = permission->fields.data != NULL;
    rule->fields_text = str_dup(arena, permission->fields);
    parse_fields(arena, permission->fields, rule);
    grant->rules = rules;
    grant->rule_count++;
    /* A rule that grants all rows and all fields makes the other read rules irrelevant. */
    if (rule->filter == NULL && rule->all_fields && rule->validation == NULL)
        grant->is_unconditional = true;
}
