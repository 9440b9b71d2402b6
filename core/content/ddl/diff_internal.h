/*
 * What the files behind schema_diff share: records of differences as the library deep-diff makes
 * them, which is the wire format of Directus. Private to diff*.c.
 *
 *   {kind: "N", path, rhs}  {kind: "D", path, lhs}  {kind: "E", path, lhs, rhs}
 *   {kind: "A", path, index, item: {kind: "N" | "D", …}}
 */
#pragma once

#include "base/json/json_build.h"
#include "base/json/json_writer.h"

/* diff_records.c: the records between two values, without the brackets around them. */
void diff_records_write(struct json_writer *w, const struct json *lhs, const struct json *rhs);

/* diff_patch.c: `value` after the records. */
void diff_patch_build(struct json_builder *b, const struct json *value, const struct json *records);
