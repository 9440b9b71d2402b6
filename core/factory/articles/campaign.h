/*
 * Campaigns as the factory reads them: the headline template, what its names stand for, the places
 * it runs over. All of it within ctx->scope, which is one site: its own campaigns, and the
 * library's, which every site may run.
 */
#pragma once

#include "base/json/json.h"
#include "factory/library/library.h"
#include "factory/spin/spin.h"
#include "io/fiber/fiber.h"

enum { PLACES_STATES_MAX = 100, PLACES_COUNTIES_MAX = 500, PLACES_CITIES_MAX = 1000 };
enum { DICTIONARIES_MAX = 1000 };

struct campaign {
    Uuid id;
    Uuid owner; /* its site, or the library */
    Str status;
    Str name;
    Str headline_root; /* may be STR_NONE */
    uint64_t headline_cursor;
    Str niche_variables; /* JSON */
    Str location_mode;
    Str location_target;
    Uuid template;     /* its article template; nil: none */
    Str structure;     /* JSON of that; STR_NONE: none */
    Str recipe;        /* JSON: the types of modules, in order */
    Str title_spintax; /* of articles that are assembled without a headline */
    Str avatar_key;    /* whom its articles speak to; may be STR_NONE, like variant_type */
    Str variant_type;
    uint32_t target_words;
    Str site_name; /* of the site that acts */
    Str site_url;
};

/* ERR_NOT_FOUND: neither the site's nor the library's. */
fiber_fn Err campaign_find(struct ctx *ctx, Uuid id, struct campaign *ret);
/* ERR_CONFLICT for one that is not active. */
Err campaign_check_active(struct ctx *ctx, const struct campaign *campaign);

/* Niche variables over the site's name and address over the dictionaries of site and library, all
 * in `arena`. */
fiber_fn Err campaign_vars(struct ctx *ctx, struct arena *arena, const struct campaign *campaign,
                           const struct spin_vars **ret);

/* The places of the campaign's location mode, largest first; none in mode "none". */
struct place_list {
    struct geo_location *locations; /* parallel arrays */
    Str *json;                      /* what headline_inventory.location_data holds */
    uint32_t count;
};
fiber_fn Err campaign_places(struct ctx *ctx, const struct campaign *campaign,
                             struct place_list *ret);

/* {id?, city, county, state, stateCode, population?}: also the form of request bodies, where
 * state_code is accepted too. Names that are absent stay empty. */
struct geo_location place_from_json(const struct json *json);
Str place_json(struct arena *arena, const Uuid *id, const struct geo_location *location);
