#include "base/crypto/uuid.h"

#include "base/crypto/crypto.h"
#include "base/memory/arena.h"
#include "base/system/clock.h"
#include "base/text/ascii.h"

#include <endian.h>
#include <pthread.h>

const Uuid UUID_LIBRARY_SITE = {{0, 0, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 1}};

enum {
    POOL_SIZE = 1024, /* random bytes that a thread fetches at a time */
    TAIL_SIZE = 8,
    COUNTER_MAX = 0xFFF,
    COUNTER_FIRST_MAX = 0x7FF, /* a new millisecond starts low, so that the counter can grow */
};

/*
 * RFC 9562, 6.2, method 1: 48 bits of milliseconds, then a 12-bit counter with a random start that
 * increments within one millisecond. On overflow the counter borrows from the next millisecond, so
 * the order holds even when the clock stops or is set back.
 */
static _Thread_local struct {
    uint64_t last_ms;
    uint32_t counter;
    uint32_t pool_used;
    uint8_t pool[POOL_SIZE];
} maker = {.pool_used = POOL_SIZE};

/* A child process must not reuse the random bytes of its parent. */
static void forget_pool(void)
{
    maker.pool_used = POOL_SIZE;
}

__attribute__((constructor)) static void watch_forks(void)
{
    (void)pthread_atfork(NULL, NULL, forget_pool);
}

static const uint8_t *take_random(size_t len)
{
    if (maker.pool_used + len > POOL_SIZE) {
        random_bytes(maker.pool, POOL_SIZE);
        maker.pool_used = 0;
    }
    const uint8_t *bytes = maker.pool + maker.pool_used;
    maker.pool_used += (uint32_t)len;
    return bytes;
}

static void next_stamp(const uint8_t *random)
{
    uint64_t now_ms = (uint64_t)(clock_wall_us() / MS_US);
    if (now_ms > maker.last_ms) {
        maker.last_ms = now_ms;
        maker.counter = ((uint32_t)random[0] << 8 | random[1]) & COUNTER_FIRST_MAX;
    } else if (maker.counter == COUNTER_MAX) {
        maker.last_ms++;
        maker.counter = 0;
    } else {
        maker.counter++;
    }
}

Uuid uuid_make(void)
{
    const uint8_t *random = take_random(TAIL_SIZE + 2);
    next_stamp(random);
    Uuid uuid;
    for (unsigned i = 0; i < 6; i++)
        uuid.bytes[i] = (uint8_t)(maker.last_ms >> (40 - 8 * i));
    uuid.bytes[6] = (uint8_t)(0x70 | maker.counter >> 8);
    uuid.bytes[7] = (uint8_t)maker.counter;
    memcpy(uuid.bytes + 8, random + 2, TAIL_SIZE);
    uuid.bytes[8] = (uint8_t)((uuid.bytes[8] & 0x3F) | 0x80);
    return uuid;
}

static bool is_dash_at(unsigned byte)
{
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

bool uuid_parse(Str s, Uuid *ret)
{
    if (s.len != UUID_TEXT_LEN)
        return false;
    Uuid uuid;
    const char *at = s.data;
    for (unsigned i = 0; i < sizeof uuid.bytes; i++) {
        if (is_dash_at(i) && *at++ != '-')
            return false;
        int high = ascii_hex_value(at[0]);
        int low = ascii_hex_value(at[1]);
        if (high < 0 || low < 0)
            return false;
        uuid.bytes[i] = (uint8_t)(high << 4 | low);
        at += 2;
    }
    *ret = uuid;
    return true;
}

/* Four bytes as eight digits, without a table or a branch: each nibble is expanded to a byte, '0'
 * is added, and for values above 9 the gap between '9' and 'a'. */
static void write_hex8(const uint8_t bytes[4], char out[8])
{
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    uint64_t x = be32toh(word);
    x = (x | x << 16) & UINT64_C(0x0000FFFF0000FFFF);
    x = (x | x << 8) & UINT64_C(0x00FF00FF00FF00FF);
    x = (x | x << 4) & UINT64_C(0x0F0F0F0F0F0F0F0F);
    uint64_t is_letter = (x + UINT64_C(0x0606060606060606)) >> 4 & UINT64_C(0x0101010101010101);
    x += UINT64_C(0x3030303030303030) + is_letter * ('a' - '9' - 1);
    x = htobe64(x);
    memcpy(out, &x, sizeof x);
}

void uuid_write(Uuid uuid, char out[UUID_TEXT_LEN])
{
    char middle[16];
    write_hex8(uuid.bytes, out);
    write_hex8(uuid.bytes + 4, middle);
    write_hex8(uuid.bytes + 8, middle + 8);
    write_hex8(uuid.bytes + 12, out + 28);
    out[8] = out[13] = out[18] = out[23] = '-';
    memcpy(out + 9, middle, 4);
    memcpy(out + 14, middle + 4, 4);
    memcpy(out + 19, middle + 8, 4);
    memcpy(out + 24, middle + 12, 4);
}

Str uuid_text(struct arena *arena, Uuid uuid)
{
    char *text = arena_alloc_raw(arena, UUID_TEXT_LEN);
    uuid_write(uuid, text);
    return str_of(text, UUID_TEXT_LEN);
}

bool uuid_eq(Uuid a, Uuid b)
{
    return memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0;
}

bool uuid_is_nil(Uuid uuid)
{
    return uuid_eq(uuid, (Uuid){0});
}
