/*
 * The source of a setting: the file, the environment, or a file that one of them names. For
 * settings.c, and for readers of files of the same form.
 */
#pragma once

#include "base/settings/settings.h"

enum { SETTING_TEXT_MAX = 16 * 1024 };

/* Text and origin of the setting; *ret_text is unchanged when it is not set. */
Err settings_find(struct ctx *ctx, Str file, const char *name, bool is_secret, Str *ret_text,
                  enum setting_origin *ret_origin);

/* Adds an entry for every line of the file that is neither KEY=VALUE nor a comment. */
Err settings_check_file(struct ctx *ctx, Str file);

/* NAME=value, trimmed; a leading "export " and quotes around the value are allowed, as in shell
 * files. False: not of that form. */
bool settings_split_line(Str line, Str *ret_key, Str *ret_value);

/* Plain numbers, and if the unit allows it 15m, 7d, 1mb. In the setting's unit. */
bool settings_read_number(Str text, Str unit, int64_t *ret);
/* An example of such a time or size for a message; empty: this unit has none. */
const char *settings_number_example(Str unit);
