/*
 * Rows for people, in columns, or for programs, as JSON.
 */
#pragma once

#include "base/text/buf.h"
#include "cli/backends/sync_postgres.h"
#include "cli/commands/command.h"

/* One column of the rows, in their order. A raw value is a number or JSON itself. */
struct table_column {
    const char *name;
    bool is_raw;
};
#define TEXT_COLUMN(name)                                                                          \
    {                                                                                              \
        (name), false                                                                              \
    }
#define RAW_COLUMN(name)                                                                           \
    {                                                                                              \
        (name), true                                                                               \
    }

/* A JSON array of objects, or a heading and one line a row, or the word for nothing. */
void table_print(struct cli *cli, const struct sync_rows *rows, const struct table_column *columns,
                 bool is_json, const char *nothing);
/* The first row: a JSON object, or one line a column that has a value. */
void table_print_one(struct cli *cli, const struct sync_rows *rows,
                     const struct table_column *columns, bool is_json);

/* What table_print prints. */
void table_write(struct buf *out, const struct sync_rows *rows, const struct table_column *columns,
                 bool is_json);
