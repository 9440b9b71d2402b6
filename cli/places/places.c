#include "cli/places/places.h"

#include "base/memory/array.h"
#include "base/system/clock.h"
#include "cli/places/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SOCKETS_PATH_MAX = 75 }; /* with "/.s.PGSQL.5432" below 90 */

const char *path_format(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    Str path = str_vprintf(arena, format, args);
    va_end(args);
    return str_z(arena, path);
}

/* mkdir -p */
static Err make_folders(struct ctx *ctx, const char *path, mode_t mode)
{
    char *partial = str_z(ctx->arena, str_from_z(path));
    for (char *c = partial + 1;; c++) {
        if (*c != '/' && *c != '\0')
            continue;
        char kept = *c;
        *c = '\0';
        if (mkdir(partial, mode) != 0 && errno != EEXIST)
            return fail(ctx, ERR_CONFIG, "cannot create %s: %s", partial, strerror(errno));
        *c = kept;
        if (kept == '\0')
            return OK;
    }
}

/* PostgreSQL refuses to run as root, so use the package's user. */
static Err find_service_user(struct ctx *ctx, struct service_user *ret)
{
    if (geteuid() != 0) {
        *ret = (struct service_user){.uid = geteuid(), .gid = getegid(), .name = "you"};
        return OK;
    }
    static const char *const candidates[] = {"postgres", "nobody"};
    for (size_t i = 0; i < COUNT_OF(candidates); i++) {
        const struct passwd *entry = getpwnam(candidates[i]);
        if (entry != NULL && entry->pw_uid != 0) {
            *ret = (struct service_user){.uid = entry->pw_uid,
                                         .gid = entry->pw_gid,
                                         .name = candidates[i],
                                         .is_other = true};
            return OK;
        }
    }
    return fail(ctx, ERR_CONFIG,
                "spark runs as root, and there is no user postgres or nobody to run PostgreSQL as");
}

/* Checked as that user, because only the kernel knows all conditions (modes, ACLs, mounts). */
static bool user_can_enter(const struct service_user *user, const char *path)
{
    if (!user->is_other)
        return true;
    pid_t pid = fork();
    if (pid == 0) {
        bool is_user = setgroups(0, NULL) == 0 && setgid(user->gid) == 0 && setuid(user->uid) == 0;
        _exit(is_user && chdir(path) == 0 ? 0 : 1);
    }
    int status;
    return pid > 0 && process_wait(pid, 10 * SECOND_US, &status) && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

static bool exists(struct arena *arena, const char *folder, const char *name)
{
    return access(path_format(arena, "%s/%s", folder, name), F_OK) == 0;
}

/* STORE is DATA, or /var/lib/spark/<hash> if the service user cannot access DATA. The choice is
 * permanent. */
static Err find_store(struct ctx *ctx, struct places *places)
{
    Str data = str_from_z(places->data);
    const char *other = path_format(ctx->arena, "/var/lib/spark/%016llx",
                                    (unsigned long long)str_hash_stable(data));
    places->store = places->data;
    if (!places->user.is_other)
        return OK;

    bool is_here = exists(ctx->arena, places->data, "postgres");
    bool is_moved = exists(ctx->arena, other, "postgres");
    if (!is_moved && user_can_enter(&places->user, places->data))
        return OK;
    if (is_here && !is_moved)
        return fail(ctx, ERR_CONFIG,
                    "the user %s can no longer enter %s, which holds its database: restore "
                    "the permission (chmod o+x on the folders above)",
                    places->user.name, places->data);
    TRY(make_folders(ctx, other, 0755));
    places->store = other;
    return OK;
}

static Err check_owned(struct ctx *ctx, const struct places *places, const char *path)
{
    struct stat info;
    if (lstat(path, &info) != 0)
        return fail(ctx, ERR_CONFIG, "cannot stat %s: %s", path, strerror(errno));
    if (!S_ISDIR(info.st_mode))
        return fail(ctx, ERR_CONFIG, "%s should be a folder; move it away", path);
    if (info.st_uid != places->user.uid)
        return fail(ctx, ERR_CONFIG,
                    "%s belongs to user %u, not to %s (%u): chown it, or name "
                    "another folder with --data",
                    path, (unsigned)info.st_uid, places->user.name, (unsigned)places->user.uid);
    if ((info.st_mode & 0077) != 0 && chmod(path, 0700) != 0)
        return fail(ctx, ERR_CONFIG, "cannot make %s private: %s", path, strerror(errno));
    return OK;
}

Err places_make_owned(struct ctx *ctx, const struct places *places, const char *path)
{
    if (mkdir(path, 0700) == 0) {
        if (places->user.is_other && chown(path, places->user.uid, places->user.gid) != 0)
            return fail(ctx, ERR_CONFIG, "cannot change the owner of %s to %s: %s", path,
                        places->user.name, strerror(errno));
        return OK;
    }
    if (errno != EEXIST)
        return fail(ctx, ERR_CONFIG, "cannot create %s: %s", path, strerror(errno));
    return check_owned(ctx, places, path);
}

/* The path is stable, so that a restart finds the sockets of a killed predecessor. */
static Err find_sockets(struct ctx *ctx, struct places *places)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    const char *base = "/tmp";
    if (places->user.is_other && access("/run", W_OK) == 0)
        base = "/run";
    else if (runtime != NULL && runtime[0] == '/' && strlen(runtime) < 40 &&
             access(runtime, W_OK) == 0)
        base = runtime;

    uint32_t hash = (uint32_t)str_hash_stable(str_from_z(places->data));
    places->sockets = path_format(ctx->arena, "%s/spark-%u-%08x", base, (unsigned)places->user.uid,
                                  (unsigned)hash);
    if (strlen(places->sockets) > SOCKETS_PATH_MAX)
        return fail(ctx, ERR_CONFIG, "%s is too long for a socket", places->sockets);
    return places_make_owned(ctx, places, places->sockets);
}

