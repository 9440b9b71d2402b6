#include "server/api/factory/factory.h"

#include "access/grants/actor.h"
#include "gen/sql.h"

#include <assert.h>
#include <inttypes.h>

Err factory_refuse(struct ctx *ctx, const char *field, const char *sentence)
{
    return fail_field(ctx, ERR_FAILED_VALIDATION, field, "%s", sentence);
}

Err factory_check_write(struct ctx *ctx)
{
    if (ctx->actor != NULL && ctx->actor->may_write)
        return OK;
    return fail(ctx, ERR_FORBIDDEN, "This token may only read.");
}

Err factory_named_site(struct ctx *ctx, const struct json *body, Uuid *ret)
{
    *ret = (Uuid){0};
    TRY(json_take_uuid(ctx, body, "site", ret));
    return json_take_uuid(ctx, body, "site_id", ret);
}

static void narrow(struct ctx *ctx, Uuid site)
{
    assert(ctx->scope.kind == SCOPE_PLATFORM);
    ctx->scope = (Scope){.kind = SCOPE_SITE, .site = site};
    fiber_own(site);
}

static fiber_fn Err enter_named(struct ctx *ctx, Uuid named)
{
    struct rows rows;
    TRY(db_query(ctx, &SQL_SITE_EXISTS, ARGS(db_uuid(named)), &rows));
    if (rows.count == 0)
        return fail_field(ctx, ERR_UNKNOWN_SITE, "site_id", "There is no such site.");
    narrow(ctx, named);
    return OK;
}

static fiber_fn Err enter_owner(struct ctx *ctx, const struct factory_subject *subject)
{
    struct rows rows;
    TRY(db_query(ctx, subject->sites, ARGS(db_uuid_array(ctx->arena, subject->ids, subject->count)),
                 &rows));
    if (rows.count == 0)
        return fail(ctx, ERR_NOT_FOUND, "There is no such %s.", subject->noun);
    if (rows.count > 1 && subject->count == 1)
        return fail_plain(ctx, ERR_AMBIGUOUS_KEY);
    if (rows.count > 1)
        return fail(ctx, ERR_FAILED_VALIDATION,
                    "These belong to more than one site; send one request a site.");
    Uuid site = row_uuid(&rows, 0, CAMPAIGN_SITES_SITE_ID);
    if (uuid_eq(site, UUID_LIBRARY_SITE))
        return fail(ctx, ERR_FAILED_VALIDATION, "This %s is for every site; name one with site_id.",
                    subject->noun);
    narrow(ctx, site);
    return OK;
}

fiber_fn Err factory_enter(struct ctx *ctx, Uuid named, const struct factory_subject *subject)
{
    if (ctx->scope.kind == SCOPE_SITE) {
        if (uuid_is_nil(named) || uuid_eq(named, ctx->scope.site))
            return OK;
        return fail_noted(ctx, ERR_FORBIDDEN, "field", STR("site_id"),
                          "This token belongs to another site.");
    }
    if (ctx->scope.kind != SCOPE_PLATFORM)
        return fail_plain(ctx, ERR_FORBIDDEN);
    if (!uuid_is_nil(named))
        return enter_named(ctx, named);
    if (subject == NULL)
        return factory_refuse(ctx, "site_id", "site_id is required");
    return enter_owner(ctx, subject);
}

fiber_fn Err factory_enter_campaign(struct ctx *ctx, const struct json *body, Uuid *ret)
{
    Uuid campaign = {0};
    Uuid named;
    TRY(json_take_uuid(ctx, body, "campaign", &campaign));
    TRY(json_take_uuid(ctx, body, "campaign_id", &campaign));
    if (uuid_is_nil(campaign))
        return factory_refuse(ctx, "campaign_id", "campaign_id is required");
    TRY(factory_named_site(ctx, body, &named));
    TRY(factory_enter(ctx, named,
                      &(struct factory_subject){&SQL_CAMPAIGN_SITES, "campaign", &campaign, 1}));
    *ret = campaign;
    return OK;
}

static bool is_listed(const Uuid *ids, uint32_t count, Uuid id)
{
    for (uint32_t i = 0; i < count; i++)
        if (uuid_eq(ids[i], id))
            return true;
    return false;
}

Err factory_take_ids(struct ctx *ctx, const struct json *body, const char *key, uint32_t max,
                     Uuid **ret, uint32_t *ret_count)
{
    const struct json *array = json_get(body, str_from_z(key));
    uint32_t len = json_len(array);
    if (json_kind(array) != JSON_ARRAY || len == 0 || len > max) {
        return fail_noted(ctx, ERR_FAILED_VALIDATION, "field", str_from_z(key),
                          "%s has to be an array of 1 to %" PRIu32 " ids", key, max);
    }
    Uuid *ids = arena_array(ctx->arena, Uuid, len);
    uint32_t count = 0;
    for (uint32_t i = 0; i < len; i++) {
        const struct json *item = json_at(array, i);
        Uuid id;
        if (json_kind(item) != JSON_STRING || !uuid_parse(json_str(item), &id)) {
            return fail_noted(ctx, ERR_FAILED_VALIDATION, "field",
                              str_printf(ctx->arena, "%s[%" PRIu32 "]", key, i),
                              "%s[%" PRIu32 "] is not a UUID", key, i);
        }
        if (!is_listed(ids, count, id))
            ids[count++] = id;
    }
    *ret = ids;
    *ret_count = count;
    return OK;
}

/* Editors' pages write "Male". */
Err factory_take_avatar(struct ctx *ctx, const struct json *body, struct avatar_choice *ret)
{
    *ret = (struct avatar_choice){0};
    TRY(json_take_uuid(ctx, body, "avatar", &ret->id));
    TRY(json_take_uuid(ctx, body, "avatar_id", &ret->id));
    TRY(json_take_str(ctx, body, "avatar_key", AVATAR_KEY_MAX, &ret->key));
    TRY(json_take_str(ctx, body, "variant_type", AVATAR_KEY_MAX, &ret->variant_type));
    if (ret->variant_type.len == 0)
        return OK;
    ret->variant_type = str_lower(ctx->arena, ret->variant_type);
    if (!avatar_is_variant(ret->variant_type))
        return factory_refuse(ctx, "variant_type",
                              "variant_type has to be male, female or neutral");
    return OK;
}
