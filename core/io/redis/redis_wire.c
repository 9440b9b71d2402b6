#include "io/redis/redis_wire.h"

#include <assert.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>

enum {
    DEPTH_MAX = 9, /* of the reader's own stack */
    HEADER_MAX = 24,
};

static void copy_value(struct arena *arena, const redisReply *reply, struct redis_value *ret,
                       int depth);
static void put_header(struct buf *out, char kind, size_t number);

struct redis_wire *redis_wire_new(void)
{
    redisReader *reader = redisReaderCreate();
    if (reader == NULL)
        abort();
    return (struct redis_wire *)reader;
}

void redis_wire_free(struct redis_wire *wire)
{
    if (wire != NULL)
        redisReaderFree((redisReader *)wire);
}

bool redis_wire_put(struct buf *out, const Str *words, uint32_t count)
{
    assert(count > 0);
    size_t size = HEADER_MAX;
    for (uint32_t i = 0; i < count; i++) {
        if (words[i].len > out->max)
            return false;
        size += words[i].len + HEADER_MAX + 2;
    }
    if (size > out->max - out->len)
        return false;

    put_header(out, '*', count);
    for (uint32_t i = 0; i < count; i++) {
        put_header(out, '$', words[i].len);
        buf_put(out, words[i]);
        buf_put(out, STR("\r\n"));
    }
    assert(!out->is_full);
    return true;
}

static void put_header(struct buf *out, char kind, size_t number)
{
    assert(kind == '*' || kind == '$');
    buf_put_char(out, kind);
    buf_put_i64(out, (int64_t)number);
    buf_put(out, STR("\r\n"));
}

void redis_wire_feed(struct redis_wire *wire, Str bytes)
{
    /* An error stays in the reader and is returned by redis_wire_next. */
    redisReaderFeed((redisReader *)wire, bytes.data, bytes.len);
}

enum redis_wire_state redis_wire_next(struct redis_wire *wire, void **ret_reply)
{
    void *reply = NULL;
    if (redisReaderGetReply((redisReader *)wire, &reply) != REDIS_OK)
        return WIRE_BROKEN;
    if (reply == NULL)
        return WIRE_INCOMPLETE;
    *ret_reply = reply;
    return WIRE_REPLY;
}

void redis_wire_drop(void *reply)
{
    freeReplyObject(reply);
}

void redis_wire_copy(struct arena *arena, const void *reply, struct redis_value *ret)
{
    assert(reply != NULL && ret != NULL);
    copy_value(arena, reply, ret, 0);
}

static void copy_value(struct arena *arena, const redisReply *reply, struct redis_value *ret,
                       int depth)
{
    assert(depth <= DEPTH_MAX);
    *ret = (struct redis_value){.kind = REDIS_NIL};
    switch (reply->type) {
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
    case REDIS_REPLY_ERROR:
        ret->kind = reply->type == REDIS_REPLY_ERROR ? REDIS_ERROR : REDIS_STR;
        ret->text = str_dup(arena, str_of(reply->str, reply->len));
        break;
    case REDIS_REPLY_INTEGER:
        ret->kind = REDIS_INT;
        ret->integer = reply->integer;
        break;
    case REDIS_REPLY_ARRAY:
        ret->kind = REDIS_ARRAY;
        ret->count = (uint32_t)reply->elements;
        ret->items = arena_array(arena, struct redis_value, reply->elements);
        for (uint32_t i = 0; i < ret->count; i++)
            copy_value(arena, reply->element[i], &ret->items[i], depth + 1);
        break;
    default:
        break;
    }
}

Str redis_wire_error(const void *reply)
{
    const redisReply *r = reply;
    return r->type == REDIS_REPLY_ERROR ? str_of(r->str, r->len) : STR_NONE;
}

Str redis_wire_item(const void *reply, uint32_t index)
{
    const redisReply *r = reply;
    if (r->type != REDIS_REPLY_ARRAY || index >= r->elements)
        return STR_NONE;
    const redisReply *item = r->element[index];
    return item->type == REDIS_REPLY_STRING ? str_of(item->str, item->len) : STR_NONE;
}
