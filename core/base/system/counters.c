#include "base/system/counters.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

struct block {
    struct block *next;
    struct block **link;
    int64_t values[COUNTER_COUNT];
};

/* Protects the list and `ended`. Values are written by their own thread only and read by any, so
 * both sides use relaxed atomics, which are plain moves. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct block *blocks;
static int64_t ended[COUNTER_COUNT]; /* totals of threads that have ended */

static _Thread_local struct block own;
static _Thread_local bool is_listed;
static pthread_key_t thread_end;

static void leave_list(void *object)
{
    struct block *block = object;
    (void)pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < COUNTER_COUNT; i++)
        ended[i] += block->values[i];
    memset(block->values, 0, sizeof block->values);
    *block->link = block->next;
    if (block->next != NULL)
        block->next->link = block->link;
    (void)pthread_mutex_unlock(&lock);
    is_listed = false; /* another destructor of this thread may still count */
}

__attribute__((constructor)) static void make_key(void)
{
    if (pthread_key_create(&thread_end, leave_list) != 0)
        abort();
}

static void enter_list(void)
{
    (void)pthread_mutex_lock(&lock);
    own.next = blocks;
    own.link = &blocks;
    if (blocks != NULL)
        blocks->link = &own.next;
    blocks = &own;
    (void)pthread_mutex_unlock(&lock);
    if (pthread_setspecific(thread_end, &own) != 0)
        abort();
    is_listed = true;
}

void counter_add(enum counter counter, int64_t n)
{
    assert((unsigned)counter < COUNTER_COUNT);
    if (!is_listed)
        enter_list();
    int64_t *value = &own.values[counter];
    __atomic_store_n(value, *value + n, __ATOMIC_RELAXED);
}

int64_t counter_sum(enum counter counter)
{
    assert((unsigned)counter < COUNTER_COUNT);
    (void)pthread_mutex_lock(&lock);
    int64_t sum = ended[counter];
    for (struct block *block = blocks; block != NULL; block = block->next)
        sum += __atomic_load_n(&block->values[counter], __ATOMIC_RELAXED);
    (void)pthread_mutex_unlock(&lock);
    return sum;
}

void counters_write(struct buf *out)
{
    static const struct {
        const char *name;
        const char *kind;
        const char *help;
    } ROWS[] = {
#define COUNTER(name, kind, help) {#name, kind, help},
#include "base/system/counters.def"
#undef COUNTER
    };
    for (unsigned i = 0; i < COUNTER_COUNT; i++) {
        buf_printf(out, "# HELP spark_%s %s\n# TYPE spark_%s %s\nspark_%s ", ROWS[i].name,
                   ROWS[i].help, ROWS[i].name, ROWS[i].kind, ROWS[i].name);
        buf_put_i64(out, counter_sum((enum counter)i));
        buf_put_char(out, '\n');
    }
}
