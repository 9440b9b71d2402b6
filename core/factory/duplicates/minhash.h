/*
 * A set of shingles in 512 bytes: of two sets, the share of rows that agree is, give or take 2 %,
 * their Jaccard similarity, and a 256th of the rest.
 *
 * One permutation, not 512: each hash falls into one of 512 rows and the least of a row stays, so a
 * text costs one step a shingle whatever the number of rows. A row that nothing fell into borrows
 * from another, chosen by its own number, the same in every set: that keeps the estimate unbiased.
 * Of a row one byte is kept: many rows that are sometimes wrong say more than few that never are.
 * With fewer shingles than rows, rows depend on each other: for a text of 50 words give or take 7
 * %. Pure.
 */
#pragma once

#include "factory/duplicates/shingle.h"

#include <assert.h>

enum { MINHASH_ROWS = 512 };

struct minhash {
    uint8_t rows[MINHASH_ROWS];
};
static_assert(sizeof(struct minhash) == 512, "schema/queries/duplicates.sql cuts them by length");

/* Of at least one shingle. */
void minhash_make(const struct shingle_set *set, struct minhash *ret);

/* How many rows agree. */
uint32_t minhash_agree(const struct minhash *a, const struct minhash *b);
