#include "cli/command.h"

#include <stdio.h>

int command_help(struct cli *cli, int argc, char **argv);
int command_version(struct cli *cli, int argc, char **argv);

static void print_usage(const struct command *c)
{
    printf("  spark %s%s%s%s%s\n      %s\n", c->noun, c->verb[0] != '\0' ? " " : "", c->verb,
           c->arguments[0] != '\0' ? " " : "", c->arguments, c->help);
}

static bool is_built(const struct command *c)
{
    return c->run != NULL || c->face != NULL;
}

static int help_noun(struct cli *cli, Str noun)
{
    uint32_t found = 0;
    for (const struct command *c = COMMANDS; c->noun != NULL; c++) {
        if (is_built(c) && str_eq(noun, str_from_z(c->noun))) {
            print_usage(c);
            found++;
        }
    }
    if (found == 0)
        return command_refuse(cli, "there is no '%.*s'; see spark help", STR_FMT(noun));
    return CLI_DONE;
}

int command_help(struct cli *cli, int argc, char **argv)
{
    struct operands operands = {.count = 0};
    if (!command_options(cli, argc, argv, NULL, 0, &operands))
        return CLI_USAGE;
    if (operands.count > 0)
        return help_noun(cli, operands.values[0]);

    printf("Spark " SPARK_VERSION ": a headless content backend\n\n");
    for (const struct command *c = COMMANDS; c->noun != NULL; c++) {
        if (!is_built(c))
            continue;
        Str name = str_printf(cli->ctx.arena, "%s %s", c->noun, c->verb);
        printf("  spark %-16.*s %s\n", STR_FMT(name), c->help);
    }
    printf("\nFlags of one: spark help <noun>. Settings: spark config show.\n");
    return CLI_DONE;
}

int command_version(struct cli *cli, int argc, char **argv)
{
    if (!command_options(cli, argc, argv, NULL, 0, NULL))
        return CLI_USAGE;
    printf("spark " SPARK_VERSION "\n");
    return CLI_DONE;
}
