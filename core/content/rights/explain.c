/*
 * Why a subject may or may not do something: the policies in force, each rule, the narrowing to a
 * site, and the verdict. Everything is decided by what reads and writes use: access_find,
 * access_field, and the rules compiled to SQL.
 */
#include "base/memory/array.h"
#include "content/plan/plan.h"
#include "content/rights/check.h"
#include "content/rights/merged.h"
#include "content/rights/rights.h"
#include "content/run/run.h"

#include <assert.h>

struct explanation {
    struct ctx *ctx;         /* of the administrator */
    struct ctx *subject_ctx; /* NULL: the subject is refused */
    const struct rights_case *what;
    const struct subject *subject;
    const struct schema *schema;
    const struct collection *collection; /* NULL: there is none */
    const struct field *field;           /* NULL: none asked for, or none with this name */
    struct access access;
    bool has_access; /* some rule, or an administrator, in a scope that sees the collection */
    bool has_row;    /* the row exists, in whatever site */
    struct checked row;
};

/* Words of the verdict, and what they mean to somebody who reads only this. */
static const struct {
    const char *word;
    const char *sentence;
} REASONS[] = {
    {"granted", "A rule grants it."},
    {"administrator", "Administrators may do this; no rule is needed."},
    {"refused", "The subject is not let in at all, so no rule counts."},
    {"collection", "There is no such collection."},
    {"scope", "In this scope the collection is not visible, or not writable."},
    {"read_only_token", "The token may only read."},
    {"no_rule", "No policy in force has a rule for this action in this collection."},
    {"key", "There is no such row."},
    {"site", "The row belongs to another site, or to none."},
    {"row", "No rule that matches the row grants this."},
    {"field", "No rule grants the field; naming it is refused."},
    {"masked", "The rules that match the row do not grant the field: it reads as null."},
    {"account", "In a site only the profile of an account may be changed."},
};
enum reason {
    GRANTED,
    ADMINISTRATOR,
    REFUSED,
    NO_COLLECTION,
    NO_SCOPE,
    READ_ONLY_TOKEN,
    NO_RULE,
    NO_KEY,
    OTHER_SITE,
    NO_ROW,
    NO_FIELD,
    MASKED,
    ACCOUNT,
};
static_assert(COUNT_OF(REASONS) == ACCOUNT + 1, "one sentence for each reason");

static bool is_write(const struct explanation *e)
{
    return e->what->action != ACTION_READ && e->what->action != ACTION_SHARE;
}

static bool asks_row(const struct explanation *e)
{
    return e->what->key.len > 0 && e->what->action != ACTION_CREATE;
}

/* The row as the platform sees it: tells a row of another site from one that does not exist. */
static fiber_fn Err find_row(struct explanation *e)
{
    assert(e->ctx->scope.kind == SCOPE_PLATFORM && asks_row(e));
    static const Str KEY_ONLY[] = {STR_INIT("")};
    const struct query query = {.fields = KEY_ONLY, .field_count = 1};
    struct run run = {.ctx = e->ctx};
    struct plan_request request = {.op = PLAN_ONE, .collection = e->collection, .query = &query};
    if (!key_is_valid(e->collection->key, e->what->key))
        return OK;
    TRY(key_parse(e->ctx, e->collection, e->what->key, &run.key));
    TRY(plan_get(e->ctx, e->schema, &request, &run.plan));
    TRY(run_plan(&run));
    e->has_row = run.rows.count > 0;
    return OK;
}

static fiber_fn Err load(struct explanation *e)
{
    assert(e->schema == NULL && e->collection == NULL);
    const struct rights_case *what = e->what;
    TRY(schema_current(e->ctx, &e->schema));
    e->collection = schema_find(e->schema, what->collection);
    if (e->collection == NULL || e->collection->key == NULL)
        return OK;
    if (what->field.len > 0)
        e->field = collection_field(e->collection, what->field);
    if (asks_row(e))
        TRY(find_row(e));
    if (e->subject_ctx == NULL)
        return OK;
    struct compiler c = {
        .ctx = e->subject_ctx, .actor = e->subject->actor, .scope = e->subject_ctx->scope.kind};
    e->has_access = access_find(&c, e->collection, what->action, &e->access);
    if (e->has_access && asks_row(e))
        TRY(check_row(e->subject_ctx, e->schema, e->collection, what->action, &e->access, what->key,
                      &e->row));
    return OK;
}

/* Before any row is looked at. GRANTED: go on. */
static enum reason decide_collection(const struct explanation *e)
{
    if (e->subject->refusal != OK)
        return REFUSED;
    assert(e->subject_ctx != NULL && e->subject->actor != NULL);
    if (e->collection == NULL || e->collection->key == NULL)
        return NO_COLLECTION;
    if (!e->has_access) {
        bool has_rule =
            e->subject->actor->is_admin ||
            grants_find(e->subject->actor->grants, e->collection->name, e->what->action) != NULL;
        return has_rule ? NO_SCOPE : NO_RULE;
    }
    if (is_write(e) && !e->subject->actor->may_write)
        return READ_ONLY_TOKEN;
    return GRANTED;
}

