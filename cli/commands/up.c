#include "base/memory/array.h"
#include "base/system/clock.h"
#include "cli/backends/probe.h"
#include "cli/commands/command.h"
#include "cli/places/environment.h"
#include "cli/supervise/demo.h"
#include "cli/supervise/up_steps.h"

#include <stdlib.h>

int command_up(struct cli *cli, int argc, char **argv);

struct up_flags {
    Str data;
    bool no_demo;
    bool backends_only;
    bool new_secrets;
    bool new_database;
};

static bool read_flags(struct cli *cli, int argc, char **argv, struct up_flags *flags)
{
    const struct option options[] = {
        {.name = "data", .text = &flags->data},
        {.name = "no-demo", .flag = &flags->no_demo},
        {.name = "backends-only", .flag = &flags->backends_only},
        {.name = "new-secrets", .flag = &flags->new_secrets},
        {.name = "new-database", .flag = &flags->new_database},
    };
    return command_options(cli, argc, argv, options, COUNT_OF(options), NULL);
}

/* The machine-readable lines that tests and benchmarks parse. */
static void print_addresses(const struct up *up)
{
    printf("DATABASE_URL=%s\nREDIS_URL=%s\n", getenv("DATABASE_URL"), getenv("REDIS_URL"));
    if (up->supervisor.postgres.admin_url != NULL)
        printf("DATABASE_ADMIN_URL=%s\nPOSTGRES_PID=%d\n", up->supervisor.postgres.admin_url,
               (int)supervisor_pid(&up->supervisor, CHILD_POSTGRES));
    if (up->supervisor.redis.url != NULL)
        printf("REDIS_PID=%d\n", (int)supervisor_pid(&up->supervisor, CHILD_REDIS));
    printf("ready\n");
    fflush(stdout);
}

static void print_welcome(const struct up *up)
{
    struct arena *arena = up->ctx->arena;
    const struct settings *settings = &up->settings;
    const struct say *say = &up->say;
    Str address = probe_address(arena, str_z(arena, settings->host), settings->port);

    say_line(say, "\n  %.*s          the API; its routes: %.*s/admin/api.html", STR_FMT(address),
             STR_FMT(address));
    say_line(say, "  %.*s/admin/   the pages", STR_FMT(address));
    if (up->has_new_secrets) {
        say_line(say, "  admin token     %s", getenv("ADMIN_TOKEN"));
        say_line(say, "  admin login     %.*s  %s", STR_FMT(settings->admin_email),
                 getenv("ADMIN_PASSWORD"));
        say_line(say, "  kept in         %s/secrets.env", up->places.data);
    } else {
        say_line(say, "  secrets         %s/secrets.env", up->places.data);
    }
    say_line(say, "  logs            %s", up->places.log);
    /* Works when pasted. Only the start that generated the token shows it. */
    Str token =
        up->has_new_secrets
            ? str_from_z(getenv("ADMIN_TOKEN"))
            : str_printf(arena, "$(sed -n s/^ADMIN_TOKEN=//p '%s/secrets.env')", up->places.data);
    if (!up->has_new_secrets && environment_source("ADMIN_TOKEN") == NULL)
        token = STR("$ADMIN_TOKEN");
    say_line(say, "\n  curl -H \"Authorization: Bearer %.*s\" %.*s/items/sites", STR_FMT(token),
             STR_FMT(address));
    say_line(say, "\n  Ctrl-C stops everything.");
}

static Err start_everything(struct up *up, const struct up_flags *flags)
{
    up->has_backends_only = flags->backends_only;
    up->installation.may_make_secrets = flags->new_secrets;
    up->installation.may_make_database = flags->new_database;
    TRY(up_prepare(up, flags->data));
    TRY(up_backends(up));
    if (flags->backends_only || supervisor_is_asked_to_stop())
        return OK;
    TRY(up_database(up));
    if (supervisor_is_asked_to_stop())
        return OK;
    return up_front_ends(up);
}

static void play_demo(struct cli *cli, struct up *up)
{
    struct arena *arena = up->ctx->arena;
    struct demo demo = {
        .say = &up->say,
        .address = probe_address(arena, str_z(arena, up->settings.host), up->settings.port),
        .admin_token = str_from_z(getenv("ADMIN_TOKEN")),
    };
    if (demo_run == NULL || supervisor_is_asked_to_stop())
        return;
    Err err = demo_run(up->ctx, &demo);
    if (err != OK)
        command_refuse_err(cli, err);
    diag_clear(up->ctx);
}

int command_up(struct cli *cli, int argc, char **argv)
{
    struct up_flags flags = {.no_demo = false};
    if (!read_flags(cli, argc, argv, &flags))
        return CLI_USAGE;

    supervisor_hold_signals();
    struct up *up = arena_new(cli->ctx.arena, struct up);
    up->ctx = &cli->ctx;
    up->started_us = clock_now_us();
    up->say = say_open(flags.backends_only ? stderr : stdout);
    say_line(&up->say, "Spark " SPARK_VERSION);

    Err err = start_everything(up, &flags);
    if (err != OK) {
        cli->is_misused = up->is_misused;
        int code = command_refuse_err(cli, err);
        supervisor_stop(&up->supervisor);
        return code;
    }
    if (flags.backends_only) {
        print_addresses(up);
    } else if (!supervisor_is_asked_to_stop()) {
        if (!flags.no_demo)
            play_demo(cli, up);
        print_welcome(up);
    }
    supervisor_run(&up->supervisor);
    supervisor_stop(&up->supervisor);
    return CLI_DONE;
}
