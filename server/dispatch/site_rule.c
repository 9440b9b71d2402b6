#include "server/dispatch/site_rule.h"

#include "access/grants/actor.h"
#include "access/identity/authenticate.h"
#include "gen/sql.h"
#include "server/dispatch/route.h"

#include <assert.h>

/* Hostnames */

Err site_rule_check_caller(struct ctx *ctx, const struct route *route)
{
    struct platform platform;
    return route->site.rule == SITE_PLATFORM ? actor_platform(ctx, &platform) : OK;
}

Err site_rule_check_host(struct ctx *ctx, const struct route *route, const struct json *body)
{
    if (route->site.rule != SITE_HOST || route->guard == GUARD_OPEN)
        return OK;
    if (ctx->scope.kind != SCOPE_SITE)
        return fail(ctx, ERR_UNKNOWN_SITE, "No site answers to this host.");
    Uuid named = ctx->scope.site;
    TRY(json_take_uuid(ctx, body, "site", &named));
    TRY(json_take_uuid(ctx, body, "site_id", &named));
    if (!uuid_eq(named, ctx->scope.site))
        return fail_field(ctx, ERR_FORBIDDEN, "site_id",
                          "The body names another site than the host.");
    return OK;
}

static struct ctx *narrow(struct ctx *ctx, Uuid site)
{
    fiber_own(site);
    return ctx_narrow(ctx, site);
}

/* Only by Host: public content does not depend on a token. */
static fiber_fn Err enter_host(struct ctx *ctx, const struct request *request, struct ctx **ret)
{
    Uuid site;
    TRY(site_find_by_host(ctx, request->host, &site));
    if (!uuid_is_nil(site))
        *ret = narrow(ctx, site);
    else if (request->route->site.rule == SITE_HOST)
        return fail(ctx, ERR_UNKNOWN_SITE, "No site answers to this host.");
    return OK;
}

/* Sites that are named, or implied by a row */

static fiber_fn Err enter_named(struct ctx *ctx, Uuid named, struct ctx **ret)
{
    struct rows rows;
    TRY(db_query(ctx, &SQL_SITE_EXISTS, ARGS(db_uuid(named)), &rows));
    if (rows.count == 0)
        return fail_field(ctx, ERR_UNKNOWN_SITE, "site_id", "There is no such site.");
    *ret = narrow(ctx, named);
    return OK;
}

static fiber_fn Err enter_owner(struct ctx *ctx, const struct site_subject *subject,
                                struct db_uuids ids, struct ctx **ret)
{
    struct rows rows;
    TRY(db_query(ctx, subject->sites, ARGS(db_uuid_array(ctx->arena, ids.list, ids.count)), &rows));
    if (rows.count == 0)
        return fail(ctx, ERR_NOT_FOUND, "There is no such %s.", subject->noun);
    if (rows.count > 1 && ids.count == 1)
        return fail_plain(ctx, ERR_AMBIGUOUS_KEY);
    if (rows.count > 1)
        return fail(ctx, ERR_FAILED_VALIDATION,
                    "These belong to more than one site; send one request a site.");
    Uuid site = row_uuid(&rows, 0, CAMPAIGN_SITES_SITE_ID);
    if (uuid_eq(site, UUID_LIBRARY_SITE))
        return fail(ctx, ERR_FAILED_VALIDATION, "This %s is for every site; name one with site_id.",
                    subject->noun);
    *ret = narrow(ctx, site);
    return OK;
}

static struct db_uuids subject_ids(const struct site_subject *subject, const void *input)
{
    const void *value = (const char *)input + subject->offset;
    if (subject->is_list)
        return *(const struct db_uuids *)value;
    const Uuid *id = value;
    return (struct db_uuids){id, uuid_is_nil(*id) ? 0 : 1};
}

static fiber_fn Err enter_subject(struct ctx *ctx, const struct request *request, struct ctx **ret)
{
    const struct route_site *site = &request->route->site;
    for (uint32_t i = 0; i < site->subject_count; i++) {
        struct db_uuids ids = subject_ids(&site->subjects[i], request->input);
        if (ids.count > 0)
            return enter_owner(ctx, &site->subjects[i], ids, ret);
    }
    return field_refuse(ctx, "site_id", "site_id is required");
}

static fiber_fn Err enter_implied(struct ctx *ctx, const struct request *request, struct ctx **ret)
{
    const struct route_site *site = &request->route->site;
    assert(site->has_named && request->input != NULL);
    Uuid named = *(const Uuid *)((const char *)request->input + site->named_offset);
    if (ctx->scope.kind == SCOPE_SITE) {
        if (uuid_is_nil(named) || uuid_eq(named, ctx->scope.site))
            return OK;
        return fail_field(ctx, ERR_FORBIDDEN, "site_id", "This token belongs to another site.");
    }
    if (ctx->scope.kind != SCOPE_PLATFORM)
        return fail_plain(ctx, ERR_FORBIDDEN);
    if (!uuid_is_nil(named))
        return enter_named(ctx, named, ret);
    return site->rule == SITE_NAMED_OR_PLATFORM ? OK : enter_subject(ctx, request, ret);
}

fiber_fn Err site_rule_enter(struct ctx *ctx, const struct request *request, struct ctx **ret)
{
    *ret = ctx;
    switch (request->route->site.rule) {
    case SITE_HOST:
    case SITE_HOST_OR_NONE:
        return request->route->guard == GUARD_OPEN ? enter_host(ctx, request, ret) : OK;
    case SITE_NAMED:
    case SITE_NAMED_OR_PLATFORM:
    case SITE_OF:
        return enter_implied(ctx, request, ret);
    case SITE_NONE:
    case SITE_CALLER:
    case SITE_PLATFORM:
        break;
    }
    return OK;
}
