/*
 * Reads values and rows of a blueprint; private to blueprint_*.c. `where` is the path of the object
 * in the document, for messages.
 */
#pragma once

#include "factory/blueprint/blueprint.h"

Err blueprint_refuse(struct ctx *ctx, Str where, const char *key, const char *sentence);

/* Reads a text of at most `max` characters; absent or null: STR_NONE, an error if is_required. */
Err blueprint_text(struct ctx *ctx, const struct json *object, Str where, const char *key,
                   size_t max, bool is_required, Str *ret);
Err blueprint_number(struct ctx *ctx, const struct json *object, Str where, const char *key,
                     int64_t min, int64_t max, int64_t *ret);
/* Checks the syntax of a spintax template; accepts STR_NONE. */
Err blueprint_spintax(struct ctx *ctx, Str where, const char *key, Str text);

/* Reads the array `key` of `object`, at most `max` long, row by row into a list with `columns`
 * columns. An element that is an object may have only the members in `known`
 * (json_check_members). */
typedef Err BlueprintRow(struct ctx *ctx, const struct json *item, Str where,
                         struct blueprint_list *list, uint32_t row);
fiber_fn Err blueprint_rows(struct ctx *ctx, const struct json *object, const char *key, Str known,
                            uint32_t max, uint32_t columns, BlueprintRow *read,
                            struct blueprint_list *ret);

/* blueprint_places.c */
fiber_fn Err blueprint_read_places(struct ctx *ctx, const struct json *locations,
                                   struct blueprint *ret);
