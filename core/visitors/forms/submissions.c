/* Stores form submissions with their leads and conversions. */
#include "base/crypto/crypto.h"
#include "gen/sql.h"
#include "io/reactor/reactor.h"
#include "visitors/forms/form_fields.h"
#include "visitors/forms/leads.h"
#include "visitors/outbound/outbound.h"

#include <assert.h>

enum { LEAD_NAME_MAX = 255, LEAD_PHONE_MAX = 50, LEAD_MESSAGE_MAX = 10000, LEAD_SOURCE_MAX = 100 };
#define CONVERSION_VALUE_DEFAULT STR("50.00")

fiber_fn Err form_find(struct ctx *ctx, Uuid id, Str slug, struct form *ret)
{
    struct rows rows;
    TRY(db_query(ctx, &SQL_FORM_FIND,
                 ARGS(db_uuid(ctx->scope.site), db_uuid_or_null(id), db_text_z(slug)), &rows));
    if (rows.count == 0)
        return fail(ctx, ERR_NOT_FOUND, "There is no such form.");
    *ret = (struct form){
        .id = row_uuid(&rows, 0, FORM_FIND_ID),
        .slug = row_text(&rows, 0, FORM_FIND_SLUG),
        .thanks = row_text(&rows, 0, FORM_FIND_SUCCESS_MESSAGE),
        .redirect_url = row_text(&rows, 0, FORM_FIND_REDIRECT_URL),
        .conversion_value = row_text(&rows, 0, FORM_FIND_CONVERSION_VALUE),
        .has_webhook = row_bool(&rows, 0, FORM_FIND_HAS_WEBHOOK),
        .has_mail = row_bool(&rows, 0, FORM_FIND_HAS_MAIL),
    };
    Str fields = row_json(&rows, 0, FORM_FIND_FIELDS);
    if (json_parse(ctx, fields, JSON_LIMITS_DEFAULT, &ret->fields) != OK)
        return fail(ctx, ERR_INTERNAL, "The fields of a form are beyond the limits of JSON.");
    return OK;
}

fiber_fn Err submission_read(struct ctx *ctx, const struct form *form, const struct json *data,
                             struct submission *ret)
{
    static const char *const NAMES[] = {"name", "full_name", "first_name", NULL};
    static const char *const EMAILS[] = {"email", NULL};
    static const char *const PHONES[] = {"phone", "telephone", NULL};
    static const char *const MESSAGES[] = {"message", "comments", "inquiry", NULL};
    if (json_kind(data) != JSON_OBJECT)
        return diag_fail_noted(ctx, "field", STR("data"),
                               fail_also(ctx, ERR_FAILED_VALIDATION, "data must be an object"));
    TRY(form_check(ctx, form->fields, data, &ret->data));
    ret->name = form_text(data, NAMES, LEAD_NAME_MAX);
    ret->phone = form_text(data, PHONES, LEAD_PHONE_MAX);
    ret->message = form_text(data, MESSAGES, LEAD_MESSAGE_MAX);
    Str email = form_text(data, EMAILS, LEAD_NAME_MAX);
    ret->email = email_is_plausible(email) ? email : STR_NONE;
    return OK;
}

bool submission_has_lead(const struct submission *submission)
{
    return submission->name.len > 0 || submission->email.len > 0 || submission->phone.len > 0;
}

/* Spam gets neither a lead nor a conversion. */
static struct db_args store_args(struct ctx *ctx, const struct form *form,
                                 const struct submission *s, Str hash)
{
    bool makes_lead = !s->is_spam && submission_has_lead(s);
    struct form_submission_store_args args = {
        .site = ctx->scope.site,
        .form = form->id,
        .data_hash = hash,
        .ip = s->ip,
        .status = s->is_spam ? STR("spam") : STR("new"),
        .lead = makes_lead ? s->lead : (Uuid){0},
        .name = s->name,
        .email = s->email,
        .phone = s->phone,
        .message = s->message,
        .source = form->slug.len > 0 ? str_cut(form->slug, LEAD_SOURCE_MAX) : STR("form"),
        .page_url = s->page_url,
        .utm_source = s->click.utm_source,
        .utm_medium = s->click.utm_medium,
        .utm_campaign = s->click.utm_campaign,
        .conversion = s->is_spam ? (Uuid){0} : s->conversion,
        .value = form->conversion_value.len > 0 ? form->conversion_value : CONVERSION_VALUE_DEFAULT,
        .conversion_source = click_source(&s->click),
        .gclid = s->click.gclid,
        .fbclid = s->click.fbclid,
        .id = s->id,
        .data = s->data,
        .user_agent = s->user_agent,
    };
    return form_submission_store_args(ctx->arena, &args);
}

