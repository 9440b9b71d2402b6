/*
 * {"conversion_id", "network": "google" | "facebook"}: tells a network of a conversion. The flag of
 * the row says so only after a 2xx, in the transaction that ends the job.
 */
#include "base/memory/array.h"
#include "base/text/ascii.h"
#include "base/text/buf.h"
#include "base/text/percent.h"
#include "gen/sql.h"
#include "io/reactor/reactor.h"
#include "visitors/outbound/deliver.h"
#include "visitors/tracking/tracking.h"

enum { NETWORK_MAX = 20, BODY_MAX = 64 * 1024 };

struct delivery {
    Uuid id;
    bool is_google;
    bool is_there; /* still */
    bool was_sent; /* to this network, before */
    Str url_id;    /* the pixel, or the measurement id */
    struct conversion_facts facts;
    struct outbound_call call;
};

static const struct job_field CONVERSION_FIELDS[] = {
    JOB_UUID(struct conversion_payload, conversion_id, JOB_REQUIRED),
    JOB_TEXT(struct conversion_payload, network, NETWORK_MAX, JOB_REQUIRED),
};

static Err payload_read(struct ctx *ctx, const struct job *job, struct delivery *ret)
{
    struct conversion_payload payload;
    TRY(job_payload_read(ctx, &JOB_DELIVER_CONVERSION, job, &payload));
    ret->id = payload.conversion_id;
    ret->is_google = str_eq(payload.network, STR(NETWORK_GOOGLE));
    if (!ret->is_google && !str_eq(payload.network, STR(NETWORK_FACEBOOK)))
        return fail(ctx, ERR_INVALID_PAYLOAD, "network must be google or facebook");
    return OK;
}

static struct conversion_facts facts_of(const struct outbound_conversion_find_row *row, Uuid id)
{
    return (struct conversion_facts){
        .id = id,
        .wall_us = row->timestamp,
        .type = row->conversion_type,
        .value = row->value,
        .currency = row->currency,
        .source = row->source,
        .campaign = row->campaign,
        .fbclid = row->fbclid,
        .email = row->email,
        .phone = row->phone,
        .ip = row->ip_address,
        .user_agent = row->user_agent,
        .page_url = row->page_url,
        .test_code = row->fb_test_event_code,
    };
}

/* Ids stand in URLs: what a site wrote there must not lead elsewhere. */
static Err url_id_check(struct ctx *ctx, Str id)
{
    for (size_t i = 0; i < id.len; i++) {
        char c = id.data[i];
        if (!ascii_is_alnum(c) && c != '-' && c != '_')
            return fail(ctx, ERR_INVALID_PAYLOAD, "'%.*s' is not a valid id", STR_FMT(id));
    }
    return OK;
}

static fiber_fn Err call_make(struct ctx *ctx, struct delivery *delivery)
{
    const struct settings *settings = ctx->reactor->settings;
    struct arena *arena = ctx->arena;
    Str id = delivery->url_id;
    Str secret;
    TRY(url_id_check(ctx, id));
    TRY(site_secret_find(reactor_platform(ctx), ctx->scope.site,
                         delivery->is_google ? STR(SECRET_GOOGLE) : STR(SECRET_FACEBOOK), &secret));
    if (secret.len == 0)
        return fail(ctx, ERR_CONFIG, "The site no longer has a secret for this network.");
    struct buf *body = buf_in_arena(arena, BODY_MAX);
    if (delivery->is_google) {
        google_event_write(body, arena, &delivery->facts);
        delivery->call.url = str_printf(arena, "%.*s?measurement_id=%.*s&api_secret=%.*s",
                                        STR_FMT(settings->google_measurement_url), STR_FMT(id),
                                        STR_FMT(percent_encode(arena, secret)));
    } else {
        facebook_event_write(body, arena, &delivery->facts);
        delivery->call.url =
            str_printf(arena, "%.*s/%.*s/events", STR_FMT(settings->facebook_url), STR_FMT(id));
        delivery->call.header = str_printf(arena, "Authorization: Bearer %.*s", STR_FMT(secret));
    }
    delivery->call.body = buf_str(body);
    return buf_check(ctx, body, "The event");
}

static fiber_fn Err finish_sent(struct ctx *ctx, struct job *job, const struct delivery *delivery)
{
    struct outbound_conversion_sent_args args = {
        .site = ctx->scope.site,
        .id = delivery->id,
        .around = outbound_time_of(delivery->id),
        .to_google = delivery->is_google,
        .to_facebook = !delivery->is_google,
    };
    struct db_batch effects = {.lane = DB_SHARED};
    db_batch_add(&effects, &SQL_OUTBOUND_CONVERSION_SENT,
                 outbound_conversion_sent_args(ctx->arena, &args), NULL);
    return job_finish(ctx, job, &effects, STR("{\"sent\":true}"));
}

/* Why there is nothing to send; NULL: there is. */
static const char *reason_not_to(const struct delivery *delivery)
{
    if (!delivery->is_there)
        return "removed";
    if (delivery->was_sent)
        return "sent before";
    if (delivery->url_id.len == 0)
        return "not set up any more";
    if (!delivery->is_google && !facebook_can_match(&delivery->facts))
        return "nothing to match it by";
    return NULL;
}

static fiber_fn Err delivery_load(struct ctx *ctx, struct delivery *delivery)
{
    struct rows rows;
    TRY(db_query(ctx, &SQL_OUTBOUND_CONVERSION_FIND,
                 ARGS(db_uuid(ctx->scope.site), db_uuid(delivery->id),
                      db_time(outbound_time_of(delivery->id))),
                 &rows));
    delivery->is_there = rows.count > 0;
    if (!delivery->is_there)
        return OK;
    struct outbound_conversion_find_row row = outbound_conversion_find_row(&rows, 0);
    bool is_google = delivery->is_google;
    delivery->facts = facts_of(&row, delivery->id);
    delivery->was_sent = is_google ? row.sent_to_google : row.sent_to_facebook;
    delivery->url_id = is_google ? row.google_analytics_id : row.fb_pixel_id;
    delivery->call.key = outbound_key(ctx->arena, is_google ? "google" : "facebook", delivery->id);
    return OK;
}

static fiber_fn Err run(struct ctx *ctx, struct job *job)
{
    struct delivery delivery = {0};
    TRY(payload_read(ctx, job, &delivery));
    TRY(delivery_load(ctx, &delivery));
    const char *reason = reason_not_to(&delivery);
    if (reason != NULL)
        return job_finish(ctx, job, NULL,
                          str_printf(ctx->arena, "{\"sent\":false,\"reason\":\"%s\"}", reason));
    TRY(call_make(ctx, &delivery));
    TRY(outbound_post(ctx, job, &delivery.call));
    return finish_sent(ctx, job, &delivery);
}

static fiber_fn Err deliver_conversion(struct ctx *ctx, struct job *job)
{
    return outbound_run(ctx, job, run);
}

const struct job_kind JOB_DELIVER_CONVERSION = JOB_KIND(
    "deliver-conversion", deliver_conversion, JOB_OF_SITE, 60, JOB_NORMAL,
    "Sends a conversion to an advertising network.",
    JOB_PAYLOAD(struct conversion_payload, CONVERSION_FIELDS), .max_failures = DELIVER_TRIES);
