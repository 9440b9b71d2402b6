#include "access/identity/share.h"

#include "access/grants/grants_build.h"
#include "access/identity/identity.h"
#include "access/identity/policies.h"
#include "base/crypto/crypto.h"
#include "base/json/json_build.h"
#include "base/memory/array.h"
#include "base/system/clock.h"
#include "base/text/buf.h"
#include "gen/sql.h"
#include "io/pg/db.h"
#include "io/reactor/reactor.h"

#include <assert.h>

/* On a host of a site only its own shares exist. */
static fiber_fn Err find(struct ctx *ctx, Uuid id, Uuid only_site, struct rows *ret, bool *ret_is)
{
    TRY(db_query_platform(reactor_platform(ctx), &SQL_SHARE_FIND, ARGS(db_uuid(id)), ret));
    assert(ret->count <= 1);
    *ret_is = ret->count == 1;
    if (*ret_is && !uuid_is_nil(only_site))
        *ret_is = uuid_eq(row_uuid(ret, 0, SHARE_FIND_SITE_ID), only_site);
    return OK;
}

fiber_fn Err share_info(struct ctx *ctx, Uuid id, struct share_info *ret)
{
    struct rows rows;
    bool is_found;
    Uuid site = ctx->scope.kind == SCOPE_SITE ? ctx->scope.site : (Uuid){0};
    SCOPED_CTX struct ctx machinery =
        ctx_as_machinery(ctx, "whoever has the link may ask what it is");
    TRY(find(&machinery, id, site, &rows, &is_found));
    if (!is_found)
        return fail_plain(ctx, ERR_FORBIDDEN);
    *ret = (struct share_info){
        .id = id,
        .collection = row_text(&rows, 0, SHARE_FIND_COLLECTION),
        .item = row_text(&rows, 0, SHARE_FIND_ITEM),
        .has_password = row_text(&rows, 0, SHARE_FIND_PASSWORD).len > 0,
        .has_max_uses = !row_is_null(&rows, 0, SHARE_FIND_MAX_USES),
        .max_uses = row_int(&rows, 0, SHARE_FIND_MAX_USES),
        .times_used = row_int(&rows, 0, SHARE_FIND_TIMES_USED),
        .date_start = row_is_null(&rows, 0, SHARE_FIND_DATE_START)
                          ? 0
                          : row_time(&rows, 0, SHARE_FIND_DATE_START),
        .date_end = row_is_null(&rows, 0, SHARE_FIND_DATE_END)
                        ? 0
                        : row_time(&rows, 0, SHARE_FIND_DATE_END),
    };
    return OK;
}

/* The session of a visitor who has used the share once more. */
static fiber_fn Err open_session(struct ctx *ctx, Uuid id, Uuid role, enum session_mode mode,
                                 const struct session_client *client, struct session_tokens *ret)
{
    assert(!uuid_is_nil(id));
    struct rows used;
    TRY(db_query_platform(reactor_platform(ctx), &SQL_SHARE_USE, ARGS(db_uuid(id)), &used));
    if (used.count == 0)
        return fail_plain(ctx, ERR_INVALID_CREDENTIALS);
    Str token = random_token(ctx->arena, SESSION_TOKEN_LEN);
    struct share_open_args args = {
        .token = token,
        .share = id,
        .expires = session_expiry(ctx, mode),
        .ip = client->ip,
        .user_agent = client->user_agent,
        .origin = client->origin,
    };
    TRY(db_query_platform(reactor_platform(ctx), &SQL_SHARE_OPEN,
                          share_open_args(ctx->arena, &args), NULL));
    struct claims claims = {.share = id, .role = role};
    return session_make_tokens(ctx, claims, token, mode, ret);
}