static enum reason decide_field(const struct explanation *e)
{
    assert(e->has_access);
    if (e->what->field.len == 0)
        return GRANTED;
    if (e->field == NULL)
        return NO_FIELD;
    if (access_keeps(&e->access, e->field))
        return ACCOUNT;
    return access_field(&e->access, e->field) ? GRANTED : NO_FIELD;
}

static enum reason decide_row(const struct explanation *e)
{
    assert(e->has_access);
    if (!asks_row(e))
        return GRANTED;
    if (!e->has_row)
        return NO_KEY;
    if (!e->row.is_there)
        return OTHER_SITE;
    Str field = e->what->field;
    if (check_grants(&e->access, &e->row, &field, field.len > 0 ? 1 : 0))
        return GRANTED;
    bool is_visible = check_grants(&e->access, &e->row, NULL, 0);
    return is_visible && e->what->action == ACTION_READ ? MASKED : NO_ROW;
}

static enum reason decide(const struct explanation *e)
{
    enum reason reason = decide_collection(e);
    if (reason == GRANTED)
        reason = decide_field(e);
    if (reason == GRANTED)
        reason = decide_row(e);
    if (reason == GRANTED && e->access.is_full)
        return ADMINISTRATOR;
    return reason;
}

static void put_scope(struct json_writer *w, Scope scope)
{
    static const char *const NAMES[] = {
        [SCOPE_NONE] = "none", [SCOPE_SITE] = "site", [SCOPE_PLATFORM] = "platform"};
    assert((size_t)scope.kind < COUNT_OF(NAMES));
    json_field_str(w, "scope", str_from_z(NAMES[scope.kind]));
    if (scope.kind == SCOPE_SITE)
        json_field_uuid(w, "site", scope.site);
    else
        json_field_null(w, "site");
}

static void put_uuid_or_null(struct json_writer *w, const char *key, Uuid uuid)
{
    if (uuid_is_nil(uuid))
        json_field_null(w, key);
    else
        json_field_uuid(w, key, uuid);
}

static void put_subject(const struct explanation *e, struct json_writer *w)
{
    static const char *const KINDS[] = {
        [SUBJECT_PUBLIC] = "public", [SUBJECT_USER] = "user", [SUBJECT_SITE_TOKEN] = "site_token"};
    const struct subject *subject = e->subject;
    assert((subject->refusal == OK) == (subject->actor != NULL));
    json_key(w, STR("subject"));
    json_object_begin(w);
    json_field_str(w, "kind", str_from_z(KINDS[e->what->subject.kind]));
    put_uuid_or_null(w, "id", e->what->subject.id);
    put_uuid_or_null(w, "role", subject->actor == NULL ? (Uuid){0} : subject->actor->role);
    put_scope(w, subject->scope);
    json_field_bool(w, "admin", subject->actor != NULL && subject->actor->is_admin);
    json_field_bool(w, "app_access", subject->actor != NULL && subject->actor->has_app_access);
    json_field_str(w, "ip", e->what->subject.ip);
    if (subject->refusal == OK)
        json_field_null(w, "refused");
    else
        json_field_str(w, "refused", str_from_z(err_info(subject->refusal)->code));
    json_object_end(w);
}

static void put_policies(const struct explanation *e, struct json_writer *w)
{
    json_key(w, STR("policies"));
    json_array_begin(w);
    for (uint32_t i = 0; i < e->subject->policy_count; i++) {
        const struct policy_facts *policy = &e->subject->policies[i];
        json_object_begin(w);
        json_field_uuid(w, "id", policy->id);
        json_field_str(w, "name", policy->name);
        json_field_bool(w, "in_force", policy->is_in_force);
        if (policy->is_in_force)
            json_field_null(w, "skipped");
        else
            json_field_str(w, "skipped", STR("ip_access"));
        if (policy->ip_access.len > 0)
            json_field_str(w, "ip_access", policy->ip_access);
        else
            json_field_null(w, "ip_access");
        json_field_bool(w, "admin_access", policy->is_admin);
        json_field_bool(w, "app_access", policy->has_app_access);
        json_object_end(w);
    }
    json_array_end(w);
}

/* The narrowing to a site, as a rule of its own: it holds beside all others. */
static void put_site(const struct explanation *e, struct json_writer *w)
{
    assert(!e->has_access || e->subject_ctx != NULL);
    const struct collection *collection = e->collection;
    json_key(w, STR("site"));
    if (collection == NULL || e->subject_ctx == NULL) {
        json_put_null(w);
        return;
    }
    json_object_begin(w);
    put_scope(w, e->subject_ctx->scope);
    if (collection->site == NULL)
        json_field_null(w, "field");
    else
        json_field_str(w, "field", collection->site->name);
    json_field_bool(w, "shared", collection->is_shared_read);
    if (asks_row(e) && e->has_access)
        json_field_bool(w, "matches", e->row.is_there);
    else
        json_field_null(w, "matches");
    json_object_end(w);
}

