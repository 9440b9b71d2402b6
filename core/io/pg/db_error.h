/*
 * Maps PostgreSQL's error fields to Err, message and notes. Does not use libpq's types, so that it
 * can be tested without a server.
 */
#pragma once

#include "base/system/err.h"

struct ctx;

/* Fields that PostgreSQL did not report are empty. */
struct db_error {
    const char *sqlstate;
    Str message;
    Str detail;
    Str table;
    Str column;
    Str constraint;
    Str context;
};

Err db_error_render(struct ctx *ctx, const struct db_error *error);

/*
 * SQLSTATEs that functions and triggers of higher layers raise. Their owner defines the mapping.
 * Register before the threads start (app/compose.c); `rule` must live as long as the process.
 */
typedef Err DbErrorReport(struct ctx *ctx, const struct db_error *error, Err err);
struct db_error_rule {
    const char *sqlstate; /* all five characters */
    Err err;
    DbErrorReport *report; /* records the message and its notes, returns `err` */
};
void db_error_add(const struct db_error_rule *rule);
/* For an error that needs no message beyond its code. */
DbErrorReport db_error_plain;
