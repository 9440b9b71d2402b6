#include "base/settings/settings_source.h"

#include "base/system/ctx.h"
#include "base/text/ascii.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

bool settings_split_line(Str line, Str *ret_key, Str *ret_value)
{
    if (str_starts_with(line, STR("export ")))
        line = str_slice(line, 7, line.len);
    ptrdiff_t at = str_find_char(line, '=');
    if (at <= 0)
        return false;
    *ret_key = str_trim(str_slice(line, 0, (size_t)at));
    Str value = str_trim(str_slice(line, (size_t)at + 1, line.len));
    bool is_quoted = value.len >= 2 && (value.data[0] == '"' || value.data[0] == '\'') &&
                     value.data[value.len - 1] == value.data[0];
    *ret_value = is_quoted ? str_slice(value, 1, value.len - 1) : value;
    return true;
}

static bool is_blank(Str line)
{
    return line.len == 0 || line.data[0] == '#';
}

Err settings_check_file(struct ctx *ctx, Str file)
{
    Err err = OK;
    Str line, key, value;
    for (unsigned number = 1; str_next(&file, '\n', &line); number++) {
        line = str_trim(line);
        if (!is_blank(line) && !settings_split_line(line, &key, &value))
            err = fail_also(ctx, ERR_CONFIG, "Line %u of the settings file is not NAME=value.",
                            number);
    }
    return err;
}

/* The last assignment wins, as in a shell. */
static bool find_in_file(Str file, Str name, Str *ret)
{
    bool is_found = false;
    Str line, key, value;
    while (str_next(&file, '\n', &line)) {
        line = str_trim(line);
        if (is_blank(line) || !settings_split_line(line, &key, &value) || !str_eq(key, name))
            continue;
        *ret = value;
        is_found = true;
    }
    return is_found;
}

static bool find_text(struct ctx *ctx, Str file, Str name, Str *ret,
                      enum setting_origin *ret_origin)
{
    const char *z = getenv(str_z(ctx->arena, name));
    if (z != NULL) {
        *ret = str_dup(ctx->arena, str_from_z(z));
        *ret_origin = ORIGIN_ENVIRONMENT;
        return true;
    }
    Str text;
    if (!find_in_file(file, name, &text))
        return false;
    *ret = str_dup(ctx->arena, text);
    *ret_origin = ORIGIN_FILE;
    return true;
}

