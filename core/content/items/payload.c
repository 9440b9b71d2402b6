#include "content/items/payload.h"

#include "base/json/json_build.h"
#include "base/json/json_writer.h"
#include "base/memory/list.h"
#include "base/system/clock.h"
#include "content/items/items.h"
#include "content/query/query.h"
#include "content/run/run.h"
#include "content/schema/schema.h"

#include <assert.h>

Err write_target_open(struct ctx *ctx, const struct schema *schema,
                      const struct collection *collection, enum action action,
                      struct write_target *ret)
{
    assert(action != ACTION_READ && ctx->actor != NULL);
    struct compiler c = {.ctx = ctx, .actor = ctx->actor, .scope = ctx->scope.kind};
    *ret = (struct write_target){
        .ctx = ctx, .schema = schema, .collection = collection, .action = action};
    if (!access_find(&c, collection, action, &ret->access))
        return schema_forbidden_collection(ctx, collection->name, STR_NONE);
    bool is_own_row = collection->site != NULL && collection->site == collection->key;
    bool makes_sites = ctx->scope.kind == SCOPE_SITE && is_own_row && action != ACTION_UPDATE;
    bool is_owned = collection->site != NULL && !collection->is_site_optional;
    bool has_no_site = ctx->scope.kind == SCOPE_NONE && is_owned;
    if (!ctx->actor->may_write || makes_sites || has_no_site)
        return fail_plain(ctx, ERR_FORBIDDEN);
    return OK;
}

struct cell *payload_find(const struct payload *payload, const struct field *field)
{
    assert(field->ordinal < payload->count);
    struct cell *cell = &payload->cells[field->ordinal];
    return cell->field == NULL ? NULL : cell;
}

static struct cell *put(struct payload *payload, const struct field *field)
{
    assert(field->ordinal < payload->count);
    struct cell *cell = &payload->cells[field->ordinal];
    *cell = (struct cell){.field = field};
    return cell;
}

void payload_set(struct ctx *ctx, struct payload *payload, const struct field *field, Str text)
{
    assert(field->ordinal < payload->count);
    const struct cell before = payload->cells[field->ordinal];
    struct cell *cell = put(payload, field);
    cell->text = text.data == NULL ? STR_NONE : str_dup(ctx->arena, text);
    cell->is_supplied = before.is_supplied;
    cell->is_given = before.is_given;
}

static bool is_nested(const struct field *field, const struct json *value)
{
    if (field->relation == NULL)
        return false;
    if (field->relation->kind == RELATION_TO_MANY)
        return true;
    if (field->relation->kind == RELATION_TO_ANY)
        return !json_is_null(value);
    return json_kind(value) == JSON_OBJECT;
}

static void add_nested(struct ctx *ctx, struct payload *payload, const struct field *field,
                       const struct json *value)
{
    assert(field->relation != NULL);
    struct nested *nested = arena_new(ctx->arena, struct nested);
    *nested = (struct nested){.field = field, .value = value};
    LIST_APPEND(payload->first_nested, payload->last_nested, nested);
}

/* A body may name its own site, or null for none; any other site is forbidden. */
static Err check_site(const struct write_target *target, const struct json *value)
{
    Uuid site;
    if (target->ctx->scope.kind != SCOPE_SITE || json_is_null(value))
        return OK;
    bool is_own = json_kind(value) == JSON_STRING && uuid_parse(json_str(value), &site) &&
                  uuid_eq(site, target->ctx->scope.site);
    return is_own ? OK : fail_plain(target->ctx, ERR_FORBIDDEN);
}

static bool is_site_field(const struct field *field)
{
    assert(field->collection != NULL);
    return field->collection->site == field && !field->is_key;
}

static Err take_member(const struct write_target *target, struct payload *payload,
                       const struct field *field, const struct json *value)
{
    assert(field->collection == payload->collection);
    if (is_site_field(field))
        TRY(check_site(target, value));
    if (field->is_key && payload->action == ACTION_UPDATE)
        return OK; /* the key of a row cannot change */
    if (field->is_generated)
        return OK;
    if (is_nested(field, value))
        add_nested(target->ctx, payload, field, value);
    else if (!field->is_alias)
        *put(payload, field) = (struct cell){
            .field = field, .json = json_is_null(value) ? NULL : value, .is_given = true};
    return OK;
}

