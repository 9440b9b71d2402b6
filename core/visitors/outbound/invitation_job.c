/* {"invitation", "share", "sender", "email"}: mails the link of a share to one address. */
#include "base/text/buf.h"
#include "gen/sql.h"
#include "io/reactor/reactor.h"
#include "visitors/outbound/deliver.h"

#include <assert.h>

enum { TEXT_MAX = 16 * 1024 };

struct invitation_payload {
    Uuid invitation; /* names the mail; contains its time */
    Uuid share;
    Str sender;
    Str email;
};
static const struct job_field FIELDS[] = {
    JOB_UUID(struct invitation_payload, invitation, JOB_REQUIRED),
    JOB_UUID(struct invitation_payload, share, JOB_REQUIRED),
    JOB_TEXT(struct invitation_payload, sender, INVITATION_SENDER_MAX, JOB_REQUIRED),
    JOB_TEXT(struct invitation_payload, email, MAIL_ADDRESS_MAX, JOB_REQUIRED),
};

static Err check(struct ctx *ctx, const struct invitation *invitation)
{
    const struct settings *settings = ctx->reactor->settings;
    if (!settings->outbound_calls || !outbound_has_mail(ctx) || settings->public_url.len == 0)
        return fail(ctx, ERR_UNAVAILABLE,
                    "No mail is sent: that needs OUTBOUND_CALLS, SMTP_URL, MAIL_FROM and "
                    "PUBLIC_URL.");
    for (uint32_t i = 0; i < invitation->email_count; i++)
        if (!mail_address_is_plain(invitation->emails[i]))
            return fail(ctx, ERR_INVALID_PAYLOAD, "\"emails[%u]\" must be a valid email", i);
    return OK;
}

fiber_fn Err outbound_invite(struct ctx *ctx, const struct invitation *invitation)
{
    assert(invitation->email_count <= INVITATION_EMAILS_MAX);
    if (invitation->email_count == 0)
        return OK;
    TRY(check(ctx, invitation));
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(ctx, &tx));
    for (uint32_t i = 0; i < invitation->email_count; i++) {
        const struct invitation_payload payload = {
            .invitation = uuid_make(),
            .share = invitation->share,
            .sender = invitation->sender,
            .email = invitation->emails[i],
        };
        TRY(outbound_put(&tx, &JOB_DELIVER_INVITATION, &payload));
    }
    return db_commit(&tx);
}

/* The page of the share, where Directus has it. */
static Str text_of(struct ctx *ctx, const struct invitation_payload *payload, Str collection)
{
    Str address = ctx->reactor->settings->public_url;
    if (str_ends_with(address, STR("/")))
        address.len--;
    struct buf *out = buf_in_arena(ctx->arena, TEXT_MAX);
    buf_printf(out,
               "Hello!\r\n\r\n%.*s has invited you to view an item in %.*s.\r\n\r\n"
               "Open it: %.*s/admin/shared/%.*s\r\n",
               STR_FMT(payload->sender), STR_FMT(collection), STR_FMT(address),
               STR_FMT(uuid_text(ctx->arena, payload->share)));
    assert(!out->is_full);
    return buf_str(out);
}

static fiber_fn Err run(struct ctx *ctx, struct job *job)
{
    struct invitation_payload payload;
    struct rows rows;
    TRY(job_payload_read(ctx, &JOB_DELIVER_INVITATION, job, &payload));
    Uuid site = ctx->scope.kind == SCOPE_SITE ? ctx->scope.site : (Uuid){0};
    TRY(db_query(ctx, &SQL_OUTBOUND_SHARE_FIND, ARGS(db_uuid_or_null(site), db_uuid(payload.share)),
                 &rows));
    if (rows.count == 0)
        return job_finish(ctx, job, NULL, STR("{\"sent\":false,\"reason\":\"removed\"}"));
    struct mail mail = {
        .to = &payload.email,
        .to_count = 1,
        .subject =
            str_printf(ctx->arena, "%.*s has shared an item with you", STR_FMT(payload.sender)),
        .text = text_of(ctx, &payload, row_text(&rows, 0, OUTBOUND_SHARE_FIND_COLLECTION)),
        .key = outbound_key(ctx->arena, "invitation", payload.invitation),
        .wall_us = outbound_time_of(payload.invitation),
    };
    TRY(outbound_mail(ctx, &mail));
    return job_finish(ctx, job, NULL, STR("{\"sent\":true}"));
}

static fiber_fn Err deliver_invitation(struct ctx *ctx, struct job *job)
{
    return outbound_run(ctx, job, run);
}

const struct job_kind JOB_DELIVER_INVITATION =
    JOB_KIND("deliver-invitation", deliver_invitation, JOB_OF_ANY, 60, JOB_NORMAL,
             "Mails the link of a share to somebody who was invited.",
             JOB_PAYLOAD(struct invitation_payload, FIELDS), .max_failures = DELIVER_TRIES);
