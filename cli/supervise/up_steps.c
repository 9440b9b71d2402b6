#include "cli/supervise/up_steps.h"

#include "base/memory/array.h"
#include "base/system/clock.h"
#include "base/text/buf.h"
#include "cli/backends/probe.h"
#include "cli/backends/seals.h"
#include "cli/places/environment.h"
#include "cli/supervise/fresh_install.h"
#include "io/pg/db_wait.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    LOG_BYTES_MAX = 16 << 20,
    ADDRESSES_MAX = 1 << 20,
    MIGRATE_S = 3600,
    MARGIN_S = 5,
    PREDECESSOR_S = 5,
};

static bool is_embedded(const char *name)
{
    return !environment_has(name);
}

/* Rotates large logs; keeps one older file of each. */
static void rotate_logs(struct up *up)
{
    static const char *const names[] = {"postgres", "redis", "server", "migrate"};
    struct arena *arena = up->ctx->arena;
    uint32_t count = COUNT_OF(names);
    for (uint32_t i = 0; i < count + 64; i++) {
        const char *path =
            i < count ? path_format(arena, "%s/%s.log", up->places.log, names[i])
                      : path_format(arena, "%s/worker-%u.log", up->places.log, i - count + 1);
        struct stat info;
        if (stat(path, &info) == 0 && info.st_size > LOG_BYTES_MAX)
            rename(path, path_format(arena, "%s.1", path));
    }
}

static Err read_settings(struct up *up)
{
    Err err = settings_load(up->ctx, STR_NONE, &up->settings);
    up->is_misused = err != OK;
    return err;
}

/* A killed predecessor leaves its addresses behind, and its server may still be stopping. */
static Err take_port(struct up *up)
{
    struct arena *arena = up->ctx->arena;
    const char *host = str_z(arena, up->settings.host);
    bool was_killed = access(path_format(arena, "%s/addresses.env", up->places.run), F_OK) == 0;
    int64_t end_us = clock_now_us() + (was_killed ? PREDECESSOR_S * SECOND_US : 0);
    Err err;
    while ((err = probe_listen(up->ctx, host, up->settings.port, &up->settings.port)) ==
               ERR_CONFLICT &&
           clock_now_us() < end_us)
        nanosleep(&(struct timespec){.tv_nsec = 50 * 1000 * 1000}, NULL);
    up->is_misused = err == ERR_CONFIG;
    TRY(err);
    setenv("PORT", path_format(arena, "%d", (int)up->settings.port), 1);
    diag_clear(up->ctx);
    return OK;
}

static Err check_installation(struct up *up)
{
    struct ctx *ctx = up->ctx;
    bool needs_postgres = is_embedded("DATABASE_URL");
    if (needs_postgres || is_embedded("REDIS_URL"))
        TRY(places_make_store(ctx, &up->places));
    up->installation.data = up->places.data;
    if (needs_postgres)
        up->installation.postgres = path_format(ctx->arena, "%s/postgres", up->places.store);
    TRY(installation_check(ctx, &up->installation, !up->has_backends_only));
    return up->has_backends_only
               ? OK
               : installation_secrets(ctx, &up->installation, &up->has_new_secrets);
}

Err up_prepare(struct up *up, Str data)
{
    struct ctx *ctx = up->ctx;
    TRY(read_settings(up));
    TRY(places_make(ctx, data, &up->places));
    TRY(places_lock(ctx, &up->places));
    rotate_logs(up);
    setenv("SPARK_DATA", up->places.data, 1);
    if (!up->has_backends_only)
        TRY(take_port(up));
    TRY(check_installation(up));
    TRY(read_settings(up));

    up->supervisor = (struct supervisor){
        .ctx = ctx,
        .say = &up->say,
        .places = &up->places,
        .self = places_self(ctx->arena),
        .drain_us = (up->settings.worker_drain_s + MARGIN_S) * SECOND_US,
    };
    return OK;
}

static Err start_postgres(struct up *up)
{
    struct embedded_postgres *postgres = &up->supervisor.postgres;
    int64_t started_us = clock_now_us();
    pid_t pid;
    TRY(embedded_postgres_start(up->ctx, &up->places, postgres, &pid));
    supervisor_adopt(&up->supervisor, CHILD_POSTGRES, pid);
    TRY(installation_complete(up->ctx, &up->installation));
    setenv("DATABASE_URL", postgres->url, 1);
    say_done(&up->say, started_us, "PostgreSQL %d.%d%s", postgres->version / 10000,
             postgres->version % 10000, postgres->is_new ? ", new database" : "");
    return OK;
}

static Err start_redis(struct up *up)
{
    struct embedded_redis *redis = &up->supervisor.redis;
    int64_t started_us = clock_now_us();
    pid_t pid;
    TRY(embedded_redis_start(up->ctx, &up->places, redis, &pid));
    supervisor_adopt(&up->supervisor, CHILD_REDIS, pid);
    setenv("REDIS_URL", redis->url, 1);
    supervisor_say_set_aside(&up->say, redis);
    say_done(&up->say, started_us, "Redis %.*s", STR_FMT(redis->version));
    return OK;
}

/* Writes the addresses and every non-default setting, for commands in other terminals. Secrets are
 * not included. */
