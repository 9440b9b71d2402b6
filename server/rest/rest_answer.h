/*
 * What the reads of Directus' routes share: the query of a request, the body of SEARCH, and the
 * answer: rows in their envelope, or a file.
 */
#pragma once

#include "content/query/query.h"
#include "server/dispatch/route.h"
#include "server/http/reply.h"
#include "server/rest/rest_rows.h"

/* Unparsed unless it asks for a file. */
Err rest_read_query(struct ctx *ctx, const struct request *request, struct query *ret);

struct rest_answer {
    struct row_sink *rows; /* where the rows go */
    struct rest_rows enveloped;
};

/* `ret` must not move. */
void rest_answer_open(struct ctx *ctx, Str collection, const struct query *query,
                      struct reply *reply, struct rest_answer *ret);

/* {"query": {…}, "keys": […]} */
struct rest_search {
    struct query query;
    bool has_keys;
    const Str *keys;
    uint32_t key_count;
};
fiber_fn Err rest_search_read(struct ctx *ctx, const struct request *request,
                              struct rest_search *ret);
