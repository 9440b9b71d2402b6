#include "cli/environment.h"

#include "base/buf.h"
#include "base/crypto.h"
#include "cli/places.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 65536, SECRET_LENGTH = 43, TOKEN_LENGTH = 32, PASSWORD_LENGTH = 20 };

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0';
}

static Err read_text(struct ctx *ctx, const char *path, Str *ret)
{
    *ret = STR_NONE;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? OK
                               : fail(ctx, ERR_CONFIG, "cannot read %s: %s", path, strerror(errno));
    char *text = arena_alloc(ctx->arena, FILE_BYTES_MAX);
    ssize_t length = read(fd, text, FILE_BYTES_MAX);
    close(fd);
    if (length < 0 || length == FILE_BYTES_MAX)
        return fail(ctx, ERR_CONFIG, "%s is no file of NAME=value lines below 64 KiB", path);
    *ret = str_of(text, (size_t)length);
    return OK;
}

Err environment_read(struct ctx *ctx, const char *path)
{
    Str text, line;
    TRY(read_text(ctx, path, &text));
    for (int number = 1; str_next(&text, '\n', &line); number++) {
        line = str_trim(line);
        if (line.len == 0 || line.data[0] == '#')
            continue;
        ptrdiff_t equals = str_find_char(line, '=');
        if (equals <= 0)
            return fail(ctx, ERR_CONFIG, "%s:%d: expected NAME=value", path, number);
        const char *name = str_z(ctx->arena, str_trim(str_slice(line, 0, (size_t)equals)));
        Str value = str_trim(str_slice(line, (size_t)equals + 1, line.len));
        if (!is_set(name))
            setenv(name, str_z(ctx->arena, value), 1);
    }
    return OK;
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

Err environment_write(struct ctx *ctx, const char *path, Str text)
{
    const char *draft = path_format(ctx->arena, "%s.new", path);
    unlink(draft);
    int fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool is_written = fd >= 0 && write_all(fd, text);
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (!is_written || rename(draft, path) != 0)
        return fail(ctx, ERR_CONFIG, "cannot write %s: %s", path,
                    strerror(is_written ? errno : error));
    return OK;
}

/* One secret: from where it is, or made. */
static void make_secret(struct ctx *ctx, struct buf *added, const char *name, size_t length)
{
    if (is_set(name))
        return;
    Str secret = random_token(ctx->arena, length);
    setenv(name, str_z(ctx->arena, secret), 1);
    buf_printf(added, "%s=%.*s\n", name, STR_FMT(secret));
}

Err environment_make_secrets(struct ctx *ctx, const char *path, bool *ret_made)
{
    const char *other_name = getenv("DIRECTUS_ADMIN_TOKEN");
    if (!is_set("ADMIN_TOKEN") && other_name != NULL && other_name[0] != '\0')
        setenv("ADMIN_TOKEN", other_name, 1);
    TRY(environment_read(ctx, path));

    struct buf *added = buf_in_arena(ctx->arena, FILE_BYTES_MAX);
    make_secret(ctx, added, "ADMIN_TOKEN", TOKEN_LENGTH);
    make_secret(ctx, added, "ADMIN_PASSWORD", PASSWORD_LENGTH);
    make_secret(ctx, added, "SECRET", SECRET_LENGTH);
    *ret_made = buf_str(added).len > 0;
    if (!*ret_made)
        return OK;

    Str before;
    TRY(read_text(ctx, path, &before));
    if (before.len == 0)
        before = STR("# Made by the first `spark up`. What the environment sets wins over this.\n");
    Str after = str_printf(ctx->arena, "%.*s%.*s", STR_FMT(before), STR_FMT(buf_str(added)));
    return environment_write(ctx, path, after);
}

Err environment_of_running(struct ctx *ctx)
{
    if (is_set("DATABASE_URL"))
        return OK;
    const char *data = places_data(ctx->arena, STR_NONE);
    TRY(environment_read(ctx, path_format(ctx->arena, "%s/run/addresses.env", data)));
    return environment_read(ctx, path_format(ctx->arena, "%s/secrets.env", data));
}
