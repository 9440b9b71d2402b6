/*
 * A text that grows in the memory of its call. Writing it breathes, so that whoever writes a long
 * one in a loop need not think of it.
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
    bool is_full;        /* it passed `max`; what came since is dropped */
    spark_status status; /* not SPARK_OK: the call is over; what came since is dropped */
};

struct text text_make(const spark_api *api, spark_call *call, size_t first, size_t max);
void text_put(struct text *text, spark_str what);
/* As a JSON string. A long one is quoted slice by slice. */
void text_put_quoted(struct text *text, spark_str what);
/* Fails with `full` and its sentence when it was full. */
spark_status text_end(struct text *text, spark_status full, spark_str sentence, spark_str *ret);

#endif
