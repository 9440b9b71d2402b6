#include "access/audit/audit.h"
#include "base/system/clock.h"
#include "factory/review/review.h"
#include "gen/sql.h"

#include <inttypes.h>

/* A condition that applies to the whole site, not to one article. */
static const Str ONLY_RAMP = STR_INIT("[\"publish_ramp\"]");

struct due {
    Uuid slot;
    Uuid queue;
    Uuid article;
    struct published_post draft; /* nil: the article has no post yet */
};

enum turn_end { TURN_NOTHING_DUE, TURN_PUBLISHED, TURN_HELD, TURN_HELD_ALL };

/* *ret_is_due is also false if another transaction has locked the article; the next run, in a few
 * seconds, sees the result. */
static fiber_fn Err take_due(struct db_tx *tx, bool *ret_is_due, struct due *ret)
{
    DbArg site = db_uuid(tx->ctx->scope.site);
    struct rows rows;
    TRY(db_tx_query(tx, &SQL_SLOT_DUE, ARGS(site), &rows));
    *ret_is_due = rows.count > 0;
    if (!*ret_is_due)
        return OK;
    *ret = (struct due){
        .slot = row_uuid(&rows, 0, SLOT_DUE_ID),
        .queue = row_uuid(&rows, 0, SLOT_DUE_QUEUE_ID),
        .article = row_uuid(&rows, 0, SLOT_DUE_ARTICLE_ID),
    };
    TRY(db_tx_query(tx, &SQL_SLOT_ARTICLE_TAKE, ARGS(site, db_uuid(ret->article)), &rows));
    *ret_is_due = rows.count > 0;
    return OK;
}

static fiber_fn Err find_draft(struct db_tx *tx, struct due *due)
{
    struct rows rows;
    TRY(db_tx_query(tx, &SQL_ARTICLE_POST,
                    ARGS(db_uuid(tx->ctx->scope.site), db_uuid(due->article)), &rows));
    if (rows.count > 0)
        due->draft = (struct published_post){
            .id = row_uuid(&rows, 0, ARTICLE_POST_POST_ID),
            .slug = row_text(&rows, 0, ARTICLE_POST_POST_SLUG),
        };
    return OK;
}

/* Writes the work log entry about waiting articles, once for each reason. */
static fiber_fn Err log_held(struct db_tx *tx, const char *entity_type, Uuid entity, Str details)
{
    return audit_write(tx, &(struct audit){
                               .action = STR("publish_refused"),
                               .entity_type = str_from_z(entity_type),
                               .entity_id = uuid_text(tx->ctx->arena, entity),
                               .details = details,
                               .level = "warning",
                               .status = "refused",
                           });
}

static fiber_fn Err hold_all(struct db_tx *tx, const struct gate_refusal *refusal)
{
    struct ctx *ctx = tx->ctx;
    struct rows rows;
    TRY(db_tx_query(tx, &SQL_SLOTS_HOLD_RAMP,
                    ARGS(db_uuid(ctx->scope.site), db_time(refusal->opens_us)), &rows));
    if (row_int(&rows, 0, SLOTS_HOLD_RAMP_IS_NEW) == 0)
        return OK;
    Str details =
        str_printf(ctx->arena, "{\"conditions\":%.*s,\"waiting\":%jd}",
                   STR_FMT(refusal->conditions), (intmax_t)row_int(&rows, 0, SLOTS_HOLD_RAMP_HELD));
    return log_held(tx, "sites", ctx->scope.site, details);
}

static fiber_fn Err hold(struct db_tx *tx, const struct due *due, Str conditions)
{
    struct ctx *ctx = tx->ctx;
    struct rows rows;
    TRY(db_tx_query(tx, &SQL_SLOT_HOLD,
                    ARGS(db_uuid(ctx->scope.site), db_uuid(due->slot), db_text(conditions)),
                    &rows));
    if (!row_bool(&rows, 0, SLOT_HOLD_IS_NEW))
        return OK;
    Str queue = uuid_text(ctx->arena, due->queue);
    Str details = str_printf(ctx->arena, "{\"conditions\":%.*s,\"queue_id\":\"%.*s\"}",
                             STR_FMT(conditions), STR_FMT(queue));
    return log_held(tx, "generated_articles", due->article, details);
}