static Err take_supplied(const struct write_target *target, struct payload *payload,
                         const struct field *field, const struct json *value)
{
    TRY(take_member(target, payload, field, value));
    if (!(field->is_key && payload->action == ACTION_UPDATE))
        payload->given[payload->given_count++] = field;
    struct cell *cell = payload_find(payload, field);
    if (cell != NULL)
        cell->is_supplied = true;
    return OK;
}

/* Unknown members are dropped for administrators, and by creates that are granted every field. */
static bool drops_unknown(const struct write_target *target)
{
    bool has_all = false;
    const struct grant *grant = target->access.grant;
    for (uint32_t i = 0; grant != NULL && i < grant->rule_count; i++)
        has_all |= grant->rules[i].all_fields;
    return target->access.is_full || (has_all && target->action == ACTION_CREATE);
}

static bool is_refused(const struct write_target *target, const struct field *field)
{
    if (field == NULL)
        return !drops_unknown(target);
    return !target->access.is_full || access_keeps(&target->access, field);
}

/* What is not granted is refused, account fields to administrators, too: a client that believes it
 * created a login would be mistaken. */
static Err take_members(const struct write_target *target, struct payload *payload,
                        const struct json *body)
{
    struct ctx *ctx = target->ctx;
    Str *refused = arena_array(ctx->arena, Str, json_len(body) + 1);
    payload->given = arena_array(ctx->arena, const struct field *, json_len(body) + 2);
    uint32_t refused_count = 0;
    for (struct json_iter it = json_iter(body); json_next(&it);) {
        const struct field *field = collection_field(payload->collection, it.key);
        bool is_selector = field != NULL && field->is_key && payload->action == ACTION_UPDATE &&
                           (target->takes_key || target->access.is_full);
        bool is_granted = field != NULL && access_field(&target->access, field);
        if (field != NULL && field == target->link)
            continue; /* the parent wins */
        if (is_granted || is_selector)
            TRY(take_supplied(target, payload, field, it.value));
        else if (is_refused(target, field))
            refused[refused_count++] = it.key;
    }
    if (refused_count == 0)
        return OK;
    struct compiler c = {.ctx = ctx, .arena = ctx->arena};
    if (payload->action == ACTION_CREATE)
        return forbid_fields(&c, payload->collection, refused, refused_count, (struct place){0});
    return forbid_unknown_first(&c, payload->collection, refused, refused_count, (struct place){0});
}

static fiber_fn Err take_preset(const struct write_target *target, struct payload *payload,
                                const struct field *field, const struct json *value)
{
    assert(field != NULL);
    struct ctx *ctx = target->ctx;
    bool is_dynamic = false;
    Str text = STR_NONE;
    if (json_kind(value) == JSON_STRING)
        TRY(dynamic_text(ctx, target->schema, json_str(value), &is_dynamic, &text));
    if (is_dynamic && text.data == NULL)
        value = NULL;
    else if (is_dynamic)
        TRY(json_of_str(ctx, text, &value));
    return take_member(target, payload, field, value);
}

static bool is_given(const struct payload *payload, const struct field *field)
{
    for (const struct nested *nested = payload->first_nested; nested != NULL;
         nested = nested->next) {
        if (nested->field == field)
            return true;
    }
    return payload_find(payload, field) != NULL;
}

/* A preset of a later policy overrides an earlier one; the body overrides presets. */
static fiber_fn Err take_presets(const struct write_target *target, struct payload *payload)
{
    if (target->access.is_full)
        return OK;
    const struct grant *grant = target->access.grant;
    assert(grant != NULL);
    for (uint32_t i = grant->rule_count; i-- > 0;) {
        for (struct json_iter it = json_iter(grant->rules[i].presets); json_next(&it);) {
            const struct field *field = collection_field(payload->collection, it.key);
            if (field != NULL && !is_given(payload, field) && !access_keeps(&target->access, field))
                TRY(take_preset(target, payload, field, it.value));
        }
    }
    return OK;
}

