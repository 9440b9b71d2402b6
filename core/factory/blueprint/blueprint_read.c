#include "base/crypto/crypto.h"
#include "base/memory/array.h"
#include "base/system/ctx.h"
#include "factory/articles/campaign.h"
#include "factory/blueprint/blueprint_take.h"
#include "factory/headlines/headline_store.h"
#include "factory/library/library.h"
#include "factory/text/text.h"
#include "io/fiber/json_apart.h"

#include <assert.h>

enum {
    NAME_MAX_LEN = 255,
    TYPE_MAX_LEN = 100,
    NICHE_JSON_MAX = 64 * 1024,
    OFFER_HTML_MAX = 256 * 1024,
    BATCH_COUNT_MAX = 10000,
    TARGET_WORDS_MAX = 100000,
};

/* The members of a campaign's blueprint, in the format of json_check_members. Rows are checked one
 * by one. `site` is a member of the document, not of the campaign: it applies to all parts. */
#define BLUEPRINT_MEMBERS                                                                          \
    "format site site_id template{name description structure_json} campaign{name "                 \
    "headline_spintax_root niche_variables location_mode location_target batch_count "             \
    "target_word_count} fragments dictionaries offer_blocks headlines locations"
#define FRAGMENT_MEMBERS "fragment_type content_body fragment_text word_count"
#define OFFER_MEMBERS "block_type block_id avatar_key name html_content data"
#define HEADLINE_MEMBERS                                                                           \
    "headline location{city county state state_code stateCode zip_focus neighborhood landmarks}"

static Str hash_of(struct arena *arena, Str text)
{
    Sha256 hash = sha256(text_normalise(arena, text));
    return hex_text(arena, hash.bytes, sizeof hash.bytes);
}

static Err read_template(struct ctx *ctx, const struct json *json, struct blueprint *ret)
{
    Str where = STR("template");
    if (json_is_null(json))
        return OK;
    if (json_kind(json) != JSON_OBJECT)
        return blueprint_refuse(ctx, where, NULL, "has to be an object");
    TRY(blueprint_text(ctx, json, where, "name", NAME_MAX_LEN, true, &ret->template_name));
    TRY(blueprint_text(ctx, json, where, "description", 10000, false, &ret->template_description));
    const struct json *structure = json_get(json, STR("structure_json"));
    uint32_t count = json_len(structure);
    if (json_kind(structure) != JSON_ARRAY || count == 0 || count > LIBRARY_SLOTS_MAX)
        return blueprint_refuse(ctx, where, "structure_json",
                                "has to be an array of 1 to 256 fragment types");
    static_assert(LIBRARY_SLOTS_MAX == 256, "the message above");
    for (uint32_t i = 0; i < count; i++)
        if (json_kind(json_at(structure, i)) != JSON_STRING)
            return blueprint_refuse(ctx, where, "structure_json", "may hold texts only");
    ret->template_structure = json_text(ctx->arena, structure);
    return OK;
}

/* An object, or its JSON as a string, as older clients send it. */
static Err read_niche_variables(struct ctx *ctx, const struct json *campaign, Str *ret)
{
    const struct json *value = json_get(campaign, STR("niche_variables"));
    if (json_kind(value) == JSON_STRING)
        TRY(json_parse(ctx, json_str(value), JSON_LIMITS_DEFAULT, &value));
    if (json_is_null(value))
        return OK;
    if (json_kind(value) != JSON_OBJECT)
        return blueprint_refuse(ctx, STR("campaign"), "niche_variables", "has to be an object");
    *ret = json_text(ctx->arena, value);
    if (ret->len > NICHE_JSON_MAX)
        return blueprint_refuse(ctx, STR("campaign"), "niche_variables", "is longer than 64 KiB");
    return OK;
}

