#include "base/settings/settings.h"

#include "base/memory/array.h"
#include "base/settings/settings_form.h"
#include "base/settings/settings_source.h"
#include "base/system/ctx.h"
#include "base/system/log.h"

#include <assert.h>
#include <inttypes.h>
#include <limits.h>

enum kind { KIND_STR, KIND_INT, KIND_BOOL };

/* One row of settings.def. */
struct row {
    const char *name;
    const char *help;
    const char *default_text;
    const char *unit;
    int64_t min; /* of a secret: minimum length */
    int64_t max;
    size_t offset; /* in struct settings */
    enum kind kind;
    enum setting_form form;
    bool is_secret;
};

static const struct row ROWS[] = {
#define SETTING_STR(field, name_, default_, secret, help_)                                         \
    {.name = (name_),                                                                              \
     .help = (help_),                                                                              \
     .default_text = (default_),                                                                   \
     .offset = offsetof(struct settings, field),                                                   \
     .kind = KIND_STR,                                                                             \
     .is_secret = (secret)},
#define SETTING_URL(field, name_, default_, form_, help_)                                          \
    {.name = (name_),                                                                              \
     .help = (help_),                                                                              \
     .default_text = (default_),                                                                   \
     .offset = offsetof(struct settings, field),                                                   \
     .kind = KIND_STR,                                                                             \
     .form = (form_)},
#define SETTING_SECRET(field, name_, min_, help_)                                                  \
    {.name = (name_),                                                                              \
     .help = (help_),                                                                              \
     .default_text = "",                                                                           \
     .min = (min_),                                                                                \
     .offset = offsetof(struct settings, field),                                                   \
     .kind = KIND_STR,                                                                             \
     .is_secret = true},
#define SETTING_INT(field, name_, default_, min_, max_, unit_, help_)                              \
    {.name = (name_),                                                                              \
     .help = (help_),                                                                              \
     .default_text = #default_,                                                                    \
     .unit = (unit_),                                                                              \
     .min = (min_),                                                                                \
     .max = (max_),                                                                                \
     .offset = offsetof(struct settings, field),                                                   \
     .kind = KIND_INT},
#define SETTING_BOOL(field, name_, default_, help_)                                                \
    {.name = (name_),                                                                              \
     .help = (help_),                                                                              \
     .default_text = #default_,                                                                    \
     .offset = offsetof(struct settings, field),                                                   \
     .kind = KIND_BOOL},
#include "base/settings/settings.def"
#undef SETTING_STR
#undef SETTING_INT
#undef SETTING_BOOL
};

enum { ROW_COUNT = COUNT_OF(ROWS) };

/* The heading above the first setting of each group, by the field's place in struct settings. */
static const struct group {
    const char *title;
    size_t offset;
} GROUPS[] = {
#define SETTING_GROUP(title_) {.title = (title_), .offset = SIZE_MAX},
#define SETTING_STR(field, ...) {.offset = offsetof(struct settings, field)},
#define SETTING_INT(field, ...) {.offset = offsetof(struct settings, field)},
#define SETTING_BOOL(field, ...) {.offset = offsetof(struct settings, field)},
#include "base/settings/settings.def"
#undef SETTING_STR
#undef SETTING_INT
#undef SETTING_BOOL
};

static void *field_of(struct settings *settings, const struct row *row)
{
    return (char *)settings + row->offset;
}

static bool read_bool(Str text, bool *ret)
{
    static const char *const YES[] = {"true", "1", "yes", "on"};
    static const char *const NO[] = {"false", "0", "no", "off"};
    for (unsigned i = 0; i < COUNT_OF(YES); i++) {
        bool is_yes = str_eq_nocase(text, str_from_z(YES[i]));
        if (is_yes || str_eq_nocase(text, str_from_z(NO[i]))) {
            *ret = is_yes;
            return true;
        }
    }
    return false;
}

/* The accepted values of this row, for the error message. */
static Str wanted(struct ctx *ctx, const struct row *row)
{
    if (row->kind == KIND_BOOL)
        return STR("true or false");
    if (row->form != FORM_ANY)
        return str_from_z(setting_form_words(row->form));
    if (row->kind == KIND_STR)
        return STR("debug, info, warn or error");
    Str unit = str_from_z(row->unit);
    const char *forms = settings_number_example(unit);
    return str_printf(ctx->arena, "a whole number from %" PRId64 " to %" PRId64 "%s%.*s%s",
                      row->min, row->max, unit.len > 0 ? " " : "", STR_FMT(unit), forms);
}

static Err refuse(struct ctx *ctx, const struct row *row, Str text)
{
    assert(!row->is_secret);
    Str sentence = wanted(ctx, row);
    Str shown = row->kind == KIND_STR ? setting_mask(ctx->arena, text) : text;
    Err err = fail_also(ctx, ERR_CONFIG, "%s is '%.*s'; it must be %.*s.", row->name,
                        STR_FMT(str_slice(shown, 0, 100)), STR_FMT(sentence));
    return err;
}

static bool is_valid_text(const struct row *row, Str text)
{
    enum log_level level;
    if (row->offset == offsetof(struct settings, log_level))
        return log_level_parse(text, &level);
    return setting_form_fits(row->form, text);
}

