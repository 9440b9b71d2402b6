/* /api/campaigns: lists the site's campaigns and the shared ones, and creates one. */
#include "access/audit/audit.h"
#include "factory/spin/spin.h"
#include "gen/routes/factory.h"
#include "gen/sql.h"

#include <assert.h>

enum { NICHE_JSON_MAX = 64 * 1024 };

/* The first columns of both statements have the same order. */
static struct campaign_row_reply campaign_of(const struct rows *rows, uint32_t row)
{
    static_assert((int)CAMPAIGNS_OF_ALL_DATE_CREATED == (int)CAMPAIGNS_OF_SITE_DATE_CREATED,
                  "one reader for two statements");
    return (struct campaign_row_reply){
        .id = row_uuid(rows, row, CAMPAIGNS_OF_SITE_ID),
        .site_id = row_uuid(rows, row, CAMPAIGNS_OF_SITE_SITE_ID),
        .name = row_text(rows, row, CAMPAIGNS_OF_SITE_NAME),
        .headline_spintax_root = row_text(rows, row, CAMPAIGNS_OF_SITE_HEADLINE_SPINTAX_ROOT),
        .location_mode = row_text(rows, row, CAMPAIGNS_OF_SITE_LOCATION_MODE),
        .status = row_text(rows, row, CAMPAIGNS_OF_SITE_STATUS),
        .date_created = row_time(rows, row, CAMPAIGNS_OF_SITE_DATE_CREATED),
    };
}

fiber_fn Err route_campaigns_index(struct ctx *ctx, const struct request *request,
                                   const struct campaigns_index_input *input, struct reply *reply)
{
    (void)request;
    const DbArg status = db_text_z(input->status);
    const DbArg limit = db_int(input->limit);
    const DbArg offset = db_int(input->offset);
    struct rows rows;
    if (ctx->scope.kind == SCOPE_SITE)
        TRY(db_query(ctx, &SQL_CAMPAIGNS_OF_SITE,
                     ARGS(db_uuid(ctx->scope.site), status, limit, offset), &rows));
    else
        TRY(db_query(ctx, &SQL_CAMPAIGNS_OF_ALL, ARGS(status, limit, offset), &rows));
    struct campaign_row_reply *campaigns =
        arena_array(ctx->arena, struct campaign_row_reply, rows.count);
    for (uint32_t i = 0; i < rows.count; i++)
        campaigns[i] = campaign_of(&rows, i);
    campaigns_index_reply_write(
        &reply->json, &(struct campaigns_index_reply){.campaigns = {campaigns, rows.count}});
    return OK;
}

static bool is_term(const struct json *value)
{
    enum json_kind kind = json_kind(value);
    return kind == JSON_STRING || kind == JSON_INT || kind == JSON_REAL;
}

/* A variable: a text, a number, or an array of them. */
static bool is_variable(const struct json *value)
{
    if (json_kind(value) != JSON_ARRAY)
        return is_term(value);
    for (uint32_t i = 0; i < json_len(value); i++)
        if (!is_term(json_at(value, i)))
            return false;
    return true;
}

/* An object, or its JSON text, which older clients send. *ret is the text. */
static Err niche_variables_read(struct ctx *ctx, const struct json *value, Str *ret)
{
    if (json_kind(value) == JSON_STRING) {
        Err err = json_parse(ctx, json_str(value), JSON_LIMITS_DEFAULT, &value);
        if (err != OK) {
            fail_note(ctx, "field", STR("niche_variables"));
            return err;
        }
    }
    *ret = STR("{}");
    if (json_is_null(value))
        return OK;
    if (json_kind(value) != JSON_OBJECT)
        return field_refuse(ctx, "niche_variables",
                            "niche_variables must be an object of names and values");
    for (struct json_iter it = json_iter(value); json_next(&it);)
        if (!is_variable(it.value))
            return field_refuse(ctx, "niche_variables",
                                "A niche variable must be a text, a number or an array of "
                                "these");
    *ret = json_text(ctx->arena, value);
    if (ret->len > NICHE_JSON_MAX)
        return field_refuse(ctx, "niche_variables", "niche_variables is longer than 64 KiB");
    return OK;
}

/* Names the field of the template in addition to the position in it. */
static Err spintax_check(struct ctx *ctx, const char *field, Str text)
{
    const struct spin *spin;
    Err err = spin_parse(ctx, text, &spin);
    if (err != OK)
        fail_note(ctx, "field", str_from_z(field));
    return err;
}

Err route_campaigns_post_check(struct ctx *ctx, struct campaigns_post_input *body)
{
    Uuid target;
    TRY(spintax_check(ctx, "headline_spintax_root", body->headline_spintax_root));
    if (body->location_target.len > 0 && !uuid_parse(body->location_target, &target))
        return field_refuse(ctx, "location_target",
                            "location_target must be the id of a state or a county");
    return niche_variables_read(ctx, body->niche_variables, &body->niche_json);
}

static struct new_campaign_reply created_of(const struct rows *rows)
{
    return (struct new_campaign_reply){
        .id = row_uuid(rows, 0, CAMPAIGN_ADD_ID),
        .site_id = row_uuid(rows, 0, CAMPAIGN_ADD_SITE_ID),
        .name = row_text(rows, 0, CAMPAIGN_ADD_NAME),
        .headline_spintax_root = row_text(rows, 0, CAMPAIGN_ADD_HEADLINE_SPINTAX_ROOT),
        .location_mode = row_text(rows, 0, CAMPAIGN_ADD_LOCATION_MODE),
        .status = row_text(rows, 0, CAMPAIGN_ADD_STATUS),
        .date_created = row_time(rows, 0, CAMPAIGN_ADD_DATE_CREATED),
        .niche_variables = row_json(rows, 0, CAMPAIGN_ADD_NICHE_VARIABLES),
        .location_target = row_text(rows, 0, CAMPAIGN_ADD_LOCATION_TARGET),
        .target_word_count = row_int(rows, 0, CAMPAIGN_ADD_TARGET_WORD_COUNT),
        .batch_count = row_int(rows, 0, CAMPAIGN_ADD_BATCH_COUNT),
        .article_template = row_uuid(rows, 0, CAMPAIGN_ADD_ARTICLE_TEMPLATE),
    };
}

fiber_fn Err route_campaigns_post(struct ctx *ctx, const struct request *request,
                                  const struct campaigns_post_input *input, struct reply *reply)
{
    (void)request;
    /* If an administrator names no site, the campaign is shared by all sites. */
    Uuid owner = ctx->scope.kind == SCOPE_SITE ? ctx->scope.site : UUID_LIBRARY_SITE;
    struct rows rows;
    TRY(db_query(ctx, &SQL_CAMPAIGN_ADD,
                 campaign_add_args(ctx->arena,
                                   &(struct campaign_add_args){
                                       .site = owner,
                                       .id = uuid_make(),
                                       .name = str_trim(input->name),
                                       .headline_root = input->headline_spintax_root,
                                       .niche_variables = input->niche_json,
                                       .location_mode = input->location_mode,
                                       .location_target = input->location_target,
                                       .target_words = input->target_word_count,
                                       .batch_count = input->batch_count,
                                       .article_template = input->article_template,
                                       .status = input->status,
                                       .audit_user = audit_user(ctx),
                                       .audit_actor = audit_actor(ctx),
                                       .audit_ip = audit_ip(ctx),
                                   }),
                 &rows));
    reply->status = 201;
    campaigns_post_reply_write(&reply->json,
                               &(struct campaigns_post_reply){.campaign = created_of(&rows)});
    return OK;
}
