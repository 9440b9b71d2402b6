/* /api/campaigns: the site's campaigns and those for every site, and a new one. */
#include "access/audit/audit.h"
#include "factory/spin/spin.h"
#include "gen/sql.h"
#include "server/api/factory/factory.h"
#include "server/api/listing.h"
#include "server/dispatch/handlers.h"

#include <assert.h>

enum {
    CAMPAIGNS_DEFAULT = 100,
    NAME_MAX_LEN = 255,
    NICHE_JSON_MAX = 64 * 1024,
    TARGET_WORDS_DEFAULT = 1500,
    TARGET_WORDS_MAX = 100000,
    BATCH_COUNT_MAX = 10000,
};

static const char STATUSES[] = "active, inactive, paused, completed";
static const char LOCATION_MODES[] = "none, state, county, city";

/* The first columns of every statement here stand in the same order. */
static void put_row(struct json_writer *w, const struct rows *rows, uint32_t row)
{
    static_assert((int)CAMPAIGNS_OF_ALL_DATE_CREATED == (int)CAMPAIGNS_OF_SITE_DATE_CREATED &&
                      (int)CAMPAIGN_ADD_DATE_CREATED == (int)CAMPAIGNS_OF_SITE_DATE_CREATED,
                  "one reader for three statements");
    json_field_uuid(w, "id", row_uuid(rows, row, CAMPAIGNS_OF_SITE_ID));
    put_uuid(w, "site_id", row_uuid(rows, row, CAMPAIGNS_OF_SITE_SITE_ID));
    put_text(w, "name", row_text(rows, row, CAMPAIGNS_OF_SITE_NAME));
    put_text(w, "headline_spintax_root",
             row_text(rows, row, CAMPAIGNS_OF_SITE_HEADLINE_SPINTAX_ROOT));
    put_text(w, "location_mode", row_text(rows, row, CAMPAIGNS_OF_SITE_LOCATION_MODE));
    put_text(w, "status", row_text(rows, row, CAMPAIGNS_OF_SITE_STATUS));
    put_time(w, "date_created", row_time(rows, row, CAMPAIGNS_OF_SITE_DATE_CREATED));
}

fiber_fn Err campaigns_index(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    struct listing page;
    Str status = STR_NONE;
    TRY(listing_take(ctx, request, CAMPAIGNS_DEFAULT, &page));
    TRY(query_take_choice(ctx, request, "status", STATUSES, &status));
    TRY(listing_enter(ctx, request));
    struct rows rows;
    if (ctx->scope.kind == SCOPE_SITE)
        TRY(db_query(ctx, &SQL_CAMPAIGNS_OF_SITE,
                     ARGS(db_uuid(ctx->scope.site), db_text_z(status), db_int(page.limit),
                          db_int(page.offset)),
                     &rows));
    else
        TRY(db_query(ctx, &SQL_CAMPAIGNS_OF_ALL,
                     ARGS(db_text_z(status), db_int(page.limit), db_int(page.offset)), &rows));
    struct json_writer *w = &reply->json;
    json_object_begin(w);
    json_key(w, STR("campaigns"));
    json_array_begin(w);
    for (uint32_t i = 0; i < rows.count; i++) {
        json_object_begin(w);
        put_row(w, &rows, i);
        json_object_end(w);
    }
    json_array_end(w);
    json_object_end(w);
    return OK;
}

struct campaign_body {
    Str name;
    Str headline_root;
    Str niche_variables; /* JSON */
    Str location_mode;
    Str location_target;
    Str status;
    int64_t target_words;
    int64_t batch_count;
    Uuid article_template;
};

static bool is_term(const struct json *value)
{
    enum json_kind kind = json_kind(value);
    return kind == JSON_STRING || kind == JSON_INT || kind == JSON_REAL;
}

/* What a name may stand for: a text, a number, or an array of them. */
static bool is_variable(const struct json *value)
{
    if (json_kind(value) != JSON_ARRAY)
        return is_term(value);
    for (uint32_t i = 0; i < json_len(value); i++)
        if (!is_term(json_at(value, i)))
            return false;
    return true;
}

/* An object, or the same as text: older clients send it so. */
static Err niche_variables_read(struct ctx *ctx, const struct json *body, Str *ret)
{
    const struct json *value = json_get(body, STR("niche_variables"));
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
        return factory_refuse(ctx, "niche_variables",
                              "niche_variables has to be an object of names and values");
    for (struct json_iter it = json_iter(value); json_next(&it);)
        if (!is_variable(it.value))
            return factory_refuse(ctx, "niche_variables",
                                  "A niche variable has to be a text, a number or an array of "
                                  "these");
    *ret = json_text(ctx->arena, value);
    if (ret->len > NICHE_JSON_MAX)
        return factory_refuse(ctx, "niche_variables", "niche_variables is longer than 64 KiB");
    return OK;
}

/* Told where the template stands, beside the position in it. */
static Err spintax_check(struct ctx *ctx, const char *field, Str text)
{
    const struct spin *spin;
    Err err = spin_parse(ctx, text, &spin);
    if (err != OK)
        fail_note(ctx, "field", str_from_z(field));
    return err;
}

