/*
 * Time. Deadlines and intervals use the monotonic clock, timestamps the wall clock; both in µs.
 */
#pragma once

#include "base/text/str.h"

#define MS_US INT64_C(1000)
#define SECOND_US INT64_C(1000000)

int64_t clock_now_us(void);  /* CLOCK_MONOTONIC */
int64_t clock_boot_us(void); /* CLOCK_BOOTTIME: for leases, which must continue during suspend */
int64_t clock_wall_us(void); /* since 1970-01-01T00:00:00Z */
int64_t clock_thread_cpu_us(void);

/* "2024-12-29T23:56:42.000Z" as Directus writes a timestamp. */
enum { CLOCK_ISO_LEN = 24 };
void clock_write_iso(int64_t wall_us, char out[CLOCK_ISO_LEN]);
Str clock_iso(struct arena *arena, int64_t wall_us);
/* ISO 8601 date or date-time with optional zone (none: UTC); false on anything else. */
bool clock_parse_iso(Str s, int64_t *ret_wall_us);
