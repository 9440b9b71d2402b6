#include "access/audit/audit.h"
#include "content/changes/changes.h"
#include "factory/production/production.h"
#include "factory/review/review.h"
#include "factory/text/text.h"
#include "gen/sql.h"
#include "io/pg/db.h"

#include <assert.h>

/* A concurrent insert may take the slug between the check and the insert; retries are bounded. */
enum { SLUG_TRIES_MAX = 10 };

fiber_fn Err articles_approve(struct ctx *ctx, const struct approval_terms *terms, const Uuid *ids,
                              uint32_t count, struct approval *ret)
{
    assert(ctx->scope.kind == SCOPE_SITE && count <= REVIEW_ARTICLES_MAX);
    struct rows rows;
    TRY(db_query(ctx, &SQL_ARTICLES_APPROVE,
                 articles_approve_args(ctx->arena,
                                       &(struct articles_approve_args){
                                           .site = ctx->scope.site,
                                           .ids = {ids, count},
                                           .waives_word_target = terms->waives_word_target,
                                           .reason = terms->reason,
                                           .audit_user = audit_user(ctx),
                                           .audit_actor = audit_actor(ctx),
                                           .audit_ip = audit_ip(ctx),
                                       }),
                 &rows));
    assert(rows.count == count);
    for (uint32_t i = 0; i < count; i++) {
        struct articles_approve_row row = articles_approve_row(&rows, i);
        ret[i] =
            (struct approval){.id = row.id, .status = row.status, .is_approved = row.is_approved};
    }
    return OK;
}

fiber_fn Err queue_decide(struct ctx *ctx, Uuid queue, bool is_approved)
{
    assert(ctx->scope.kind == SCOPE_SITE);
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(ctx, &tx));
    struct production_moved moved;
    TRY(production_lock(&tx, queue, is_approved ? STR("approve") : STR("reject"), &moved));
    Str decision = is_approved ? STR("approved") : STR("rejected");
    TRY(db_tx_query(&tx, &SQL_QUEUE_DECIDE,
                    queue_decide_args(ctx->arena,
                                      &(struct queue_decide_args){
                                          .site = ctx->scope.site,
                                          .queue = queue,
                                          .status = moved.status,
                                          .decision = decision,
                                          .campaign = moved.campaign,
                                          .audit_user = audit_user(ctx),
                                          .audit_actor = audit_actor(ctx),
                                          .audit_ip = audit_ip(ctx),
                                      }),
                    NULL));
    return db_commit(&tx);
}

static Err check_unpublished(struct ctx *ctx, const struct rows *article)
{
    if (row_is_null(article, 0, ARTICLE_LOCK_POST_ID))
        return OK;
    Uuid post = row_uuid(article, 0, ARTICLE_LOCK_POST_ID);
    return fail_noted(ctx, ERR_FAILED_VALIDATION, "post_id", uuid_text(ctx->arena, post),
                      "Article already published");
}

static Err check_approved(struct ctx *ctx, const struct rows *article)
{
    Str status = row_text(article, 0, ARTICLE_LOCK_STATUS);
    if (str_eq(status, STR("approved")))
        return OK;
    return fail(ctx, ERR_CONFLICT, "Only an approved article can be published; this one is %.*s.",
                STR_FMT(status));
}

/* "Austin, Texas" */
static Str keywords_of(struct ctx *ctx, const struct rows *article)
{
    Str city = row_text(article, 0, ARTICLE_LOCK_CITY);
    Str state = row_text(article, 0, ARTICLE_LOCK_STATE);
    if (city.len == 0 || state.len == 0)
        return city.len > 0 ? city : state;
    return str_printf(ctx->arena, "%.*s, %.*s", STR_FMT(city), STR_FMT(state));
}

static fiber_fn Err create_post(struct ctx *ctx, struct db_tx *tx, Uuid article,
                                const struct rows *rows, bool is_draft, struct published_post *ret)
{
    Str title = row_text(rows, 0, ARTICLE_LOCK_TITLE);
    Str slug = row_text(rows, 0, ARTICLE_LOCK_SLUG);
    Str id = uuid_text(ctx->arena, article);
    if (slug.len == 0)
        slug = text_slug(ctx->arena, title, str_slice(id, UUID_TEXT_LEN - 8, id.len));
    struct post_create_args args = {
        .site = ctx->scope.site,
        .id = uuid_make(),
        .title = title,
        .slug = slug,
        .status = is_draft ? STR("draft") : STR("published"),
        .meta_description = row_text(rows, 0, ARTICLE_LOCK_META_DESCRIPTION),
        .content = row_text(rows, 0, ARTICLE_LOCK_CONTENT),
        .image_alt = row_text(rows, 0, ARTICLE_LOCK_IMAGE_ALT),
        .meta_title = row_text(rows, 0, ARTICLE_LOCK_META_TITLE),
        .keywords = keywords_of(ctx, rows),
        .schema_json = row_json(rows, 0, ARTICLE_LOCK_SCHEMA_JSON),
        .article = article,
    };
    struct rows made = {0};
    for (int i = 0; i < SLUG_TRIES_MAX && made.count == 0; i++)
        TRY(db_tx_query(tx, &SQL_POST_CREATE, post_create_args(ctx->arena, &args), &made));
    if (made.count == 0)
        return fail(ctx, ERR_CONFLICT, "There are too many posts named \"%.*s\".", STR_FMT(slug));
    *ret = (struct published_post){.id = args.id, .slug = row_text(&made, 0, POST_CREATE_SLUG)};
    return OK;
}

fiber_fn Err article_posted(struct db_tx *tx, Uuid article, const struct published_post *post,
                            bool is_draft)
{
    struct ctx *ctx = tx->ctx;
    changes_hint_after(tx);
    return db_tx_query(tx, &SQL_ARTICLE_POSTED,
                       article_posted_args(ctx->arena,
                                           &(struct article_posted_args){
                                               .site = ctx->scope.site,
                                               .article = article,
                                               .post = post->id,
                                               .slug = post->slug,
                                               .is_published = !is_draft,
                                               .audit_user = audit_user(ctx),
                                               .audit_actor = audit_actor(ctx),
                                               .audit_ip = audit_ip(ctx),
                                           }),
                       NULL);
}

/* A draft only needs an approval: the gate applies to its publication. */
fiber_fn Err article_publish_in(struct db_tx *tx, Uuid article, bool is_draft,
                                struct published_post *ret)
{
    struct ctx *ctx = tx->ctx;
    assert(ctx->scope.kind == SCOPE_SITE);
    struct rows rows;
    TRY(db_tx_query(tx, &SQL_ARTICLE_LOCK, ARGS(db_uuid(ctx->scope.site), db_uuid(article)),
                    &rows));
    if (rows.count == 0)
        return fail(ctx, ERR_NOT_FOUND, "There is no such article.");
    TRY(check_unpublished(ctx, &rows));
    if (!is_draft)
        TRY(gate_require(tx, article));
    TRY(check_approved(ctx, &rows));
    TRY(create_post(ctx, tx, article, &rows, is_draft, ret));
    return article_posted(tx, article, ret, is_draft);
}

fiber_fn Err article_publish(struct ctx *ctx, Uuid article, bool is_draft,
                             struct published_post *ret)
{
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(ctx, &tx));
    struct published_post post;
    TRY(article_publish_in(&tx, article, is_draft, &post));
    TRY(db_commit(&tx));
    *ret = post;
    return OK;
}
