/*
 * How many refusals are written to the work log: 10 a minute of one address, 120 a minute of all,
 * in this process. Whoever is refused more often fills no table; the next line that is written
 * says how many of that address were left out.
 *
 * The table has a fixed size and forgets the oldest entries of a set first.
 */
#pragma once

#include "base/text/str.h"

enum { DENIALS_ADDRESS = 10, DENIALS_PROCESS = 120, DENIALS_WINDOW_S = 60 };

/* Is this one written? *ret_skipped: how many of the address were not, since one was. */
bool denial_limit_take(struct arena *arena, Str ip, int64_t now_us, uint64_t *ret_skipped);
