#include "visitors/outbound/outbound.h"

#include "access/limits/ip_range.h"
#include "base/system/clock.h"
#include "base/system/range.h"
#include "gen/sql.h"
#include "io/net/http_client.h"
#include "io/reactor/reactor.h"
#include "jobs/queue/claim.h"
#include "visitors/outbound/deliver.h"

#include <assert.h>
#include <stdlib.h>

enum {
    CALL_TIMEOUT_US = 20 * 1000 * 1000,
    ANSWER_MAX = 16 * 1024,
    RETRY_AFTER_MAX_S = 3600,
    POSTPONE_US = 1000 * 1000,
    SITES_AT_ONCE = 1000, /* the largest WORKER_CONCURRENCY */
};

bool outbound_is_wanted(const struct outbound *outbound)
{
    return outbound->webhook || outbound->mail || outbound->google || outbound->facebook;
}

fiber_fn Err outbound_networks_find(struct ctx *ctx, Uuid site, struct outbound *ret)
{
    *ret = (struct outbound){0};
    if (!ctx->reactor->settings->outbound_calls)
        return OK;
    struct rows rows;
    TRY(db_query(ctx, &SQL_OUTBOUND_NETWORKS, ARGS(db_uuid(site)), &rows));
    if (rows.count == 1) {
        ret->google = row_bool(&rows, 0, OUTBOUND_NETWORKS_GOOGLE);
        ret->facebook = row_bool(&rows, 0, OUTBOUND_NETWORKS_FACEBOOK);
    }
    return OK;
}

fiber_fn Err outbound_put(struct db_tx *tx, const struct job_kind *kind, const void *payload)
{
    int64_t id;
    struct job_spec spec;
    TRY(job_spec_make(tx->ctx, kind, payload, &spec));
    return job_enqueue(tx, &spec, &id);
}

fiber_fn Err outbound_enqueue(struct db_tx *tx, const struct outbound *outbound, Uuid submission,
                              Uuid conversion)
{
    const struct submission_payload payload = {submission};
    const struct conversion_payload google = {conversion, STR(NETWORK_GOOGLE)};
    const struct conversion_payload facebook = {conversion, STR(NETWORK_FACEBOOK)};
    if (outbound->webhook)
        TRY(outbound_put(tx, &JOB_DELIVER_WEBHOOK, &payload));
    if (outbound->mail)
        TRY(outbound_put(tx, &JOB_DELIVER_MAIL, &payload));
    if (outbound->google)
        TRY(outbound_put(tx, &JOB_DELIVER_CONVERSION, &google));
    return outbound->facebook ? outbound_put(tx, &JOB_DELIVER_CONVERSION, &facebook) : OK;
}

static Err calls_check(struct ctx *ctx)
{
    if (!ctx->reactor->settings->outbound_calls)
        return fail(ctx, ERR_CONFIG, "OUTBOUND_CALLS is off on this worker.");
    return OK;
}

/* The number of calls in progress per site in this worker; an entry with none is free. */
struct outbound_load {
    struct site_load {
        Uuid site;
        uint32_t calls;
    } sites[SITES_AT_ONCE];
};

static struct reactor_slot load_slot = {.size = sizeof(struct outbound_load)};

static struct site_load *load_of(struct reactor *reactor, Uuid site)
{
    struct outbound_load *load = reactor_slot(reactor, &load_slot);
    struct site_load *free_one = NULL;
    for (uint32_t i = 0; i < SITES_AT_ONCE; i++) {
        struct site_load *one = &load->sites[i];
        if (one->calls > 0 && uuid_eq(one->site, site))
            return one;
        if (one->calls == 0 && free_one == NULL)
            free_one = one;
    }
    assert(free_one != NULL); /* a worker has no more slots than this */
    free_one->site = site;
    return free_one;
}

fiber_fn Err outbound_run(struct ctx *ctx, struct job *job, JobHandler *deliver)
{
    bool is_of_site = ctx->scope.kind == SCOPE_SITE;
    assert(is_of_site || ctx->scope.kind == SCOPE_PLATFORM);
    TRY(calls_check(ctx));
    struct site_load *load =
        load_of(ctx->reactor, is_of_site ? ctx->scope.site : UUID_LIBRARY_SITE);
    if (load->calls >= OUTBOUND_OF_A_SITE) {
        TRY(job_postpone(ctx, job, POSTPONE_US,
                         STR("The site has as many calls under way as it may.")));
        job->is_finished = true; /* this attempt needs no further writes */
        return OK;
    }
    load->calls++;
    Err err = deliver(ctx, job);
    load->calls--;
    return err;
}

Str outbound_key(struct arena *arena, const char *prefix, Uuid id)
{
    return str_printf(arena, "%s-%.*s", prefix, STR_FMT(uuid_text(arena, id)));
}

int64_t outbound_time_of(Uuid id)
{
    int64_t ms = 0;
    for (int i = 0; i < 6; i++)
        ms = ms << 8 | id.bytes[i];
    return ms * MS_US;
}

static bool is_exempt(const void *arg, Str ip)
{
    const Str *ranges = arg;
    return ranges->len > 0 && ip_in_ranges(ip, *ranges);
}

/* 408, 425, 429 and all 5xx are temporary errors. */
static Err judge(struct ctx *ctx, struct job *job, const struct http_answer *answer)
{
    int status = answer->status;
    if (status >= 200 && status < 300)
        return OK;
    if (status == 408 || status == 425 || status == 429 || status >= 500) {
        int64_t wait_s = clamp_i64(answer->retry_after_s, 0, RETRY_AFTER_MAX_S);
        job->retry_after_us = wait_s * SECOND_US;
        return fail(ctx, ERR_UNAVAILABLE, "The remote server answered %d.", status);
    }
    if (status >= 300 && status < 400)
        return fail(
            ctx, ERR_OUTBOUND_REFUSED,
            "The remote server answered %d; redirects are not followed, so name the address "
            "that it leads to.",
            status);
    return fail(ctx, ERR_OUTBOUND_REFUSED, "The remote server answered %d.", status);
}

static fiber_fn Err fetch(struct ctx *ctx, const struct outbound_call *call,
                          struct http_answer *ret)
{
    struct reactor *reactor = ctx->reactor;
    const Str headers[] = {
        STR("Content-Type: application/json"),
        str_printf(ctx->arena, "Idempotency-Key: %.*s", STR_FMT(call->key)),
        call->header,
    };
    const struct http_call http = {
        .method = STR("POST"),
        .url = call->url,
        .headers = headers,
        .header_count = call->header.len > 0 ? 3 : 2,
        .body = call->body,
        .response_max = ANSWER_MAX,
        .may_cut = true,
        .is_exempt = is_exempt,
        .exempt_arg = &reactor->settings->outbound_allow,
    };
    return http_fetch(ctx, reactor->http, &http, ret);
}

fiber_fn Err outbound_post(struct ctx *ctx, struct job *job, const struct outbound_call *call)
{
    SCOPED_DEADLINE struct fiber_deadline deadline = fiber_deadline_begin(ctx, CALL_TIMEOUT_US);
    struct http_answer answer;
    TRY(fetch(ctx, call, &answer));
    return judge(ctx, job, &answer);
}
