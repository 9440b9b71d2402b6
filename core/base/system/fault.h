/*
 * Fault injection: named points where a test can make the process fail or die. fault.def lists
 * them; each is armed by SPARK_FAULT="name[:n]" (fire at the n-th pass, default 1) and only in
 * builds with SPARK_FAULTS. In other builds fault() is the constant false.
 */
#pragma once

#include <stdbool.h>

enum fault {
#define FAULT(name, help) FAULT_##name,
#include "base/system/fault.def"
#undef FAULT
    FAULT_COUNT
};

#ifdef SPARK_FAULTS
bool fault_fires(enum fault fault);
void fault_die(enum fault fault); /* raise(SIGKILL) if it fires */
#else
static inline bool fault_fires(enum fault fault)
{
    (void)fault;
    return false;
}
static inline void fault_die(enum fault fault)
{
    (void)fault;
}
#endif