/* Finds the deliveries for a submission; spam has none. */
static fiber_fn Err outbound_find(struct ctx *ctx, const struct form *form,
                                  const struct submission *s, struct outbound *ret)
{
    *ret = (struct outbound){0};
    if (s->is_spam || !ctx->reactor->settings->outbound_calls)
        return OK;
    TRY(outbound_networks_find(ctx, ctx->scope.site, ret));
    ret->webhook = form->has_webhook;
    ret->mail = form->has_mail;
    ret->facebook =
        ret->facebook && (s->email.len > 0 || s->phone.len > 0 || s->click.fbclid.len > 0);
    return OK;
}

/* Stores a submission in one sync group: the usual case, without deliveries. */
static fiber_fn Err store(struct ctx *ctx, DbArg key, struct db_args args, struct rows *rows)
{
    struct db_batch batch = {.lane = DB_WRITE};
    db_batch_add(&batch, &SQL_VISITOR_LOCK, (struct db_args){&key, 1}, NULL);
    db_batch_add(&batch, &SQL_FORM_SUBMISSION_STORE, args, rows);
    return db_batch_run(ctx, &batch);
}

/* Stores a submission with its delivery jobs, unless it is a duplicate whose jobs exist already. */
static fiber_fn Err store_with_jobs(struct ctx *ctx, DbArg key, struct db_args args,
                                    const struct submission *s, const struct outbound *outbound,
                                    struct rows *rows)
{
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(ctx, &tx));
    TRY(db_tx_query(&tx, &SQL_VISITOR_LOCK, (struct db_args){&key, 1}, NULL));
    TRY(db_tx_query(&tx, &SQL_FORM_SUBMISSION_STORE, args, rows));
    if (rows->count == 1 && uuid_eq(row_uuid(rows, 0, FORM_SUBMISSION_STORE_SUBMISSION_ID), s->id))
        TRY(outbound_enqueue(&tx, outbound, s->id, s->conversion));
    return db_commit(&tx);
}

/* Takes the lock first, so that of many identical concurrent submissions all but the first find the
 * duplicate. */
fiber_fn Err submission_store(struct ctx *ctx, const struct form *form,
                              struct submission *submission)
{
    assert(ctx->scope.kind == SCOPE_SITE);
    submission->id = uuid_make();
    submission->lead = uuid_make();
    submission->conversion = uuid_make();
    Sha256 hash = sha256(submission->data);
    Str hex = hex_text(ctx->arena, hash.bytes, sizeof hash.bytes);
    Str what =
        str_printf(ctx->arena, "form %.*s %.*s %.*s", STR_FMT(uuid_text(ctx->arena, form->id)),
                   STR_FMT(hex), STR_FMT(submission->ip));
    const DbArg key = visitor_lock_key(ctx, what);
    struct db_args args = store_args(ctx, form, submission, hex);
    struct outbound outbound;
    struct rows rows;
    TRY(outbound_find(ctx, form, submission, &outbound));
    if (outbound_is_wanted(&outbound))
        TRY(store_with_jobs(ctx, key, args, submission, &outbound, &rows));
    else
        TRY(store(ctx, key, args, &rows));
    if (rows.count != 1)
        return fail(ctx, ERR_DATABASE, "A submission was stored %u times.", rows.count);
    struct form_submission_store_row stored = form_submission_store_row(&rows, 0);
    submission->id = stored.submission_id;
    if (submission->is_spam)
        return OK; /* keeps the random ids */
    submission->lead = stored.lead_id;
    submission->conversion = stored.conversion_id;
    return OK;
}
