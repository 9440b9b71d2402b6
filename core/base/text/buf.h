/*
 * A growing byte buffer with a fixed maximum. Exceeding it sets `is_full` and drops further bytes:
 * the writer checks at the end (buf_check), not after every byte. Memory is malloc'ed and owned by
 * the buffer: buf_init / buf_finish, or buf_in_arena.
 */
#pragma once

#include "base/system/err.h"
#include "base/text/str.h"

struct ctx;

struct buf {
    char *data;
    size_t len;
    size_t cap;
    size_t max;
    bool is_full;
    bool is_borrowed; /* data is not owned, until it grows */
    bool is_refused;  /* is_full because its gate refused to let it grow */
    struct buf_gate *gate;
};

/* Accounts for the memory of a buffer: called before it grows to `to` bytes. */
struct buf_gate {
    bool (*may_grow)(struct buf_gate *gate, size_t to);
};

void buf_init(struct buf *buf, size_t max);
/* Starts in `first`, which the caller owns: no malloc while it is large enough. */
void buf_init_from(struct buf *buf, char *first, size_t first_size, size_t max);
void buf_finish(struct buf *buf);
/* The same, released with the arena. */
struct buf *buf_in_arena(struct arena *arena, size_t max);
/* Starts in arena memory: no malloc while it is large enough. */
struct buf *buf_in_arena_from(struct arena *arena, size_t first, size_t max);

void buf_put(struct buf *buf, Str s);
void buf_put_z(struct buf *buf, const char *z);
void buf_put_char(struct buf *buf, char c);
void buf_put_i64(struct buf *buf, int64_t value);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Reserves `len` bytes for direct writing; NULL if that exceeds the maximum. Then call
 * buf_advance. */
char *buf_reserve(struct buf *buf, size_t len);
void buf_advance(struct buf *buf, size_t len);
void buf_clear(struct buf *buf);

Str buf_str(const struct buf *buf); /* a view, valid until the next put */
/* ERR_TOO_LARGE when the maximum was exceeded, ERR_UNAVAILABLE when its gate refused. `what` names
 * the content for the message. */
Err buf_check(struct ctx *ctx, const struct buf *buf, const char *what);
