#include "cli/supervise/installation.h"

#include "base/crypto/crypto.h"
#include "base/memory/array.h"
#include "base/settings/settings_source.h"
#include "base/text/buf.h"
#include "cli/places/environment.h"
#include "cli/places/places.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECRETS_MAX = 65536 };

/* `length` of a generated one; shorter than `min`: truncated. */
static const struct secret {
    const char *name;
    const char *other_name; /* alternative name in the environment */
    size_t length;
    size_t min;
} SECRETS[] = {
    {"ADMIN_TOKEN", "DIRECTUS_ADMIN_TOKEN", 32, 16},
    {"ADMIN_PASSWORD", NULL, 20, 8},
    {"SECRET", NULL, 43, 32},
};
enum { SECRET_COUNT = COUNT_OF(SECRETS) };

enum database { DATABASE_ELSEWHERE, DATABASE_ABSENT, DATABASE_BROKEN, DATABASE_THERE };

static const char *secrets_path(struct ctx *ctx, const struct installation *installation)
{
    return path_format(ctx->arena, "%s/secrets.env", installation->data);
}

static const char *marker_path(struct ctx *ctx, const struct installation *installation)
{
    return path_format(ctx->arena, "%s/first-start", installation->data);
}

static bool is_empty_folder(const char *path)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    bool is_empty = true;
    while (folder != NULL && is_empty && (entry = readdir(folder)) != NULL)
        is_empty = entry->d_name[0] == '.' || strcmp(entry->d_name, "lost+found") == 0;
    if (folder != NULL)
        closedir(folder);
    return is_empty;
}

static enum database look_at_database(struct ctx *ctx, const char *postgres)
{
    if (postgres == NULL)
        return DATABASE_ELSEWHERE;
    if (access(path_format(ctx->arena, "%s/PG_VERSION", postgres), F_OK) == 0)
        return DATABASE_THERE;
    return is_empty_folder(postgres) ? DATABASE_ABSENT : DATABASE_BROKEN;
}

/* Whether the environment has it, under one of its names or as NAME_FILE. */
static bool is_given(struct ctx *ctx, const struct secret *secret)
{
    if (environment_has(secret->name) && environment_source(secret->name) == NULL)
        return true;
    return environment_has(path_format(ctx->arena, "%s_FILE", secret->name)) ||
           (secret->other_name != NULL && environment_has(secret->other_name));
}

/* Its value in the file; STR_NONE: no such line. */
static Str secret_of(Str text, const char *name)
{
    Str line, key, value, found = STR_NONE;
    while (str_next(&text, '\n', &line))
        if (settings_split_line(str_trim(line), &key, &value) && str_eq(key, str_from_z(name)))
            found = value;
    return found;
}

/* The names that neither the environment nor the file has, comma-separated; empty: none. */
static Str missing_names(struct ctx *ctx, Str text)
{
    Str names = STR("");
    for (size_t i = 0; i < SECRET_COUNT; i++)
        if (!is_given(ctx, &SECRETS[i]) && secret_of(text, SECRETS[i].name).len == 0)
            names = str_printf(ctx->arena, "%.*s%s%s", STR_FMT(names), names.len > 0 ? ", " : "",
                               SECRETS[i].name);
    return names;
}

/* A truncated file still has its last line, but shorter. */
static Err check_lengths(struct ctx *ctx, const char *path, Str text)
{
    for (size_t i = 0; i < SECRET_COUNT; i++) {
        Str value = secret_of(text, SECRETS[i].name);
        if (value.len > 0 && value.len < SECRETS[i].min && !is_given(ctx, &SECRETS[i]))
            return fail(ctx, ERR_CONFIG,
                        "%s gives %s %zu characters of at least %zu: it was cut off or changed; "
                        "restore it from a backup",
                        path, SECRETS[i].name, value.len, SECRETS[i].min);
    }
    return OK;
}

static Err check_mode(struct ctx *ctx, const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return errno == ENOENT ? OK
                               : fail(ctx, ERR_CONFIG, "cannot read %s: %s", path, strerror(errno));
    if (!S_ISREG(info.st_mode))
        return fail(ctx, ERR_CONFIG, "%s should be a file; move it away", path);
    if ((info.st_mode & 0077) != 0)
        return fail(ctx, ERR_CONFIG,
                    "%s holds secrets and others may read or write it (mode %04o): chmod 600 %s",
                    path, (unsigned)(info.st_mode & 07777), path);
    return OK;
}

/* Reads secrets.env; STR_NONE: no file; an empty file gives an empty text. */
static Err read_secrets(struct ctx *ctx, const char *path, Str *ret)
{
    TRY(check_mode(ctx, path));
    Err err = environment_text(ctx, path, ret);
    if (err != ERR_NOT_FOUND)
        return err;
    diag_clear(ctx);
    *ret = STR_NONE;
    return OK;
}

static Err refuse_lost_secrets(struct ctx *ctx, const char *path, const char *state, Str names)
{
    return fail(
        ctx, ERR_CONFIG,
        "%s %s: restore it from a backup, set %.*s in the environment, or let "
        "`spark up --new-secrets` make new ones. Then ADMIN_TOKEN changes, all users must log in "
        "again, and the stored secrets of sites must be entered again",
        path, state, STR_FMT(names));
}