const char *places_data(struct arena *arena, Str data)
{
    const char *named = getenv("SPARK_DATA");
    if (data.len > 0)
        return str_z(arena, data);
    return named != NULL && named[0] != '\0' ? named : "var";
}

Err places_make(struct ctx *ctx, Str data, struct places *ret)
{
    struct places places = {0};
    TRY(find_service_user(ctx, &places.user));

    const char *wanted = places_data(ctx->arena, data);
    TRY(make_folders(ctx, wanted, 0755));
    char resolved[PATH_MAX];
    if (realpath(wanted, resolved) == NULL)
        return fail(ctx, ERR_CONFIG, "cannot find %s: %s", wanted, strerror(errno));
    places.data = str_z(ctx->arena, str_from_z(resolved));
    places.log = path_format(ctx->arena, "%s/log", places.data);
    places.run = path_format(ctx->arena, "%s/run", places.data);
    TRY(make_folders(ctx, places.log, 0755));
    TRY(make_folders(ctx, places.run, 0755));
    *ret = places;
    return OK;
}

Err places_make_store(struct ctx *ctx, struct places *places)
{
    TRY(find_store(ctx, places));
    return find_sockets(ctx, places);
}

Err places_lock(struct ctx *ctx, const struct places *places)
{
    const char *path = path_format(ctx->arena, "%s/lock", places->run);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        return fail(ctx, ERR_CONFIG, "cannot open %s: %s", path, strerror(errno));

    /* The kernel releases the lock when the process ends, even by kill -9: a lock cannot be
     * stale. */
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        char pid[16] = "?";
        ssize_t length = pread(fd, pid, sizeof(pid) - 1, 0);
        pid[length > 0 ? length : 1] = '\0';
        close(fd);
        return fail(ctx, ERR_CONFIG,
                    "spark up already runs on %s (process %s): stop it, or name another folder "
                    "with --data",
                    places->data, pid);
    }
    char pid[16];
    int length = snprintf(pid, sizeof(pid), "%d", (int)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, pid, (size_t)length, 0) != length)
        return fail(ctx, ERR_CONFIG, "cannot write %s: %s", path, strerror(errno));
    return OK;
}

const char *places_self(struct arena *arena)
{
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    return str_z(arena, str_of(self, length > 0 ? (size_t)length : 0));
}

static void export_first(struct arena *arena, const char *name, Str folder,
                         const char *const *candidates)
{
    const char *set = getenv(name);
    if (set != NULL && set[0] != '\0')
        return;
    for (; *candidates != NULL; candidates++) {
        const char *path = path_format(arena, "%.*s/%s", STR_FMT(folder), *candidates);
        if (access(path, R_OK | X_OK) == 0) {
            environment_set(name, path, PLACES_SOURCE);
            return;
        }
    }
}

void places_export_defaults(struct arena *arena)
{
    static const char *const extensions[] = {"../extensions", "../lib/spark/extensions", NULL};
    static const char *const pages[] = {"../frontend-static", "../share/spark/frontend-static",
                                        NULL};
    Str self = str_from_z(places_self(arena));
    while (self.len > 0 && self.data[self.len - 1] != '/')
        self.len--;
    if (self.len <= 1)
        return;
    Str folder = str_slice(self, 0, self.len - 1);
    export_first(arena, "EXTENSIONS_PATH", folder, extensions);
    export_first(arena, "STATIC_PATH", folder, pages);
}
