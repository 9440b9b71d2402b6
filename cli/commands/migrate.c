#include "io/pg/migrate.h"

#include "base/settings/settings.h"
#include "base/system/clock.h"
#include "cli/commands/command.h"

#include <stdio.h>

int command_migrate(struct cli *cli, int argc, char **argv);

static void print_json(const struct migrate_result *result)
{
    printf("{\"applied\":%u,\"present\":%u,\"functions\":%u,\"pack\":%s}\n", result->applied,
           result->present, result->functions, result->installed_pack ? "true" : "false");
}

static void print_sentence(const struct migrate_result *result)
{
    const char *pack = result->installed_pack ? "with" : "without";
    if (result->applied == 0 && result->functions > 0)
        printf("Renewed the functions of %u files; %u migrations were there, %s the factory's "
               "pack.\n",
               result->functions, result->present, pack);
    else if (result->applied == 0)
        printf("The database is up to date: %u migrations, %s the factory's pack.\n",
               result->present, pack);
    else
        printf("Applied %u migrations, %u were there; %s the factory's pack.\n", result->applied,
               result->present, pack);
}

int command_migrate(struct cli *cli, int argc, char **argv)
{
    bool is_pack = false, is_no_pack = false, is_json = false;
    const struct option options[] = {{.name = "pack", .flag = &is_pack},
                                     {.name = "no-pack", .flag = &is_no_pack},
                                     {.name = "json", .flag = &is_json}};
    if (!command_options(cli, argc, argv, options, 3, NULL))
        return CLI_USAGE;
    if (is_pack && is_no_pack)
        return command_usage(cli, "--pack and --no-pack exclude each other");

    struct settings settings;
    Err err = command_settings(cli, &settings);
    if (err != OK)
        return command_refuse_err(cli, err);
    Str url =
        settings.database_direct_url.len > 0 ? settings.database_direct_url : settings.database_url;
    if (url.len == 0)
        return command_refuse(cli, "DATABASE_URL is not set: name the database to migrate");

    struct migrate_result result;
    enum migrate_pack pack = is_pack ? PACK_ALWAYS : is_no_pack ? PACK_NEVER : PACK_IF_NEW;
    err = migrate_run(&cli->ctx, url, pack, settings.startup_timeout_s * SECOND_US, &result);
    if (err != OK)
        return command_refuse_err(cli, err);
    if (is_json)
        print_json(&result);
    else
        print_sentence(&result);
    return CLI_DONE;
}