/* Whether the server fills in the field, so that the body need not supply it. */
static bool is_server_filled(const struct write_target *target, const struct field *field)
{
    const uint32_t made = SPECIAL_UUID | SPECIAL_DATE_CREATED | SPECIAL_DATE_UPDATED |
                          SPECIAL_USER_CREATED | SPECIAL_USER_UPDATED | SPECIAL_ROLE_CREATED |
                          SPECIAL_ROLE_UPDATED;
    if ((field->special & made) != 0 || field->is_generated)
        return true;
    if (field == target->link)
        return true;
    return is_site_field(field) && target->ctx->scope.kind == SCOPE_SITE;
}

/* In PLATFORM scope null means the library site: the row belongs to no tenant. */
static bool null_means_library(const struct write_target *target, const struct field *field)
{
    return is_site_field(field) && !field->is_nullable && target->ctx->scope.kind == SCOPE_PLATFORM;
}

static Err check_nulls(const struct write_target *target, const struct payload *payload)
{
    Err result = OK;
    const struct collection *collection = payload->collection;
    for (uint32_t i = 0; i < collection->field_count; i++) {
        const struct field *field = collection->fields[i];
        if (field->is_alias || field->is_nullable || is_server_filled(target, field))
            continue;
        const struct cell *cell = payload_find(payload, field);
        if (cell == NULL && field->is_key && field->type_oid == OID_UUID)
            continue; /* one is made */
        if (cell == NULL && payload->action == ACTION_CREATE && !field->has_default &&
            !is_given(payload, field))
            result =
                validation_failed(target, field->name, filter_operator(OPERATOR_SUBMITTED), NULL);
        else if (cell != NULL && cell->json == NULL && !null_means_library(target, field))
            result = validation_failed(target, field->name, filter_operator(OPERATOR_NNULL), NULL);
    }
    return result;
}

static fiber_fn Err validate(const struct write_target *target, const struct payload *payload)
{
    Err result = check_nulls(target, payload);
    const struct collection *collection = payload->collection;
    for (uint32_t i = 0; i < collection->field_count; i++) {
        if (collection->fields[i]->validation == NULL)
            continue;
        Err err = validate_rule(target, payload, collection->fields[i]->validation);
        result = err != OK ? err : result;
    }
    const struct grant *grant = target->access.grant;
    for (uint32_t i = 0; grant != NULL && i < grant->rule_count; i++) {
        if (grant->rules[i].validation == NULL)
            continue;
        const struct filter_value *rule;
        TRY(filter_read(target->ctx, target->ctx->arena, grant->rules[i].validation, &rule));
        Err err = validate_rule(target, payload, rule);
        result = err != OK ? err : result;
    }
    return result;
}

/* Whether JavaScript takes the value for false: then a UUID is made instead. */
static bool is_falsy(const struct json *json)
{
    switch (json_kind(json)) {
    case JSON_NULL:
        return true;
    case JSON_BOOL:
        return !json_bool(json);
    case JSON_STRING:
        return json_str(json).len == 0;
    case JSON_INT:
        return json_int(json) == 0;
    default:
        return false;
    }
}

static bool asks_for_uuid(const struct payload *payload, const struct cell *cell)
{
    return payload->action == ACTION_CREATE && (cell->field->special & SPECIAL_UUID) != 0 &&
           is_falsy(cell->json);
}

static fiber_fn Err convert(const struct write_target *target, struct payload *payload)
{
    assert(payload->collection == target->collection);
    Err result = OK;
    for (uint32_t i = 0; i < payload->count; i++) {
        struct cell *cell = &payload->cells[i];
        if (cell->field == NULL || cell->json == NULL || asks_for_uuid(payload, cell))
            continue;
        Err err = cell_text(target, cell->field, cell->json, &cell->text);
        if (err == OK)
            err = items_guard_check(target->ctx, cell->field, cell->text);
        if (err != OK && target->ctx->diag.count == 0)
            return err;
        result = err != OK ? err : result;
    }
    return result;
}

