#include "cli/command.h"

#include <stdio.h>

/*
 * Weak: the faces are sister libraries that the command line knows by one function each, and a test
 * of this library is linked without them. What is not there is not offered.
 */
#define COMMAND(noun, verb, function, arguments, help)                                             \
    __attribute__((weak)) int function(struct cli *cli, int argc, char **argv);
#define FACE(noun, function, arguments, help)                                                      \
    __attribute__((weak)) int function(int argc, char **argv);
#include "cli/commands.def"
#undef COMMAND
#undef FACE

const struct command COMMANDS[] = {
#define COMMAND(noun, verb, function, arguments, help)                                             \
    {noun, verb, arguments, help, function, NULL},
#define FACE(noun, function, arguments, help) {noun, "", arguments, help, NULL, function},
#include "cli/commands.def"
#undef COMMAND
#undef FACE
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

static bool command_is_built(const struct command *command)
{
    return command->run != NULL || command->face != NULL;
}

/* The command of argv[1] and, where it has verbs, argv[2]; *ret_words says how many were used. */
static const struct command *command_find(int argc, char **argv, int *ret_words)
{
    Str noun = str_from_z(argv[1]);
    Str verb = argc > 2 ? str_from_z(argv[2]) : STR_NONE;

    for (const struct command *c = COMMANDS; c->noun != NULL; c++) {
        if (!command_is_built(c) || !str_eq(noun, str_from_z(c->noun)))
            continue;
        bool has_verb = c->verb[0] != '\0';
        if (has_verb && !str_eq(verb, str_from_z(c->verb)))
            continue;
        *ret_words = has_verb ? 2 : 1;
        return c;
    }
    return NULL;
}

static int command_unknown(int argc, char **argv)
{
    Str noun = str_from_z(argv[1]);
    for (const struct command *c = COMMANDS; c->noun != NULL; c++) {
        if (!command_is_built(c) || !str_eq(noun, str_from_z(c->noun)))
            continue;
        fprintf(stderr, "spark: '%s%s%s' is no command; see spark help %s\n", argv[1],
                argc > 2 ? " " : "", argc > 2 ? argv[2] : "", argv[1]);
        return CLI_USAGE;
    }
    fprintf(stderr, "spark: there is no '%s'; see spark help\n", argv[1]);
    return CLI_USAGE;
}

int command_dispatch(struct cli *cli, int argc, char **argv)
{
    int words;
    const struct command *command = command_find(argc, argv, &words);
    if (command == NULL)
        return command_unknown(argc, argv);

    cli->command = command;
    if (command->face != NULL)
        return command->face(argc - words, argv + words);
    return command->run(cli, argc - words, argv + words);
}

int command_refuse(struct cli *cli, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    Str sentence = str_vprintf(cli->ctx.arena, format, args);
    va_end(args);
    fprintf(stderr, "spark: %.*s\n", STR_FMT(sentence));
    return CLI_REFUSED;
}

int command_refuse_err(struct cli *cli, Err err)
{
    const struct diag_entry *entry = cli->ctx.diag.first;
    if (entry == NULL)
        return command_refuse(cli, "%s", err_info(err)->message);
    for (; entry != NULL; entry = entry->next) {
        Str message = entry->reason.len > 0 ? entry->reason : diag_message(&cli->ctx, entry);
        fprintf(stderr, "spark: %.*s\n", STR_FMT(message));
    }
    return CLI_REFUSED;
}

int command_usage(struct cli *cli, const char *format, ...)
{
    const struct command *c = cli->command;
    va_list args;
    va_start(args, format);
    Str sentence = str_vprintf(cli->ctx.arena, format, args);
    va_end(args);
    fprintf(stderr, "spark: %.*s\nusage: spark %s%s%s %s\n", STR_FMT(sentence), c->noun,
            c->verb[0] != '\0' ? " " : "", c->verb, c->arguments);
    return CLI_USAGE;
}
