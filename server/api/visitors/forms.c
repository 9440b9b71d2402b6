/*
 * POST /api/forms/submit: a visitor fills in a form. Submission, lead and conversion in one
 * transaction, answered when they are durable; the same form twice within a minute is one.
 */
#include "base/crypto/crypto.h"
#include "gen/routes/visitors.h"
#include "gen/sql.h"
#include "io/reactor/reactor.h"
#include "server/api/visitors/public.h"
#include "server/dispatch/form_fields.h"
#include "visitors/outbound/outbound.h"

enum { LEAD_NAME_MAX = 255, LEAD_PHONE_MAX = 50, LEAD_MESSAGE_MAX = 10000, LEAD_SOURCE_MAX = 100 };
/* Nobody fills in a form faster. */
enum { FORM_AGE_MIN_MS = 2000 };
#define CONVERSION_VALUE_DEFAULT STR("50.00")
#define THANKS_DEFAULT STR("Thank you for your submission!")

struct form {
    Uuid id;
    Str slug;
    const struct json *fields;
    Str thanks, redirect_url, conversion_value;
    bool has_webhook, has_mail;
};

struct submission {
    Uuid site;
    Str data; /* JSON, as form_check writes it */
    Str page_url, utm_source, utm_medium, utm_campaign, gclid, fbclid;
    Str name, email, phone, message;
    bool is_spam;
    Str ip, user_agent;
    Uuid id, lead, conversion;
};

static bool has_lead(const struct submission *submission)
{
    return submission->name.len > 0 || submission->email.len > 0 || submission->phone.len > 0;
}

static fiber_fn Err form_load(struct ctx *ctx, Uuid id, Str slug, struct form *ret)
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

static fiber_fn Err data_read(struct ctx *ctx, const struct json *data, const struct form *form,
                              struct submission *ret)
{
    static const char *const NAMES[] = {"name", "full_name", "first_name", NULL};
    static const char *const EMAILS[] = {"email", NULL};
    static const char *const PHONES[] = {"phone", "telephone", NULL};
    static const char *const MESSAGES[] = {"message", "comments", "inquiry", NULL};
    if (json_kind(data) != JSON_OBJECT)
        return field_refuse(ctx, "data", "data has to be an object");
    TRY(form_check(ctx, form->fields, data, &ret->data));
    ret->name = form_text(data, NAMES, LEAD_NAME_MAX);
    ret->phone = form_text(data, PHONES, LEAD_PHONE_MAX);
    ret->message = form_text(data, MESSAGES, LEAD_MESSAGE_MAX);
    Str email = form_text(data, EMAILS, LEAD_NAME_MAX);
    ret->email = email_is_plausible(email) ? email : STR_NONE;
    return OK;
}

static fiber_fn Err submission_read(struct ctx *ctx, const struct request *request,
                                    const struct form_submit_input *input, const struct form *form,
                                    struct submission *ret)
{
    Err data = data_read(ctx, input->data, form, ret);
    if (data != OK)
        return data;
    TRY(input->faults);
    ret->site = ctx->scope.site;
    ret->page_url = input->page_url;
    ret->utm_source = input->utm_source;
    ret->utm_medium = input->utm_medium;
    ret->utm_campaign = input->utm_campaign;
    ret->gclid = input->gclid;
    ret->fbclid = input->fbclid;
    /* A field that people do not see and robots fill in, and robots' haste. */
    ret->is_spam = input->honeypot.len > 0 || input->form_age_ms < FORM_AGE_MIN_MS;
    ret->ip = visitor_ip(ctx, request);
    ret->user_agent = visitor_agent(request);
    ret->id = uuid_make();
    ret->lead = uuid_make();
    ret->conversion = uuid_make();
    return OK;
}

/* What is spam makes no lead and no conversion. */
static struct db_args store_args(struct ctx *ctx, const struct form *form,
                                 const struct submission *s, Str hash)
{
    bool makes_lead = !s->is_spam && has_lead(s);
    struct form_submission_store_args args = {
        .site = s->site,
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
        .utm_source = s->utm_source,
        .utm_medium = s->utm_medium,
        .utm_campaign = s->utm_campaign,
        .conversion = s->is_spam ? (Uuid){0} : s->conversion,
        .value = form->conversion_value.len > 0 ? form->conversion_value : CONVERSION_VALUE_DEFAULT,
        .conversion_source = visitor_source(s->utm_source, s->gclid, s->fbclid),
        .gclid = s->gclid,
        .fbclid = s->fbclid,
        .id = s->id,
        .data = s->data,
        .user_agent = s->user_agent,
    };
    return form_submission_store_args(ctx->arena, &args);
}