static Err read_campaign(struct ctx *ctx, const struct json *json, struct blueprint *ret)
{
    Str where = STR("campaign");
    if (json_is_null(json))
        return OK;
    if (json_kind(json) != JSON_OBJECT)
        return blueprint_refuse(ctx, where, NULL, "has to be an object");
    TRY(blueprint_text(ctx, json, where, "name", NAME_MAX_LEN, true, &ret->campaign_name));
    TRY(blueprint_text(ctx, json, where, "headline_spintax_root", SPIN_TEMPLATE_MAX, false,
                       &ret->headline_root));
    TRY(blueprint_spintax(ctx, where, "headline_spintax_root", ret->headline_root));
    TRY(read_niche_variables(ctx, json, &ret->niche_variables));
    TRY(blueprint_text(ctx, json, where, "location_mode", 50, false, &ret->location_mode));
    const Str modes[] = {STR("none"), STR("state"), STR("county"), STR("city")};
    bool is_known = false;
    for (size_t i = 0; i < COUNT_OF(modes); i++)
        is_known = is_known || str_eq(ret->location_mode, modes[i]);
    if (!is_known)
        return blueprint_refuse(ctx, where, "location_mode",
                                "has to be none, state, county or city");
    TRY(blueprint_text(ctx, json, where, "location_target", NAME_MAX_LEN, false,
                       &ret->location_target));
    TRY(blueprint_number(ctx, json, where, "batch_count", 0, BATCH_COUNT_MAX, &ret->batch_count));
    return blueprint_number(ctx, json, where, "target_word_count", 0, TARGET_WORDS_MAX,
                            &ret->target_words);
}

/* Counts the words: the number that an export declares is often wrong. */
static Err read_fragment(struct ctx *ctx, const struct json *item, Str where,
                         struct blueprint_list *list, uint32_t row)
{
    const char *body_key =
        json_is_null(json_get(item, STR("content_body"))) ? "fragment_text" : "content_body";
    Str type = STR_NONE;
    Str body = STR_NONE;
    if (json_kind(item) != JSON_OBJECT)
        return blueprint_refuse(ctx, where, NULL, "has to be an object");
    TRY(blueprint_text(ctx, item, where, "fragment_type", TYPE_MAX_LEN, true, &type));
    if (json_is_null(json_get(item, str_from_z(body_key))))
        body_key = "content_body";
    TRY(blueprint_text(ctx, item, where, body_key, SPIN_TEMPLATE_MAX, true, &body));
    TRY(blueprint_spintax(ctx, where, body_key, body));
    list->columns[0][row] = type;
    list->columns[1][row] = body;
    list->columns[2][row] = hash_of(ctx->arena, body);
    list->numbers[row] = text_word_count(body);
    return OK;
}

static Err read_dictionary(struct ctx *ctx, const struct json *item, Str where,
                           struct blueprint_list *list, uint32_t row)
{
    Str category = STR_NONE;
    TRY(blueprint_text(ctx, item, where, "category", NAME_MAX_LEN, true, &category));
    const struct json *data = json_get(item, STR("data"));
    if (json_kind(data) != JSON_ARRAY || json_len(data) == 0 ||
        json_len(data) > BLUEPRINT_TERMS_MAX)
        return blueprint_refuse(ctx, where, "data", "has to be an array of 1 to 10000 terms");
    static_assert(BLUEPRINT_TERMS_MAX == 10000, "the message above");
    for (uint32_t i = 0; i < json_len(data); i++)
        if (json_kind(json_at(data, i)) != JSON_STRING)
            return blueprint_refuse(ctx, where, "data", "may hold texts only");
    list->columns[0][row] = category;
    list->columns[1][row] = json_text(ctx->arena, data);
    return OK;
}

static Err read_offer(struct ctx *ctx, const struct json *item, Str where,
                      struct blueprint_list *list, uint32_t row)
{
    Str type = STR_NONE;
    TRY(blueprint_text(ctx, item, where, "block_type", TYPE_MAX_LEN, true, &type));
    if (!str_eq(type, STR("universal")) && !str_eq(type, STR("personalized")))
        return blueprint_refuse(ctx, where, "block_type", "has to be universal or personalized");
    list->columns[0][row] = type;
    TRY(blueprint_text(ctx, item, where, "block_id", NAME_MAX_LEN, true, &list->columns[1][row]));
    TRY(blueprint_text(ctx, item, where, "avatar_key", TYPE_MAX_LEN, false,
                       &list->columns[2][row]));
    TRY(blueprint_text(ctx, item, where, "name", NAME_MAX_LEN, false, &list->columns[3][row]));
    TRY(blueprint_text(ctx, item, where, "html_content", OFFER_HTML_MAX, false,
                       &list->columns[4][row]));
    const struct json *data = json_get(item, STR("data"));
    if (!json_is_null(data) && json_kind(data) != JSON_OBJECT)
        return blueprint_refuse(ctx, where, "data", "has to be an object");
    Str spintax = STR_NONE;
    TRY(blueprint_text(ctx, data, where, "spintax", SPIN_TEMPLATE_MAX, false, &spintax));
    TRY(blueprint_spintax(ctx, where, "data.spintax", spintax));
    list->columns[5][row] = json_is_null(data) ? STR("{}") : json_text(ctx->arena, data);
    return OK;
}