static ssize_t read_all(int fd, char *data, size_t size)
{
    size_t len = 0;
    while (len < size) {
        ssize_t got = read(fd, data + len, size - len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        len += (size_t)got;
    }
    return (ssize_t)len;
}

/* A secret in a separate file, as container engines provide them. */
static Err read_secret(struct ctx *ctx, Str name, Str path, Str *ret)
{
    int fd = open(str_z(ctx->arena, path), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail_also(ctx, ERR_CONFIG, "%.*s names '%.*s', which cannot be opened: %s.",
                         STR_FMT(name), STR_FMT(path), strerrordesc_np(errno));
    char *data = arena_alloc_raw(ctx->arena, SETTING_TEXT_MAX + 1);
    ssize_t len = read_all(fd, data, SETTING_TEXT_MAX + 1);
    int fault = errno;
    (void)close(fd);
    if (len < 0)
        return fail_also(ctx, ERR_CONFIG, "%.*s names '%.*s', which cannot be read: %s.",
                         STR_FMT(name), STR_FMT(path), strerrordesc_np(fault));
    *ret = str_trim(str_of(data, (size_t)len));
    return OK;
}

static Err find_secret(struct ctx *ctx, Str file, Str name, bool has_text, Str *ret_text,
                       enum setting_origin *ret_origin)
{
    Str path;
    Str name_of_file = str_printf(ctx->arena, "%.*s_FILE", STR_FMT(name));
    enum setting_origin origin;
    if (!find_text(ctx, file, name_of_file, &path, &origin) || path.len == 0)
        return OK;
    if (has_text)
        return fail_also(ctx, ERR_CONFIG, "%.*s and %.*s are both set; keep one of them.",
                         STR_FMT(name), STR_FMT(name_of_file));
    TRY(read_secret(ctx, name_of_file, path, ret_text));
    *ret_origin = origin;
    return OK;
}

static Err find_named(struct ctx *ctx, Str file, Str name, bool is_secret, Str *ret_text,
                      enum setting_origin *ret_origin)
{
    bool has_text = find_text(ctx, file, name, ret_text, ret_origin) && ret_text->len > 0;
    if (is_secret)
        TRY(find_secret(ctx, file, name, has_text, ret_text, ret_origin));
    if (ret_text->len > SETTING_TEXT_MAX)
        return fail_also(ctx, ERR_CONFIG, "%.*s is longer than %d bytes.", STR_FMT(name),
                         SETTING_TEXT_MAX);
    return OK;
}

Err settings_find(struct ctx *ctx, Str file, const char *name, bool is_secret, Str *ret_text,
                  enum setting_origin *ret_origin)
{
    Str text = STR_NONE;
    enum setting_origin origin = ORIGIN_DEFAULT;
    TRY(find_named(ctx, file, str_from_z(name), is_secret, &text, &origin));
    /* The environment of an existing Directus project keeps working. */
    if (text.len == 0 && str_eq(str_from_z(name), STR("ADMIN_TOKEN")))
        TRY(find_named(ctx, file, STR("DIRECTUS_ADMIN_TOKEN"), true, &text, &origin));
    if (text.len == 0 && str_eq(str_from_z(name), STR("CORS_ORIGINS")))
        TRY(find_named(ctx, file, STR("CORS_ORIGIN"), false, &text, &origin));
    if (text.len == 0)
        return OK; /* an empty value counts as unset */
    *ret_text = text;
    *ret_origin = origin;
    return OK;
}

struct suffix {
    const char *name;
    int64_t factor;
};

static const struct suffix TIMES_MS[] = {
    {"ms", 1},           {"s", 1000},          {"sec", 1000},      {"second", 1000},
    {"seconds", 1000},   {"m", 60000},         {"min", 60000},     {"minute", 60000},
    {"minutes", 60000},  {"h", 3600000},       {"hour", 3600000},  {"hours", 3600000},
    {"d", 86400000},     {"day", 86400000},    {"days", 86400000}, {"w", 604800000},
    {"week", 604800000}, {"weeks", 604800000}, {NULL, 0},
};

static const struct suffix SIZES[] = {
    {"b", 1}, {"kb", 1 << 10}, {"mb", 1 << 20}, {"gb", 1 << 30}, {NULL, 0},
};

static bool find_factor(const struct suffix *suffixes, Str name, int64_t *ret)
{
    for (; suffixes->name != NULL; suffixes++) {
        if (str_eq_nocase(name, str_from_z(suffixes->name))) {
            *ret = suffixes->factor;
            return true;
        }
    }
    return false;
}

const char *settings_number_example(Str unit)
{
    if (str_eq(unit, STR("bytes")))
        return ", or a size like 1mb";
    if (str_eq(unit, STR("s")) || str_eq(unit, STR("ms")))
        return ", or a time like 15m";
    int64_t factor;
    return find_factor(TIMES_MS, unit, &factor) ? ", or a time like 90d" : "";
}

bool settings_read_number(Str text, Str unit, int64_t *ret)
{
    size_t digits = 0;
    while (digits < text.len && ascii_is_digit(text.data[digits]))
        digits++;
    if (digits == text.len || digits == 0)
        return str_to_i64(text, ret);
    int64_t number, factor, divisor;
    bool is_time = find_factor(TIMES_MS, unit, &divisor);
    if (!is_time && !str_eq(unit, STR("bytes")))
        return false;
    if (!str_to_i64(str_slice(text, 0, digits), &number) ||
        !find_factor(is_time ? TIMES_MS : SIZES, str_trim(str_slice(text, digits, text.len)),
                     &factor) ||
        __builtin_mul_overflow(number, factor, &number))
        return false;
    if (is_time && number % divisor != 0)
        return false;
    *ret = is_time ? number / divisor : number;
    return true;
}
