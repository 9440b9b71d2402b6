/* What retention*.c share. Private to them. */
#pragma once

#include "jobs/retention/retention.h"

enum { RETENTION_TABLE_MAX = 63 /* bytes of a name */ };

/* ERR_INVALID_PAYLOAD: nobody registered it. */
Err retention_table_find(struct ctx *ctx, Str name, const struct retention_table **ret);
/* Deletes in batches, each in a transaction of its own, so that no lock lasts and an attempt that
 * is cut short leaves its work behind. */
fiber_fn Err retention_trim(struct ctx *ctx, const struct retention_table *table, int64_t days,
                            int64_t *ret_deleted);
/* A job of the platform: it has no site, and one live job per table is enough. */
fiber_fn Err retention_enqueue(struct ctx *ctx, Str table, int64_t days);
