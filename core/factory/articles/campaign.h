/*
 * Campaigns: the headline template, its variables and its locations. All in ctx->scope, which is
 * one site: its own campaigns, and those of the library, which every site may use.
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
    Uuid owner; /* the site, or the library */
    Str status;
    Str name;
    Str headline_root; /* may be STR_NONE */
    uint64_t headline_cursor;
    Str niche_variables; /* JSON */
    Str location_mode;
    Str location_target;
    Uuid template;     /* the article template; nil: none */
    Str structure;     /* JSON of the template; STR_NONE: none */
    Str recipe;        /* JSON: module types, in order */
    Str title_spintax; /* title of articles that are assembled without a headline */
    Str avatar_key;    /* key of the default avatar; may be STR_NONE, like variant_type */
    Str variant_type;
    uint32_t target_words;
    Str site_name; /* of ctx's site, not of the owner */
    Str site_url;
};

/* ERR_NOT_FOUND: belongs neither to the site nor to the library. */
fiber_fn Err campaign_find(struct ctx *ctx, Uuid id, struct campaign *ret);
/* ERR_CONFLICT if it is not active. */
Err campaign_check_active(struct ctx *ctx, const struct campaign *campaign);

/* The variables in order of precedence: niche variables, the site's name and address, the
 * dictionaries of site and library. All in `arena`. */
fiber_fn Err campaign_vars(struct ctx *ctx, struct arena *arena, const struct campaign *campaign,
                           const struct spin_vars **ret);

/* The places of the campaign's location mode, largest population first; none in mode "none". */
struct place_list {
    struct geo_location *locations; /* parallel arrays */
    Str *json;                      /* as stored in headline_inventory.location_data */
    uint32_t count;
};
fiber_fn Err campaign_places(struct ctx *ctx, const struct campaign *campaign,
                             struct place_list *ret);

/* {id?, city, county, state, stateCode, population?}: also the format of request bodies, which may
 * use state_code. Absent names are empty. */
struct geo_location place_from_json(const struct json *json);
Str place_json(struct arena *arena, const Uuid *id, const struct geo_location *location);
