/* What retention*.c share. Private to them. */
#pragma once

#include "jobs/retention/retention.h"

enum { RETENTION_TABLE_MAX = 63 /* bytes of a name */ };

/* ERR_INVALID_PAYLOAD: nobody registered it. */
Err retention_table_check(struct ctx *ctx, Str name);
/* A job of the platform: it has no site, and one live job per table is enough. */
fiber_fn Err retention_enqueue(struct ctx *ctx, Str table, int64_t days);