static fiber_fn Err login(struct ctx *ctx, Uuid id, Str password, enum session_mode mode,
                          const struct session_client *client, struct session_tokens *ret)
{
    struct rows rows;
    bool is_found;
    TRY(find(ctx, id, client->only_site, &rows, &is_found));
    Str hash = is_found ? row_text(&rows, 0, SHARE_FIND_PASSWORD) : STR_NONE;
    bool is_right = is_found && hash.len == 0;
    if (!is_right)
        TRY(session_check_password(ctx, hash, password, false, &is_right));
    if (!is_right)
        return fail_plain(ctx, ERR_INVALID_CREDENTIALS);
    return open_session(ctx, id, row_uuid(&rows, 0, SHARE_FIND_ROLE), mode, client, ret);
}

fiber_fn Err share_login(struct ctx *ctx, Uuid id, Str password, enum session_mode mode,
                         const struct session_client *client, struct session_tokens *ret)
{
    assert(client != NULL && ctx->actor == NULL);
    int64_t started_us = clock_now_us();
    struct login_limits limits = session_limits(ctx->reactor->settings);
    struct login_try try;
    Str name = uuid_text(ctx->arena, id);
    TRY(login_limit_take(ctx, &limits, name, client->ip, false, clock_now_us(), &try));
    Err err = login(ctx, id, password, mode, client, ret);
    if (err != ERR_INVALID_CREDENTIALS)
        login_limit_give_back(&try, clock_now_us());
    TRY(session_stall(ctx, started_us));
    return err;
}

static fiber_fn Err rotate(struct ctx *ctx, Str session, enum session_mode mode,
                           const struct session_client *client, struct rows *ret)
{
    struct share_rotate_args args = {
        .token = session,
        .next = random_token(ctx->arena, SESSION_TOKEN_LEN),
        .expires = session_expiry(ctx, mode),
        .ip = client->ip,
        .user_agent = client->user_agent,
        .origin = client->origin,
        .site = client->only_site,
    };
    return db_query_platform(reactor_platform(ctx), &SQL_SHARE_ROTATE,
                             share_rotate_args(ctx->arena, &args), ret);
}

static fiber_fn Err renew(struct ctx *ctx, Str session, const struct session_client *client,
                          struct rows *ret)
{
    struct share_renew_args args = {
        .token = session,
        .next = random_token(ctx->arena, SESSION_TOKEN_LEN),
        .expires = session_expiry(ctx, SESSION_SESSION),
        .grace = clock_wall_us() + ctx->reactor->settings->session_grace_s * SECOND_US,
        .ip = client->ip,
        .user_agent = client->user_agent,
        .origin = client->origin,
        .site = client->only_site,
    };
    return db_query_platform(reactor_platform(ctx), &SQL_SHARE_RENEW,
                             share_renew_args(ctx->arena, &args), ret);
}

fiber_fn Err share_refresh(struct ctx *ctx, Str session, enum session_mode mode,
                           const struct session_client *client, struct session_tokens *ret)
{
    static_assert((int)SHARE_ROTATE_NEXT == (int)SHARE_RENEW_NEXT &&
                      (int)SHARE_ROTATE_ROLE == (int)SHARE_RENEW_ROLE,
                  "the columns of the two statements");
    assert(session.len > 0);
    struct rows rows;
    if (mode == SESSION_SESSION)
        TRY(renew(ctx, session, client, &rows));
    else
        TRY(rotate(ctx, session, mode, client, &rows));
    if (rows.count == 0)
        return fail_plain(ctx, ERR_INVALID_CREDENTIALS);
    struct claims claims = {.share = row_uuid(&rows, 0, SHARE_ROTATE_SHARE),
                            .role = row_uuid(&rows, 0, SHARE_ROTATE_ROLE)};
    return session_make_tokens(ctx, claims, row_text(&rows, 0, SHARE_ROTATE_NEXT), mode, ret);
}

/*
 * What the token of a share may read: of each row that the share reaches, the fields that its role
 * grants on that row, and its creator, too. Everything is read anew with each request: the rows it
 * reaches change with the item.
 */

