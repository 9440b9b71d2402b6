#include "cli/backends/set_aside.h"

#include "base/system/clock.h"
#include "cli/places/places.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { REMOVE_S = 600, NAMES_MAX = 1000 };

static const char INFIX[] = ".damaged-";

static Err remove_folder(struct ctx *ctx, const char *path)
{
    const char *argv[] = {"/bin/rm", "-rf", "--", path, NULL};
    struct process_spec rm = {.argv = argv};
    return process_run(ctx, &rm, REMOVE_S * SECOND_US);
}

/* Names in the same second get a number. */
static const char *free_name(struct arena *arena, const char *folder)
{
    char stamp[32];
    time_t now = (time_t)(clock_wall_us() / SECOND_US);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &utc);
    const char *name = path_format(arena, "%s%s%s", folder, INFIX, stamp);
    for (int i = 2; access(name, F_OK) == 0; i++)
        name = path_format(arena, "%s%s%s-%d", folder, INFIX, stamp, i);
    return name;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The suffix of the names is the time: sorting by name sorts by age. */
static Err remove_oldest(struct ctx *ctx, const char *folder)
{
    const char *slash = strrchr(folder, '/');
    assert(slash != NULL);
    const char *parent = str_z(ctx->arena, str_of(folder, (size_t)(slash - folder) + 1));
    Str prefix = str_from_z(path_format(ctx->arena, "%s%s", slash + 1, INFIX));
    const char **names = arena_array(ctx->arena, const char *, NAMES_MAX);
    size_t count = 0;
    DIR *listing = opendir(parent);
    const struct dirent *entry;
    while (listing != NULL && count < NAMES_MAX && (entry = readdir(listing)) != NULL)
        if (str_starts_with(str_from_z(entry->d_name), prefix))
            names[count++] = path_format(ctx->arena, "%s%s", parent, entry->d_name);
    if (listing != NULL)
        closedir(listing);
    qsort(names, count, sizeof *names, by_name);
    for (size_t i = 0; i + SET_ASIDE_KEPT < count; i++)
        TRY(remove_folder(ctx, names[i]));
    return OK;
}

Err set_aside(struct ctx *ctx, const char *folder, const char **ret)
{
    const char *name = free_name(ctx->arena, folder);
    if (rename(folder, name) != 0)
        return fail(ctx, ERR_CONFIG, "cannot rename %s: %s", folder, strerror(errno));
    *ret = name;
    return remove_oldest(ctx, folder);
}

Err set_aside_undo(struct ctx *ctx, const char *folder, const char *aside)
{
    TRY(remove_folder(ctx, folder));
    if (rename(aside, folder) != 0)
        return fail(ctx, ERR_CONFIG, "cannot rename %s: %s", aside, strerror(errno));
    return OK;
}
