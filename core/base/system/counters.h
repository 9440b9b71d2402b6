/*
 * Counters: counters.def gives each a name, a kind and a help text; /metrics and the docs are
 * generated from it. Plain per-thread integers, summed when read.
 */
#pragma once

#include "base/text/buf.h"

enum counter {
#define COUNTER(name, kind, help) COUNTER_##name,
#include "base/system/counters.def"
#undef COUNTER
    COUNTER_COUNT
};

void counter_add(enum counter counter, int64_t n); /* gauges take negative n */
#define counter_inc(name) counter_add(COUNTER_##name, 1)
int64_t counter_sum(enum counter counter);

/* Appends every counter in the Prometheus text format, prefix spark_. */
void counters_write(struct buf *out);
