/* /users/me: the user whom a token belongs to. */
#include "gen/routes/users.h"

#include "access/grants/actor.h"
#include "access/identity/current.h"
#include "base/system/clock.h"
#include "content/items/items.h"
#include "gen/sql.h"
#include "io/reactor/reactor.h"
#include "server/rest/rest_rows.h"

static const struct items_target USERS = {STR_INIT("directus_users"), ITEMS_SYSTEM};

/* Visitors and the tokens of sites are nobody's. */
static Err user_of(struct ctx *ctx, Str *ret)
{
    if (uuid_is_nil(ctx->actor->user))
        return fail_plain(ctx, ERR_INVALID_CREDENTIALS);
    *ret = uuid_text(ctx->arena, ctx->actor->user);
    return OK;
}

/* Whoever may not read users, or one of the fields, is told who it is. */
static void id_tell(struct ctx *ctx, struct reply *reply, Str user)
{
    diag_clear(ctx);
    buf_clear(reply->body);
    struct json_writer *w = &reply->json;
    *w = json_writer(reply->body);
    json_object_begin(w);
    json_key(w, STR("data"));
    json_object_begin(w);
    json_field_str(w, "id", user);
    json_object_end(w);
    json_object_end(w);
}

/* A token of a share is nobody's, but it says which share. */
static Err share_tell(struct ctx *ctx, struct reply *reply)
{
    struct json_writer *w = &reply->json;
    json_object_begin(w);
    json_key(w, STR("data"));
    json_object_begin(w);
    json_field_uuid(w, "share", ctx->actor->share);
    json_object_end(w);
    json_object_end(w);
    return OK;
}

fiber_fn Err route_users_me_show(struct ctx *ctx, const struct request *request,
                                 struct reply *reply)
{
    int64_t started_us = clock_now_us();
    Str user;
    if (ctx->actor->kind == ACTOR_SHARE)
        return share_tell(ctx, reply);
    TRY(user_of(ctx, &user));
    struct query query = query_unparsed(request->query);
    struct rest_rows rows = rest_rows(reply->body);
    Err err = items_read(ctx, USERS, user, &query, &rows.sink);
    if (err != ERR_FORBIDDEN)
        return err;
    err = access_settle(ctx, err, started_us); /* the refusal may rest on a stale cache */
    if (err != ERR_FORBIDDEN)
        return err;
    TRY(query_parse(ctx, request->query, &query)); /* a bad query is refused all the same */
    id_tell(ctx, reply, user);
    return OK;
}

fiber_fn Err route_users_me_patch(struct ctx *ctx, const struct request *request,
                                  struct reply *reply)
{
    Str user;
    TRY(user_of(ctx, &user));
    const struct json *body;
    TRY(request_object(ctx, request, &body));
    struct query query;
    TRY(query_parse(ctx, request->query, &query));
    struct rest_rows rows = rest_rows(reply->body);
    TRY(items_update(ctx, USERS, user, body, &query, &rows.sink));
    if (!rows.has_begun)
        reply_no_content(reply);
    return OK;
}

static fiber_fn Err last_page_read(struct ctx *ctx, const struct request *request, Str *ret)
{
    const struct json *body;
    TRY(request_object(ctx, request, &body));
    const struct json *page = json_get(body, STR("last_page"));
    *ret = STR_NONE;
    if (json_kind(page) == JSON_INT)
        *ret = json_text(ctx->arena, page);
    else
        TRY(json_take_str(ctx, body, "last_page", USER_LAST_PAGE_MAX, ret));
    return ret->len > 0 ? OK : fail(ctx, ERR_INVALID_PAYLOAD, "\"last_page\" key is required");
}

fiber_fn Err route_users_track_page(struct ctx *ctx, const struct request *request,
                                    struct reply *reply)
{
    Str user;
    TRY(user_of(ctx, &user));
    Str page;
    TRY(last_page_read(ctx, request, &page));
    SCOPED_CTX struct ctx machinery = ctx_as_machinery(ctx, "its own last page, without a right");
    TRY(db_query_platform(reactor_platform(&machinery), &SQL_USER_TRACK_PAGE,
                          ARGS(db_uuid(ctx->actor->user), db_text(page)), NULL));
    reply_no_content(reply);
    return OK;
}