enum { RULE_MAX = 64 * 1024, FIELDS_MAX = 64 * 1024 };

/* Permissions of one side: the role, or the creator. */
struct side {
    bool is_all; /* an administrator, or nobody who could bound it */
    struct rows rows;
};

static fiber_fn Err side_load(struct ctx *ctx, Uuid user, Uuid role, Str ip, struct side *ret)
{
    assert(ctx->actor == NULL);
    struct policies policies;
    if (uuid_is_nil(user) && uuid_is_nil(role))
        TRY(policies_of_public(ctx, ip, &policies));
    else
        TRY(policies_of_user(ctx, user, role, ip, &policies));
    *ret = (struct side){.is_all = policies.is_admin};
    if (ret->is_all)
        return OK;
    return db_query_platform(reactor_platform(ctx), &SQL_ACCESS_PERMISSIONS,
                             ARGS(db_uuid_array(ctx->arena, policies.ids, policies.count)),
                             &ret->rows);
}

/* One permission to read; of an administrator: everything. */
struct bound {
    Str filter;
    Str fields;
};

static bool bound_at(const struct side *side, uint32_t index, Str collection, struct bound *ret)
{
    assert(collection.len > 0);
    *ret = (struct bound){STR_NONE, STR("*")};
    if (side->is_all)
        return index == 0;
    if (!str_eq(row_text(&side->rows, index, ACCESS_PERMISSIONS_COLLECTION), collection) ||
        !str_eq(row_text(&side->rows, index, ACCESS_PERMISSIONS_ACTION), STR("read")))
        return false;
    ret->filter = row_json(&side->rows, index, ACCESS_PERMISSIONS_PERMISSIONS);
    ret->fields = row_text(&side->rows, index, ACCESS_PERMISSIONS_FIELDS);
    return true;
}

static uint32_t bound_count(const struct side *side)
{
    assert(side->is_all || side->rows.columns > 0);
    return side->is_all ? 1 : side->rows.count;
}

static bool lists(Str fields, Str name)
{
    Str field;
    while (str_next(&fields, ',', &field)) {
        if (str_eq(str_trim(field), name) || str_eq(str_trim(field), STR("*")))
            return true;
    }
    return false;
}

/* The fields that both name. */
static Str common_fields(struct ctx *ctx, Str a, Str b)
{
    if (lists(a, STR("*")))
        return b;
    struct buf *out = buf_in_arena(ctx->arena, FIELDS_MAX);
    Str field;
    while (str_next(&a, ',', &field)) {
        if (lists(b, str_trim(field)))
            buf_printf(out, "%s%.*s", out->len == 0 ? "" : ",", STR_FMT(str_trim(field)));
    }
    return buf_str(out);
}

struct reach {
    Str collection;
    Str filter;
};

static Err add_condition(struct ctx *ctx, struct json_builder *b, Str text)
{
    const struct json *condition;
    if (text.len == 0)
        return OK;
    TRY(json_parse(ctx, text, JSON_LIMITS_DEFAULT, &condition));
    if (!json_is_null(condition))
        json_build_value(b, condition);
    return OK;
}

static Err add_rule(struct ctx *ctx, struct grants *grants, const struct reach *reach, Str a, Str b,
                    Str fields)
{
    assert(reach->filter.len > 0);
    struct permission permission = {
        .collection = reach->collection, .action = STR("read"), .fields = fields};
    struct json_builder *builder;
    TRY(json_builder_new(ctx, RULE_MAX, &builder));
    json_build_object_begin(builder);
    json_build_key(builder, STR("_and"));
    json_build_array_begin(builder);
    TRY(add_condition(ctx, builder, reach->filter));
    TRY(add_condition(ctx, builder, a));
    TRY(add_condition(ctx, builder, b));
    json_build_array_end(builder);
    json_build_object_end(builder);
    TRY(json_builder_end(ctx, builder, &permission.filter));
    grants_add(grants, ctx->arena, &permission);
    return OK;
}

