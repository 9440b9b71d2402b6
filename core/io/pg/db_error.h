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

/* ERR_QUALITY_GATE as a trigger says it, for who asked beforehand: notes "conditions", a JSON
 * array, and "opens_at" unless it is empty. */
Err db_error_gate(struct ctx *ctx, Str sentence, Str conditions, Str opens_at);
