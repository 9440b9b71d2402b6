/*
 * Folders that a server cannot read any more: renamed, not deleted, and only the newest few kept.
 */
#pragma once

#include "base/system/ctx.h"

enum { SET_ASIDE_KEPT = 3 };

/* Renames FOLDER to FOLDER.damaged-<UTC> and removes the oldest of those beyond SET_ASIDE_KEPT;
 * *ret is the new name. */
Err set_aside(struct ctx *ctx, const char *folder, const char **ret);
/* It was not to blame: FOLDER, whatever it holds by now, is removed and gets its old contents. */
Err set_aside_undo(struct ctx *ctx, const char *folder, const char *aside);
