#include "cli/up_steps.h"

#include "base/clock.h"
#include "cli/environment.h"
#include "cli/fresh_install.h"
#include "cli/probe.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { LOG_BYTES_MAX = 16 << 20, MIGRATE_S = 3600, MARGIN_S = 5 };

static bool is_embedded(const char *name)
{
    const char *value = getenv(name);
    return value == NULL || value[0] == '\0';
}

/* One older file is kept of each log that grew large. */
static void rotate_logs(struct up *up)
{
    static const char *const names[] = {"postgres", "redis", "server", "migrate"};
    struct arena *arena = up->ctx->arena;
    uint32_t count = sizeof(names) / sizeof(names[0]);
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
    TRY(settings_load(up->ctx, STR_NONE, &up->settings));
    if (up->settings.port != 0)
        return OK;
    up->settings.port = probe_free_port(str_z(up->ctx->arena, up->settings.host));
    if (up->settings.port == 0)
        return fail(up->ctx, ERR_CONFIG, "HOST %.*s is no address of this machine",
                    STR_FMT(up->settings.host));
    setenv("PORT", path_format(up->ctx->arena, "%d", (int)up->settings.port), 1);
    return OK;
}

Err up_prepare(struct up *up, Str data, Str config, bool needs_secrets)
{
    struct ctx *ctx = up->ctx;
    if (config.len > 0)
        TRY(environment_read(ctx, str_z(ctx->arena, config)));
    TRY(places_make(ctx, data, &up->places));
    TRY(places_lock(ctx, &up->places));
    rotate_logs(up);
    setenv("SPARK_DATA", up->places.data, 1);
    if (needs_secrets)
        TRY(environment_make_secrets(
            ctx, path_format(ctx->arena, "%s/secrets.env", up->places.data), &up->has_new_secrets));
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
    say_done(&up->say, started_us, "Redis %.*s", STR_FMT(redis->version));
    return OK;
}

Err up_backends(struct up *up)
{
    struct ctx *ctx = up->ctx;
    bool needs_postgres = is_embedded("DATABASE_URL");
    bool needs_redis = is_embedded("REDIS_URL");
    if (needs_postgres || needs_redis)
        TRY(places_make_store(ctx, &up->places));
    if (needs_postgres && up->places.store != up->places.data)
        say_line(&up->say, "  the database lies in %s, because user %s cannot enter %s",
                 up->places.store, up->places.user.name, up->places.data);
    if (needs_postgres)
        TRY(start_postgres(up));
    if (needs_redis)
        TRY(start_redis(up));

    /* For operators' commands in another terminal. */
    Str text = str_printf(ctx->arena, "DATABASE_URL=%s\nREDIS_URL=%s\nHOST=%.*s\nPORT=%d\n",
                          getenv("DATABASE_URL"), getenv("REDIS_URL"), STR_FMT(up->settings.host),
                          (int)up->settings.port);
    const char *path = path_format(ctx->arena, "%s/addresses.env", up->places.run);
    TRY(environment_write(ctx, path, text));
    return settings_load(ctx, STR_NONE, &up->settings);
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
        say_done(&up->say, started_us, "emptied the database, as FORCE_FRESH_INSTALL said");
    else if (why.len > 0)
        say_line(&up->say, "  %.*s", STR_FMT(why));
    return OK;
}

Err up_database(struct up *up)
{
    TRY(empty_if_asked(up));
    int64_t started_us = clock_now_us();
    const char *argv[] = {up->supervisor.self, "migrate", NULL};
    struct process_spec spec = {.argv = argv,
                                .log_path =
                                    path_format(up->ctx->arena, "%s/migrate.log", up->places.log),
                                .death_signal = SIGTERM};
    TRY(process_run(up->ctx, &spec, MIGRATE_S * SECOND_US));
    say_done(&up->say, started_us, "schema is up to date");
    return OK;
}

/* Until it answers. One that dies at once of an extension is started again without it. */
static Err wait_for_server(struct up *up)
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
    Str tail = process_log_tail(up->ctx->arena, log);
    return fail(up->ctx, ERR_CONFIG, "the server does not start; the end of %s:\n%.*s", log,
                STR_FMT(tail));
}

Err up_faces(struct up *up)
{
    int64_t started_us = clock_now_us();
    const char *host = str_z(up->ctx->arena, up->settings.host);
    if (probe_server(host, up->settings.port))
        return fail(up->ctx, ERR_CONFIG,
                    "another server already answers on port %d: stop it, or set PORT",
                    (int)up->settings.port);
    TRY(supervisor_start(&up->supervisor, CHILD_SERVER, 0));
    for (uint32_t slot = 1; slot <= up->settings.workers; slot++)
        TRY(supervisor_start(&up->supervisor, CHILD_WORKER, slot));
    TRY(wait_for_server(up));
    say_done(&up->say, started_us, "server and %d worker%s", (int)up->settings.workers,
             up->settings.workers == 1 ? "" : "s");
    return OK;
}
