/*
 * One value of a row, typed: what a column's reader makes of PostgreSQL's bytes, before anybody has
 * chosen how to write it. It views the rows it comes from.
 */
#pragma once

#include "base/crypto/uuid.h"
#include "base/text/buf.h"
#include "io/pg/db.h"

enum row_value_kind {
    ROW_NULL,
    ROW_BOOL,
    ROW_INT,
    ROW_BIG_INT, /* text in JSON, since numbers of most readers end at 2^53 */
    ROW_REAL,
    ROW_NUMBER, /* the digits of a number, as PostgreSQL prints it */
    ROW_TEXT,
    ROW_UUID,
    ROW_DATE,      /* 2024-02-29 */
    ROW_TIME,      /* 10:20:30 */
    ROW_DATE_TIME, /* 2024-02-29T10:20:30 */
    ROW_TIMESTAMP, /* 2024-02-29T10:20:30.000Z */
    ROW_JSON,      /* JSON text with the blanks of its author */
    ROW_CSV,       /* a list of texts with commas between them */
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

/* Sets *ret, whatever the column holds. Does not wait. */
typedef void RowReader(const struct rows *rows, uint32_t row, uint32_t column,
                       struct row_value *ret);

/* As the API writes it: compact JSON. */
void row_value_json(struct buf *out, const struct row_value *value);
/* As it stands in JSON, without the quotes of a string; null is the empty text. */
Str row_value_text(struct arena *arena, const struct row_value *value);
