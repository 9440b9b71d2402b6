/*
 * Limits how many refusals are written to the work log: per process, 10 a minute for one address
 * and 120 a minute in total. The next line that is written for an address says how many were
 * skipped.
 *
 * The table has a fixed size; each set evicts its oldest entries first.
 */
#pragma once

#include "base/text/str.h"

enum { DENIALS_ADDRESS = 10, DENIALS_PROCESS = 120, DENIALS_WINDOW_S = 60 };

/* Whether this refusal may be written. *ret_skipped: how many of the address were skipped since the
 * last one. */
bool denial_limit_take(struct arena *arena, Str ip, int64_t now_us, uint64_t *ret_skipped);
