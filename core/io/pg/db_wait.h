/*
 * Waiting for PostgreSQL, for the command line. The target and the reason are reported after a
 * second, then at growing intervals.
 */
#pragma once

#include "base/system/err.h"

struct ctx;

/* Receives "waiting for PostgreSQL at HOST:PORT: REASON"; NULL, the default: no reports. */
void db_wait_tell(void (*say)(Str sentence));

/* Waits until the database of `url` accepts a connection. ERR_CONFIG: the running server repeatedly
 * refuses; ERR_UNAVAILABLE: timeout. Both include the last reason. */
Err db_wait_reachable(struct ctx *ctx, Str url, int64_t deadline_us);