static Err check_secrets(struct ctx *ctx, const struct installation *installation, Str text,
                         enum database database)
{
    const char *path = secrets_path(ctx, installation);
    Str names = missing_names(ctx, text);
    TRY(check_lengths(ctx, path, text));
    if (names.len == 0 || installation->may_make_secrets)
        return OK;
    if (text.data == NULL && database == DATABASE_THERE)
        return refuse_lost_secrets(ctx, path, "is missing beside an existing database", names);
    if (text.data == NULL)
        return OK; /* nothing exists yet, or nothing of this installation: a first start */
    if (str_trim(text).len == 0)
        return refuse_lost_secrets(ctx, path, "is empty", names);
    const char *state = path_format(ctx->arena, "has no %.*s", STR_FMT(names));
    return refuse_lost_secrets(ctx, path, state, names);
}

/* With an external database, the logs tell whether this folder has been in use. */
static bool was_used(struct ctx *ctx, const struct installation *installation)
{
    return access(path_format(ctx->arena, "%s/log/server.log", installation->data), F_OK) == 0;
}

static Err check_database(struct ctx *ctx, const struct installation *installation, Str secrets,
                          enum database database)
{
    const char *postgres = installation->postgres;
    if (database == DATABASE_BROKEN)
        return fail(
            ctx, ERR_CONFIG,
            "%s has files but no PG_VERSION, so it is not a complete database: restore it from a "
            "backup, or move it away",
            postgres);
    bool had_one = secrets.len > 0 || was_used(ctx, installation);
    if (database == DATABASE_ABSENT && had_one && !installation->may_make_database)
        return fail(ctx, ERR_CONFIG,
                    "%s is missing or empty, but this installation had a database: restore or "
                    "mount it, set DATABASE_URL if it is elsewhere, or let `spark up "
                    "--new-database` begin with an empty one",
                    postgres);
    return OK;
}

Err installation_check(struct ctx *ctx, struct installation *installation, bool needs_secrets)
{
    assert(installation->data != NULL);
    enum database database = look_at_database(ctx, installation->postgres);
    Str secrets;
    TRY(read_secrets(ctx, secrets_path(ctx, installation), &secrets));
    const char *marker = marker_path(ctx, installation);
    installation->is_first_start = database != DATABASE_ELSEWHERE && access(marker, F_OK) == 0;
    if (database == DATABASE_BROKEN || !installation->is_first_start)
        TRY(check_database(ctx, installation, secrets, database));
    if (needs_secrets && !installation->is_first_start) {
        bool is_used = database == DATABASE_ELSEWHERE && was_used(ctx, installation);
        TRY(check_secrets(ctx, installation, secrets, is_used ? DATABASE_THERE : database));
    }
    if (database != DATABASE_ABSENT || installation->is_first_start)
        return OK;
    installation->is_first_start = true;
    return environment_write(ctx, marker, STR("The first start here has not made its database.\n"));
}

static void make_secret(struct ctx *ctx, struct buf *added, const struct secret *secret,
                        const char *path)
{
    if (environment_has(secret->name) ||
        environment_has(path_format(ctx->arena, "%s_FILE", secret->name)))
        return;
    Str text = random_token(ctx->arena, secret->length);
    environment_set(secret->name, str_z(ctx->arena, text), path);
    buf_printf(added, "%s=%.*s\n", secret->name, STR_FMT(text));
}

Err installation_secrets(struct ctx *ctx, const struct installation *installation, bool *ret_made)
{
    const char *path = secrets_path(ctx, installation);
    for (size_t i = 0; i < SECRET_COUNT; i++) {
        const char *other = SECRETS[i].other_name;
        const char *value = other != NULL && environment_has(other) ? getenv(other) : NULL;
        if (value != NULL && !environment_has(SECRETS[i].name))
            setenv(SECRETS[i].name, value, 1);
    }
    TRY(environment_read(ctx, path));
    struct buf *added = buf_in_arena(ctx->arena, SECRETS_MAX);
    for (size_t i = 0; i < SECRET_COUNT; i++)
        make_secret(ctx, added, &SECRETS[i], path);
    *ret_made = buf_str(added).len > 0;
    if (!*ret_made)
        return OK;

    Str before;
    TRY(read_secrets(ctx, path, &before));
    if (str_trim(before).len == 0)
        before = STR("# Made by the first `spark up`. What the environment sets wins over this.\n");
    const char *gap = str_ends_with(before, STR("\n")) ? "" : "\n";
    Str after = str_printf(ctx->arena, "%.*s%s%.*s", STR_FMT(before), gap, STR_FMT(buf_str(added)));
    return environment_write(ctx, path, after);
}

Err installation_complete(struct ctx *ctx, const struct installation *installation)
{
    const char *marker = marker_path(ctx, installation);
    if (installation->is_first_start && unlink(marker) != 0 && errno != ENOENT)
        return fail(ctx, ERR_CONFIG, "cannot remove %s: %s", marker, strerror(errno));
    return OK;
}
