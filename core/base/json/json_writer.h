/*
 * Writing JSON: a stream into a buf, no tree. The writer places commas; the caller opens and
 * closes. Strings are escaped as JSON.stringify does (control characters, quote, backslash);
 * invalid UTF-8 becomes U+FFFD.
 */
#pragma once

#include "base/crypto/uuid.h"
#include "base/text/buf.h"

struct json_writer {
    struct buf *out;
    bool needs_comma;
    uint8_t depth;
};

struct json_writer json_writer(struct buf *out);

void json_object_begin(struct json_writer *w);
void json_object_end(struct json_writer *w);
void json_array_begin(struct json_writer *w);
void json_array_end(struct json_writer *w);
void json_key(struct json_writer *w, Str key);

void json_put_str(struct json_writer *w, Str value);
void json_put_int(struct json_writer *w, int64_t value);
void json_put_uint(struct json_writer *w, uint64_t value);
void json_put_real(struct json_writer *w, double value); /* shortest form; NaN: null */
void json_put_bool(struct json_writer *w, bool value);
void json_put_null(struct json_writer *w);
void json_put_uuid(struct json_writer *w, Uuid value);
void json_put_time(struct json_writer *w, int64_t wall_us); /* ISO 8601, ms, Z */
void json_put_raw(struct json_writer *w, Str json);         /* already JSON */
struct json;
void json_put_value(struct json_writer *w, const struct json *value); /* NULL writes null */

/* Key and value in one call. */
void json_field_str(struct json_writer *w, const char *key, Str value);
void json_field_str_unless_empty(struct json_writer *w, const char *key, Str value);
void json_field_int(struct json_writer *w, const char *key, int64_t value);
void json_field_bool(struct json_writer *w, const char *key, bool value);
void json_field_null(struct json_writer *w, const char *key);
void json_field_uuid(struct json_writer *w, const char *key, Uuid value);
void json_field_raw(struct json_writer *w, const char *key, Str json);

/* The escaped text without quotes, for callers that write the quotes themselves (row writers). */
void json_escape(struct buf *out, Str value);
