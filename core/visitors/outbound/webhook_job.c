/*
 * {"submission_id"}: tells the webhook of a form that somebody filled it in. The body is the same
 * at every attempt, and so are its key and its signature.
 */
#include "base/crypto/crypto.h"
#include "base/json/json_writer.h"
#include "gen/sql.h"
#include "io/reactor/reactor.h"
#include "visitors/outbound/deliver.h"

enum { BODY_MAX = 256 * 1024 };

const struct job_field SUBMISSION_FIELDS[1] = {
    JOB_UUID(struct submission_payload, submission_id, JOB_REQUIRED),
};

static void put_text(struct json_writer *w, const struct rows *rows, const char *key,
                     uint32_t column)
{
    if (row_is_null(rows, 0, column))
        json_field_null(w, key);
    else
        json_field_str(w, key, row_text(rows, 0, column));
}

static void put_id(struct json_writer *w, const struct rows *rows, const char *key, uint32_t column)
{
    if (row_is_null(rows, 0, column))
        json_field_null(w, key);
    else
        json_field_uuid(w, key, row_uuid(rows, 0, column));
}

static void put_form(struct json_writer *w, const struct rows *rows)
{
    json_key(w, STR("form"));
    json_object_begin(w);
    put_id(w, rows, "id", OUTBOUND_SUBMISSION_FIND_FORM_ID);
    put_text(w, rows, "name", OUTBOUND_SUBMISSION_FIND_FORM_NAME);
    put_text(w, rows, "slug", OUTBOUND_SUBMISSION_FIND_FORM_SLUG);
    json_object_end(w);
}

static void put_submission(struct json_writer *w, const struct rows *rows, Uuid id)
{
    json_key(w, STR("submission"));
    json_object_begin(w);
    json_field_uuid(w, "id", id);
    json_key(w, STR("date_created"));
    json_put_time(w, row_time(rows, 0, OUTBOUND_SUBMISSION_FIND_DATE_CREATED));
    json_field_raw(w, "data", row_json(rows, 0, OUTBOUND_SUBMISSION_FIND_DATA));
    put_text(w, rows, "page_url", OUTBOUND_SUBMISSION_FIND_PAGE_URL);
    put_text(w, rows, "utm_source", OUTBOUND_SUBMISSION_FIND_UTM_SOURCE);
    put_text(w, rows, "utm_medium", OUTBOUND_SUBMISSION_FIND_UTM_MEDIUM);
    put_text(w, rows, "utm_campaign", OUTBOUND_SUBMISSION_FIND_UTM_CAMPAIGN);
    put_id(w, rows, "lead_id", OUTBOUND_SUBMISSION_FIND_LEAD_ID);
    put_id(w, rows, "conversion_id", OUTBOUND_SUBMISSION_FIND_CONVERSION_ID);
    json_object_end(w);
}

static Err body_make(struct ctx *ctx, const struct rows *rows, Uuid id, Str key, Str *ret)
{
    struct buf *body = buf_in_arena(ctx->arena, BODY_MAX);
    struct json_writer w = json_writer(body);
    json_object_begin(&w);
    json_field_str(&w, "event", STR("form.submitted"));
    json_field_str(&w, "id", key);
    json_field_uuid(&w, "site_id", ctx->scope.site);
    put_form(&w, rows);
    put_submission(&w, rows, id);
    json_object_end(&w);
    *ret = buf_str(body);
    return buf_check(ctx, body, "The webhook's body");
}

/* The form's own secret, else the site's; without either there is no signature. */
static fiber_fn Err signature_make(struct ctx *ctx, Uuid form, Str body, Str *ret)
{
    struct platform platform = reactor_platform(ctx);
    Str secret;
    Str own = str_printf(ctx->arena, SECRET_WEBHOOK ":%.*s", STR_FMT(uuid_text(ctx->arena, form)));
    TRY(site_secret_find(platform, ctx->scope.site, own, &secret));
    if (secret.len == 0)
        TRY(site_secret_find(platform, ctx->scope.site, STR(SECRET_WEBHOOK), &secret));
    *ret = STR_NONE;
    if (secret.len == 0)
        return OK;
    Sha256 mac = hmac_sha256(secret, body);
    *ret = str_printf(ctx->arena, "X-Spark-Signature: sha256=%.*s",
                      STR_FMT(hex_text(ctx->arena, mac.bytes, sizeof mac.bytes)));
    return OK;
}

static fiber_fn Err run(struct ctx *ctx, struct job *job)
{
    struct submission_payload payload;
    struct rows rows;
    TRY(job_payload_read(ctx, &JOB_DELIVER_WEBHOOK, job, &payload));
    Uuid id = payload.submission_id;
    TRY(db_query(ctx, &SQL_OUTBOUND_SUBMISSION_FIND, ARGS(db_uuid(ctx->scope.site), db_uuid(id)),
                 &rows));
    if (rows.count == 0)
        return job_finish(ctx, job, NULL, STR("{\"sent\":false,\"reason\":\"removed\"}"));
    struct outbound_call call = {
        .url = row_text(&rows, 0, OUTBOUND_SUBMISSION_FIND_WEBHOOK_URL),
        .key = outbound_key(ctx->arena, "webhook", id),
    };
    if (call.url.len == 0)
        return job_finish(ctx, job, NULL, STR("{\"sent\":false,\"reason\":\"no address\"}"));
    TRY(body_make(ctx, &rows, id, call.key, &call.body));
    TRY(signature_make(ctx, row_uuid(&rows, 0, OUTBOUND_SUBMISSION_FIND_FORM_ID), call.body,
                       &call.header));
    TRY(outbound_post(ctx, job, &call));
    return job_finish(ctx, job, NULL, STR("{\"sent\":true}"));
}

static fiber_fn Err deliver_webhook(struct ctx *ctx, struct job *job)
{
    return outbound_run(ctx, job, run);
}

const struct job_kind JOB_DELIVER_WEBHOOK = JOB_KIND(
    "deliver-webhook", deliver_webhook, JOB_OF_SITE, 60, JOB_NORMAL,
    "Calls the webhook of a form with a submission.",
    JOB_PAYLOAD(struct submission_payload, SUBMISSION_FIELDS), .max_failures = DELIVER_TRIES);
