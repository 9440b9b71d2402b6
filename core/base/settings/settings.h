/*
 * Settings: settings.def declares each one (name, type, default, range, secret, help). Read at
 * start: file < environment < flag. An invalid value is refused with its name, the value and the
 * expected form. Immutable afterwards, shared by all threads.
 */
#pragma once

#include "base/memory/arena.h"
#include "base/system/err.h"
#include "base/text/str.h"

struct settings {
#define SETTING_STR(field, name, default_, secret, help) Str field;
#define SETTING_INT(field, name, default_, min, max, unit, help) int64_t field;
#define SETTING_BOOL(field, name, default_, help) bool field;
#include "base/settings/settings.def"
#undef SETTING_STR
#undef SETTING_INT
#undef SETTING_BOOL
};

/* Reads the environment (and NAME_FILE for secrets), and `file` (KEY=VALUE lines) if it is not
 * empty. ERR_CONFIG lists every invalid value. Allocates from ctx->arena. */
Err settings_load(struct ctx *ctx, Str file, struct settings *ret);

enum setting_origin { ORIGIN_DEFAULT, ORIGIN_FILE, ORIGIN_ENVIRONMENT };
struct setting_info {
    const char *name;
    const char *help;
    const char *default_text;
    const char *unit;  /* of a number; may be empty */
    const char *group; /* the heading above it; NULL: same group as the previous one */
    bool is_secret;
    Str value; /* as text; secrets are masked */
    enum setting_origin origin;
};
/* One row per setting, in the order of settings.def; returns the number. */
uint32_t settings_describe(struct ctx *ctx, Str file, const struct settings *settings,
                           const struct setting_info **ret);

/* The complete value of one setting as text, regardless of its source; STR_NONE: unknown or
 * secret. */
Str settings_text(struct arena *arena, const struct settings *settings, Str name);
