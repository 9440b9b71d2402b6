/*
 * Sets aside folders that a server cannot read: renames instead of deleting, and keeps only the
 * newest ones.
 */
#pragma once

#include "base/system/ctx.h"

enum { SET_ASIDE_KEPT = 3 };

/* Renames FOLDER to FOLDER.damaged-<UTC> and deletes the oldest ones beyond SET_ASIDE_KEPT; *ret is
 * the new name. */
Err set_aside(struct ctx *ctx, const char *folder, const char **ret);
/* Undoes it: deletes FOLDER, whatever it contains now, and restores its old contents. */
Err set_aside_undo(struct ctx *ctx, const char *folder, const char *aside);
