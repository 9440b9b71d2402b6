/*
 * The rows of a CSV text: cells between quotes or without, lines that end with \n or \r\n. Pure.
 *
 * The separator is the one of , ; tab | that is most frequent in the first line. A quote within a
 * cell is part of it unless a separator or the end of the line follows, as other readers do it.
 */
#pragma once

#include "base/memory/arena.h"
#include "base/text/str.h"

/* Bytes of one row: so much is read without a pause. */
enum { CSV_ROW_MAX = 4 * 1024 * 1024 };

struct csv {
    Str rest;
    char separator;
    bool is_too_long; /* a row had more than CSV_ROW_MAX bytes: it and the rest are not read */
};

/* A byte order mark is skipped. */
struct csv csv_begin(Str text);
/* False: there are no more. Cells beyond cells_max are skipped; an empty line has one empty cell.
 * Cells are views of the text, or copies in the arena where quotes were taken out. */
bool csv_next(struct csv *csv, struct arena *arena, Str *cells, uint32_t cells_max,
              uint32_t *ret_count);