/* Publishes the draft post if an editor has made one, otherwise creates the post. */
static fiber_fn Err publish(struct db_tx *tx, void *arg)
{
    struct due *due = arg;
    TRY(find_draft(tx, due));
    if (uuid_is_nil(due->draft.id))
        return article_publish_in(tx, due->article, false, &due->draft);
    struct rows rows;
    TRY(db_tx_query(tx, &SQL_DRAFT_PUBLISH,
                    ARGS(db_uuid(tx->ctx->scope.site), db_uuid(due->draft.id)), &rows));
    if (rows.count == 0)
        return fail(tx->ctx, ERR_CONFLICT, "The article's post is not a draft.");
    return article_posted(tx, due->article, &due->draft, false);
}

/* Checks the gate first; checks it again if another publisher took the last place of the day
 * meanwhile. Any other obstacle is logged as "not_possible", for editors to check. */
static fiber_fn Err publish_or_hold(struct db_tx *tx, struct due *due, enum turn_end *ret)
{
    struct ctx *ctx = tx->ctx;
    bool is_open;
    struct gate_refusal refusal;
    TRY(gate_ask(tx, due->article, &is_open, &refusal));
    if (is_open) {
        Err failed;
        TRY(db_savepoint(tx, publish, due, &failed));
        *ret = TURN_PUBLISHED;
        if (failed == OK || err_info(failed)->retry == RETRY_LATER)
            return failed;
        diag_clear(ctx);
        TRY(gate_ask(tx, due->article, &is_open, &refusal));
    }
    bool is_ramp = str_eq(refusal.conditions, ONLY_RAMP);
    *ret = is_ramp ? TURN_HELD_ALL : TURN_HELD;
    if (is_ramp)
        return hold_all(tx, &refusal);
    return hold(tx, due, is_open ? STR("[\"not_possible\"]") : refusal.conditions);
}

static fiber_fn Err turn(struct ctx *ctx, enum turn_end *ret)
{
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(ctx, &tx));
    bool is_due;
    struct due due;
    *ret = TURN_NOTHING_DUE;
    TRY(take_due(&tx, &is_due, &due));
    if (is_due)
        TRY(publish_or_hold(&tx, &due, ret));
    return db_commit(&tx);
}

fiber_fn Err publish_due(struct ctx *ctx, struct job *job)
{
    uint32_t published = 0;
    uint32_t held = 0;
    enum turn_end end = TURN_PUBLISHED;
    for (uint32_t i = 0; i < PUBLISH_DUE_MAX && (end == TURN_PUBLISHED || end == TURN_HELD); i++) {
        ArenaMark mark = arena_mark(ctx->arena);
        TRY(turn(ctx, &end));
        published += end == TURN_PUBLISHED ? 1 : 0;
        held += end == TURN_HELD ? 1 : 0;
        arena_rewind(ctx->arena, mark);
    }
    Str result =
        str_printf(ctx->arena, "{\"published\":%" PRIu32 ",\"held\":%" PRIu32 "}", published, held);
    return job_finish(ctx, job, NULL, result);
}

const struct job_kind JOB_PUBLISH_DUE = JOB_KIND(
    "publish-due", publish_due, JOB_OF_SITE, 300, JOB_NORMAL,
    "Publishes articles whose slots are due, if they pass the quality gate.", .payload_size = 0);

/* At most one live job per site: slots that become due while it runs are published by it or by the
 * next run. */
static fiber_fn Err enqueue_for(struct ctx *ctx, Uuid site)
{
    struct job_spec spec;
    TRY(job_spec_make(ctx, &JOB_PUBLISH_DUE, NULL, &spec));
    spec.dedup_key = JOB_PUBLISH_DUE.name;
    SCOPED_CTX struct ctx of_site = ctx_for_site(ctx, site, "the job belongs to the site");
    int64_t id;
    return job_enqueue_now(&of_site, &spec, &id);
}

static fiber_fn Err look(struct platform platform)
{
    struct rows plans;
    TRY(db_query_platform(platform, &SQL_PLANS_EXIST, NO_ARGS, &plans));
    if (!row_bool(&plans, 0, PLANS_EXIST_EXIST))
        return OK;
    struct rows sites;
    TRY(db_query_platform(platform, &SQL_PUBLICATION_SITES, NO_ARGS, &sites));
    for (uint32_t i = 0; i < sites.count; i++)
        TRY(enqueue_for(platform.ctx, row_uuid(&sites, i, PUBLICATION_SITES_SITE_ID)));
    return OK;
}

const struct schedule PUBLISH_SCHEDULE = {
    .name = "publish",
    .every_us = 5 * SECOND_US, /* maximum delay of a publication */
    .turn = look,
};
