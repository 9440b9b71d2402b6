/*
 * What the lists of /api share: whose rows they are.
 */
#pragma once

#include "io/pg/db.h"

/* The site that the request is narrowed to; null: the platform. */
DbArg listing_site(const struct ctx *ctx);
