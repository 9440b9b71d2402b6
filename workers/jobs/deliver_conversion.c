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
#include "visitors/outbound/outbound.h"
#include "visitors/outbound/site_secrets.h"
#include "visitors/tracking/conversion_events.h"
#include "workers/handlers.h"

enum { NETWORK_MAX = 20, BODY_MAX = 64 * 1024 };

struct delivery {
    Uuid id;
    bool is_google;
    Str url_id; /* the pixel, or the measurement id */
    struct conversion_facts facts;
    struct outbound_call call;
};

static Err payload_read(struct ctx *ctx, const struct job *job, struct delivery *ret)
{
    Str network = STR_NONE;
    TRY(outbound_take_id(ctx, job, "conversion_id", &ret->id));
    TRY(json_take_str(ctx, job->payload, "network", NETWORK_MAX, &network));
    ret->is_google = str_eq(network, STR("google"));
    if (!ret->is_google && !str_eq(network, STR("facebook")))
        return fail(ctx, ERR_INVALID_PAYLOAD, "network has to be google or facebook");
    return OK;
}

static struct conversion_facts facts_of(const struct rows *rows, Uuid id)
{
    return (struct conversion_facts){
        .id = id,
        .wall_us = row_time(rows, 0, OUTBOUND_CONVERSION_FIND_TIMESTAMP),
        .type = row_text(rows, 0, OUTBOUND_CONVERSION_FIND_CONVERSION_TYPE),
        .value = row_text(rows, 0, OUTBOUND_CONVERSION_FIND_VALUE),
        .currency = row_text(rows, 0, OUTBOUND_CONVERSION_FIND_CURRENCY),
        .source = row_text(rows, 0, OUTBOUND_CONVERSION_FIND_SOURCE),
        .campaign = row_text(rows, 0, OUTBOUND_CONVERSION_FIND_CAMPAIGN),
        .fbclid = row_text(rows, 0, OUTBOUND_CONVERSION_FIND_FBCLID),
        .email = row_text(rows, 0, OUTBOUND_CONVERSION_FIND_EMAIL),
        .phone = row_text(rows, 0, OUTBOUND_CONVERSION_FIND_PHONE),
        .ip = row_text(rows, 0, OUTBOUND_CONVERSION_FIND_IP_ADDRESS),
        .user_agent = row_text(rows, 0, OUTBOUND_CONVERSION_FIND_USER_AGENT),
        .page_url = row_text(rows, 0, OUTBOUND_CONVERSION_FIND_PAGE_URL),
        .test_code = row_text(rows, 0, OUTBOUND_CONVERSION_FIND_FB_TEST_EVENT_CODE),
    };
}

/* Ids stand in URLs: what a site wrote there must not lead elsewhere. */
static Err url_id_check(struct ctx *ctx, Str id)
{
    for (size_t i = 0; i < id.len; i++) {
        char c = id.data[i];
        if (!ascii_is_alnum(c) && c != '-' && c != '_')
            return fail(ctx, ERR_INVALID_PAYLOAD, "the id '%.*s' is none", STR_FMT(id));
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
        return fail(ctx, ERR_CONFIG, "The site has no secret for this network any more.");
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
    const DbArg args[] = {
        db_uuid(ctx->scope.site),
        db_uuid(delivery->id),
        db_time(outbound_time_of(delivery->id)),
        db_bool(delivery->is_google),
        db_bool(!delivery->is_google),
    };
    struct db_batch effects = {.lane = DB_SHARED};
    db_batch_add(&effects, &SQL_OUTBOUND_CONVERSION_SENT, (struct db_args){args, COUNT_OF(args)},
                 NULL);
    return job_finish(ctx, job, &effects, STR("{\"sent\":true}"));
}

/* Why there is nothing to send; NULL: there is. */
static const char *reason_not_to(const struct delivery *delivery, const struct rows *rows)
{
    if (rows->count == 0)
        return "removed";
    if (delivery->is_google ? row_bool(rows, 0, OUTBOUND_CONVERSION_FIND_SENT_TO_GOOGLE)
                            : row_bool(rows, 0, OUTBOUND_CONVERSION_FIND_SENT_TO_FACEBOOK))
        return "sent before";
    if (delivery->url_id.len == 0)
        return "not set up any more";
    if (!delivery->is_google && !facebook_can_match(&delivery->facts))
        return "nothing to match it by";
    return NULL;
}

static fiber_fn Err delivery_load(struct ctx *ctx, struct delivery *delivery, struct rows *rows)
{
    TRY(db_query(ctx, &SQL_OUTBOUND_CONVERSION_FIND,
                 ARGS(db_uuid(ctx->scope.site), db_uuid(delivery->id),
                      db_time(outbound_time_of(delivery->id))),
                 rows));
    if (rows->count == 0)
        return OK;
    delivery->facts = facts_of(rows, delivery->id);
    delivery->url_id = row_text(rows, 0,
                                delivery->is_google ? OUTBOUND_CONVERSION_FIND_GOOGLE_ANALYTICS_ID
                                                    : OUTBOUND_CONVERSION_FIND_FB_PIXEL_ID);
    delivery->call.key =
        outbound_key(ctx->arena, delivery->is_google ? "google" : "facebook", delivery->id);
    return OK;
}

static fiber_fn Err run(struct ctx *ctx, struct job *job)
{
    struct delivery delivery = {0};
    struct rows rows;
    TRY(payload_read(ctx, job, &delivery));
    TRY(delivery_load(ctx, &delivery, &rows));
    const char *reason = reason_not_to(&delivery, &rows);
    if (reason != NULL)
        return job_finish(ctx, job, NULL,
                          str_printf(ctx->arena, "{\"sent\":false,\"reason\":\"%s\"}", reason));
    TRY(call_make(ctx, &delivery));
    TRY(outbound_post(ctx, job, &delivery.call));
    return finish_sent(ctx, job, &delivery);
}

fiber_fn Err job_deliver_conversion(struct ctx *ctx, struct job *job)
{
    return outbound_run(ctx, job, run);
}
