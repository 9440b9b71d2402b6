/*
 * Framing: the boundaries of requests in the bytes of a connection. A strict parser of RFC 9112's
 * grammar, which sees every byte before libh2o does; a request that it refuses never reaches libh2o
 * (conn.h). No allocation, no I/O, nothing here waits.
 *
 * Incremental: it continues at any split of the input and reads each byte once.
 */
#pragma once

#include "base/text/str.h"

enum { HEAD_MAX = 128 * 1024, HEAD_FIELDS_MAX = 100, CHUNK_DIGITS_MAX = 8 };

enum refusal {
    REFUSAL_NONE,
#define REFUSAL(name, status, code, sentence) REFUSAL_##name,
#include "server/http/framing.def"
#undef REFUSAL
    REFUSAL_COUNT
};

struct refusal_info {
    int status;
    const char *name;
    const char *code;
    const char *sentence;
};
const struct refusal_info *refusal_info(enum refusal refusal);

enum body_kind { BODY_ABSENT, BODY_COUNTED, BODY_CHUNKED };

/* A part of the head, by offset: the bytes may move between two calls. */
struct span {
    uint32_t from;
    uint32_t len;
};

struct head {
    bool is_complete;
    uint32_t size; /* including the empty line; set when it is complete */
    struct span method;
    struct span target;
    uint32_t path_len;     /* of the target, without its query */
    struct span authority; /* of a target in absolute form; len 0: none */
    struct span host;
    bool is_http_1_0;
    bool expects_continue;
    enum body_kind body;
    uint64_t length; /* BODY_COUNTED */

    /* Parser state. */
    uint32_t start; /* an empty line may precede the request */
    uint32_t line;
    uint32_t searched;
    uint32_t fields;
    uint32_t hosts;
    bool has_length;
    bool has_coding;
    struct span left_out[3]; /* lines that libh2o does not get */
    uint32_t left_out_count;
};

/* Start with a zeroed head. `bytes` is all of the head received so far, from its first byte; bytes
 * after the head are ignored. */
enum refusal head_read(struct head *head, const char *bytes, size_t len);

Str head_part(const char *bytes, struct span span);

/* Writes a complete head for libh2o: without the headers that announce a body, the target reduced
 * to a path. At most head->size bytes at `out`; returns the length. */
size_t head_write(const struct head *head, const char *bytes, char *out);

/* The body after Transfer-Encoding: chunked. */
struct chunks {
    enum { CHUNK_SIZE, CHUNK_SIZE_LF, CHUNK_DATA, CHUNK_CR, CHUNK_LF, CHUNKS_CR, CHUNKS_LF } at;
    bool is_complete;
    uint32_t digits;
    uint64_t left; /* of the chunk */
};

/* Reads up to the end of the body. The data is written to `out`, which has room for `len` bytes and
 * may be `bytes` itself. */
enum refusal chunks_read(struct chunks *chunks, const char *bytes, size_t len, size_t *ret_read,
                         char *out, size_t *ret_written);
