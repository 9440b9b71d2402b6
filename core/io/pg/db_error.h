/*
 * From what PostgreSQL says about an error to Err, sentence and notes. Without libpq's types, so
 * that it is tested without a server.
 */
#pragma once

#include "base/system/err.h"

struct ctx;

/* Empty where PostgreSQL says nothing. */
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
 * SQLSTATEs that functions and triggers of a module above raise. Their owner says what becomes of
 * them; registered before the threads start (app/compose.c), `rule` lives as long as the process.
 */
typedef Err DbErrorReport(struct ctx *ctx, const struct db_error *error, Err err);
struct db_error_rule {
    const char *sqlstate; /* all five characters */
    Err err;
    DbErrorReport *report; /* records the sentence and its notes, returns `err` */
};
void db_error_add(const struct db_error_rule *rule);
/* The report of an error whose code says everything. */
DbErrorReport db_error_plain;
