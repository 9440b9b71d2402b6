/*
 * Waiting for PostgreSQL in the plain sense, for the command line: what it waits for, and why, is
 * said after a second and then rarely.
 */
#pragma once

#include "base/system/err.h"

struct ctx;

/* Who is told "waiting for PostgreSQL at HOST:PORT: REASON"; NULL, as at the start: nobody. */
void db_wait_tell(void (*say)(Str sentence));

/* Until the database of `url` lets us in. ERR_CONFIG: its server runs and refuses us again and
 * again; ERR_UNAVAILABLE: the time is over. Both repeat the last reason. */
Err db_wait_reachable(struct ctx *ctx, Str url, int64_t deadline_us);
