/*
 * A compiled library: the fragments that a campaign may use, each parsed once, and the structure
 * of its articles. Immutable, in an arena of its own, counted references: a worker makes thousands
 * of articles from one, while the next one is being built. Nothing here waits.
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
 * What the library holds is HTML that editors wrote, with spintax in it: it goes into articles as
 * it is. What variables stand for is text and is escaped. This holds for all three.
 */
struct fragment_source {
    Uuid id;
    Str type; /* a block's is its block_id: what a slot of the structure names */
    Str body; /* what cannot be parsed stays text */
    const Str
        *parts; /* a block: parsed one by one, so that a brace left open ends with its field */
    uint32_t part_count;
    Uuid personal; /* the row whose lists a block has taken; nil: none */
};

struct fragment {
    Uuid id;
    const struct spin **spins; /* one after the other */
    uint32_t spin_count;
    Uuid personal;
    bool has_title; /* brings an <h1>: never added beyond its slot */
};

/* The fragments of one type that the structure names, in order of id. */
struct fragment_type {
    Str name;
    const uint32_t *fragments; /* indexes */
    uint32_t fragment_count;
    uint32_t slot_count; /* how often the structure has it */
};

struct library {
    const struct fragment *fragments; /* ordered by id, whatever order the rows came in */
    uint32_t fragment_count;
    const struct fragment_type *types;
    uint32_t type_count;
    const uint32_t *slots; /* the structure: indexes of types */
    uint32_t slot_count;
};

/* ERR_INVALID_PAYLOAD for an empty structure or more than the limits. One reference is the
 * caller's. */
fiber_fn Err library_make(struct ctx *ctx, const struct fragment_source *sources,
                          uint32_t source_count, const Str *structure, uint32_t slot_count,
                          const struct library **ret);

/* The types of the structure that have no fragment, each once, in `arena`. */
uint32_t library_missing(const struct library *library, struct arena *arena, const Str **ret);

const struct library *library_ref(const struct library *library);
void library_unref(const struct library *library); /* NULL is fine */

/* The structure of an article when neither campaign nor template names one. */
extern const Str LIBRARY_DEFAULT_STRUCTURE[];
extern const uint32_t LIBRARY_DEFAULT_SLOTS;

/*
 * Places and dates as template variables. Pure.
 *
 * A location gives only the names it has a value for, so that a default in the template serves the
 * others. Names: city, county, state (and location_… of each), state_code, state_abbr, zip_focus,
 * zip, zip_code, neighborhood, population, landmark (several: one of them is chosen).
 * A date gives year, current_year, next_year, last_year, month.
 */

struct geo_location {
    Str city;
    Str county;
    Str state;
    Str state_code; /* locations_states.code; if empty, a two-letter `state` serves */
    Str zip_focus;
    Str neighborhood;
    int64_t population; /* 0: unknown */
    const Str *landmarks;
    uint32_t landmark_count;
};

/* A layer over `below`. Keeps views of the location's texts. */
struct spin_vars *geo_vars(struct arena *arena, const struct geo_location *location,
                           const struct spin_vars *below);

/* A layer over `below` for the day an article is published, not for today. */
struct spin_vars *geo_date_vars(struct arena *arena, int64_t publish_wall_us,
                                const struct spin_vars *below);

/* Whether the template names, without a default, something that places have and this one lacks. */
bool geo_lacks(const struct geo_location *location, const struct spin *spin);

/* Whether `name` (any case) is one that a location can give. */
bool geo_is_name(Str name);

/*
 * Whom an article speaks to: the words of one avatar variant, of the site or the library.
 *
 * Every avatar has three variants. Rows hold what an editor changed about them; for what no row
 * says, and for an avatar without rows, grammar.h's own table stands in, so that an article never
 * falls back to "they" for want of a row.
 */

enum { AVATAR_VARIANTS = 3, AVATAR_KEY_MAX = 100 };

/* What a request or a campaign says. Empty and nil: not said. */
struct avatar_choice {
    Uuid id;          /* of an avatar, or of one variant */
    Str key;          /* avatar_key */
    Str variant_type; /* male, female, neutral; stands above what `id` says */
};
bool avatar_is_variant(Str type); /* one of the three, in lower case */
bool avatar_is_chosen(const struct avatar_choice *choice);

struct avatar {
    struct grammar_variant variant;
    Str key;      /* empty: only a variant was chosen */
    Str type;     /* male, female, neutral */
    Str identity; /* {Avatar} */
};

/* In ctx->arena. ERR_NOT_FOUND: no such avatar or variant, in the site or in the library. */
fiber_fn Err avatar_find(struct ctx *ctx, const struct avatar_choice *choice, struct avatar *ret);

/* The variants of an avatar, after those that it lacks were made from grammar.h's table. What is
 * there stays as it is. In the scope of the avatar's own site. */
struct avatar_variants {
    Uuid avatar;
    Uuid site;
    Str key;
    uint32_t made;
    Uuid ids[AVATAR_VARIANTS];
    Str types[AVATAR_VARIANTS];
    uint32_t count;
};

/* Which avatar is meant: by id, or by key among those that ctx's scope can see, the site's own
 * first. Only site, avatar and key of `ret` are set. ERR_NOT_FOUND; ERR_FAILED_VALIDATION when
 * several sites have the key. */
fiber_fn Err avatar_locate(struct ctx *ctx, const struct avatar_choice *choice,
                           struct avatar_variants *ret);
fiber_fn Err avatar_variants_make(struct db_tx *tx, struct avatar_variants *variants);

/*
 * Offer blocks as fragments: title, hook, pains, solutions, value points, free text and a call to
 * action become one section of HTML. Pure.
 *
 * A personalised row (block × avatar) brings lists of its own; each that it has stands in for the
 * block's, each that it lacks leaves the block's. Names of members are those of the data (hook,
 * universal_pain_points, spintax …) and those that older engines wrote.
 */

enum { BLOCK_ITEMS_MAX = 50 /* of one list; the rest is left out */ };

struct block_row {
    Uuid id;
    Str block_id;
    Str name; /* the title when `data` has none */
    Str html; /* html_content: stands in for `spintax` */
    const struct json *data;
    Uuid personal_id;
    const struct json *personal; /* NULL: none for this avatar */
};

/* In `arena`; the texts stay views. */
struct fragment_source block_source(struct arena *arena, const struct block_row *row);

/*
 * Patterns of forms, looked at when the form is written: visitors meet only those that compile.
 */

/* forms.fields as JSON text: ERR_FAILED_VALIDATION names the field whose pattern does not compile.
 */
fiber_fn Err form_patterns_check(struct ctx *ctx, Str fields);
