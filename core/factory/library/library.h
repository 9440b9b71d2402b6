/*
 * A compiled library: the fragments that a campaign may use, each parsed once, and the structure
 * of its articles. Immutable, in an arena of its own, counted references: a worker makes thousands
 * of articles from one, while the next one is being built. Nothing here waits.
 */
#pragma once

#include "base/crypto/uuid.h"
#include "base/memory/arena.h"
#include "factory/spin/spin.h"
#include "io/fiber/fiber.h"

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
