#include "base/json/json_writer.h"
#include "base/settings/settings.h"
#include "base/system/range.h"
#include "cli/commands/command.h"
#include "cli/places/environment.h"

#include <stdio.h>

int command_config_show(struct cli *cli, int argc, char **argv);

enum { OUTPUT_MAX = 1 << 20, VALUE_WIDTH_MAX = 36 };

static const char *const ORIGINS[] = {
    [ORIGIN_DEFAULT] = "default", [ORIGIN_FILE] = "file", [ORIGIN_ENVIRONMENT] = "environment"};

/* The file or step that set a value, unless it was in the environment of this process at
 * startup. */
static const char *source_of(struct cli *cli, const struct setting_info *info)
{
    const char *source = environment_source(info->name);
    if (source == NULL && info->is_secret)
        source = environment_source(
            str_z(cli->ctx.arena, str_printf(cli->ctx.arena, "%s_FILE", info->name)));
    return info->origin == ORIGIN_DEFAULT ? NULL : source;
}

static const char *origin_of(struct cli *cli, const struct setting_info *info)
{
    const char *source = source_of(cli, info);
    return source != NULL ? source : ORIGINS[info->origin];
}

static void print_json(struct cli *cli, const struct setting_info *infos, uint32_t count)
{
    struct buf *out = buf_in_arena(cli->ctx.arena, OUTPUT_MAX);
    struct json_writer w = json_writer(out);
    json_array_begin(&w);
    for (uint32_t i = 0; i < count; i++) {
        json_object_begin(&w);
        json_field_str(&w, "name", str_from_z(infos[i].name));
        json_field_str(&w, "value", infos[i].value);
        json_field_str(&w, "unit", str_from_z(infos[i].unit));
        json_field_str(&w, "origin", str_from_z(origin_of(cli, &infos[i])));
        json_field_bool(&w, "secret", infos[i].is_secret);
        json_field_str(&w, "help", str_from_z(infos[i].help));
        json_object_end(&w);
    }
    json_array_end(&w);
    printf("%.*s\n", STR_FMT(buf_str(out)));
}

static Str shown_value(struct cli *cli, const struct setting_info *info)
{
    if (info->is_secret)
        return info->value.len > 0 ? STR("set") : STR("not set");
    if (info->unit[0] == '\0' || info->value.len == 0)
        return info->value;
    return str_printf(cli->ctx.arena, "%.*s %s", STR_FMT(info->value), info->unit);
}

/* A value that is wider than its column shifts only the origin on its own line. */
static void print_row(struct cli *cli, const struct setting_info *info, int name_width)
{
    Str value = shown_value(cli, info);
    size_t used = str_count_codepoints(value);
    int padding = used < VALUE_WIDTH_MAX ? (int)(VALUE_WIDTH_MAX - used) : 0;
    printf("  %-*s  %.*s%*s  (%s)\n", name_width, info->name, STR_FMT(value), padding, "",
           origin_of(cli, info));
}

static void print_table(struct cli *cli, const struct setting_info *infos, uint32_t count)
{
    size_t name_width = 0;
    for (uint32_t i = 0; i < count; i++) {
        size_t len = str_from_z(infos[i].name).len;
        name_width = max_size(len, name_width);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (infos[i].group != NULL)
            printf("%s%s\n", i > 0 ? "\n" : "", infos[i].group);
        print_row(cli, &infos[i], (int)name_width);
    }
}

/* Prints one setting with its description; false: there is no such setting. */
static bool print_named(struct cli *cli, const struct setting_info *infos, uint32_t count, Str name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!str_eq(str_from_z(infos[i].name), name))
            continue;
        print_row(cli, &infos[i], (int)name.len);
        printf("      %s\n", infos[i].help);
        return true;
    }
    return false;
}

int command_config_show(struct cli *cli, int argc, char **argv)
{
    bool is_json = false;
    struct operands operands = {.count = 0};
    const struct option options[] = {{.name = "json", .flag = &is_json}};
    if (!command_options(cli, argc, argv, options, 1, &operands))
        return CLI_USAGE;

    struct settings settings;
    Err err = command_settings(cli, &settings);
    if (err != OK)
        return command_refuse_err(cli, err);

    const struct setting_info *infos;
    uint32_t count = settings_describe(&cli->ctx, STR_NONE, &settings, &infos);
    for (uint32_t i = 0; i < operands.count; i++)
        if (!print_named(cli, infos, count, operands.values[i]))
            return command_usage(cli, "there is no setting '%.*s'; see spark config show",
                                 STR_FMT(operands.values[i]));
    if (operands.count > 0)
        return CLI_DONE;
    if (is_json)
        print_json(cli, infos, count);
    else
        print_table(cli, infos, count);
    return CLI_DONE;
}
