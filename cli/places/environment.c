#include "cli/places/environment.h"

#include "base/settings/settings_source.h"
#include "cli/places/places.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 65536, SOURCES_MAX = 256 };

/* The file or step that set a name; names that are missing here were in the environment at
 * startup. */
static struct source {
    char *name;
    char *from;
} sources[SOURCES_MAX];
static uint32_t source_count;

bool environment_has(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0';
}

const char *environment_source(const char *name)
{
    for (uint32_t i = 0; i < source_count; i++)
        if (strcmp(sources[i].name, name) == 0)
            return sources[i].from;
    return NULL;
}

static char *keep(const char *text)
{
    char *copy = strdup(text);
    if (copy == NULL)
        abort();
    return copy;
}

void environment_set(const char *name, const char *value, const char *from)
{
    setenv(name, value, 1);
    for (uint32_t i = 0; i < source_count; i++) {
        if (strcmp(sources[i].name, name) != 0)
            continue;
        free(sources[i].from);
        sources[i].from = keep(from);
        return;
    }
    if (source_count < SOURCES_MAX)
        sources[source_count++] = (struct source){keep(name), keep(from)};
}

Err environment_text(struct ctx *ctx, const char *path, Str *ret)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail(ctx, errno == ENOENT ? ERR_NOT_FOUND : ERR_CONFIG, "cannot read %s: %s", path,
                    strerror(errno));
    char *text = arena_alloc(ctx->arena, FILE_BYTES_MAX);
    size_t length = 0;
    ssize_t got = 0;
    while (length < FILE_BYTES_MAX &&
           ((got = read(fd, text + length, FILE_BYTES_MAX - length)) > 0 ||
            (got < 0 && errno == EINTR)))
        length += got > 0 ? (size_t)got : 0;
    int error = errno;
    close(fd);
    if (got < 0)
        return fail(ctx, ERR_CONFIG, "cannot read %s: %s", path, strerror(error));
    if (length == FILE_BYTES_MAX || memchr(text, '\0', length) != NULL)
        return fail(ctx, ERR_CONFIG, "%s is not a file of NAME=value lines of less than 64 KiB",
                    path);
    *ret = str_of(text, length);
    return OK;
}

/* Whether NAME_FILE is set elsewhere than in this file. Both in one file are an error, which
 * settings_load reports. */
static bool has_file_elsewhere(struct ctx *ctx, const char *name, const char *path)
{
    const char *name_of_file = path_format(ctx->arena, "%s_FILE", name);
    const char *from = environment_source(name_of_file);
    return environment_has(name_of_file) && (from == NULL || strcmp(from, path) != 0);
}

/* The environment takes precedence over the file, also with NAME_FILE; of two lines in one file the
 * later one applies, as in a shell. */
static Err take_lines(struct ctx *ctx, const char *path, Str text)
{
    Str line, key, value;
    for (int number = 1; str_next(&text, '\n', &line); number++) {
        line = str_trim(line);
        if (line.len == 0 || line.data[0] == '#')
            continue;
        if (!settings_split_line(line, &key, &value) || key.len == 0)
            return fail(ctx, ERR_CONFIG, "%s:%d: expected NAME=value", path, number);
        const char *name = str_z(ctx->arena, key);
        const char *from = environment_source(name);
        if (has_file_elsewhere(ctx, name, path))
            continue;
        if (!environment_has(name) || (from != NULL && strcmp(from, path) == 0))
            environment_set(name, str_z(ctx->arena, value), path);
    }
    return OK;
}

Err environment_read(struct ctx *ctx, const char *path)
{
    Str text;
    Err err = environment_text(ctx, path, &text);
    if (err == ERR_NOT_FOUND) {
        diag_clear(ctx);
        return OK;
    }
    TRY(err);
    return take_lines(ctx, path, text);
}

Err environment_read_config(struct ctx *ctx, const char *path)
{
    Str text;
    TRY(environment_text(ctx, path, &text));
    return take_lines(ctx, path, text);
}

static bool write_all(int fd, Str text)
{
    while (text.len > 0) {
        ssize_t written = write(fd, text.data, text.len);
        if (written < 0 && errno != EINTR)
            return false;
        if (written > 0)
            text = str_slice(text, (size_t)written, text.len);
    }
    return fsync(fd) == 0;
}

/* A rename is durable only after fsync of its folder. */
static bool sync_folder_of(struct ctx *ctx, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *folder =
        slash == NULL ? "." : str_z(ctx->arena, str_of(path, (size_t)(slash - path) + 1));
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_synced = fd >= 0 && fsync(fd) == 0;
    int error = errno;
    if (fd >= 0)
        close(fd);
    errno = error;
    return is_synced;
}

Err environment_write(struct ctx *ctx, const char *path, Str text)
{
    assert(path[0] != '\0');
    const char *draft = path_format(ctx->arena, "%s.new", path);
    unlink(draft);
    int fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool is_written = fd >= 0 && write_all(fd, text);
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (!is_written || rename(draft, path) != 0 || !sync_folder_of(ctx, path))
        return fail(ctx, ERR_CONFIG, "cannot write %s: %s", path,
                    strerror(is_written ? errno : error));
    return OK;
}

Err environment_of_running(struct ctx *ctx)
{
    if (environment_has("DATABASE_URL"))
        return OK;
    const char *data = places_data(ctx->arena, STR_NONE);
    TRY(environment_read(ctx, path_format(ctx->arena, "%s/run/addresses.env", data)));
    return environment_read(ctx, path_format(ctx->arena, "%s/secrets.env", data));
}