/* Whom to tell of it. Of spam nobody hears. */
static fiber_fn Err outbound_find(struct ctx *ctx, const struct form *form,
                                  const struct submission *s, struct outbound *ret)
{
    *ret = (struct outbound){0};
    if (s->is_spam || !ctx->reactor->settings->outbound_calls)
        return OK;
    TRY(outbound_networks_find(ctx, s->site, ret));
    ret->webhook = form->has_webhook;
    ret->mail = form->has_mail;
    ret->facebook = ret->facebook && (s->email.len > 0 || s->phone.len > 0 || s->fbclid.len > 0);
    return OK;
}

/* One group of statements; the usual way, as nobody is told. */
static fiber_fn Err store(struct ctx *ctx, DbArg key, struct db_args args, struct rows *rows)
{
    struct db_batch batch = {.lane = DB_WRITE};
    db_batch_add(&batch, &SQL_VISITOR_LOCK, (struct db_args){&key, 1}, NULL);
    db_batch_add(&batch, &SQL_FORM_SUBMISSION_STORE, args, rows);
    return db_batch_run(ctx, &batch);
}

/* With its jobs, unless it is the twin of one whose jobs are made. */
static fiber_fn Err store_and_tell(struct ctx *ctx, DbArg key, struct db_args args,
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

/* The lock comes first, so that of many equal forms at once each but the first sees its twin. */
static fiber_fn Err submission_store(struct ctx *ctx, const struct form *form,
                                     struct submission *submission)
{
    Sha256 hash = sha256(submission->data);
    Str hex = hex_text(ctx->arena, hash.bytes, sizeof hash.bytes);
    Str what =
        str_printf(ctx->arena, "form %.*s %.*s %.*s", STR_FMT(uuid_text(ctx->arena, form->id)),
                   STR_FMT(hex), STR_FMT(submission->ip));
    const DbArg key = db_int(visitor_lock_key(ctx, submission->site, what));
    struct db_args args = store_args(ctx, form, submission, hex);
    struct outbound outbound;
    struct rows rows;
    TRY(outbound_find(ctx, form, submission, &outbound));
    if (outbound_is_wanted(&outbound))
        TRY(store_and_tell(ctx, key, args, submission, &outbound, &rows));
    else
        TRY(store(ctx, key, args, &rows));
    if (rows.count != 1)
        return fail(ctx, ERR_DATABASE, "A submission was stored %u times.", rows.count);
    struct form_submission_store_row stored = form_submission_store_row(&rows, 0);
    submission->id = stored.submission_id;
    if (submission->is_spam)
        return OK; /* the ids it is told belong to nothing: it need not know that it was caught */
    submission->lead = stored.lead_id;
    submission->conversion = stored.conversion_id;
    return OK;
}

fiber_fn Err route_form_submit(struct ctx *ctx, const struct request *request,
                               const struct form_submit_input *input, struct reply *reply)
{
    if (uuid_is_nil(input->form_id) && input->form_slug.len == 0)
        return input->faults;
    struct submission submission = {0};
    struct form form;
    TRY(form_load(ctx, input->form_id, input->form_slug, &form));
    TRY(submission_read(ctx, request, input, &form, &submission));
    TRY(submission_store(ctx, &form, &submission));

    struct json_writer *w = &reply->json;
    reply->status = 201;
    json_object_begin(w);
    json_field_bool(w, "success", true);
    json_field_uuid(w, "submission_id", submission.id);
    if (has_lead(&submission) && !uuid_is_nil(submission.lead))
        json_field_uuid(w, "lead_id", submission.lead);
    json_field_uuid(w, "conversion_id", submission.conversion);
    visitor_write_sent(w);
    if (form.redirect_url.len > 0)
        json_field_str(w, "redirect_url", form.redirect_url);
    json_field_str(w, "success_message", form.thanks.len > 0 ? form.thanks : THANKS_DEFAULT);
    json_object_end(w);
    return OK;
}
