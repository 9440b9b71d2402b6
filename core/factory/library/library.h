/*
 * A compiled library: the fragments that a campaign may use, each parsed once, and the structure of
 * its articles. Immutable and reference-counted, with its own arena: a worker makes thousands of
 * articles from one while the next one is being built. Pure.
 */
#pragma once

#include "base/crypto/uuid.h"
#include "base/json/json.h"
#include "base/memory/arena.h"
#include "factory/spin/spin.h"
#include "io/fiber/fiber.h"
#include "io/pg/db.h"

enum { LIBRARY_FRAGMENTS_MAX = 100000, LIBRARY_SLOTS_MAX = 256 };

/*
 * A row of content_fragments, content_modules or offer_blocks; views, copied by library_make.
 *
 * All three contain HTML with spintax, written by editors, which is copied into articles unescaped.
 * Values of variables are text and are escaped.
 */
struct fragment_source {
    Uuid id;
    Str type;         /* for a block: its block_id, which a slot of the structure names */
    Str body;         /* anything that cannot be parsed stays text */
    const Str *parts; /* for a block: parsed one by one, so an open brace ends with its field */
    uint32_t part_count;
    Uuid personal; /* the personalised row that was used; nil: none */
};

struct fragment {
    Uuid id;
    const struct spin **spins; /* expanded one after the other */
    uint32_t spin_count;
    Uuid personal;
    bool has_title; /* contains an <h1>: never used as an extra fragment */
};

/* The fragments of one type that the structure names, in order of id. */
struct fragment_type {
    Str name;
    const uint32_t *fragments; /* indexes */
    uint32_t fragment_count;
    uint32_t slot_count; /* how often the structure contains it */
};

struct library {
    const struct fragment *fragments; /* sorted by id */
    uint32_t fragment_count;
    const struct fragment_type *types;
    uint32_t type_count;
    const uint32_t *slots; /* the structure: indexes of types */
    uint32_t slot_count;
};

/* ERR_INVALID_PAYLOAD: the structure is empty or a limit is exceeded. The caller owns one
 * reference. */
fiber_fn Err library_make(struct ctx *ctx, const struct fragment_source *sources,
                          uint32_t source_count, const Str *structure, uint32_t slot_count,
                          const struct library **ret);

/* The types in the structure without a fragment, each once, in `arena`. */
uint32_t library_missing(const struct library *library, struct arena *arena, const Str **ret);

const struct library *library_ref(const struct library *library);
void library_unref(const struct library *library); /* accepts NULL */

/* The structure used if neither campaign nor template has one. */
extern const Str LIBRARY_DEFAULT_STRUCTURE[];
extern const uint32_t LIBRARY_DEFAULT_SLOTS;

/*
 * Locations and dates as template variables. Pure.
 *
 * A location defines only the variables it has a value for, so that defaults in the template apply
 * to the others. Variables: city, county, state (and location_… of each), state_code, state_abbr,
 * zip_focus, zip, zip_code, neighborhood, population, landmark (several: one of them is chosen). A
 * date defines year, current_year, next_year, last_year, month.
 */

struct geo_location {
    Str city;
    Str county;
    Str state;
    Str state_code; /* locations_states.code; if empty, a two-letter `state` is used */
    Str zip_focus;
    Str neighborhood;
    int64_t population; /* 0: unknown */
    const Str *landmarks;
    uint32_t landmark_count;
};

/* A layer over `below`. Keeps views of the location's texts. */
struct spin_vars *geo_vars(struct arena *arena, const struct geo_location *location,
                           const struct spin_vars *below);

/* A layer over `below` for the date of publication, not for today. */
struct spin_vars *geo_date_vars(struct arena *arena, int64_t publish_wall_us,
                                const struct spin_vars *below);

/* Whether the template uses, without a default, a location variable that this location lacks. */
bool geo_lacks(const struct geo_location *location, const struct spin *spin);

/* Whether `name` (in any case) is a location variable. */
bool geo_is_name(Str name);

/*
 * The audience of an article: the words of one avatar variant, of the site or the library.
 *
 * Every avatar has three variants. Rows hold what an editor has changed; for values without a row,
 * and for avatars without rows, the table of the grammar tokens below applies, so that an article
 * does not fall back to "they" because a row is missing.
 */

enum { AVATAR_VARIANTS = 3, AVATAR_KEY_MAX = 100 };

/* The avatar that a request or a campaign selects. Empty and nil: not set. */
struct avatar_choice {
    Uuid id;          /* id of an avatar or of one variant */
    Str key;          /* avatar_key */
    Str variant_type; /* male, female, neutral; overrides the variant of `id` */
};
bool avatar_is_variant(Str type); /* one of the three, lower case */
bool avatar_is_chosen(const struct avatar_choice *choice);

struct avatar {
    struct grammar_variant variant;
    Str key;      /* empty: only a variant was selected */
    Str type;     /* male, female, neutral */
    Str identity; /* {Avatar} */
};

/* In ctx->arena. ERR_NOT_FOUND: no such avatar or variant in the site or in the library. */
fiber_fn Err avatar_find(struct ctx *ctx, const struct avatar_choice *choice, struct avatar *ret);

/* The variants of an avatar. avatar_variants_make first adds missing ones from the grammar table;
 * existing ones stay unchanged. Scope: the avatar's own site. */
struct avatar_variants {
    Uuid avatar;
    Uuid site;
    Str key;
    uint32_t made;
    Uuid ids[AVATAR_VARIANTS];
    Str types[AVATAR_VARIANTS];
    uint32_t count;
};

/* Finds an avatar by id, or by key among those visible in ctx's scope, the site's own first. Sets
 * only site, avatar and key of `ret`. ERR_NOT_FOUND. ERR_FAILED_VALIDATION: several sites have the
 * key. */
fiber_fn Err avatar_locate(struct ctx *ctx, const struct avatar_choice *choice,
                           struct avatar_variants *ret);
fiber_fn Err avatar_variants_make(struct db_tx *tx, struct avatar_variants *variants);

/*
 * Renders an offer block as a fragment: title, hook, pains, solutions, value points, free text and
 * a call to action become one HTML section. Pure.
 *
 * A personalised row (block × avatar) has lists of its own; each replaces the block's list, and
 * missing ones keep the block's. Accepts the member names of the data (hook, universal_pain_points,
 * spintax …) and those that older engines wrote.
 */

enum { BLOCK_ITEMS_MAX = 50 /* per list; the rest is ignored */ };

struct block_row {
    Uuid id;
    Str block_id;
    Str name; /* the title if `data` has none */
    Str html; /* html_content: used if there is no `spintax` */
    const struct json *data;
    Uuid personal_id;
    const struct json *personal; /* NULL: none for this avatar */
};

/* Allocates in `arena`; texts stay views. */
struct fragment_source block_source(struct arena *arena, const struct block_row *row);

/*
 * Checks the patterns of a form when it is written, so that visitors only get patterns that
 * compile.
 */

/* `fields` is forms.fields as JSON text. ERR_FAILED_VALIDATION names the field whose pattern does
 * not compile. */
fiber_fn Err form_patterns_check(struct ctx *ctx, Str fields);
