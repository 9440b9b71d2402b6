/*
 * The output of `spark up`: one short line per step, with a mark and the time it took. Colours only
 * on a terminal.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct say {
    FILE *out;
    bool has_colour;
};

struct say say_open(FILE *out);

/* "  ✓ PostgreSQL 15.18                       0.31 s"; started_us by clock_now_us(). */
void say_done(const struct say *say, int64_t started_us, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Reports a failure. */
void say_bad(const struct say *say, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A plain line. */
void say_line(const struct say *say, const char *format, ...) __attribute__((format(printf, 2, 3)));
