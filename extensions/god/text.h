/*
 * A growing text in the memory of its call. Writing yields, so that a caller that writes a long
 * text in a loop need not.
 */
#ifndef GOD_TEXT_H
#define GOD_TEXT_H

#include <spark/spark.h>

struct text {
    const spark_api *api;
    spark_call *call;
    char *data;
    size_t len;
    size_t size;
    size_t max;
    uint32_t puts;
    bool is_full;        /* `max` was exceeded; further text is dropped */
    spark_status status; /* not SPARK_OK: the call has ended; further text is dropped */
};

struct text text_make(const spark_api *api, spark_call *call, size_t first, size_t max);
void text_put(struct text *text, spark_str what);
/* As a JSON string. A long one is quoted in slices. */
void text_put_quoted(struct text *text, spark_str what);
/* Fails with `full` and `sentence` if `max` was exceeded. */
spark_status text_end(struct text *text, spark_status full, spark_str sentence, spark_str *ret);

#endif