static Err add_reach(struct ctx *ctx, struct grants *grants, const struct reach *reach,
                     const struct side *role, const struct side *creator, uint32_t *count)
{
    struct bound a;
    struct bound b;
    assert(reach->collection.len > 0);
    *count = 0;
    for (uint32_t i = 0; i < bound_count(role); i++) {
        if (!bound_at(role, i, reach->collection, &a))
            continue;
        for (uint32_t j = 0; j < bound_count(creator); j++) {
            if (!bound_at(creator, j, reach->collection, &b))
                continue;
            TRY(add_rule(ctx, grants, reach, a.filter, b.filter,
                         common_fields(ctx, a.fields, b.fields)));
            ++*count;
        }
    }
    return OK;
}

static fiber_fn Err grants_make(struct ctx *ctx, Uuid share, const struct side *role,
                                const struct side *creator, const struct grants **ret)
{
    static const Str SCHEMA[] = {STR_INIT("directus_collections"), STR_INIT("directus_fields"),
                                 STR_INIT("directus_relations")};
    struct grants *grants = grants_new(ctx->arena);
    struct rows rows;
    TRY(db_query_platform(reactor_platform(ctx), &SQL_SHARE_REACH, ARGS(db_uuid(share)), &rows));
    for (uint32_t i = 0; i < rows.count; i++) {
        struct reach reach = {row_text(&rows, i, SHARE_REACH_COLLECTION),
                              row_text(&rows, i, SHARE_REACH_FILTER)};
        uint32_t count;
        TRY(add_reach(ctx, grants, &reach, role, creator, &count));
        if (i == 0 && count == 0) /* the item exists, but none of its fields are granted */
            TRY(add_rule(ctx, grants, &reach, STR_NONE, STR_NONE, STR("")));
    }
    for (size_t i = 0; i < COUNT_OF(SCHEMA); i++) {
        struct permission all = {
            .collection = SCHEMA[i], .action = STR("read"), .fields = STR("*")};
        grants_add(grants, ctx->arena, &all);
    }
    *ret = grants;
    return OK;
}

fiber_fn Err identity_of_share(struct ctx *ctx, struct access_cache *cache, Uuid share, Str ip,
                               struct identity *ret, bool *ret_cacheable)
{
    struct rows rows;
    *ret_cacheable = false;
    TRY(db_query_platform(reactor_platform(ctx), &SQL_SHARE_FIND, ARGS(db_uuid(share)), &rows));
    if (rows.count == 0 || !row_bool(&rows, 0, SHARE_FIND_IS_OF_ACTIVE))
        return fail_plain(ctx, ERR_INVALID_CREDENTIALS);
    *ret = (struct identity){
        .kind = ACTOR_SHARE,
        .role = row_uuid(&rows, 0, SHARE_FIND_ROLE),
        .share = share,
        .scope = {.kind = SCOPE_PLATFORM},
        .site_epoch = row_int(&rows, 0, SHARE_FIND_SITE_EPOCH),
    };
    if (!row_is_null(&rows, 0, SHARE_FIND_SITE_ID)) {
        Uuid site = row_uuid(&rows, 0, SHARE_FIND_SITE_ID);
        TRY(identity_site_check(ctx, cache, site));
        ret->scope = (Scope){.kind = SCOPE_SITE, .site = site};
    }
    struct side role;
    struct side creator = {.is_all = true};
    TRY(side_load(ctx, (Uuid){0}, ret->role, ip, &role));
    if (!row_is_null(&rows, 0, SHARE_FIND_CREATOR))
        TRY(side_load(ctx, row_uuid(&rows, 0, SHARE_FIND_CREATOR),
                      row_uuid(&rows, 0, SHARE_FIND_CREATOR_ROLE), ip, &creator));
    return grants_make(ctx, share, &role, &creator, &ret->grants);
}
