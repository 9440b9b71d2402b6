#include "io/fiber/fiber_stack.h"

#include "base/system/counters.h"
#include "io/fiber/fiber.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#endif

#define UNCHECKED __attribute__((no_sanitize("address"), no_sanitize("thread"), noinline))

#ifdef IS_SANITIZED
enum { STACK_SIZE = FIBER_STACK_SIZE_SANITIZED };
#else
enum { STACK_SIZE = FIBER_STACK_SIZE };
#endif

enum {
    /* Frames of pcre2 and others are up to 20 KB: none may skip the guard. */
    GUARD_SIZE = 64 * 1024,
    PAGE_SIZE_MIN = 4096,
    POOL_MAX = 1024,
    /* This many pooled stacks keep all touched pages: at most 4 MB, and no system call for moderate
     * load. Further stacks keep WARM_SIZE, which is what a request uses. */
    POOL_WARM = 64,
    WARM_SIZE = 8 * 1024,
};

/* The link of a pooled stack is stored at its high end: that page is touched anyway. */
struct fiber_stack {
    struct fiber_stack *next;
};

static_assert(STACK_SIZE % GUARD_SIZE == 0 && (int)WARM_SIZE < (int)STACK_SIZE, "whole pages");

static void check_reserve(char *stack_low);
static struct fiber_stack *stack_link(void *stack_low);
static void *stack_low(struct fiber_stack *link);
static void *map_stack(void);
static void unmap_stack(void *stack_low);

size_t fiber_stack_size(void)
{
    return STACK_SIZE;
}

void *fiber_stack_take(struct fiber_stack_pool *pool)
{
    struct fiber_stack *link = pool->free;
    if (link == NULL)
        return map_stack();
    assert(pool->free_count > 0);
    pool->free = link->next;
    pool->free_count--;
    return stack_low(link);
}

void fiber_stack_give(struct fiber_stack_pool *pool, void *low)
{
    assert(low != NULL);
    check_reserve(low);
    if (pool->free_count >= POOL_MAX) {
        unmap_stack(low);
        return;
    }
    if (pool->free_count >= POOL_WARM)
        madvise((char *)low + FIBER_STACK_RESERVE, STACK_SIZE - WARM_SIZE - FIBER_STACK_RESERVE,
                MADV_DONTNEED);

    struct fiber_stack *link = stack_link(low);
    link->next = pool->free;
    pool->free = link;
    pool->free_count++;
}

/* Checks whether the highest page of the reserve is still zero. Reading costs a page fault once
 * (the zero page is mapped and stays), then a quarter of a microsecond. A used page is zeroed, so
 * that the next fiber is checked from scratch. */
UNCHECKED static void check_reserve(char *low)
{
    const uint64_t *words = (const uint64_t *)(void *)(low + FIBER_STACK_RESERVE - PAGE_SIZE_MIN);
    uint64_t any = 0;
    for (size_t i = 0; i < PAGE_SIZE_MIN / sizeof *words; i++)
        any |= words[i];
    if (any == 0)
        return;
    counter_inc(fiber_stacks_deep);
    madvise(low, FIBER_STACK_RESERVE, MADV_DONTNEED);
}

bool fiber_stack_guard_holds(const void *low, const void *address)
{
    uintptr_t stack = (uintptr_t)low;
    uintptr_t at = (uintptr_t)address;
    return at < stack && at >= stack - GUARD_SIZE;
}

void fiber_stack_pool_finish(struct fiber_stack_pool *pool)
{
    while (pool->free != NULL)
        unmap_stack(fiber_stack_take(pool));
    assert(pool->free_count == 0);
}

static struct fiber_stack *stack_link(void *low)
{
    return (struct fiber_stack *)(void *)((char *)low + STACK_SIZE - sizeof(struct fiber_stack));
}

static void *stack_low(struct fiber_stack *link)
{
    return (char *)link + sizeof(struct fiber_stack) - STACK_SIZE;
}

static void *map_stack(void)
{
    char *map = mmap(NULL, GUARD_SIZE + STACK_SIZE, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED || mprotect(map, GUARD_SIZE, PROT_NONE) != 0) {
        fprintf(stderr, "no memory for a fiber's stack: %s (see vm.max_map_count)\n",
                strerror(errno));
        abort();
    }
    return map + GUARD_SIZE;
}

static void unmap_stack(void *low)
{
    int failed = munmap((char *)low - GUARD_SIZE, GUARD_SIZE + STACK_SIZE);
    assert(failed == 0);
    (void)failed;
}