static Str now_text(struct ctx *ctx, const struct field *field)
{
    Str iso = clock_iso(ctx->arena, clock_wall_us());
    if (field->type_oid == OID_DATE)
        return str_slice(iso, 0, 10);
    return field->type_oid == OID_TIME ? str_slice(iso, 11, 23) : iso;
}

static Str own_uuid(struct ctx *ctx, Uuid uuid)
{
    return uuid_is_nil(uuid) ? STR_NONE : uuid_text(ctx->arena, uuid);
}

static void fill_special(struct ctx *ctx, struct payload *payload, const struct field *field)
{
    assert(!field->is_alias);
    bool creates = payload->action == ACTION_CREATE;
    uint32_t date = creates ? SPECIAL_DATE_CREATED : SPECIAL_DATE_UPDATED;
    uint32_t user = creates ? SPECIAL_USER_CREATED : SPECIAL_USER_UPDATED;
    uint32_t role = creates ? SPECIAL_ROLE_CREATED : SPECIAL_ROLE_UPDATED;
    if ((field->special & date) != 0)
        payload_set(ctx, payload, field, now_text(ctx, field));
    if ((field->special & user) != 0)
        payload_set(ctx, payload, field, own_uuid(ctx, ctx->actor->user));
    if ((field->special & role) != 0)
        payload_set(ctx, payload, field, own_uuid(ctx, ctx->actor->role));
    bool makes_uuid = creates && !field->is_key && (field->special & SPECIAL_UUID) != 0;
    const struct cell *cell = payload_find(payload, field);
    if (makes_uuid && (cell == NULL || cell->text.len == 0))
        payload_set(ctx, payload, field, uuid_text(ctx->arena, uuid_make()));
}

static void fill_specials(const struct write_target *target, struct payload *payload)
{
    const struct collection *collection = payload->collection;
    for (uint32_t i = 0; i < collection->field_count; i++) {
        const struct field *field = collection->fields[i];
        if (!field->is_alias && field->special != 0)
            fill_special(target->ctx, payload, field);
    }
}

static void fill_site(const struct write_target *target, struct payload *payload)
{
    const struct field *site = payload->collection->site;
    if (site == NULL || site->is_key)
        return;
    struct ctx *ctx = target->ctx;
    struct cell *cell = payload_find(payload, site);
    if (ctx->scope.kind == SCOPE_SITE && payload->action == ACTION_CREATE)
        payload_set(ctx, payload, site, uuid_text(ctx->arena, ctx->scope.site));
    else if (ctx->scope.kind == SCOPE_SITE && cell != NULL)
        cell->field = NULL; /* the row already belongs to this site, or it will not be found */
    else if (cell != NULL && cell->text.data == NULL && null_means_library(target, site))
        payload_set(ctx, payload, site, uuid_text(ctx->arena, UUID_LIBRARY_SITE));
}

static Err fill_key(const struct write_target *target, struct payload *payload)
{
    assert(payload->collection->key != NULL);
    const struct field *key = payload->collection->key;
    if (payload->action != ACTION_CREATE)
        return OK;
    struct cell *cell = payload_find(payload, key);
    if (cell != NULL && cell->text.len == 0)
        cell->field = NULL; /* null and "" request a new value */
    if (payload_find(payload, key) == NULL && key->type_oid == OID_UUID)
        payload_set(target->ctx, payload, key, uuid_text(target->ctx->arena, uuid_make()));
    cell = payload_find(payload, key);
    payload->key = cell == NULL ? STR_NONE : cell->text;
    return OK;
}

/* If a key is unique over all sites, a conflict would reveal that another site has a row with that
 * key. So a site may not choose such keys at all. */
