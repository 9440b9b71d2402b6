#include "cli/backends/embedded_postgres.h"

#include "base/memory/array.h"
#include "base/system/clock.h"
#include "base/text/buf.h"
#include "cli/backends/leakproof.h"
#include "cli/backends/sync_postgres.h"
#include "cli/places/environment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    VERSION_MIN = 15,
    VERSION_NONE = 0,
    STOP_S = 60,
    INIT_S = 180,
    START_S = 300, /* crash recovery may take minutes; an exit is detected immediately */
    CONFIG_MAX = 8192,
    LAUNCHES_MAX = 3,
};

static const char *const PROGRAMS_ROOT = "/usr/lib/postgresql";

static bool has_program(struct arena *arena, const char *folder, const char *program)
{
    return access(path_format(arena, "%s/%s", folder, program), X_OK) == 0;
}

/* The programs of one version, or of the newest if `wanted` is VERSION_NONE. */
static const char *find_packaged(struct arena *arena, int wanted, int *ret_version)
{
    const char *found = NULL;
    DIR *root = opendir(PROGRAMS_ROOT);
    struct dirent *entry;
    while (root != NULL && (entry = readdir(root)) != NULL) {
        int64_t version;
        if (!str_to_i64(str_from_z(entry->d_name), &version) || version < VERSION_MIN)
            continue;
        if (wanted != VERSION_NONE ? version != wanted : version <= *ret_version)
            continue;
        const char *bin = path_format(arena, "%s/%s/bin", PROGRAMS_ROOT, entry->d_name);
        if (has_program(arena, bin, "postgres") && has_program(arena, bin, "initdb")) {
            found = bin;
            *ret_version = (int)version;
        }
    }
    if (root != NULL)
        closedir(root);
    return found;
}

/* "postgres (PostgreSQL) 15.18" → 15 */
static int ask_version(struct arena *arena, const char *programs)
{
    const char *command = path_format(arena, "'%s/postgres' --version", programs);
    FILE *pipe = popen(command, "re");
    int version = VERSION_NONE;
    char line[256];
    if (pipe != NULL && fgets(line, sizeof(line), pipe) != NULL) {
        Str rest = str_from_z(line);
        ptrdiff_t bracket = str_find(rest, STR(") "));
        int64_t number;
        Str major = str_slice(rest, bracket >= 0 ? (size_t)bracket + 2 : rest.len, rest.len);
        Str first;
        if (str_next(&major, '.', &first) && str_to_i64(str_trim(first), &number))
            version = (int)number;
    }
    if (pipe != NULL)
        pclose(pipe);
    return version;
}

static const char *find_on_path(struct arena *arena, int wanted, int *ret_version)
{
    Str rest = str_from_z(getenv("PATH"));
    Str part;
    while (str_next(&rest, ':', &part)) {
        const char *bin = path_format(arena, "%.*s", STR_FMT(part));
        if (!has_program(arena, bin, "postgres") || !has_program(arena, bin, "initdb"))
            continue;
        int version = ask_version(arena, bin);
        if (version >= VERSION_MIN && (wanted == VERSION_NONE || version == wanted)) {
            *ret_version = version;
            return bin;
        }
    }
    return NULL;
}

/* The version that created the data; VERSION_NONE if there is none. */
static int read_data_version(struct arena *arena, const char *folder)
{
    FILE *file = fopen(path_format(arena, "%s/PG_VERSION", folder), "re");
    char line[16];
    int64_t version = VERSION_NONE;
    if (file != NULL && fgets(line, sizeof(line), file) != NULL)
        str_to_i64(str_trim(str_from_z(line)), &version);
    if (file != NULL)
        fclose(file);
    return (int)version;
}

static Err find_programs(struct ctx *ctx, struct embedded_postgres *postgres)
{
    int wanted = read_data_version(ctx->arena, postgres->folder);
    int version = VERSION_NONE;
    postgres->programs = find_packaged(ctx->arena, wanted, &version);
    if (postgres->programs == NULL)
        postgres->programs = find_on_path(ctx->arena, wanted, &version);
    if (postgres->programs != NULL)
        return OK;
    if (wanted == VERSION_NONE)
        return fail(ctx, ERR_CONFIG,
                    "no PostgreSQL %d or newer is installed: run tools/install.sh, or name a "
                    "server with DATABASE_URL",
                    VERSION_MIN);
    return fail(ctx, ERR_CONFIG,
                "%s was made by PostgreSQL %d, which is not installed: install postgresql-%d, or "
                "move its contents with pg_upgrade or pg_dump to a newer one",
                postgres->folder, wanted, wanted);
}

static int64_t read_pid(const char *path)
{
    char line[32];
    int64_t pid = 0;
    FILE *file = fopen(path, "re");
    if (file != NULL && fgets(line, sizeof(line), file) != NULL)
        str_to_i64(str_trim(str_from_z(line)), &pid);
    if (file != NULL)
        fclose(file);
    return pid;
}

