/*
 * FORCE_FRESH_INSTALL=<name of the database>: empties the database before migrations, once. Any
 * other value than the database's own name does nothing, so that a value left in a file that was
 * copied to another environment cannot destroy it; and a mark in the database itself keeps a value
 * that was left in place from doing it again at the next start.
 */
#pragma once

#include "base/system/ctx.h"

/* *ret_done: the schemas spark and public were emptied. *ret_why: otherwise, why not, as a sentence
 * for the user, or empty if nobody asked. */
Err fresh_install(struct ctx *ctx, const char *url, Str asked, bool *ret_done, Str *ret_why);
