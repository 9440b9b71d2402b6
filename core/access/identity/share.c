#include "access/identity/share.h"

#include "access/identity/identity.h"
#include "base/crypto/crypto.h"
#include "base/system/clock.h"
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
