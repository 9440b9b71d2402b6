#include "factory/duplicates/minhash.h"

#include "factory/duplicates/shingle_words.h"

enum { ROW_SHIFT = 55 };
static_assert(MINHASH_ROWS == 1 << (64 - ROW_SHIFT), "the upper bits of a hash select its row");

/* The row from which `row` borrows at the n-th attempt. */
static uint32_t lender_of(uint32_t row, uint32_t n)
{
    return (uint32_t)(shingle_mix((uint64_t)row << 32 | n) >> ROW_SHIFT);
}

void minhash_make(const struct shingle_set *set, struct minhash *ret)
{
    assert(set->count > 0);
    uint64_t least[MINHASH_ROWS];
    memset(least, 0xFF, sizeof least);
    for (uint32_t i = 0; i < set->count; i++) {
        uint64_t hash = set->hashes[i];
        uint32_t row = (uint32_t)(hash >> ROW_SHIFT);
        if (hash < least[row])
            least[row] = hash;
    }
    for (uint32_t row = 0; row < MINHASH_ROWS; row++) {
        uint32_t from = row;
        for (uint32_t n = 1; least[from] == UINT64_MAX; n++)
            from = lender_of(row, n);
        ret->rows[row] = (uint8_t)least[from];
    }
}

/* 16 rows at a time: a lane counts at most 32, so a byte is enough. */
uint32_t minhash_agree(const struct minhash *a, const struct minhash *b)
{
    enum { LANES = 16 };
    typedef uint8_t Lanes __attribute__((vector_size(LANES)));
    static_assert(MINHASH_ROWS % LANES == 0 && MINHASH_ROWS / LANES < 256, "a lane is a byte");
    Lanes sums = {0};
    for (uint32_t i = 0; i < MINHASH_ROWS; i += LANES) {
        Lanes x;
        Lanes y;
        memcpy(&x, a->rows + i, LANES);
        memcpy(&y, b->rows + i, LANES);
        sums -= (Lanes)(x == y); /* true is all bits set, -1 */
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < LANES; i++)
        count += sums[i];
    return count;
}
