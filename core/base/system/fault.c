#include "base/system/fault.h"

#ifdef SPARK_FAULTS

#include "base/text/str.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/* Passes until each fault fires; 0: not armed. */
static uint64_t left[FAULT_COUNT];
static pthread_once_t armed = PTHREAD_ONCE_INIT;

static _Noreturn void refuse(Str text)
{
    (void)fprintf(stderr, "SPARK_FAULT: '%.*s' is not name[:n]; see fault.def\n", STR_FMT(text));
    abort();
}

static unsigned find_fault(Str name)
{
    static const char *const NAMES[] = {
#define FAULT(name, help) #name,
#include "base/system/fault.def"
#undef FAULT
    };
    unsigned i = 0;
    while (i < FAULT_COUNT && !str_eq(name, str_from_z(NAMES[i])))
        i++;
    return i;
}

/* A misspelt name would make a test ineffective, so it ends the process. */
static void arm(void)
{
    Str rest = str_from_z(getenv("SPARK_FAULT"));
    Str one;
    while (str_next(&rest, ',', &one)) {
        Str count = one, name;
        uint64_t n = 1;
        if (one.len == 0)
            continue;
        (void)str_next(&count, ':', &name);
        unsigned fault = find_fault(name);
        if (fault == FAULT_COUNT || (count.data != NULL && (!str_to_u64(count, &n) || n == 0)))
            refuse(one);
        left[fault] = n;
    }
}

bool fault_fires(enum fault fault)
{
    (void)pthread_once(&armed, arm);
    uint64_t passes = __atomic_load_n(&left[fault], __ATOMIC_RELAXED);
    while (passes > 0) {
        if (__atomic_compare_exchange_n(&left[fault], &passes, passes - 1, true, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED))
            return passes == 1;
    }
    return false;
}

void fault_die(enum fault fault)
{
    if (fault_fires(fault))
        (void)raise(SIGKILL);
}

#endif