/* A string, or an object with the headline and its location. */
static Err read_headline(struct ctx *ctx, const struct json *item, Str where,
                         struct blueprint_list *list, uint32_t row)
{
    Str title = STR_NONE;
    Str location = STR_NONE;
    if (json_kind(item) == JSON_STRING) {
        title = json_str(item);
    } else {
        TRY(blueprint_text(ctx, item, where, "headline", NAME_MAX_LEN * 4, true, &title));
        const struct json *place = json_get(item, STR("location"));
        if (!json_is_null(place) && json_kind(place) != JSON_OBJECT)
            return blueprint_refuse(ctx, where, "location", "has to be an object");
        struct geo_location read = place_from_json(place);
        location = json_is_null(place) ? STR_NONE : place_json(ctx->arena, NULL, &read);
    }
    title = text_normalise(ctx->arena, title);
    if (title.len == 0 || str_count_codepoints(title) > HEADLINE_TITLE_MAX)
        return blueprint_refuse(ctx, where, NULL, "has to be a text of 1 to 500 characters");
    list->columns[0][row] = title;
    list->columns[1][row] = hash_of(ctx->arena, title);
    list->columns[2][row] = location;
    return OK;
}

static Err check_parts(struct ctx *ctx, const struct blueprint *blueprint)
{
    if (blueprint->headlines.count > 0 && blueprint->campaign_name.len == 0)
        return blueprint_refuse(ctx, STR("headlines"), NULL, "need a campaign");
    bool is_empty = blueprint->template_name.len == 0 && blueprint->campaign_name.len == 0 &&
                    blueprint->fragments.count == 0 && blueprint->dictionaries.count == 0 &&
                    blueprint->offers.count == 0 && blueprint->states.count == 0 &&
                    blueprint->counties.count == 0 && blueprint->cities.count == 0;
    if (is_empty)
        return fail(ctx, ERR_FAILED_VALIDATION,
                    "The blueprint is empty: send template, campaign, fragments, dictionaries, "
                    "locations, headlines or offer_blocks.");
    return OK;
}

fiber_fn Err blueprint_read(struct ctx *ctx, const struct json *body, struct blueprint *ret)
{
    *ret = (struct blueprint){.niche_variables = STR("{}"),
                              .location_mode = STR("none"),
                              .batch_count = 1,
                              .target_words = 1500};
    TRY(json_check_members_apart(ctx, body, STR(BLUEPRINT_MEMBERS)));
    TRY(read_template(ctx, json_get(body, STR("template")), ret));
    TRY(read_campaign(ctx, json_get(body, STR("campaign")), ret));
    TRY(blueprint_rows(ctx, body, "fragments", STR(FRAGMENT_MEMBERS), BLUEPRINT_FRAGMENTS_MAX, 3,
                       read_fragment, &ret->fragments));
    TRY(blueprint_rows(ctx, body, "dictionaries", STR("category data"), BLUEPRINT_DICTIONARIES_MAX,
                       2, read_dictionary, &ret->dictionaries));
    TRY(blueprint_rows(ctx, body, "offer_blocks", STR(OFFER_MEMBERS), BLUEPRINT_OFFERS_MAX, 6,
                       read_offer, &ret->offers));
    TRY(blueprint_rows(ctx, body, "headlines", STR(HEADLINE_MEMBERS), BLUEPRINT_HEADLINES_MAX, 3,
                       read_headline, &ret->headlines));
    TRY(blueprint_read_places(ctx, json_get(body, STR("locations")), ret));
    return check_parts(ctx, ret);
}
