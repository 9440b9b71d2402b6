/*
 * The conditions under which the scope and the grants let an actor see rows and fields.
 */
#include "content/plan/compile.h"

#include <assert.h>

enum { RULE_BITS_MAX = 64 };

/* In SITE scope, collections without tenants are invisible unless they are shared. Collections that
 * only our SQL functions write are not writable. */
static bool is_visible(const struct compiler *c, const struct collection *collection,
                       enum action action)
{
    assert(collection != NULL && action < ACTION_COUNT);
    if (collection->key == NULL || (collection->is_read_only && action != ACTION_READ))
        return false;
    if (c->scope != SCOPE_SITE || collection->site != NULL)
        return true;
    return collection->is_shared_read && action == ACTION_READ;
}

bool access_find(const struct compiler *c, const struct collection *collection, enum action action,
                 struct access *ret)
{
    *ret = (struct access){0};
    if (!is_visible(c, collection, action) || c->actor == NULL)
        return false;
    ret->keeps_accounts =
        collection->has_accounts && action != ACTION_READ && c->scope != SCOPE_PLATFORM;
    if (ret->keeps_accounts && action == ACTION_DELETE)
        return false;
    if (c->actor->is_admin) {
        ret->is_full = true;
        return true;
    }
    ret->grant = grants_find(c->actor->grants, collection->name, action);
    return ret->grant != NULL;
}

bool access_keeps(const struct access *access, const struct field *field)
{
    return access->keeps_accounts && field->is_account && !field->is_key;
}

bool access_field(const struct access *access, const struct field *field)
{
    assert(access->is_full || access->grant != NULL);
    if (field->is_hidden_site || access_keeps(access, field))
        return false;
    return access->is_full || grant_allows_field(access->grant, field->name);
}

bool access_has_fields(const struct access *access)
{
    assert(access->is_full || access->grant != NULL);
    for (uint32_t i = 0; !access->is_full && i < access->grant->rule_count; i++)
        if (access->grant->rules[i].all_fields || access->grant->rules[i].field_count > 0)
            return true;
    return access->is_full;
}

static bool rule_is_open(const struct grant_rule *rule)
{
    return json_len(rule->filter) == 0;
}

static bool rule_allows(const struct grant_rule *rule, const struct field *field)
{
    if (rule->all_fields)
        return true;
    for (uint32_t i = 0; i < rule->field_count; i++) {
        if (str_eq(rule->fields[i], field->name))
            return true;
    }
    return false;
}

static bool rule_allows_all(const struct grant_rule *rule, const struct field *const *fields,
                            uint32_t count)
{
    assert(count == 0 || fields != NULL);
    for (uint32_t i = 0; i < count; i++) {
        if (!rule_allows(rule, fields[i]))
            return false;
    }
    return true;
}

/* The rows that a rule grants, once for all the masks in which it stands: it has its parameters and
 * its joins once. */
struct compiled_rule {
    struct compiled_rule *next;
    const struct grant_rule *rule;
    const struct source *source;
    struct pred *rows; /* NULL: every row */
};

static Err rule_compile(struct compiler *c, struct source *source, const struct grant_rule *rule,
                        const struct compiled_rule **ret)
{
    for (*ret = c->rules; *ret != NULL; *ret = (*ret)->next)
        if ((*ret)->rule == rule && (*ret)->source == source)
            return OK;
    const struct filter_value *filter;
    struct pred *rows;
    TRY(filter_read(c->ctx, c->ctx->arena, rule->filter, &filter));
    TRY(filter_compile(c, source, filter, true, (struct place){0}, &rows));
    struct compiled_rule *compiled = arena_new(c->arena, struct compiled_rule);
    *compiled = (struct compiled_rule){c->rules, rule, source, rows};
    *ret = c->rules = compiled;
    return OK;
}

/* NULL: every row. */
static Err rule_rows(struct compiler *c, struct source *source, const struct grant_rule *rule,
                     struct pred **ret)
{
    *ret = NULL;
    if (rule_is_open(rule))
        return OK;
    const struct compiled_rule *compiled;
    TRY(rule_compile(c, source, rule, &compiled));
    if (compiled->rows == NULL)
        return OK;
    *ret = pred_new(c, PRED_SHARED);
    (*ret)->first = compiled->rows;
    return OK;
}

