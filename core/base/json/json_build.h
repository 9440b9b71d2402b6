/*
 * Building a JSON value in memory, with the same calls as writing one as text (json_writer.h). It
 * uses the memory of JSON trees, with a limit of its own. The caller may wait between calls.
 */
#pragma once

#include "base/json/json.h"

struct json_builder;

/* Reserves bytes_max until the end: ERR_UNAVAILABLE when other trees use that memory. */
Err json_builder_new(struct ctx *ctx, uint64_t bytes_max, struct json_builder **ret);
/* A builder that creates nothing: the same calls measure the memory to reserve for a value of
 * unknown size. It is always full; json_builder_end must not be called. */
struct json_builder *json_builder_measuring(struct ctx *ctx);
uint64_t json_builder_bytes(const struct json_builder *b); /* upper bound of the value so far */
/* Whether it accepts no more: the value would exceed bytes_max. */
bool json_builder_is_full(const struct json_builder *b);

void json_build_object_begin(struct json_builder *b);
void json_build_object_end(struct json_builder *b);
void json_build_array_begin(struct json_builder *b);
void json_build_array_end(struct json_builder *b);
void json_build_key(struct json_builder *b, Str key);

void json_build_null(struct json_builder *b);
void json_build_bool(struct json_builder *b, bool value);
void json_build_int(struct json_builder *b, int64_t value);
void json_build_real(struct json_builder *b, double value); /* null unless finite */
void json_build_str(struct json_builder *b, Str value);     /* UTF-8 */
/* A value that lives at least as long as this one: it is not copied. */
void json_build_value(struct json_builder *b, const struct json *value);
/* What somebody else wrote as text, parsed as by json_parse into the memory of this value. */
Err json_build_text(struct ctx *ctx, struct json_builder *b, Str text, struct json_limits limits);

/* All containers must be closed. ERR_TOO_LARGE when the limit was exceeded. The value lives as long
 * as the arena of the builder's ctx. */
Err json_builder_end(struct ctx *ctx, struct json_builder *b, const struct json **ret);

/* A single value: a text, an object without members. */
Err json_of_str(struct ctx *ctx, Str text, const struct json **ret);
Err json_of_no_members(struct ctx *ctx, const struct json **ret);
