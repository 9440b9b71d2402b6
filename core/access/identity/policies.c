#include "access/identity/policies.h"

#include "access/grants/app_access.h"
#include "access/grants/grants_build.h"
#include "access/identity/explained.h"
#include "access/limits/ip_range.h"
#include "gen/sql.h"
#include "io/pg/db.h"
#include "io/reactor/reactor.h"

#include <assert.h>

static fiber_fn Err ask_user(struct ctx *ctx, Uuid user, Uuid role, struct rows *ret)
{
    DbArg role_or_null = uuid_is_nil(role) ? db_null() : db_uuid(role);
    return db_query_platform(reactor_platform(ctx), &SQL_ACCESS_POLICIES_OF_USER,
                             ARGS(db_uuid(user), role_or_null), ret);
}

static fiber_fn Err ask_public(struct ctx *ctx, struct rows *ret)
{
    return db_query_platform(reactor_platform(ctx), &SQL_ACCESS_POLICIES_OF_PUBLIC, NO_ARGS, ret);
}

/* Both statements have the same columns. */
static struct policy_facts facts_of(const struct rows *rows, uint32_t row, Str ip)
{
    assert(row < rows->count);
    Str ranges = row_text(rows, row, ACCESS_POLICIES_OF_USER_IP_ACCESS);
    return (struct policy_facts){
        .id = row_uuid(rows, row, ACCESS_POLICIES_OF_USER_ID),
        .name = row_text(rows, row, ACCESS_POLICIES_OF_USER_NAME),
        .ip_access = ranges,
        .is_admin = row_bool(rows, row, ACCESS_POLICIES_OF_USER_IS_ADMIN),
        .has_app_access = row_bool(rows, row, ACCESS_POLICIES_OF_USER_HAS_APP_ACCESS),
        .enforces_tfa = row_bool(rows, row, ACCESS_POLICIES_OF_USER_ENFORCES_TFA),
        .is_in_force = ranges.len == 0 || ip_in_ranges(ip, ranges),
    };
}

/* Keeps the policies that apply to this address. */
static Err policies_take(struct ctx *ctx, const struct rows *rows, Str ip, struct policies *ret)
{
    *ret = (struct policies){0};
    for (uint32_t i = 0; i < rows->count; i++) {
        struct policy_facts facts = facts_of(rows, i, ip);
        ret->depends_on_ip |= facts.ip_access.len > 0;
        if (!facts.is_in_force)
            continue;
        if (ret->count == POLICIES_MAX)
            return fail(ctx, ERR_FORBIDDEN, "More than %d policies apply.", POLICIES_MAX);
        ret->ids[ret->count++] = facts.id;
        ret->is_admin |= facts.is_admin;
        ret->has_app_access |= facts.has_app_access;
        ret->enforces_tfa |= facts.enforces_tfa;
    }
    assert(ret->count <= rows->count);
    return OK;
}

fiber_fn Err policies_of_user(struct ctx *ctx, Uuid user, Uuid role, Str ip, struct policies *ret)
{
    assert(!uuid_is_nil(user) || !uuid_is_nil(role)) /* a share has a role alone */;
    struct rows rows;
    TRY(ask_user(ctx, user, role, &rows));
    return policies_take(ctx, &rows, ip, ret);
}

fiber_fn Err policies_of_public(struct ctx *ctx, Str ip, struct policies *ret)
{
    struct rows rows;
    TRY(ask_public(ctx, &rows));
    return policies_take(ctx, &rows, ip, ret);
}

/* Permissions are JSON that an administrator wrote; parsed into the cache's own arena. */
static Err parse_rule(struct ctx *ctx, struct access_cache *cache, Str text,
                      const struct json **ret)
{
    *ret = NULL;
    if (text.len == 0)
        return OK;
    struct ctx in_cache = {
        .arena = cache->arena, .reactor = ctx->reactor, .deadline_us = ctx->deadline_us};
    Err err = json_parse(&in_cache, str_dup(cache->arena, text), JSON_LIMITS_DEFAULT, ret);
    if (err != OK)
        return fail(ctx, ERR_INTERNAL, "a stored permission is not JSON");
    return OK;
}

