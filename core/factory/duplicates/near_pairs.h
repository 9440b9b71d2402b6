/*
 * Selects the pairs of texts that are worth comparing: locality-sensitive hashing of their
 * signatures.
 *
 * A band takes some rows of every signature and sorts the texts by them, so that similar texts are
 * adjacent. There are 192 bands, each with its own choice of rows. At least r rows must be equal; r
 * is the largest number for which a pair at the threshold t is rarely missed:
 *
 *     missed with (1 - t^r)^192:   t = 0.3, r = 3: 0.5 %    t = 0.5, r = 5: 0.2 %
 *
 * plus half a percent for the error of the signatures: recall is above 0.98 at t, and nearly 1
 * above it. A pair becomes a candidate only if its whole signatures are not more than two and a
 * half standard deviations below the threshold.
 *
 * Never quadratic. Articles that are assembled from one library all share something, and with a
 * fixed r every band would find most pairs. So a run of more than 64 texts is subdivided by one
 * more row, up to 8; if a run is longer even then (copies of one text), each text is compared only
 * with the next 16. That limits a band to 32 comparisons per text. A text keeps the 16 best
 * partners that come after it (a new text that was compared with all: of all). Of 1,000 copies each
 * is found, but not every pair of them.
 *
 * Memory: 700 bytes per text, 70 MB for 100,000; the texts themselves are not needed here. All of
 * it in the given arena. Pure, and it allocates nothing while it runs: any thread may run it.
 */
#pragma once

#include "factory/duplicates/minhash.h"

enum { NEAR_BANDS = 192, NEAR_PARTNERS_MAX = 16 };

struct near_pairs;

/* Finds pairs with a similarity of at least `jaccard`, or of which one contains `containment` of
 * the other (only down to a Jaccard similarity of 0.15: up to about five times the length). Both in
 * (0, 1]. */
struct near_pairs *near_pairs_make(struct arena *arena, uint32_t max, double jaccard,
                                   double containment);

/* Adds a text; its number is the count of texts before it. Pairs of two `is_old` texts are skipped:
 * an earlier run has compared them. */
void near_pairs_put(struct near_pairs *near, const struct minhash *minhash, uint32_t shingles,
                    bool is_old);

/* The search in steps; run each once, in any order. A few new texts among many old ones are
 * compared with every other text: that misses nothing, and is faster than the bands. */
uint32_t near_pairs_steps(const struct near_pairs *near);
void near_pairs_step(struct near_pairs *near, uint32_t step);

/* Runs the bands [from, to), each once, in any order; the steps do this if many texts are new. */
void near_pairs_run(struct near_pairs *near, uint32_t from, uint32_t to);

struct near_pair {
    uint32_t a; /* a < b */
    uint32_t b;
};
/* The pairs found, in the order of the texts that keep them: by a, then b. If only a few texts are
 * new, the pairs of a new text are adjacent. */
const struct near_pair *near_pairs_found(struct near_pairs *near, struct arena *arena,
                                         uint32_t *ret_count);
/* At most `max` of them: the most similar ones, according to their signatures. */
const struct near_pair *near_pairs_likest(struct near_pairs *near, struct arena *arena,
                                          uint32_t max, uint32_t *ret_count, bool *ret_is_cut);

/* The texts that are not old, by number. */
const uint32_t *near_pairs_new(const struct near_pairs *near, uint32_t *ret_count);

/* The signatures in the order in which they were added; near_pairs owns them. */
const struct minhash *near_pairs_minhashes(const struct near_pairs *near);
