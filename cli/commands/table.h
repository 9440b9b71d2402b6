/*
 * Prints rows as a table for people, or as JSON for programs.
 */
#pragma once

#include "base/text/buf.h"
#include "cli/backends/sync_postgres.h"
#include "cli/commands/command.h"

/* One column of the rows, in order. A raw value is a number or JSON. */
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

/* Prints a JSON array of objects, or a heading and one line per row, or `nothing` if there are no
 * rows. */
void table_print(struct cli *cli, const struct sync_rows *rows, const struct table_column *columns,
                 bool is_json, const char *nothing);
/* Prints the first row: a JSON object, or one line per column with a value. */
void table_print_one(struct cli *cli, const struct sync_rows *rows,
                     const struct table_column *columns, bool is_json);

/* Appends the output of table_print for rows. */
void table_write(struct buf *out, const struct sync_rows *rows, const struct table_column *columns,
                 bool is_json);
