/*
 * Shared by submissions and conversions. Private to visitors/forms.
 */
#pragma once

#include "io/pg/db.h"
#include "visitors/forms/forms.h"

/* The default source of a visitor: the campaign's name, else the network whose click id there
 * is. */
Str click_source(const struct click *click);
/* The key of a transaction-level advisory lock for `what`, for visitor_lock. */
DbArg visitor_lock_key(struct ctx *ctx, Str what);
