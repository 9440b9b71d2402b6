#include "base/text/buf.h"

#include "base/system/ctx.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { CAP_FIRST = 256, DOUBLE_MAX = 1024 * 1024 };

/* "00" … "99": two digits per division. */
static const char DIGIT_PAIRS[] = "00010203040506070809"
                                  "10111213141516171819"
                                  "20212223242526272829"
                                  "30313233343536373839"
                                  "40414243444546474849"
                                  "50515253545556575859"
                                  "60616263646566676869"
                                  "70717273747576777879"
                                  "80818283848586878889"
                                  "90919293949596979899";

void buf_init(struct buf *buf, size_t max)
{
    *buf = (struct buf){.max = max};
}

void buf_init_from(struct buf *buf, char *first, size_t first_size, size_t max)
{
    assert(first_size <= max);
    *buf = (struct buf){.data = first, .cap = first_size, .max = max, .is_borrowed = true};
}

void buf_finish(struct buf *buf)
{
    if (buf == NULL)
        return;
    if (!buf->is_borrowed)
        free(buf->data);
    *buf = (struct buf){0};
}

static void finish_in_arena(void *object)
{
    buf_finish(object);
}

struct buf *buf_in_arena(struct arena *arena, size_t max)
{
    struct buf *buf = arena_new(arena, struct buf);
    buf_init(buf, max);
    arena_defer(arena, finish_in_arena, buf);
    return buf;
}

struct buf *buf_in_arena_from(struct arena *arena, size_t first, size_t max)
{
    assert(first <= max);
    struct buf *buf = buf_in_arena(arena, max);
    buf_init_from(buf, arena_alloc_raw(arena, first), first, max);
    return buf;
}

/* Doubles; a large buffer grows by a quarter, because realloc remaps its pages without copying. */
static bool grow(struct buf *buf, size_t needed)
{
    size_t more = buf->cap < DOUBLE_MAX ? buf->cap : buf->cap / 4;
    size_t cap = buf->cap > buf->max - more ? buf->max : buf->cap + more;
    if (cap < CAP_FIRST)
        cap = CAP_FIRST;
    if (cap < needed)
        cap = needed;
    if (buf->gate != NULL && !buf->gate->may_grow(buf->gate, cap)) {
        buf->is_full = buf->is_refused = true;
        return false;
    }
    char *data = realloc(buf->is_borrowed ? NULL : buf->data, cap);
    if (data == NULL) {
        (void)fprintf(stderr, "out of memory: %zu bytes\n", cap);
        abort();
    }
    if (buf->is_borrowed && buf->data != NULL)
        memcpy(data, buf->data, buf->len);
    buf->is_borrowed = false;
    buf->data = data;
    buf->cap = cap;
    return true;
}

static char *reserve_slow(struct buf *buf, size_t len)
{
    if (buf->is_full || len > buf->max - buf->len) {
        buf->is_full = true;
        return NULL;
    }
    if ((buf->data == NULL || len > buf->cap - buf->len) && !grow(buf, buf->len + len))
        return NULL;
    return buf->data + buf->len;
}

char *buf_reserve(struct buf *buf, size_t len)
{
    assert(buf->len <= buf->max);
    bool is_easy = !buf->is_full && buf->cap <= buf->max && len < buf->cap - buf->len;
    return is_easy ? buf->data + buf->len : reserve_slow(buf, len);
}

void buf_advance(struct buf *buf, size_t len)
{
    assert(len <= buf->cap - buf->len);
    buf->len += len;
}

void buf_put(struct buf *buf, Str s)
{
    char *out = buf_reserve(buf, s.len);
    if (out == NULL || s.len == 0)
        return;
    memcpy(out, s.data, s.len);
    buf->len += s.len;
}

void buf_put_z(struct buf *buf, const char *z)
{
    buf_put(buf, str_from_z(z));
}

void buf_put_char(struct buf *buf, char c)
{
    char *out = buf_reserve(buf, 1);
    if (out == NULL)
        return;
    *out = c;
    buf->len++;
}

void buf_put_i64(struct buf *buf, int64_t value)
{
    char text[20];
    char *at = text + sizeof text;
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    while (left >= 10) {
        at -= 2;
        memcpy(at, DIGIT_PAIRS + 2 * (left % 100), 2);
        left /= 100;
    }
    /* After an even number of digits the rest is zero, and nothing more is written. */
    if (left > 0 || at == text + sizeof text)
        *--at = (char)('0' + left);
    if (value < 0)
        *--at = '-';
    buf_put(buf, str_of(at, (size_t)(text + sizeof text - at)));
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t room = buf->cap - buf->len;
    int len = vsnprintf(room > 0 ? buf->data + buf->len : NULL, room, format, args);
    va_end(args);
    assert(len >= 0);
    /* One byte more for the NUL of vsnprintf, unless the buffer ends there. */
    if ((size_t)len >= room) {
        char *text = NULL;
        va_start(args, format);
        len = vasprintf(&text, format, args);
        va_end(args);
        if (len < 0)
            abort();
        buf_put(buf, str_of(text, (size_t)len));
        free(text);
        return;
    }
    if (buf_reserve(buf, (size_t)len) != NULL)
        buf->len += (size_t)len;
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    buf->is_full = buf->is_refused = false;
}

Str buf_str(const struct buf *buf)
{
    return str_of(buf->data == NULL ? "" : buf->data, buf->len);
}

Err buf_check(struct ctx *ctx, const struct buf *buf, const char *what)
{
    if (!buf->is_full)
        return OK;
    if (buf->is_refused)
        return fail(ctx, ERR_UNAVAILABLE, "Out of memory for %s; try again.", what);
    return fail(ctx, ERR_TOO_LARGE, "%s is larger than %zu bytes.", what, buf->max);
}
