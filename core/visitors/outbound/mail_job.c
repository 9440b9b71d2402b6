/* {"submission_id"}: mails a submission to the form's recipients. */
#include "base/text/buf.h"
#include "gen/sql.h"
#include "io/reactor/reactor.h"
#include "visitors/outbound/deliver.h"

enum { TEXT_MAX = 256 * 1024, SEND_TIMEOUT_US = 40 * 1000 * 1000 };

static void put_pair(struct buf *out, Str name, const struct json *value, struct arena *arena)
{
    Str text = json_kind(value) == JSON_STRING ? json_str(value) : json_text(arena, value);
    buf_printf(out, "%.*s: ", STR_FMT(name));
    buf_put(out, text);
    buf_put(out, STR("\r\n"));
}

static Err text_make(struct ctx *ctx, const struct rows *rows, Str *ret)
{
    struct buf *out = buf_in_arena(ctx->arena, TEXT_MAX);
    const struct json *data;
    TRY(json_parse(ctx, row_json(rows, 0, OUTBOUND_SUBMISSION_FIND_DATA), JSON_LIMITS_DEFAULT,
                   &data));
    for (struct json_iter it = json_iter(data); json_next(&it);)
        put_pair(out, it.key, it.value, ctx->arena);
    Str page = row_text(rows, 0, OUTBOUND_SUBMISSION_FIND_PAGE_URL);
    if (page.len > 0)
        buf_printf(out, "\r\nPage: %.*s\r\n", STR_FMT(page));
    *ret = buf_str(out);
    return buf_check(ctx, out, "The mail");
}

bool outbound_has_mail(const struct ctx *ctx)
{
    const struct settings *settings = ctx->reactor->settings;
    return settings->smtp_url.len > 0 && mail_address_is_plain(settings->mail_from);
}

fiber_fn Err outbound_mail(struct ctx *ctx, struct mail *mail)
{
    const struct settings *settings = ctx->reactor->settings;
    if (!outbound_has_mail(ctx))
        return fail(ctx, ERR_CONFIG, "Mail needs SMTP_URL, and an address as MAIL_FROM.");
    const struct relay relay = {
        .url = settings->smtp_url,
        .user = settings->smtp_user,
        .password = settings->smtp_password,
        .needs_tls = settings->smtp_starttls,
    };
    mail->from = settings->mail_from;
    SCOPED_DEADLINE struct fiber_deadline deadline = fiber_deadline_begin(ctx, SEND_TIMEOUT_US);
    return mail_send(ctx, ctx->reactor->mailer, &relay, mail);
}

static fiber_fn Err deliver(struct ctx *ctx, const struct rows *rows, Uuid id)
{
    Str to[MAIL_RECIPIENTS_MAX];
    struct mail mail = {
        .to = to,
        .reply_to = row_text(rows, 0, OUTBOUND_SUBMISSION_FIND_EMAIL),
        .subject = str_printf(ctx->arena, "New submission: %.*s",
                              STR_FMT(row_text(rows, 0, OUTBOUND_SUBMISSION_FIND_FORM_NAME))),
        .key = outbound_key(ctx->arena, "mail", id),
        .wall_us = row_time(rows, 0, OUTBOUND_SUBMISSION_FIND_DATE_CREATED),
    };
    TRY(mail_recipients_parse(ctx, row_text(rows, 0, OUTBOUND_SUBMISSION_FIND_EMAIL_RECIPIENTS), to,
                              &mail.to_count));
    TRY(text_make(ctx, rows, &mail.text));
    return outbound_mail(ctx, &mail);
}

static fiber_fn Err run(struct ctx *ctx, struct job *job)
{
    struct submission_payload payload;
    struct rows rows;
    TRY(job_payload_read(ctx, &JOB_DELIVER_MAIL, job, &payload));
    Uuid id = payload.submission_id;
    TRY(db_query(ctx, &SQL_OUTBOUND_SUBMISSION_FIND, ARGS(db_uuid(ctx->scope.site), db_uuid(id)),
                 &rows));
    if (rows.count == 0)
        return job_finish(ctx, job, NULL, STR("{\"sent\":false,\"reason\":\"removed\"}"));
    TRY(deliver(ctx, &rows, id));
    return job_finish(ctx, job, NULL, STR("{\"sent\":true}"));
}

static fiber_fn Err deliver_mail(struct ctx *ctx, struct job *job)
{
    return outbound_run(ctx, job, run);
}

const struct job_kind JOB_DELIVER_MAIL = JOB_KIND(
    "deliver-mail", deliver_mail, JOB_OF_SITE, 60, JOB_NORMAL,
    "Mails a form submission to the form's recipients.",
    JOB_PAYLOAD(struct submission_payload, SUBMISSION_FIELDS), .max_failures = DELIVER_TRIES);
