/*
 * Shared by the lists of /api: the site of the rows.
 */
#pragma once

#include "io/pg/db.h"

/* The site that the request is narrowed to; null: the platform. */
DbArg listing_site(const struct ctx *ctx);
