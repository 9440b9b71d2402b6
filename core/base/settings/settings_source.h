/*
 * Where the text of a setting comes from: the file, the environment, or a file that one of them
 * names. For settings.c, and for who reads files of the same form.
 */
#pragma once

#include "base/settings/settings.h"

enum { SETTING_TEXT_MAX = 16 * 1024 };

/* Text of the setting and its origin; *ret_text stays untouched when nobody sets it. */
Err settings_find(struct ctx *ctx, Str file, const char *name, bool is_secret, Str *ret_text,
                  enum setting_origin *ret_origin);

/* Adds an entry for every line of the file that is neither KEY=VALUE nor a comment. */
Err settings_check_file(struct ctx *ctx, Str file);

/* NAME=value, trimmed; "export " in front and quotes around the value, as shells write such files,
 * are fine. False: the line is not of that form. */
bool settings_split_line(Str line, Str *ret_key, Str *ret_value);

/* Plain numbers, and where the unit allows it 15m, 7d, 1mb. In the setting's unit. */
bool settings_read_number(Str text, Str unit, int64_t *ret);
