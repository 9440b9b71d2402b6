/* Mail that invites to a share. */
#include "access/grants/actor.h"
#include "content/items/items.h"
#include "gen/routes/shares.h"
#include "gen/sql.h"
#include "io/reactor/reactor.h"
#include "visitors/outbound/outbound.h"

#include <assert.h>

enum { SHARE_BYTES_MAX = 64 * 1024 };

static Err emails_read(struct ctx *ctx, const struct json *list, struct invitation *ret)
{
    if (list == NULL)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"emails\" is required");
    if (json_kind(list) != JSON_ARRAY)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"emails\" must be an array");
    if (json_len(list) > INVITATION_EMAILS_MAX)
        return fail(ctx, ERR_INVALID_PAYLOAD,
                    "\"emails\" must contain less than or equal to %d items",
                    INVITATION_EMAILS_MAX);
    Str *emails = arena_array(ctx->arena, Str, json_len(list) + 1);
    for (uint32_t i = 0; i < json_len(list); i++) {
        if (json_kind(json_at(list, i)) != JSON_STRING)
            return fail(ctx, ERR_INVALID_PAYLOAD, "\"emails[%u]\" must be a string", i);
        emails[ret->email_count++] = json_str(json_at(list, i));
    }
    ret->emails = emails;
    return OK;
}

/* ERR_FORBIDDEN for whoever may not read the share. */
static fiber_fn Err share_check(struct ctx *ctx, Str share, struct invitation *ret)
{
    static const Str FIELDS[] = {STR_INIT("collection")};
    const struct query query = {.fields = FIELDS, .field_count = 1};
    const struct items_target shares = {STR("directus_shares"), ITEMS_SYSTEM};
    struct value_sink *sink;
    if (!uuid_parse(share, &ret->share))
        return fail_plain(ctx, ERR_FORBIDDEN);
    TRY(value_sink_new(ctx, SHARE_BYTES_MAX, &sink));
    return items_read(ctx, shares, share, &query, value_sink_rows(sink));
}

static fiber_fn Err sender_find(struct ctx *ctx, Str *ret)
{
    struct rows rows;
    SCOPED_CTX struct ctx machinery = ctx_as_machinery(ctx, "its own name, without a right");
    TRY(db_query_platform(reactor_platform(&machinery), &SQL_OUTBOUND_SENDER_FIND,
                          ARGS(db_uuid(ctx->actor->user)), &rows));
    *ret = rows.count == 0 ? STR("Unknown User") : row_text(&rows, 0, OUTBOUND_SENDER_FIND_NAME);
    return OK;
}

fiber_fn Err route_share_invite(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    assert(ctx->actor != NULL);
    const struct json *body;
    struct invitation invitation = {.email_count = 0};
    Str share = STR_NONE;
    TRY(request_object(ctx, request, &body));
    TRY(json_take_str(ctx, body, "share", 64, &share));
    if (share.len == 0)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"share\" is required");
    TRY(emails_read(ctx, json_get(body, STR("emails")), &invitation));
    if (uuid_is_nil(ctx->actor->user))
        return fail_plain(ctx, ERR_FORBIDDEN);
    TRY(share_check(ctx, share, &invitation));
    TRY(sender_find(ctx, &invitation.sender));
    TRY(outbound_invite(ctx, &invitation));
    reply_no_content(reply);
    return OK;
}
