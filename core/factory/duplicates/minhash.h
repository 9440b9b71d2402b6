/*
 * The MinHash signature of a shingle set, 512 bytes. The share of equal rows of two signatures
 * estimates the Jaccard similarity of their sets, to about 2 %, plus 1/256 of the remainder (rows
 * that are equal by chance).
 *
 * One-permutation MinHash: each hash falls into one of 512 rows and a row keeps its minimum, so a
 * text costs one step per shingle, whatever the number of rows. An empty row borrows from another,
 * chosen by its number alone, so the same in every set; this keeps the estimate unbiased. A row
 * keeps one byte: many rows with a few false matches estimate better than few rows without. With
 * fewer shingles than rows, the rows depend on each other: the error is about 7 % for a text of 50
 * words. Pure.
 */
#pragma once

#include "factory/duplicates/shingle.h"

#include <assert.h>

enum { MINHASH_ROWS = 512 };

struct minhash {
    uint8_t rows[MINHASH_ROWS];
};
static_assert(sizeof(struct minhash) == 512, "schema/queries/duplicates.sql relies on this length");

/* `set` must not be empty. */
void minhash_make(const struct shingle_set *set, struct minhash *ret);

/* The number of equal rows. */
uint32_t minhash_agree(const struct minhash *a, const struct minhash *b);
