#include "base/crypto/random.h"

#include <assert.h>

__extension__ typedef unsigned __int128 Wide;

/* splitmix64: spreads one seed over the whole state, which must not be all zeros. */
static uint64_t spread(uint64_t *state)
{
    *state += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

Random random_seeded(uint64_t seed)
{
    Random random;
    for (unsigned i = 0; i < 4; i++)
        random.state[i] = spread(&seed);
    return random;
}

static uint64_t rotate(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

uint64_t random_next(Random *random)
{
    uint64_t *s = random->state;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate(s[3], 45);
    return result;
}

/* The high half of next × bound is uniform if the few low halves in the uneven remainder are
 * rejected. */
uint64_t random_below(Random *random, uint64_t bound)
{
    assert(bound > 0);
    uint64_t uneven = (0 - bound) % bound;
    Wide product;
    do {
        product = (Wide)random_next(random) * bound;
    } while ((uint64_t)product < uneven);
    return (uint64_t)(product >> 64);
}

double random_unit(Random *random)
{
    return (double)(random_next(random) >> 11) * 0x1.0p-53;
}
