/*
 * Modules: the parts that an article without a template is assembled from, by the campaign's
 * recipe. Private to this module.
 */
#pragma once

#include "factory/library/library.h"
#include "io/pg/db.h"

/* usage_count as the table has it in this transaction, by index of the library. */
fiber_fn Err modules_usage(struct db_tx *tx, const struct library *library, uint32_t *usage);
/* Adds to it what was used: relative, so that nobody's count is lost, and in the order of ids, so
 * that nobody waits in a circle. */
fiber_fn Err modules_count(struct db_tx *tx, const struct library *library, const uint32_t *uses);
