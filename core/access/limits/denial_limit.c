#include "access/limits/denial_limit.h"

#include "access/limits/ip_range.h"
#include "base/system/clock.h"

#include <assert.h>
#include <pthread.h>

enum { SETS = 512, WAYS = 4 };

/* The refusals of one address in the window that began at `since_us`. */
struct window {
    uint64_t key; /* 0: free */
    int64_t since_us;
    uint32_t written;
    uint64_t skipped;
};

/* Shared by all threads and held for nanoseconds: a fiber never waits while holding it. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct window table[SETS][WAYS];
static struct window process = {.key = 1};

/* A full set evicts its oldest entry. */
static struct window *window_find(uint64_t key)
{
    assert(key != 0);
    struct window *set = table[(key >> 16) % SETS];
    struct window *oldest = &set[0];
    for (int i = 0; i < WAYS; i++) {
        if (set[i].key == key)
            return &set[i];
        if (set[i].key == 0 || (oldest->key != 0 && set[i].since_us < oldest->since_us))
            oldest = &set[i];
    }
    *oldest = (struct window){.key = key};
    return oldest;
}

static bool has_room(struct window *window, uint32_t max, int64_t now_us)
{
    assert(max > 0);
    if (window->written == 0 || now_us - window->since_us >= DENIALS_WINDOW_S * SECOND_US) {
        window->since_us = now_us;
        window->written = 0;
    }
    return window->written < max;
}

bool denial_limit_take(struct arena *arena, Str ip, int64_t now_us, uint64_t *ret_skipped)
{
    assert(now_us > 0);
    uint64_t hash = str_hash(ip_owner(arena, ip));
    pthread_mutex_lock(&lock);
    struct window *window = window_find(hash != 0 ? hash : 1);
    bool is_written =
        has_room(window, DENIALS_ADDRESS, now_us) && has_room(&process, DENIALS_PROCESS, now_us);
    *ret_skipped = window->skipped;
    window->skipped = is_written ? 0 : window->skipped + 1;
    window->written += is_written;
    process.written += is_written;
    assert(window->written <= DENIALS_ADDRESS && process.written <= DENIALS_PROCESS);
    pthread_mutex_unlock(&lock);
    return is_written;
}
