/* One article on demand, assembled of modules. */
#include "access/audit/audit.h"
#include "base/system/clock.h"
#include "base/system/counters.h"
#include "factory/articles/generate.h"
#include "factory/text/text.h"
#include "gen/sql.h"

/* "<city> <campaign, or Guide>" when the campaign has no title of its own, or an empty one. */
static Str title_of(struct ctx *ctx, const struct article_plan *plan,
                    const struct assemble_request *request, int64_t publish_us, uint64_t seed)
{
    const struct campaign *campaign = &plan->campaign;
    Str city = request->location.city;
    Str name = str_trim(campaign->name).len > 0 ? campaign->name : STR("Guide");
    Str title = STR_NONE;
    if (campaign->title_spintax.len > 0) {
        enum { TITLE_BYTES_MAX = 16 * 1024 };
        struct buf *out = buf_in_arena(ctx->arena, TITLE_BYTES_MAX);
        struct spin_env env = {
            .vars = article_vars(ctx, plan, &request->location, publish_us),
            .variant = plan->avatar != NULL ? &plan->avatar->variant : NULL,
        };
        Random random = random_seeded(seed);
        spin_expand(spin_parse_lenient(ctx->arena, campaign->title_spintax), &env, &random, out,
                    NULL, NULL);
        title = text_normalise(ctx->arena, buf_str(out));
    }
    if (title.len == 0 && city.len > 0)
        title = str_printf(ctx->arena, "%.*s %.*s", STR_FMT(city), STR_FMT(name));
    return text_cut(title.len > 0 ? title : name, ARTICLE_TITLE_MAX);
}

/* The campaign's state codes are those of locations_states; a name alone does not tell one. */
static fiber_fn Err complete_place(struct ctx *ctx, struct geo_location *location)
{
    if (location->state.len == 0 || location->state_code.len > 0)
        return OK;
    struct rows rows;
    TRY(db_query(ctx, &SQL_STATE_CODE_FIND,
                 ARGS(db_uuid(ctx->scope.site), db_text(location->state)), &rows));
    if (rows.count > 0)
        location->state_code = row_text(&rows, 0, STATE_CODE_FIND_CODE);
    return OK;
}

/* A day in the past only where the site has asked for it, and never without a word. */
static fiber_fn Err check_dates(struct ctx *ctx, const struct assemble_request *request,
                                struct assembled_article *article)
{
    int64_t now_us = clock_wall_us();
    int64_t today_us = now_us - now_us % (INT64_C(86400) * SECOND_US);
    article->publish_us = request->has_publish ? request->publish_us : now_us;
    article->modified_us = request->has_modified ? request->modified_us : article->publish_us;
    if (article->modified_us < article->publish_us)
        return fail_field(ctx, ERR_FAILED_VALIDATION, "modified_date",
                          "modified_date must not be before publish_date");
    if (article->publish_us >= today_us)
        return OK;
    struct rows rows;
    TRY(db_query(ctx, &SQL_SITE_BACKDATING, ARGS(db_uuid(ctx->scope.site)), &rows));
    if (rows.count == 0 || !row_bool(&rows, 0, SITE_BACKDATING_ALLOWED))
        return fail_field(ctx, ERR_FAILED_VALIDATION, "publish_date",
                          "publish_date lies in the past, where this site may not publish: "
                          "sites.backdating_allowed decides");
    article->warning = STR("Articles dated before today mislead readers and search engines about "
                           "when they were written. date_created keeps the true time.");
    return OK;
}

static Err check_modules(struct ctx *ctx, const struct article_plan *plan,
                         struct assembled_article *article)
{
    article->missing_count = library_missing(plan->library, ctx->arena, &article->missing);
    if (plan->library->fragment_count > 0)
        return OK;
    struct buf *names = buf_in_arena(ctx->arena, 4096);
    for (uint32_t i = 0; i < article->missing_count; i++)
        buf_printf(names, "%s%.*s", i > 0 ? ", " : "", STR_FMT(article->missing[i]));
    Str list = str_slice(buf_str(names), 0, 500);
    return fail(ctx, ERR_CONFLICT,
                "The site has no active module of any type of the campaign's recipe: %.*s.",
                STR_FMT(list));
}

static fiber_fn Err log_assembled(struct db_tx *tx, const struct article_plan *plan,
                                  const struct article_draft *draft)
{
    struct ctx *ctx = tx->ctx;
    Str campaign = uuid_text(ctx->arena, plan->campaign.id);
    struct audit audit = {
        .action = STR("generated"),
        .entity_type = STR("generated_articles"),
        .entity_id = uuid_text(ctx->arena, draft->id),
        .details =
            str_printf(ctx->arena, "{\"articles\":1,\"campaign_id\":\"%.*s\",\"path\":\"modules\"}",
                       STR_FMT(campaign)),
        .level = "success",
    };
    return audit_write(tx, &audit);
}

static fiber_fn Err store(struct ctx *ctx, const struct assemble_request *request,
                          struct assembled_article *article)
{
    Uuid random = uuid_make();
    struct assembled assembled = {
        .publish_us = article->publish_us,
        .modified_us = article->modified_us,
        .seed = str_hash_stable(str_of((const char *)random.bytes, sizeof random.bytes)) | 1,
    };
    struct article_batch batch = {.plan = article->plan, .assembled = &assembled};
    Str title = title_of(ctx, article->plan, request, article->publish_us, assembled.seed);
    Sha256 hash = sha256(text_normalise(ctx->arena, title));
    struct claimed_headline headline = {
        .title = title,
        .text_hash = hex_text(ctx->arena, hash.bytes, sizeof hash.bytes),
        .location = place_json(ctx->arena, NULL, &request->location),
    };
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(ctx, &tx));
    TRY(article_make_draft(ctx, &tx, &batch, &headline, &article->draft));
    TRY(log_assembled(&tx, article->plan, &article->draft));
    return db_commit(&tx);
}

fiber_fn Err article_assemble_now(struct ctx *ctx, const struct assemble_request *request,
                                  struct assembled_article *ret)
{
    struct assemble_request complete = *request;
    *ret = (struct assembled_article){0};
    struct plan_choice choice = {.avatar = request->avatar, .is_modules = true};
    TRY(article_plan_choose(ctx, request->campaign, &choice, &ret->plan));
    TRY(campaign_check_active(ctx, &ret->plan->campaign));
    TRY(check_modules(ctx, ret->plan, ret));
    TRY(check_dates(ctx, request, ret));
    TRY(complete_place(ctx, &complete.location));
    TRY(store(ctx, &complete, ret));
    counter_inc(articles_generated);
    return OK;
}