Err access_rows_for(struct compiler *c, struct source *source, const struct access *access,
                    const struct field *const *fields, uint32_t count, struct pred **ret)
{
    assert(access->is_full || access->grant != NULL);
    assert(count == 0 || fields != NULL);
    *ret = NULL;
    if (access->is_full || access->grant->is_unconditional)
        return OK;
    struct pred *any = pred_new(c, PRED_FALSE);
    for (uint32_t i = 0; i < access->grant->rule_count; i++) {
        const struct grant_rule *rule = &access->grant->rules[i];
        if (!rule_allows_all(rule, fields, count))
            continue;
        struct pred *rows;
        TRY(rule_rows(c, source, rule, &rows));
        if (rows == NULL)
            return OK;
        any = any->kind == PRED_FALSE ? rows : pred_or(c, any, rows);
    }
    *ret = any;
    return OK;
}

Err access_rows(struct compiler *c, struct source *source, const struct access *access,
                struct pred **ret)
{
    return access_rows_for(c, source, access, NULL, 0, ret);
}

/* NULL: also when these are all rules, which the rows have met already. */
Err access_rows_any(struct compiler *c, struct source *source, const struct access *access,
                    uint64_t rules, struct pred **ret)
{
    assert(!access->is_full && access->grant->rule_count <= RULE_BITS_MAX);
    *ret = NULL;
    struct pred *any = NULL;
    bool is_all = true;
    for (uint32_t i = 0; i < access->grant->rule_count; i++) {
        const struct grant_rule *rule = &access->grant->rules[i];
        if ((rules & (UINT64_C(1) << i)) == 0) {
            is_all = false;
            continue;
        }
        struct pred *rows;
        TRY(rule_rows(c, source, rule, &rows));
        if (rows == NULL)
            return OK;
        any = any == NULL ? rows : pred_or(c, any, rows);
    }
    if (!is_all)
        *ret = any;
    return OK;
}

bool access_rules(const struct access *access, const struct field *field, uint64_t *ret)
{
    const struct grant *grant = access->grant;
    if (access->is_full || grant->rule_count > RULE_BITS_MAX)
        return false;
    *ret = 0;
    for (uint32_t i = 0; i < grant->rule_count; i++)
        if (field == NULL || rule_allows(&grant->rules[i], field))
            *ret |= UINT64_C(1) << i;
    return true;
}

void access_prove(struct source *source, const struct access *access, const struct field *field)
{
    uint64_t granting;
    if (!access_rules(access, field, &granting))
        return;
    bool says_more = source->proven == 0 ||
                     __builtin_popcountll(granting) < __builtin_popcountll(source->proven);
    if (says_more)
        source->proven = granting;
}

/* Whether every rule that may have let a row remain grants the field. */
static bool is_proven(const struct source *source, const struct access *access,
                      const struct field *field)
{
    uint64_t granting;
    return source->proven != 0 && access_rules(access, field, &granting) &&
           (source->proven & ~granting) == 0;
}

/* A mask is needed only if some rule grants rows without granting the field. */
Err access_mask(struct compiler *c, struct source *source, const struct access *access,
                const struct field *field, struct pred **ret)
{
    assert(access->is_full || access->grant != NULL);
    *ret = NULL;
    if (access->is_full || access->grant->is_unconditional)
        return OK;
    bool is_granted_always = true;
    for (uint32_t i = 0; i < access->grant->rule_count; i++)
        is_granted_always &= rule_allows(&access->grant->rules[i], field);
    if (is_granted_always || is_proven(source, access, field))
        return OK;
    return access_rows_for(c, source, access, &field, 1, ret);
}

static struct pred *site_pred(struct compiler *c, enum pred_kind kind, struct source *source)
{
    assert(source->collection->site != NULL);
    struct pred *pred = pred_new(c, kind);
    pred->operand = operand_of(source, source->collection->site);
    if (kind == PRED_SITE || kind == PRED_SITE_OR_LIBRARY) {
        if (c->site == NULL)
            c->site = param_new(c, PARAM_SITE);
        pred->value = value_of_param(c, c->site);
    }
    return pred;
}

static struct pred *platform_rows(struct compiler *c, struct source *source)
{
    assert(c->scope == SCOPE_PLATFORM);
    const struct collection *collection = source->collection;
    if (collection->site == NULL || collection->site != collection->key)
        return NULL;
    /* In `sites` itself, the reserved row is not a site. */
    struct pred *library = site_pred(c, PRED_LIBRARY, source);
    library->is_negated = true;
    return library;
}

