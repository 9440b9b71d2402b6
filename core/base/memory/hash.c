/*
 * Hashes of strings for tables. Multiply and fold, 16 bytes a round, keyed with 256 random bits
 * generated at start, so that an attacker cannot construct collisions.
 */
#include "base/crypto/crypto.h"
#include "base/text/str.h"

__extension__ typedef unsigned __int128 Wide;

static uint64_t secret[4];

__attribute__((constructor)) static void hash_seed(void)
{
    random_bytes(secret, sizeof secret);
}

static uint64_t load8(const char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

static uint64_t load4(const char *bytes)
{
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

static uint64_t fold(uint64_t a, uint64_t b)
{
    Wide product = (Wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* The last 0–16 bytes as two words; for 4 bytes and more the two loads overlap. */
static void load_tail(const char *data, size_t len, uint64_t *ret_a, uint64_t *ret_b)
{
    *ret_a = 0;
    *ret_b = 0;
    if (len >= 8) {
        *ret_a = load8(data);
        *ret_b = load8(data + len - 8);
    } else if (len >= 4) {
        *ret_a = load4(data);
        *ret_b = load4(data + len - 4);
    } else if (len > 0) {
        *ret_a = (uint64_t)(unsigned char)data[0] << 16 |
                 (uint64_t)(unsigned char)data[len / 2] << 8 | (unsigned char)data[len - 1];
    }
}

uint64_t str_hash(Str s)
{
    const char *at = s.data;
    size_t left = s.len;
    uint64_t state = secret[0];
    while (left > 16) {
        state = fold(load8(at) ^ secret[1], load8(at + 8) ^ state);
        at += 16;
        left -= 16;
    }
    uint64_t a, b;
    load_tail(at, left, &a, &b);
    state = fold(a ^ secret[1], b ^ state);
    return fold(state ^ secret[2], (uint64_t)s.len ^ secret[3]);
}

uint64_t str_hash_stable(Str s)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    for (size_t i = 0; i < s.len; i++) {
        hash ^= (unsigned char)s.data[i];
        hash *= UINT64_C(0x100000001B3);
    }
    return hash;
}
