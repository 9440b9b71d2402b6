/*
 * Rows for people, in columns, or for programs, as JSON.
 */
#pragma once

#include "cli/command.h"
#include "cli/sync_postgres.h"

/* How a value of PostgreSQL's text format stands in JSON. */
enum table_kind { TABLE_TEXT, TABLE_NUMBER, TABLE_JSON, TABLE_TIME };

/* One column of the rows, in their order. */
struct table_column {
    const char *name;
    enum table_kind kind;
    bool only_json; /* too much for a line */
};

/* A JSON array of objects, or a heading and one line a row; `nothing` when there is no row. */
void table_print(struct cli *cli, const struct sync_rows *rows, const struct table_column *columns,
                 bool is_json, const char *nothing);
/* The first row: a JSON object, or one line a column. */
void table_print_one(struct cli *cli, const struct sync_rows *rows,
                     const struct table_column *columns, bool is_json);

/* The text of both, for tests and for whoever adds to it. */
struct buf;
void table_write_json(struct buf *out, const struct sync_rows *rows,
                      const struct table_column *columns);
void table_write_lines(struct cli *cli, struct buf *out, const struct sync_rows *rows,
                       const struct table_column *columns);