static Err check_choice(const struct write_target *target, const struct cell *key)
{
    assert(key->field == target->collection->key);
    const struct collection *collection = target->collection;
    bool is_chosen = target->action == ACTION_CREATE && key->json != NULL &&
                     !(json_kind(key->json) == JSON_STRING && json_str(key->json).len == 0);
    bool is_open = target->ctx->scope.kind == SCOPE_SITE && collection->site != NULL &&
                   collection->site != collection->key && !collection->is_keyed_by_site;
    if (!is_chosen || !is_open)
        return OK;
    return fail(target->ctx, ERR_FORBIDDEN,
                "You don't have permission to choose \"%.*s\" in collection \"%.*s\": its keys are "
                "made by the server.",
                STR_FMT(collection->key->name), STR_FMT(collection->name));
}

/* An invalid key is refused like a missing one. */
static Err check_key(const struct write_target *target, const struct payload *payload)
{
    const struct field *key = payload->collection->key;
    const struct cell *cell = payload_find(payload, key);
    Uuid uuid;
    if (cell != NULL)
        TRY(check_choice(target, cell));
    if (cell == NULL || cell->json == NULL)
        return OK;
    bool is_text = json_kind(cell->json) == JSON_STRING;
    Str text = is_text ? json_str(cell->json) : json_text(target->ctx->arena, cell->json);
    bool is_valid = is_text && text.len == 0;
    if (key->type_oid == OID_UUID)
        is_valid |= is_text && uuid_parse(text, &uuid);
    else
        is_valid |= key_is_valid(key, text);
    return is_valid ? OK : fail_plain(target->ctx, ERR_FORBIDDEN);
}

/* Setting the reference to a parent needs the same right as any other change of the row. */
static Err take_link(const struct write_target *target, struct payload *payload)
{
    assert(target->link != NULL);
    struct compiler c = {.ctx = target->ctx, .arena = target->ctx->arena};
    if (!access_field(&target->access, target->link))
        return forbid_field(&c, target->collection, target->link->name, (struct place){0});
    payload_set(target->ctx, payload, target->link, target->link_value);
    payload_find(payload, target->link)->is_supplied = true;
    payload->given[payload->given_count++] = target->link;
    return OK;
}

/* The position after the siblings, unless the body has one; as in Directus, it needs a grant. */
static Err take_order(const struct write_target *target, struct payload *payload)
{
    struct compiler c = {.ctx = target->ctx, .arena = target->ctx->arena};
    if (target->order == NULL || payload_find(payload, target->order) != NULL)
        return OK;
    if (!access_field(&target->access, target->order))
        return forbid_field(&c, target->collection, target->order->name, (struct place){0});
    payload_set(target->ctx, payload, target->order,
                str_printf(target->ctx->arena, "%jd", (intmax_t)target->order_value));
    payload_find(payload, target->order)->is_given = true;
    return OK;
}

Err payload_make(const struct write_target *target, const struct json *body, struct payload *ret)
{
    assert(target->collection->key != NULL);
    struct ctx *ctx = target->ctx;
    const struct collection *collection = target->collection;
    if (json_kind(body) != JSON_OBJECT)
        return fail(ctx, ERR_INVALID_PAYLOAD, "An item must be an object");
    *ret = (struct payload){
        .collection = collection, .action = target->action, .count = collection->field_count};
    ret->cells = arena_array(ctx->arena, struct cell, collection->field_count);
    diag_clear(ctx);
    TRY(take_members(target, ret, body));
    if (target->access.keeps_accounts && target->action == ACTION_CREATE)
        return schema_forbidden_collection(ctx, collection->name, STR_NONE);
    TRY(take_presets(target, ret));
    TRY(check_key(target, ret));
    struct cell *key = payload_find(ret, collection->key);
    if (key != NULL && key->json != NULL && json_kind(key->json) == JSON_STRING &&
        json_str(key->json).len == 0)
        key->field = NULL;
    TRY(validate(target, ret));
    TRY(convert(target, ret));
    if (target->link != NULL)
        TRY(take_link(target, ret));
    TRY(take_order(target, ret));
    fill_specials(target, ret);
    fill_site(target, ret);
    return fill_key(target, ret);
}
