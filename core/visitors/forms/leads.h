/*
 * What submissions and conversions share. Private to visitors/forms.
 */
#pragma once

#include "io/pg/db.h"
#include "visitors/forms/forms.h"

/* Where a visitor came from, when nobody says: the campaign's name, else whose click it was. */
Str click_source(const struct click *click);
/* A lock of this transaction that only the same words take, for visitor_lock. */
DbArg visitor_lock_key(struct ctx *ctx, Str what);
