#include "base/json_writer.h"
#include "base/settings.h"
#include "cli/command.h"
#include "cli/environment.h"

#include <stdio.h>

int command_config_show(struct cli *cli, int argc, char **argv);

enum { OUTPUT_MAX = 1 << 20 };

static const char *const ORIGINS[] = {
    [ORIGIN_DEFAULT] = "default", [ORIGIN_FILE] = "file", [ORIGIN_ENVIRONMENT] = "environment"};

static void print_json(struct cli *cli, const struct setting_info *infos, uint32_t count)
{
    struct buf *out = buf_in_arena(cli->ctx.arena, OUTPUT_MAX);
    struct json_writer w = json_writer(out);
    json_array_begin(&w);
    for (uint32_t i = 0; i < count; i++) {
        json_object_begin(&w);
        json_field_str(&w, "name", str_from_z(infos[i].name));
        json_field_str(&w, "value", infos[i].value);
        json_field_str(&w, "origin", str_from_z(ORIGINS[infos[i].origin]));
        json_field_bool(&w, "secret", infos[i].is_secret);
        json_field_str(&w, "help", str_from_z(infos[i].help));
        json_object_end(&w);
    }
    json_array_end(&w);
    printf("%.*s\n", STR_FMT(buf_str(out)));
}

static void print_table(const struct setting_info *infos, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        printf("%-26s %-30.*s %-12s %s\n", infos[i].name, STR_FMT(infos[i].value),
               ORIGINS[infos[i].origin], infos[i].help);
}

int command_config_show(struct cli *cli, int argc, char **argv)
{
    bool is_json = false;
    Str file = STR_NONE;
    const struct option options[] = {{.name = "json", .flag = &is_json},
                                     {.name = "config", .text = &file}};
    if (!command_options(cli, argc, argv, options, 2, NULL))
        return CLI_USAGE;

    struct settings settings;
    Err err = settings_load(&cli->ctx, file, &settings);
    if (err != OK)
        return command_refuse_err(cli, err);

    const struct setting_info *infos;
    uint32_t count = settings_describe(&cli->ctx, file, &settings, &infos);
    if (is_json)
        print_json(cli, infos, count);
    else
        print_table(infos, count);
    return CLI_DONE;
}
