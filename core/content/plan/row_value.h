/*
 * One value of a row, typed: a column's reader creates it from PostgreSQL's bytes, independent of
 * the output format. It references the rows that it comes from.
 */
#pragma once

#include "base/crypto/uuid.h"
#include "base/text/buf.h"
#include "io/pg/db.h"

enum row_value_kind {
    ROW_NULL,
    ROW_BOOL,
    ROW_INT,
    ROW_BIG_INT, /* text in JSON, since most clients read numbers exactly only up to 2^53 */
    ROW_REAL,
    ROW_NUMBER, /* the digits of a number, as PostgreSQL prints it */
    ROW_TEXT,
    ROW_UUID,
    ROW_DATE,      /* 2024-02-29 */
    ROW_TIME,      /* 10:20:30 */
    ROW_DATE_TIME, /* 2024-02-29T10:20:30 */
    ROW_TIMESTAMP, /* 2024-02-29T10:20:30.000Z */
    ROW_JSON,      /* JSON text with the original whitespace */
    ROW_CSV,       /* comma-separated texts */
};

struct row_value {
    enum row_value_kind kind;
    union {
        bool boolean;
        int64_t integer;
        double real;
        Uuid uuid;
        int64_t time_us; /* ROW_TIME: of the day; else wall clock, in the years 1 to 9999 */
        Str text;        /* ROW_NUMBER, ROW_TEXT, ROW_JSON, ROW_CSV */
    };
};

/* Sets *ret for any content of the column. Does not wait. */
typedef void RowReader(const struct rows *rows, uint32_t row, uint32_t column,
                       struct row_value *ret);

/* In the form of the API: compact JSON. */
void row_value_json(struct buf *out, const struct row_value *value);
/* The JSON form without the quotes of a string; null is the empty text. */
Str row_value_text(struct arena *arena, const struct row_value *value);