/*
 * This process holds the lock of the data folder, so a server that runs on it belongs to a
 * supervisor that was killed: stop it. A pid file whose process is not a PostgreSQL in this folder
 * is stale; delete it, because PostgreSQL would trust it if another process has that pid now.
 */
static Err clear_stray(struct ctx *ctx, const struct embedded_postgres *postgres)
{
    const char *pid_file = path_format(ctx->arena, "%s/postmaster.pid", postgres->folder);
    pid_t pid = (pid_t)read_pid(pid_file);
    if (pid > 0 && process_is(pid, "postgres", postgres->folder) &&
        !process_stop_stray(pid, EMBEDDED_POSTGRES_STOP, STOP_S * SECOND_US))
        return fail(ctx, ERR_CONFIG,
                    "a PostgreSQL of an earlier start (process %d) does not end: stop it by hand",
                    (int)pid);
    unlink(pid_file);
    unlink(path_format(ctx->arena, "%s/.s.PGSQL.5432", postgres->places->sockets));
    unlink(path_format(ctx->arena, "%s/.s.PGSQL.5432.lock", postgres->places->sockets));
    return OK;
}

/* Created in a temporary folder and renamed, so that an interrupted start leaves nothing
 * incomplete. */
static Err make_cluster(struct ctx *ctx, struct embedded_postgres *postgres)
{
    if (read_data_version(ctx->arena, postgres->folder) != VERSION_NONE)
        return OK;

    const char *draft = path_format(ctx->arena, "%s.new", postgres->folder);
    const char *clear[] = {"/bin/rm", "-rf", draft, NULL};
    struct process_spec rm = {.argv = clear, .log_path = postgres->log};
    TRY(process_run(ctx, &rm, INIT_S * SECOND_US));
    TRY(places_make_owned(ctx, postgres->places, draft));

    const char *initdb[] = {path_format(ctx->arena, "%s/initdb", postgres->programs),
                            "--pgdata",
                            draft,
                            "--username=postgres",
                            "--encoding=UTF8",
                            "--locale=C.UTF-8",
                            "--auth-local=trust",
                            "--auth-host=reject",
                            "--data-checksums",
                            "--no-instructions",
                            NULL};
    struct process_spec spec = {.argv = initdb,
                                .user = &postgres->places->user,
                                .log_path = postgres->log,
                                .death_signal = SIGKILL,
                                .has_clean_environment = true};
    TRY(process_run(ctx, &spec, INIT_S * SECOND_US));
    if (rename(draft, postgres->folder) != 0)
        return fail(ctx, ERR_CONFIG, "cannot rename %s: %s", draft, strerror(errno));
    postgres->is_new = true;
    return OK;
}

/* Written at each start, so that an upgrade can change it; local.conf belongs to the operator. */
static Str configuration(struct ctx *ctx, const struct embedded_postgres *postgres)
{
    static const char *const lines[] = {
        "# Written at each start of spark up. Your own settings go to local.conf beside it.",
        "listen_addresses = ''",
        "unix_socket_permissions = 0700",
        "dynamic_shared_memory_type = mmap", /* no /dev/shm */
        "max_connections = 200",             /* server and workers: lanes of two roles each */
        "shared_buffers = 128MB",
        "effective_cache_size = 512MB",
        "huge_pages = off",
        "random_page_cost = 1.1",
        "jit = off", /* statements are short */
        "fsync = on",
        "synchronous_commit = on",
        "full_page_writes = on",
        "wal_buffers = 16MB", /* one WAL segment: with less, bulk writers waited for each other */
        "wal_compression = lz4",
        "default_toast_compression = lz4",
        "min_wal_size = 80MB",
        "max_wal_size = 2GB",
        "checkpoint_timeout = 10min",
        "max_locks_per_transaction = 256", /* monthly partitions */
        "autovacuum_naptime = 5s",         /* tables that grow quickly need statistics soon */
        "timezone = 'UTC'",
        "log_timezone = 'UTC'",
        "log_min_messages = warning",
        "log_line_prefix = '%m [%p] %q%u@%d '",
        "cluster_name = 'spark'",
        "include_if_exists = 'local.conf'",
    };
    struct buf *text = buf_in_arena(ctx->arena, CONFIG_MAX);
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        buf_printf(text, "%s\n", lines[i]);
    buf_printf(text, "unix_socket_directories = '%s'\n", postgres->places->sockets);
    return buf_str(text);
}

static Err write_owned(struct ctx *ctx, const struct embedded_postgres *postgres, const char *name,
                       Str text)
{
    const char *path = path_format(ctx->arena, "%s/%s", postgres->folder, name);
    const struct service_user *user = &postgres->places->user;
    TRY(environment_write(ctx, path, text));
    if (user->is_other && lchown(path, user->uid, user->gid) != 0)
        return fail(ctx, ERR_CONFIG, "cannot change the owner of %s to %s: %s", path, user->name,
                    strerror(errno));
    return OK;
}