static Err add_app_access(struct ctx *ctx, struct access_cache *cache, struct grants *grants)
{
    uint32_t count;
    const struct app_access *rules = app_access_rules(&count);
    for (uint32_t i = 0; i < count; i++) {
        struct permission permission = {.collection = rules[i].collection,
                                        .action = rules[i].action,
                                        .fields = rules[i].fields};
        TRY(parse_rule(ctx, cache, rules[i].filter, &permission.filter));
        TRY(parse_rule(ctx, cache, rules[i].validation, &permission.validation));
        grants_add(grants, cache->arena, &permission);
    }
    return OK;
}

static fiber_fn Err grants_load(struct ctx *ctx, struct access_cache *cache,
                                const struct policies *policies, const struct grants **ret)
{
    assert(policies->count <= POLICIES_MAX);
    struct rows rows;
    TRY(db_query_platform(reactor_platform(ctx), &SQL_ACCESS_PERMISSIONS,
                          ARGS(db_uuid_array(ctx->arena, policies->ids, policies->count)), &rows));
    struct grants *grants = grants_new(cache->arena);
    for (uint32_t i = 0; i < rows.count; i++) {
        struct permission permission = {
            .id = row_int(&rows, i, ACCESS_PERMISSIONS_ID),
            .policy = row_uuid(&rows, i, ACCESS_PERMISSIONS_POLICY),
            .collection = row_text(&rows, i, ACCESS_PERMISSIONS_COLLECTION),
            .action = row_text(&rows, i, ACCESS_PERMISSIONS_ACTION),
            .fields = row_text(&rows, i, ACCESS_PERMISSIONS_FIELDS),
        };
        TRY(parse_rule(ctx, cache, row_json(&rows, i, ACCESS_PERMISSIONS_PERMISSIONS),
                       &permission.filter));
        TRY(parse_rule(ctx, cache, row_json(&rows, i, ACCESS_PERMISSIONS_VALIDATION),
                       &permission.validation));
        TRY(parse_rule(ctx, cache, row_json(&rows, i, ACCESS_PERMISSIONS_PRESETS),
                       &permission.presets));
        grants_add(grants, cache->arena, &permission);
    }
    if (policies->has_app_access)
        TRY(add_app_access(ctx, cache, grants));
    *ret = grants;
    return OK;
}

/* One set of policies is compiled once, however many users have it. */
static fiber_fn Err set_find(struct ctx *ctx, struct access_cache *cache,
                             const struct policies *policies, const struct policy_set **ret)
{
    Str key = str_of((const char *)policies->ids, policies->count * sizeof policies->ids[0]);
    assert(cache->references > 0);
    *ret = map_get(cache->policies, key);
    if (*ret != NULL)
        return OK;
    const struct grants *grants = grants_full();
    if (!policies->is_admin)
        TRY(grants_load(ctx, cache, policies, &grants));
    struct policy_set *set = arena_new(cache->arena, struct policy_set);
    Uuid *ids = arena_array(cache->arena, Uuid, policies->count + 1);
    memcpy(ids, policies->ids, policies->count * sizeof ids[0]);
    *set = (struct policy_set){ids, policies->count, grants};
    map_put(cache->policies, str_of((const char *)ids, key.len), set);
    *ret = set;
    return OK;
}

fiber_fn Err policies_grant(struct ctx *ctx, struct access_cache *cache,
                            const struct policies *policies, struct identity *identity)
{
    assert(identity->grants == NULL);
    const struct policy_set *set;
    TRY(set_find(ctx, cache, policies, &set));
    assert(set->count == policies->count && set->grants != NULL);
    identity->is_admin = policies->is_admin;
    identity->has_app_access = policies->has_app_access;
    identity->enforces_tfa = policies->enforces_tfa;
    identity->policies = set;
    identity->grants = set->grants;
    return OK;
}

fiber_fn Err policies_explain(struct ctx *ctx, Uuid user, Uuid role, Str ip,
                              const struct policy_facts **ret, uint32_t *ret_count)
{
    struct rows rows;
    if (uuid_is_nil(user))
        TRY(ask_public(ctx, &rows));
    else
        TRY(ask_user(ctx, user, role, &rows));
    struct policy_facts *facts = arena_array(ctx->arena, struct policy_facts, rows.count + 1);
    for (uint32_t i = 0; i < rows.count; i++)
        facts[i] = facts_of(&rows, i, ip);
    assert(rows.count == 0 || facts != NULL);
    *ret = facts;
    *ret_count = rows.count;
    return OK;
}