/* The message contains the length, never the value. */
static Err refuse_short(struct ctx *ctx, const struct row *row, Str text)
{
    assert(row->is_secret);
    Err err = fail_also(ctx, ERR_CONFIG,
                        "%s has %zu characters; it must have at least %" PRId64
                        " (openssl rand -hex 32 makes a good one).",
                        row->name, text.len, row->min);
    return err;
}

static Err store(struct ctx *ctx, const struct row *row, Str text, struct settings *settings)
{
    int64_t number;
    switch (row->kind) {
    case KIND_STR:
        if (!is_valid_text(row, text))
            return refuse(ctx, row, text);
        if (row->is_secret && text.len > 0 && text.len < (size_t)row->min)
            return refuse_short(ctx, row, text);
        *(Str *)field_of(settings, row) = text.len == 0 ? STR_NONE : text;
        return OK;
    case KIND_INT:
        if (!settings_read_number(text, str_from_z(row->unit), &number) || number < row->min ||
            number > row->max)
            return refuse(ctx, row, text);
        *(int64_t *)field_of(settings, row) = number;
        return OK;
    case KIND_BOOL:
        return read_bool(text, field_of(settings, row)) ? OK : refuse(ctx, row, text);
    }
    return OK;
}

static Err load_row(struct ctx *ctx, Str file, const struct row *row, struct settings *settings)
{
    Str text = str_from_z(row->default_text);
    enum setting_origin origin;
    TRY(settings_find(ctx, file, row->name, row->is_secret, &text, &origin));
    return store(ctx, row, text, settings);
}

/* Browsers drop a cookie with SameSite=None that is not Secure. */
static Err check_cookie(struct ctx *ctx, const char *name, Str same_site, bool is_secure)
{
    if (is_secure || !str_eq_nocase(same_site, STR("none")))
        return OK;
    return fail_also(ctx, ERR_CONFIG, "%s_SAME_SITE is none; that requires %s_SECURE.", name, name);
}

Err settings_load(struct ctx *ctx, Str file, struct settings *ret)
{
    struct settings settings = {0};
    diag_clear(ctx);
    Err first = settings_check_file(ctx, file);
    for (unsigned i = 0; i < ROW_COUNT; i++) {
        Err err = load_row(ctx, file, &ROWS[i], &settings);
        first = first == OK ? err : first;
    }
    TRY(first);
    TRY(check_cookie(ctx, "SESSION_COOKIE", settings.session_cookie_same_site,
                     settings.session_cookie_secure));
    TRY(check_cookie(ctx, "REFRESH_TOKEN_COOKIE", settings.refresh_cookie_same_site,
                     settings.refresh_cookie_secure));
    if (settings.database_direct_url.len == 0)
        settings.database_direct_url = settings.database_url;
    *ret = settings;
    return OK;
}

static Str value_text(struct arena *arena, const struct row *row, const struct settings *settings)
{
    const char *field = (const char *)settings + row->offset;
    if (row->kind == KIND_INT)
        return str_printf(arena, "%" PRId64, *(const int64_t *)(const void *)field);
    if (row->kind == KIND_BOOL)
        return *(const bool *)field ? STR("true") : STR("false");
    return *(const Str *)(const void *)field;
}

static Str describe_value(struct ctx *ctx, const struct row *row, const struct settings *settings)
{
    Str text = value_text(ctx->arena, row, settings);
    if (row->is_secret)
        return text.len == 0 ? STR("") : STR("***");
    return row->kind == KIND_STR ? setting_mask(ctx->arena, text) : text;
}

Str settings_text(struct arena *arena, const struct settings *settings, Str name)
{
    for (unsigned i = 0; i < ROW_COUNT; i++)
        if (str_eq(str_from_z(ROWS[i].name), name))
            return ROWS[i].is_secret ? STR_NONE : value_text(arena, &ROWS[i], settings);
    return STR_NONE;
}

static enum setting_origin origin_of(struct ctx *ctx, Str file, const struct row *row)
{
    Str text = STR_NONE;
    enum setting_origin origin = ORIGIN_DEFAULT;
    struct diag before = ctx->diag;
    diag_clear(ctx); /* otherwise new entries would be linked to the old ones */
    err_ignore(settings_find(ctx, file, row->name, row->is_secret, &text, &origin),
               "settings_load has reported what cannot be read");
    ctx->diag = before;
    return origin;
}

/* NULL: not the first of its group. */
static const char *group_of(const struct row *row)
{
    for (unsigned i = 1; i < COUNT_OF(GROUPS); i++)
        if (GROUPS[i].offset == row->offset)
            return GROUPS[i - 1].title;
    return NULL;
}

uint32_t settings_describe(struct ctx *ctx, Str file, const struct settings *settings,
                           const struct setting_info **ret)
{
    struct setting_info *infos = arena_array(ctx->arena, struct setting_info, ROW_COUNT);
    for (unsigned i = 0; i < ROW_COUNT; i++) {
        infos[i] = (struct setting_info){
            .name = ROWS[i].name,
            .help = ROWS[i].help,
            .default_text = ROWS[i].default_text,
            .unit = ROWS[i].unit != NULL ? ROWS[i].unit : "",
            .group = group_of(&ROWS[i]),
            .is_secret = ROWS[i].is_secret,
            .value = describe_value(ctx, &ROWS[i], settings),
            .origin = origin_of(ctx, file, &ROWS[i]),
        };
    }
    *ret = infos;
    return ROW_COUNT;
}
