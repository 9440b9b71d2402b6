/* The rows of a file in the format CSV, as objects. */
#pragma once

#include "content/items/items.h"

/* A source of the rows of `text`, which lives in ctx->arena. The first line names the members; a
 * name like author.name leads into an object, and a number in it into an array. */
Err import_csv_open(struct ctx *ctx, Str text, struct items_source **ret);
