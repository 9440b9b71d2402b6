/*
 * Directus' envelope around the rows of items: {"meta":{…},"data":…}, with "meta" if the query
 * requests counts. Nothing is written if nothing may be read back.
 */
#pragma once

#include "content/run/row_sink.h"

struct rest_rows {
    struct row_sink sink;
    struct json_sink json;
    bool has_begun;
};

struct rest_rows rest_rows(struct buf *out);
