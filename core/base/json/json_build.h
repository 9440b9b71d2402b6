/*
 * Making a JSON value in memory, by the calls that write one as text (json_writer.h). It lives in
 * the memory of JSON trees, with a limit of its own. Calls may have waits between them.
 */
#pragma once

#include "base/json/json.h"

struct json_builder;

/* Reserves bytes_max until the end: ERR_UNAVAILABLE when other trees leave no room for so much. */
Err json_builder_new(struct ctx *ctx, uint64_t bytes_max, struct json_builder **ret);
/* One that makes nothing: the same calls tell what to reserve for a value of unknown size. It is
 * always full, and has no end. */
struct json_builder *json_builder_measuring(struct ctx *ctx);
uint64_t json_builder_bytes(const struct json_builder *b); /* at most, of what was put in so far */
/* It takes no more: the value would pass bytes_max. */
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
/* A value that lives as long as this one: no copy is made. */
void json_build_value(struct json_builder *b, const struct json *value);
/* What somebody else wrote as text, parsed as by json_parse into the memory of this value. */
Err json_build_text(struct ctx *ctx, struct json_builder *b, Str text, struct json_limits limits);

/* Everything is closed. ERR_TOO_LARGE when it was too much. The value lives as long as the arena of
 * the builder's ctx. */
Err json_builder_end(struct ctx *ctx, struct json_builder *b, const struct json **ret);

/* One value alone: a text, an object without members. */
Err json_of_str(struct ctx *ctx, Str text, const struct json **ret);
Err json_of_no_members(struct ctx *ctx, const struct json **ret);
