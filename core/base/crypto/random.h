/*
 * A small seeded generator (xoshiro256**): the same seed always gives the same article. Never for
 * secrets: use base/crypto/crypto.h.
 */
#pragma once

#include <stdint.h>

typedef struct Random {
    uint64_t state[4];
} Random;

Random random_seeded(uint64_t seed);
uint64_t random_next(Random *random);
uint64_t random_below(Random *random, uint64_t bound); /* uniform in [0, bound); bound > 0 */
double random_unit(Random *random);                    /* [0, 1) */
