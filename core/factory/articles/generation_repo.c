#include "access/audit/audit.h"
#include "base/system/counters.h"
#include "factory/articles/generate.h"
#include "factory/text/text.h"
#include "gen/sql.h"
#include "io/pg/db.h"

static Err already_used(struct ctx *ctx, Uuid article)
{
    Err err = fail(ctx, ERR_CONFLICT, "An article with this headline already exists.");
    if (!uuid_is_nil(article))
        fail_note(ctx, "article_id", uuid_text(ctx->arena, article));
    return err;
}

static fiber_fn Err take_headline(struct ctx *ctx, struct db_tx *tx,
                                  const struct campaign *campaign,
                                  const struct single_request *request,
                                  struct claimed_headline *ret)
{
    Str title = text_normalise(ctx->arena, request->headline);
    if (title.len == 0)
        return fail_field(ctx, ERR_FAILED_VALIDATION, "headline", "headline is blank");
    Sha256 hash = sha256(title);
    struct rows rows;
    TRY(db_tx_query(
        tx, &SQL_HEADLINE_TAKE,
        headline_take_args(ctx->arena,
                           &(struct headline_take_args){
                               .site = ctx->scope.site,
                               .campaign = campaign->id,
                               .campaign_site = campaign->owner,
                               .id = uuid_make(),
                               .title = title,
                               .text_hash = hex_text(ctx->arena, hash.bytes, sizeof hash.bytes),
                               .location = request->location,
                           }),
        &rows));
    struct headline_take_row row = headline_take_row(&rows, 0);
    if (str_eq(row.status, STR("used")))
        return already_used(ctx, row.article_id);
    *ret = (struct claimed_headline){
        .id = row.id,
        .title = row.title,
        .text_hash = row.text_hash,
        .location = row.location,
    };
    return OK;
}

static fiber_fn Err make_single(struct ctx *ctx, struct db_tx *tx,
                                const struct article_batch *batch,
                                const struct single_request *request, struct article_draft *ret,
                                bool *ret_made)
{
    if (request->headline.len == 0) {
        uint32_t made;
        TRY(articles_make(ctx, tx, batch, 1, ret, &made));
        *ret_made = made == 1;
        return OK;
    }
    struct claimed_headline headline;
    TRY(take_headline(ctx, tx, &batch->plan->campaign, request, &headline));
    TRY(article_make_from(ctx, tx, batch, &headline, ret, ret_made));
    if (!*ret_made)
        return fail(ctx, ERR_CONFLICT, "An article with this headline already exists.");
    return OK;
}

static fiber_fn Err log_single(struct ctx *ctx, struct db_tx *tx, const struct campaign *campaign,
                               const struct article_draft *draft)
{
    Str campaign_id = uuid_text(ctx->arena, campaign->id);
    Str details =
        str_printf(ctx->arena, "{\"articles\":1,\"campaign_id\":\"%.*s\"}", STR_FMT(campaign_id));
    struct audit audit = {.action = STR("generated"),
                          .entity_type = STR("generated_articles"),
                          .entity_id = uuid_text(ctx->arena, draft->id),
                          .details = details,
                          .level = "success"};
    return audit_write(tx, &audit);
}

fiber_fn Err generation_single(struct ctx *ctx, const struct single_request *request,
                               struct article_draft *ret, bool *ret_made, uint64_t *ret_remaining)
{
    const struct article_plan *plan;
    struct plan_choice choice = {.avatar = &request->avatar};
    TRY(article_plan_choose(ctx, request->campaign, &choice, &plan));
    TRY(campaign_check_active(ctx, &plan->campaign));
    struct article_batch batch = {.plan = plan};

    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(ctx, &tx));
    bool is_made;
    TRY(make_single(ctx, &tx, &batch, request, ret, &is_made));
    if (is_made)
        TRY(log_single(ctx, &tx, &plan->campaign, ret));
    struct rows rows;
    TRY(db_tx_query(&tx, &SQL_HEADLINES_LEFT,
                    ARGS(db_uuid(ctx->scope.site), db_uuid(plan->campaign.id)), &rows));
    TRY(db_commit(&tx));
    if (is_made) {
        articles_count_usage(plan, ret, 1);
        counter_inc(articles_generated);
    }
    *ret_made = is_made;
    *ret_remaining = (uint64_t)row_int(&rows, 0, HEADLINES_LEFT_COUNT);
    return OK;
}
