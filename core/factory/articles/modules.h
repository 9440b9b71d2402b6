/*
 * Modules: the parts that an article without a template is assembled from, by the campaign's
 * recipe. Private to this module.
 */
#pragma once

#include "factory/library/library.h"
#include "io/pg/db.h"

/* Reads usage_count in this transaction, by index in the library. */
fiber_fn Err modules_usage(struct db_tx *tx, const struct library *library, uint32_t *usage);
/* Adds the uses to usage_count. Increments, so that no concurrent count is lost; in the order of
 * ids, so that transactions cannot deadlock. */
fiber_fn Err modules_count(struct db_tx *tx, const struct library *library, const uint32_t *uses);