static fiber_fn Err put_rule(const struct explanation *e, uint32_t index, struct json_writer *w)
{
    assert(e->subject_ctx != NULL && index < e->access.grant->rule_count);
    const struct grant_rule *rule = &e->access.grant->rules[index];
    struct grant alone = {.rules = rule, .rule_count = 1};
    json_object_begin(w);
    if (rule->id == 0)
        json_field_null(w, "permission");
    else
        json_field_int(w, "permission", rule->id);
    put_uuid_or_null(w, "policy", rule->policy);
    json_field_bool(w, "system", rule->id == 0);
    json_key(w, STR("filter"));
    json_put_value(w, rule->filter);
    json_key(w, STR("resolved"));
    TRY(merged_put_value(e->subject_ctx, e->schema, w, rule->filter));
    json_key(w, STR("validation"));
    TRY(merged_put_value(e->subject_ctx, e->schema, w, rule->validation));
    merged_put_fields(e->ctx, w, &alone);
    TRY(merged_put_presets(e->subject_ctx, e->schema, w, &alone));
    if (e->row.matches != NULL)
        json_field_bool(w, "matches", e->row.matches[index]);
    else
        json_field_null(w, "matches");
    if (e->what->field.len > 0)
        json_field_bool(w, "grants_field", rule_grants(rule, e->what->field));
    else
        json_field_null(w, "grants_field");
    json_object_end(w);
    return OK;
}

static fiber_fn Err put_rules(const struct explanation *e, struct json_writer *w)
{
    const struct grant *grant = e->has_access ? e->access.grant : NULL;
    json_key(w, STR("rules"));
    json_array_begin(w);
    for (uint32_t i = 0; grant != NULL && i < grant->rule_count; i++)
        TRY(put_rule(e, i, w));
    json_array_end(w);
    return OK;
}

/* The fields of the row that the subject may read or write; of all rows where none is asked for. */
static void put_fields(const struct explanation *e, bool is_granted, struct json_writer *w)
{
    assert(!is_granted || e->has_access);
    json_key(w, STR("fields"));
    json_array_begin(w);
    for (uint32_t i = 0; is_granted && i < e->collection->field_count; i++) {
        const struct field *field = e->collection->fields[i];
        bool is_open = access_field(&e->access, field);
        if (is_open && asks_row(e))
            is_open = check_grants(&e->access, &e->row, &field->name, 1);
        if (is_open)
            json_put_str(w, field->name);
    }
    json_array_end(w);
}

static void put_verdict(const struct explanation *e, struct json_writer *w)
{
    enum reason reason = decide(e);
    assert((size_t)reason < COUNT_OF(REASONS));
    bool is_granted = reason == GRANTED || reason == ADMINISTRATOR;
    json_key(w, STR("verdict"));
    json_object_begin(w);
    json_field_bool(w, "allowed", is_granted);
    json_field_str(w, "reason", str_from_z(REASONS[reason].word));
    json_field_str(w, "message", str_from_z(REASONS[reason].sentence));
    put_fields(e, is_granted || reason == MASKED, w);
    json_object_end(w);
}

static fiber_fn Err put(const struct explanation *e, struct json_writer *w)
{
    const struct rights_case *what = e->what;
    json_object_begin(w);
    json_field_str(w, "collection", what->collection);
    json_field_str(w, "action", str_from_z(action_name(what->action)));
    if (what->key.len > 0)
        json_field_str(w, "key", what->key);
    else
        json_field_null(w, "key");
    if (what->field.len > 0)
        json_field_str(w, "field", what->field);
    else
        json_field_null(w, "field");
    put_verdict(e, w);
    put_subject(e, w);
    put_policies(e, w);
    put_site(e, w);
    TRY(put_rules(e, w));
    json_object_end(w);
    return OK;
}

static fiber_fn Err explain(struct explanation *e, struct json_writer *w)
{
    TRY(load(e));
    return put(e, w);
}

fiber_fn Err rights_explain(struct ctx *ctx, const struct rights_case *what, struct json_writer *w)
{
    assert(ctx->scope.kind == SCOPE_PLATFORM);
    struct subject subject;
    TRY(subject_load(ctx, &what->subject, &subject));
    struct explanation e = {.ctx = ctx, .what = what, .subject = &subject};
    if (subject.refusal != OK)
        return explain(&e, w);
    assert(subject.actor != NULL);
    SCOPED_CTX struct ctx own =
        ctx_for_actor(ctx, subject.actor, subject.scope, "asks the rules as their subject would");
    own.epoch = ctx->epoch;
    e.subject_ctx = &own;
    return explain(&e, w);
}