static Err check(struct ctx *ctx, const struct campaign_body *body)
{
    Uuid target;
    if (str_trim(body->name).len == 0)
        return factory_refuse(ctx, "name", "name is required");
    if (str_trim(body->headline_root).len == 0)
        return factory_refuse(ctx, "headline_spintax_root", "headline_spintax_root is required");
    TRY(spintax_check(ctx, "headline_spintax_root", body->headline_root));
    if (!is_choice(LOCATION_MODES, body->location_mode))
        return factory_refuse(ctx, "location_mode",
                              "location_mode has to be none, state, county or city");
    if (body->location_target.len > 0 && !uuid_parse(body->location_target, &target))
        return factory_refuse(ctx, "location_target",
                              "location_target has to be the id of a state or a county");
    if (!is_choice(STATUSES, body->status))
        return factory_refuse(ctx, "status",
                              "status has to be active, inactive, paused or completed");
    return OK;
}

static Err body_read(struct ctx *ctx, const struct json *body, struct campaign_body *ret)
{
    *ret = (struct campaign_body){
        .location_mode = STR("none"),
        .status = STR("active"),
        .target_words = TARGET_WORDS_DEFAULT,
        .batch_count = 1,
    };
    TRY(json_take_str(ctx, body, "name", NAME_MAX_LEN, &ret->name));
    TRY(json_take_str(ctx, body, "headline_spintax_root", SPIN_TEMPLATE_MAX, &ret->headline_root));
    TRY(json_take_str(ctx, body, "location_mode", NAME_MAX_LEN, &ret->location_mode));
    TRY(json_take_str(ctx, body, "location_target", NAME_MAX_LEN, &ret->location_target));
    TRY(json_take_str(ctx, body, "status", NAME_MAX_LEN, &ret->status));
    TRY(json_take_int(ctx, body, "target_word_count", 0, TARGET_WORDS_MAX, &ret->target_words));
    TRY(json_take_int(ctx, body, "batch_count", 0, BATCH_COUNT_MAX, &ret->batch_count));
    TRY(json_take_uuid(ctx, body, "template", &ret->article_template));
    TRY(json_take_uuid(ctx, body, "article_template", &ret->article_template));
    TRY(check(ctx, ret));
    return niche_variables_read(ctx, body, &ret->niche_variables);
}

/* Whose it becomes: the token's site, the one that the body names, or, when an administrator names
 * none, every site's. */
static fiber_fn Err owner_find(struct ctx *ctx, const struct json *body, Uuid *ret)
{
    Uuid named;
    TRY(factory_named_site(ctx, body, &named));
    if (ctx->scope.kind == SCOPE_PLATFORM && uuid_is_nil(named)) {
        *ret = UUID_LIBRARY_SITE;
        return OK;
    }
    TRY(factory_enter(ctx, named, NULL));
    *ret = ctx->scope.site;
    return OK;
}

static void put_created(struct json_writer *w, const struct rows *rows)
{
    Str variables = row_json(rows, 0, CAMPAIGN_ADD_NICHE_VARIABLES);
    json_object_begin(w);
    json_field_bool(w, "success", true);
    json_key(w, STR("campaign"));
    json_object_begin(w);
    put_row(w, rows, 0);
    json_field_raw(w, "niche_variables", variables);
    put_text(w, "location_target", row_text(rows, 0, CAMPAIGN_ADD_LOCATION_TARGET));
    json_field_int(w, "target_word_count", row_int(rows, 0, CAMPAIGN_ADD_TARGET_WORD_COUNT));
    json_field_int(w, "batch_count", row_int(rows, 0, CAMPAIGN_ADD_BATCH_COUNT));
    put_uuid(w, "article_template", row_uuid(rows, 0, CAMPAIGN_ADD_ARTICLE_TEMPLATE));
    json_object_end(w);
    json_object_end(w);
}

fiber_fn Err campaigns_post(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    TRY(factory_check_write(ctx));
    const struct json *json;
    TRY(request_object(ctx, request, &json));
    struct campaign_body body;
    TRY(body_read(ctx, json, &body));
    Uuid owner;
    TRY(owner_find(ctx, json, &owner));
    struct rows rows;
    TRY(db_query(ctx, &SQL_CAMPAIGN_ADD,
                 campaign_add_args(ctx->arena,
                                   &(struct campaign_add_args){
                                       .site = owner,
                                       .id = uuid_make(),
                                       .name = str_trim(body.name),
                                       .headline_root = body.headline_root,
                                       .niche_variables = body.niche_variables,
                                       .location_mode = body.location_mode,
                                       .location_target = body.location_target,
                                       .target_words = body.target_words,
                                       .batch_count = body.batch_count,
                                       .article_template = body.article_template,
                                       .status = body.status,
                                       .audit_user = audit_user(ctx),
                                       .audit_actor = audit_actor(ctx),
                                       .audit_ip = audit_ip(ctx),
                                   }),
                 &rows));
    reply->status = 201;
    put_created(&reply->json, &rows);
    return OK;
}
