/*
 * Blueprints: a campaign with everything it needs, in one document and one transaction.
 *
 *   {template: {name, structure_json, description?},
 *    campaign: {name, headline_spintax_root, niche_variables, location_mode, location_target,
 *               batch_count, target_word_count},
 *    fragments: [{fragment_type, content_body}],
 *    dictionaries: [{category, data: [term]}],
 *    locations: {states: [{name, code, …}], counties: [{name, state}], cities: [{name, state,
 * county}]}, headlines: ["…" or {headline, location}], offer_blocks: [{block_type, block_id,
 * avatar_key?, name?, html_content?, data?}]}
 *
 * Every part may be absent. It is read and checked completely before anything is written. The same
 * campaign name means the same campaign, and what is stored already is not stored again, so that
 * importing twice changes nothing; a campaign that is there keeps its own settings.
 */
#pragma once

#include "base/json/json.h"
#include "base/json/json_writer.h"
#include "io/fiber/fiber.h"

enum {
    BLUEPRINT_FRAGMENTS_MAX = 20000,
    BLUEPRINT_DICTIONARIES_MAX = 1000,
    BLUEPRINT_TERMS_MAX = 10000, /* per dictionary */
    BLUEPRINT_OFFERS_MAX = 5000,
    BLUEPRINT_STATES_MAX = 1000,
    BLUEPRINT_COUNTIES_MAX = 10000,
    BLUEPRINT_CITIES_MAX = 100000,
    BLUEPRINT_HEADLINES_MAX = 100000,
    BLUEPRINT_ROWS = 1000, /* per statement */
};

/* A list stored by columns: column c of row r is columns[c][r]. STR_NONE is null. */
enum { BLUEPRINT_COLUMNS_MAX = 6 };
struct blueprint_list {
    Str *columns[BLUEPRINT_COLUMNS_MAX];
    int64_t *numbers; /* one column of numbers */
    uint32_t count;
};

struct blueprint {
    Str template_name; /* empty: no template */
    Str template_structure;
    Str template_description;

    Str campaign_name; /* empty: no campaign */
    Str headline_root;
    Str niche_variables;
    Str location_mode;
    Str location_target;
    int64_t batch_count;
    int64_t target_words;

    struct blueprint_list fragments;    /* type, body, hash; words */
    struct blueprint_list dictionaries; /* category, data */
    struct blueprint_list offers;       /* type, id, avatar, name, html, data */
    struct blueprint_list states;       /* name, code, country, region; population */
    struct blueprint_list counties;     /* name, state; population */
    struct blueprint_list cities;       /* name, state, county, postal code; population */
    struct blueprint_list headlines;    /* title, hash, location */
};

/* ERR_FAILED_VALIDATION and ERR_INVALID_SPINTAX name the member ("fragments[12].content_body") in
 * the message and in the note "field"; the latter also gives the character in the note
 * "position". */
fiber_fn Err blueprint_read(struct ctx *ctx, const struct json *body, struct blueprint *ret);

struct blueprint_result {
    Uuid template_id; /* nil: none */
    Uuid campaign_id; /* nil: none */
    int64_t fragments;
    int64_t dictionaries;
    int64_t offers;
    int64_t states;
    int64_t counties;
    int64_t cities;
    int64_t headlines;
};

/* Stores it as rows of `site`: ctx's own site, or the library in PLATFORM scope. */
fiber_fn Err blueprint_store(struct ctx *ctx, Uuid site, const struct blueprint *blueprint,
                             struct blueprint_result *ret);

/*
 * A site as a blueprint: its content and settings without its identity. It has no ids, no secrets
 * and no data of visitors. docs/blueprints.md describes the format, blueprint.def its parts.
 *
 * Rows refer to each other by name ("Best Dentists", "/about"), to rows of the library as
 * {"library": name}, and in JSON values as "spark:blueprint/<part>/<name>". A second row with the
 * same name is "name#2", in the order of the document.
 */

enum {
    BLUEPRINT_SITE_ROWS_MAX = 200000,
    BLUEPRINT_VALUE_DEPTH_MAX = 12, /* keeps the whole document below JSON_DEPTH_MAX */
};
#define BLUEPRINT_SITE_FORMAT "spark-site/1"

enum blueprint_part {
#define PART(part, collection, identity, rows) BLUEPRINT_PART_##part,
#define RULE(...)
#define PART_END(part)
#include "factory/blueprint/blueprint.def"
#undef PART
#undef RULE
#undef PART_END
    BLUEPRINT_PARTS
};

Str blueprint_part_name(enum blueprint_part part);

/* Writes the document into w; ERR_TOO_LARGE if it exceeds `bytes`. `wanted` has a bit for each
 * part. ctx->scope is the site. */
fiber_fn Err blueprint_site_write(struct ctx *ctx, uint64_t wanted, size_t bytes,
                                  struct json_writer *w);
/* What a blueprint omits, as a JSON array of sentences. */
Str blueprint_left_out(void);

/* Reads and checks the whole document, then stores the rows that do not exist yet in ctx's site.
 * Errors name the member ("campaigns[2].headline_spintax_root") in the message and in the note
 * "field". */
struct blueprint_site_result {
    int64_t stored[BLUEPRINT_PARTS];
    bool is_present[BLUEPRINT_PARTS];
};
fiber_fn Err blueprint_site_store(struct ctx *ctx, const struct json *body,
                                  struct blueprint_site_result *ret);
