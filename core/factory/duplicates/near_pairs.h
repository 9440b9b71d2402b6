/*
 * Which pairs of many texts are worth comparing: locality-sensitive hashing over their signatures.
 *
 * A band looks at some rows of every signature and sorts the texts by them: texts alike stand side
 * by side. There are 192 bands, each with rows of its own choice, and at least r rows must
 * agree, r the largest for which a pair at the threshold t is found as good as surely:
 *
 *     missed with (1 - t^r)^192:   t = 0.3, r = 3: 0.5 %    t = 0.5, r = 5: 0.2 %
 *
 * and half a percent more for the chance in the rows themselves: recall is above 0.98 at t, nearly
 * 1 above it. Before a pair becomes a candidate its whole signatures are compared, and it is
 * dropped if they say more than two and a half standard deviations below the threshold.
 *
 * Never quadratic. Articles put together from one library all share something, and every band
 * would find most pairs at any fixed r. So a run of more than 64 texts is divided by one row more,
 * up to 8; in a run that is longer even then (copies of one text) each is compared with the next 16
 * alone. That bounds a band to 32 comparisons a text. A text keeps the 16 best of the partners that
 * come after it (a new one, where it was compared with all: of all): of 1,000 copies each is found,
 * but not every pair of them.
 *
 * Memory: 700 bytes a text, 70 MB for 100,000 of them; the texts themselves are not needed here.
 * All of it in the arena given. Pure, and no arena is touched while it runs: any thread will do.
 */
#pragma once

#include "factory/duplicates/minhash.h"

enum { NEAR_BANDS = 192, NEAR_PARTNERS_MAX = 16 };

struct near_pairs;

/* Pairs from `jaccard` on, or of which one holds `containment` of the other (as far as that shows
 * in a Jaccard similarity of 0.15: up to about five times its length). Both in (0, 1]. */
struct near_pairs *near_pairs_make(struct arena *arena, uint32_t max, double jaccard,
                                   double containment);

/* The next text; its number is how many were put before. Pairs of two that are `is_old` are left
 * out: an earlier run has seen them. */
void near_pairs_put(struct near_pairs *near, const struct minhash *minhash, uint32_t shingles,
                    bool is_old);

/* The whole search, cut into steps; each once, in any order. A few new texts among many old ones
 * are compared with every other: that misses nothing, and takes less than the bands of all. */
uint32_t near_pairs_steps(const struct near_pairs *near);
void near_pairs_step(struct near_pairs *near, uint32_t step);

/* Bands [from, to), each once, in any order: what the steps are made of when many are new. */
void near_pairs_run(struct near_pairs *near, uint32_t from, uint32_t to);

struct near_pair {
    uint32_t a; /* a < b */
    uint32_t b;
};
/* What was found, in the order of the texts that keep the pairs: by a, then b; after the steps of a
 * few new texts, pairs of one new text stand together. */
const struct near_pair *near_pairs_found(struct near_pairs *near, struct arena *arena,
                                         uint32_t *ret_count);
/* At most `max` of them: the likest, as far as signatures tell. */
const struct near_pair *near_pairs_likest(struct near_pairs *near, struct arena *arena,
                                          uint32_t max, uint32_t *ret_count, bool *ret_is_cut);

/* The texts that are not old, by number. */
const uint32_t *near_pairs_new(const struct near_pairs *near, uint32_t *ret_count);

/* The signatures as they were put: near_pairs owns them. */
const struct minhash *near_pairs_minhashes(const struct near_pairs *near);