struct pred *scope_rows(struct compiler *c, struct source *source, bool for_write)
{
    const struct collection *collection = source->collection;
    if (c->scope == SCOPE_PLATFORM)
        return platform_rows(c, source);
    if (collection->site == NULL)
        return NULL;
    if (c->scope == SCOPE_SITE) {
        bool with_library = collection->is_shared_read && !for_write;
        return site_pred(c, with_library ? PRED_SITE_OR_LIBRARY : PRED_SITE, source);
    }
    return collection->is_site_optional ? site_pred(c, PRED_NULL, source) : pred_new(c, PRED_FALSE);
}

/* In SITE scope, rows of the site and of the library may have the same key. */
bool key_may_repeat(const struct compiler *c, const struct collection *collection)
{
    return c->scope == SCOPE_PLATFORM && collection->is_keyed_by_site;
}

static struct pred *one_site(struct compiler *c, struct source *source)
{
    assert(source->collection->site != NULL);
    struct pred *pred = pred_new(c, PRED_ONE_SITE);
    pred->operand = operand_of(source, source->collection->site);
    return pred;
}

struct pred *same_site(struct compiler *c, struct source *one, struct source *many)
{
    if (!key_may_repeat(c, one->collection))
        return NULL;
    if (many->collection->site == NULL)
        return one_site(c, one);
    struct pred *pred = pred_new(c, PRED_SAME_SITE);
    pred->operand = operand_of(one, one->collection->site);
    pred->parent = operand_of(many, many->collection->site);
    return pred;
}

struct pred *key_of_one_site(struct compiler *c, struct source *source)
{
    if (!key_may_repeat(c, source->collection))
        return NULL;
    struct pred *pred = one_site(c, source);
    pred->is_refused = true;
    return pred;
}

struct place place_below(struct compiler *c, struct place place, Str name)
{
    struct place below = {.depth = place.depth + 1};
    below.path = place.path.len == 0
                     ? str_dup(c->arena, name)
                     : str_printf(c->arena, "%.*s.%.*s", STR_FMT(place.path), STR_FMT(name));
    return below;
}

static Str queried_in(struct compiler *c, struct place place)
{
    return place.path.len == 0 ? STR("root")
                               : str_printf(c->arena, "\"%.*s\"", STR_FMT(place.path));
}

Err forbid_field(struct compiler *c, const struct collection *collection, Str name,
                 struct place place)
{
    Str where = queried_in(c, place);
    return fail(c->ctx, ERR_FORBIDDEN,
                "You don't have permission to access field \"%.*s\" in collection \"%.*s\" or it "
                "does not exist. Queried in %.*s.",
                STR_FMT(name), STR_FMT(collection->name), STR_FMT(where));
}

Err forbid_fields(struct compiler *c, const struct collection *collection, const Str *names,
                  uint32_t count, struct place place)
{
    assert(count > 0);
    if (count == 1)
        return forbid_field(c, collection, names[0], place);
    enum { NAMES_SHOWN_MAX = 800 /* bytes; further names are left out of the message */ };
    struct buf *list = buf_in_arena(c->ctx->arena, NAMES_SHOWN_MAX);
    for (uint32_t i = 0; i < count; i++)
        buf_printf(list, "%s\"%.*s\"", i == 0 ? "" : ", ", STR_FMT(names[i]));
    Str all = buf_str(list);
    Str where = queried_in(c, place);
    return fail(c->ctx, ERR_FORBIDDEN,
                "You don't have permission to access fields %.*s in collection \"%.*s\" or they "
                "do not exist. Queried in %.*s.",
                STR_FMT(all), STR_FMT(collection->name), STR_FMT(where));
}

Err forbid_unknown_first(struct compiler *c, const struct collection *collection, const Str *names,
                         uint32_t count, struct place place)
{
    assert(count > 0);
    Str *unknown = arena_array(c->arena, Str, count);
    uint32_t unknown_count = 0;
    for (uint32_t i = 0; i < count; i++)
        if (collection_field(collection, names[i]) == NULL)
            unknown[unknown_count++] = names[i];
    if (unknown_count > 0)
        return forbid_fields(c, collection, unknown, unknown_count, place);
    return forbid_fields(c, collection, names, count, place);
}