static Err write_addresses(struct up *up)
{
    struct ctx *ctx = up->ctx;
    const struct setting_info *infos;
    uint32_t count = settings_describe(ctx, STR_NONE, &up->settings, &infos);
    struct buf *text = buf_in_arena(ctx->arena, ADDRESSES_MAX);
    for (uint32_t i = 0; i < count; i++) {
        const char *source = environment_source(infos[i].name);
        bool is_default = infos[i].origin == ORIGIN_DEFAULT ||
                          (source != NULL && strcmp(source, PLACES_SOURCE) == 0);
        if (infos[i].is_secret || is_default || !environment_has(infos[i].name))
            continue;
        Str value = str_from_z(getenv(infos[i].name));
        if (str_find_char(value, '\n') < 0)
            buf_printf(text, "%s=%.*s\n", infos[i].name, STR_FMT(value));
    }
    const char *path = path_format(ctx->arena, "%s/addresses.env", up->places.run);
    return environment_write(ctx, path, buf_str(text));
}

Err up_backends(struct up *up)
{
    bool needs_postgres = is_embedded("DATABASE_URL");
    bool needs_redis = is_embedded("REDIS_URL");
    if (needs_postgres && up->places.store != up->places.data)
        say_line(&up->say, "  the database is in %s, because user %s cannot enter %s",
                 up->places.store, up->places.user.name, up->places.data);
    if (needs_postgres)
        TRY(start_postgres(up));
    if (needs_redis)
        TRY(start_redis(up));
    TRY(read_settings(up));
    return write_addresses(up);
}

static const char *direct_url(const struct up *up)
{
    Str direct = up->settings.database_direct_url;
    if (direct.len == 0)
        direct = up->settings.database_url;
    return str_z(up->ctx->arena, direct);
}

static Err empty_if_asked(struct up *up)
{
    int64_t started_us = clock_now_us();
    bool is_done;
    Str why;
    TRY(fresh_install(up->ctx, direct_url(up), str_from_z(getenv("FORCE_FRESH_INSTALL")), &is_done,
                      &why));
    if (is_done)
        say_done(&up->say, started_us, "emptied the database because of FORCE_FRESH_INSTALL");
    else if (why.len > 0)
        say_line(&up->say, "  %.*s", STR_FMT(why));
    return OK;
}

/* The migrations also wait, but only report it in their log; this one reports it to the user. */
static Err wait_for_database(struct up *up)
{
    if (up->supervisor.postgres.url != NULL)
        return OK;
    int64_t end_us = clock_now_us() + up->settings.startup_timeout_s * SECOND_US;
    return db_wait_reachable(up->ctx, str_from_z(direct_url(up)), end_us);
}

static Err check_seals(struct up *up)
{
    struct seals seals;
    TRY(seals_check(up->ctx, direct_url(up), up->settings.secret, &seals));
    if (seals.closed > 0)
        say_bad(&up->say, "%.*s", STR_FMT(seals_sentence(up->ctx, &seals)));
    return OK;
}

Err up_database(struct up *up)
{
    TRY(wait_for_database(up));
    TRY(empty_if_asked(up));
    int64_t started_us = clock_now_us();
    const char *argv[] = {up->supervisor.self, "migrate", NULL};
    struct process_spec spec = {.argv = argv,
                                .log_path =
                                    path_format(up->ctx->arena, "%s/migrate.log", up->places.log),
                                .death_signal = SIGTERM};
    TRY(process_run(up->ctx, &spec, MIGRATE_S * SECOND_US));
    say_done(&up->say, started_us, "schema is up to date");
    return check_seals(up);
}

/* Waits until it answers. If it dies because of an extension, restarts it without that one. */
static Err wait_for_server(struct up *up, int64_t log_from)
{
    const char *host = str_z(up->ctx->arena, up->settings.host);
    int64_t end_us = clock_now_us() + (up->settings.startup_timeout_s + MARGIN_S) * SECOND_US;
    bool is_there = true;
    int status;
    while (is_there && clock_now_us() < end_us && !supervisor_is_asked_to_stop()) {
        if (probe_server(host, up->settings.port))
            return OK;
        if (process_wait(supervisor_pid(&up->supervisor, CHILD_SERVER), 20 * MS_US, &status))
            TRY(supervisor_server_died(&up->supervisor, status, &is_there));
    }
    if (supervisor_is_asked_to_stop())
        return OK;
    const char *log = path_format(up->ctx->arena, "%s/server.log", up->places.log);
    Str error = process_log_error(up->ctx, log, log_from);
    return fail(up->ctx, ERR_CONFIG, "the server does not start: %.*s (its log: %s)",
                STR_FMT(error), log);
}

Err up_front_ends(struct up *up)
{
    int64_t started_us = clock_now_us();
    const char *host = str_z(up->ctx->arena, up->settings.host);
    if (probe_server(host, up->settings.port))
        return fail(up->ctx, ERR_CONFIG,
                    "another server is already listening on port %d: stop it, or set PORT",
                    (int)up->settings.port);
    int64_t log_from =
        process_log_size(path_format(up->ctx->arena, "%s/server.log", up->places.log));
    TRY(supervisor_start(&up->supervisor, CHILD_SERVER, 0));
    for (uint32_t slot = 1; slot <= up->settings.workers; slot++)
        TRY(supervisor_start(&up->supervisor, CHILD_WORKER, slot));
    TRY(wait_for_server(up, log_from));
    say_done(&up->say, started_us, "server and %d worker%s", (int)up->settings.workers,
             up->settings.workers == 1 ? "" : "s");
    return OK;
}