static Err configure(struct ctx *ctx, const struct embedded_postgres *postgres)
{
    TRY(write_owned(ctx, postgres, "postgresql.conf", configuration(ctx, postgres)));
    /* Only this user and root can enter the socket's folder (0700). */
    return write_owned(ctx, postgres, "pg_hba.conf", STR("local all all trust\n"));
}

Err embedded_postgres_launch(struct ctx *ctx, const struct embedded_postgres *postgres,
                             pid_t *ret_pid)
{
    const char *argv[] = {path_format(ctx->arena, "%s/postgres", postgres->programs), "-D",
                          postgres->folder, NULL};
    struct process_spec spec = {.argv = argv,
                                .user = &postgres->places->user,
                                .log_path = postgres->log,
                                .death_signal = EMBEDDED_POSTGRES_STOP,
                                .has_clean_environment = true};
    return process_start(ctx, &spec, ret_pid);
}

/* Waits until it answers; false if it exits. */
static bool wait_ready(const struct embedded_postgres *postgres, pid_t pid)
{
    int64_t end_us = clock_now_us() + START_S * SECOND_US;
    int status;
    while (clock_now_us() < end_us) {
        if (sync_postgres_ping(postgres->admin_url))
            return true;
        if (process_wait(pid, 20 * MS_US, &status))
            return false;
    }
    process_stop(pid, SIGQUIT, SECOND_US);
    return false;
}

/* Retries, because backends that outlive a killed postmaster hold its shared memory for a
 * moment. */
static Err launch_and_wait(struct ctx *ctx, const struct embedded_postgres *postgres,
                           pid_t *ret_pid)
{
    int64_t log_from = 0;
    for (int i = 0; i < LAUNCHES_MAX; i++) {
        if (i > 0)
            nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
        log_from = process_log_size(postgres->log);
        TRY(embedded_postgres_launch(ctx, postgres, ret_pid));
        if (wait_ready(postgres, *ret_pid))
            return OK;
    }
    Str error = process_log_error(ctx, postgres->log, log_from);
    return fail(ctx, ERR_CONFIG, "PostgreSQL does not start: %.*s (its log: %s)", STR_FMT(error),
                postgres->log);
}

/* Creates the role and the database that everything else uses; the role owns the database but is
 * not a superuser. */
static Err make_database(struct ctx *ctx, struct embedded_postgres *postgres)
{
    struct sync_postgres *admin;
    struct sync_rows rows;
    TRY(sync_postgres_open(ctx, postgres->admin_url, &admin));
    postgres->version = sync_postgres_version(admin);

    TRY(sync_postgres_query(ctx, admin, "select from pg_roles where rolname = 'spark'", NULL, 0,
                            &rows));
    if (rows.count == 0)
        TRY(sync_postgres_query(ctx, admin, "create role spark login createrole createdb", NULL, 0,
                                NULL));
    /* the default contains "$user", and there is a schema with that name */
    TRY(sync_postgres_query(ctx, admin, "alter role spark set search_path = public", NULL, 0,
                            NULL));
    TRY(sync_postgres_query(ctx, admin, "select from pg_database where datname = 'spark'", NULL, 0,
                            &rows));
    if (rows.count == 0)
        TRY(sync_postgres_query(ctx, admin, "create database spark owner spark", NULL, 0, NULL));
    sync_postgres_close(admin);
    return OK;
}

/* Runs at each start, because a restored dump has no LEAKPROOF marks. Everything works without the
 * extensions except trigram indexes; spark doctor reports this. */
static Err prepare_database(struct ctx *ctx, const struct embedded_postgres *postgres)
{
    struct sync_postgres *admin;
    const char *url =
        path_format(ctx->arena, "postgresql://postgres@/spark?host=%s", postgres->places->sockets);
    TRY(sync_postgres_open(ctx, url, &admin));
    TRY(leakproof_mark(ctx, admin));
    if (trigram_install(ctx, admin) != OK)
        diag_clear(ctx);
    sync_postgres_close(admin);
    return OK;
}

Err embedded_postgres_start(struct ctx *ctx, const struct places *places,
                            struct embedded_postgres *ret, pid_t *ret_pid)
{
    struct embedded_postgres postgres = {.places = places};
    postgres.folder = path_format(ctx->arena, "%s/postgres", places->store);
    postgres.log = path_format(ctx->arena, "%s/postgres.log", places->log);
    postgres.url = path_format(ctx->arena, "postgresql://spark@/spark?host=%s", places->sockets);
    postgres.admin_url =
        path_format(ctx->arena, "postgresql://postgres@/postgres?host=%s", places->sockets);

    TRY(find_programs(ctx, &postgres));
    TRY(clear_stray(ctx, &postgres));
    TRY(make_cluster(ctx, &postgres));
    TRY(configure(ctx, &postgres));
    TRY(launch_and_wait(ctx, &postgres, ret_pid));
    TRY(make_database(ctx, &postgres));
    TRY(prepare_database(ctx, &postgres));
    *ret = postgres;
    return OK;
}
