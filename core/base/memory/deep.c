#include "base/memory/deep.h"

#include "base/memory/fiber_switch.h"

#include <assert.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#endif

#ifdef IS_SANITIZED
enum { STACK_SIZE = DEEP_STACK_SIZE_SANITIZED };
#else
enum { STACK_SIZE = DEEP_STACK_SIZE };
#endif

/* Large frames must not skip it. */
enum { GUARD_SIZE = 64 * 1024 };

struct deep {
    char *map; /* the guard, then the stack */
    struct fiber_context inside;
    struct fiber_context outside;
    void (*fn)(void *arg); /* NULL: not in use */
    void *arg;
};

static _Thread_local struct deep deep;
static pthread_key_t deep_key;

static void unmap(void *map)
{
    (void)munmap(map, GUARD_SIZE + STACK_SIZE);
    deep.map = NULL;
}

__attribute__((constructor)) static void make_deep_key(void)
{
    if (pthread_key_create(&deep_key, unmap) != 0)
        abort();
}

static void map(void)
{
    void *memory = mmap(NULL, GUARD_SIZE + STACK_SIZE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory, GUARD_SIZE, PROT_NONE) != 0) {
        (void)fputs("no memory for a deep stack (see vm.max_map_count)\n", stderr);
        abort();
    }
    /* A thread frees its stack when it ends. */
    if (pthread_setspecific(deep_key, memory) != 0)
        abort();
    deep.map = memory;
}

static void deep_main(void)
{
    fiber_context_enter(&deep.outside);
    deep.fn(deep.arg);
    deep.fn = NULL;
    fiber_context_leave(&deep.inside, &deep.outside);
}

void deep_call(void (*fn)(void *arg), void *arg)
{
    assert(fn != NULL);
    if (deep.fn != NULL) {
        fn(arg);
        return;
    }
    if (deep.map == NULL)
        map();
    fiber_context_make(&deep.inside, deep.map + GUARD_SIZE, STACK_SIZE, deep_main);
    deep.fn = fn;
    deep.arg = arg;
    fiber_context_switch(&deep.outside, &deep.inside);
    assert(deep.fn == NULL);
    fiber_context_drop(&deep.inside);
}

bool deep_is_inside(void)
{
    return deep.fn != NULL;
}

/* Untouched memory reads as zero. */
__attribute__((no_sanitize("address"))) size_t deep_high_water(void)
{
    if (deep.map == NULL)
        return 0;
    const char *low = deep.map + GUARD_SIZE;
    size_t untouched = 0;
    while (untouched < STACK_SIZE && low[untouched] == 0)
        untouched++;
    return STACK_SIZE - untouched;
}

bool deep_guard_holds(const void *address)
{
    uintptr_t guard = (uintptr_t)deep.map;
    uintptr_t at = (uintptr_t)address;
    return guard != 0 && at >= guard && at < guard + GUARD_SIZE;
}
