#include "text.h"

#include <string.h>

enum { PUTS_A_BREATH = 64, SLICE = 64 * 1024 };

struct text text_make(const spark_api *api, spark_call *call, size_t first, size_t max)
{
    return (struct text){
        .api = api, .call = call, .data = api->alloc(call, first), .size = first, .max = max};
}

/* Doubles the capacity; outgrown memory is freed with the request. */
static bool make_room(struct text *text, size_t len)
{
    if (text->size - text->len >= len)
        return true;
    size_t size = text->size;
    while (size - text->len < len)
        size *= 2;
    if (size > text->max)
        size = text->max;
    text->is_full = size - text->len < len;
    if (text->is_full)
        return false;
    char *data = text->api->alloc(text->call, size);
    memcpy(data, text->data, text->len);
    text->data = data;
    text->size = size;
    return true;
}

void text_put(struct text *text, spark_str what)
{
    if (text->puts++ % PUTS_A_BREATH == 0 && text->status == SPARK_OK)
        text->status = text->api->breathe(text->call);
    if (text->status != SPARK_OK || text->is_full || what.len == 0 || !make_room(text, what.len))
        return;
    memcpy(text->data + text->len, what.data, what.len);
    text->len += what.len;
}

/* The length of the next slice, which splits no character. */
static size_t slice_len(spark_str rest)
{
    if (rest.len <= SLICE)
        return rest.len;
    size_t len = SLICE;
    while (len > SLICE - 4 && ((unsigned char)rest.data[len] & 0xC0) == 0x80)
        len--;
    return len;
}

void text_put_quoted(struct text *text, spark_str what)
{
    if (what.len <= SLICE) {
        text_put(text, text->api->json_quote(text->call, what));
        return;
    }
    text_put(text, SPARK_STR("\""));
    while (what.len > 0 && !text->is_full && text->status == SPARK_OK) {
        size_t len = slice_len(what);
        spark_str quoted = text->api->json_quote(text->call, (spark_str){what.data, len});
        text_put(text, (spark_str){quoted.data + 1, quoted.len - 2});
        text->status = text->api->breathe(text->call);
        what = (spark_str){what.data + len, what.len - len};
    }
    text_put(text, SPARK_STR("\""));
}

spark_status text_end(struct text *text, spark_status full, spark_str sentence, spark_str *ret)
{
    if (text->status != SPARK_OK)
        return text->status;
    if (text->is_full)
        return text->api->fail(text->call, full, sentence);
    *ret = (spark_str){text->data, text->len};
    return SPARK_OK;
}
