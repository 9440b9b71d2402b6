#include "cli/commands/command.h"

#include <stdio.h>
#include <string.h>

int command_help(struct cli *cli, int argc, char **argv);
int command_version(struct cli *cli, int argc, char **argv);

static const char CONFIG_HELP[] =
    "\n"
    "  Every command takes --config FILE: lines of NAME=value below 64 KiB, with the names that\n"
    "  spark config show prints. Lines that begin with # are comments; \"export \" in front and\n"
    "  quotes around a value are fine; of two lines with one name the later counts. The "
    "environment\n"
    "  wins over the file, the file over what spark up has stored in its data folder.\n"
    "  A file that is not there is an error. docs/starting.md has an example.\n";

static int help_noun(struct cli *cli, const char *noun)
{
    if (!command_print_noun(stdout, noun)) {
        const char *guess = command_guess(NULL, noun);
        command_refuse(cli, "there is no '%s'; %s%s%s", noun,
                       guess ? "did you mean '" : "see spark", guess ? guess : " help",
                       guess ? "'?" : "");
        return CLI_USAGE;
    }
    if (strcmp(noun, "config") == 0)
        fputs(CONFIG_HELP, stdout);
    return CLI_DONE;
}

int command_help(struct cli *cli, int argc, char **argv)
{
    struct operands operands = {.count = 0};
    if (!command_options(cli, argc, argv, NULL, 0, &operands))
        return CLI_USAGE;
    if (operands.count > 0)
        return help_noun(cli, str_z(cli->ctx.arena, operands.values[0]));

    printf("Spark " SPARK_VERSION ": a headless content backend\n\n");
    for (const struct command *c = COMMANDS; c->noun != NULL; c++) {
        if (!command_is_built(c))
            continue;
        Str name = str_printf(cli->ctx.arena, "%s %s", c->noun, c->verb);
        printf("  spark %-16.*s %s\n", STR_FMT(name), c->help);
    }
    printf(
        "\nFlags of one: spark help <noun>. Settings: spark config show; each command takes them\n"
        "from the environment and from --config FILE (spark help config).\n"
        "Exit codes: 0 done, 1 refused, 2 wrong command line or settings.\n");
    return CLI_DONE;
}

int command_version(struct cli *cli, int argc, char **argv)
{
    if (!command_options(cli, argc, argv, NULL, 0, NULL))
        return CLI_USAGE;
    printf("spark " SPARK_VERSION "\n");
    return CLI_DONE;
}
