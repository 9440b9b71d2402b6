#include "cli/commands/command.h"

#include "base/settings/settings.h"
#include "base/system/range.h"
#include "cli/places/environment.h"

#include <stdio.h>
#include <string.h>

enum { GUESS_LEN_MAX = 24, GUESS_DISTANCE_MAX = 2 };

/*
 * Weak symbols: the front ends are separate libraries, of which the command line knows one function
 * each; tests link without them. Commands without their library are not offered.
 */
#define COMMAND(noun, verb, function, arguments, help)                                             \
    __attribute__((weak)) int function(struct cli *cli, int argc, char **argv);
#define FRONT_END(noun, function, arguments, help)                                                 \
    __attribute__((weak)) int function(int argc, char **argv);
#include "cli/commands/commands.def"
#undef COMMAND
#undef FRONT_END

const struct command COMMANDS[] = {
#define COMMAND(noun, verb, function, arguments, help)                                             \
    {noun, verb, arguments, help, function, NULL},
#define FRONT_END(noun, function, arguments, help) {noun, "", arguments, help, NULL, function},
#include "cli/commands/commands.def"
#undef COMMAND
#undef FRONT_END
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

bool command_is_built(const struct command *command)
{
    return command->run != NULL || command->front_end != NULL;
}

/* The command of argv[1] and, for nouns with verbs, argv[2]; *ret_words: how many words were
 * used. */
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

bool command_print_noun(FILE *out, const char *noun)
{
    bool is_known = false;
    for (const struct command *c = COMMANDS; c->noun != NULL; c++) {
        if (!command_is_built(c) || strcmp(noun, c->noun) != 0)
            continue;
        fprintf(out, "  spark %s%s%s%s%s\n      %s\n", c->noun, c->verb[0] != '\0' ? " " : "",
                c->verb, c->arguments[0] != '\0' ? " " : "", c->arguments, c->help);
        is_known = true;
    }
    return is_known;
}

/* Levenshtein distance. */
static size_t distance(const char *a, const char *b)
{
    size_t row[GUESS_LEN_MAX + 1];
    size_t b_len = str_from_z(b).len;
    for (size_t j = 0; j <= b_len; j++)
        row[j] = j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < b_len; j++) {
            size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
            size_t other = min_size(row[j], row[j + 1]) + 1;
            diagonal = row[j + 1];
            row[j + 1] = min_size(changed, other);
        }
    }
    return row[b_len];
}

/* A prefix also matches: "serve" of "server". */
const char *command_guess(const char *noun, const char *word)
{
    const char *best = NULL;
    size_t best_distance = GUESS_DISTANCE_MAX + 1;
    size_t len = str_from_z(word).len;
    if (len < 2 || len > GUESS_LEN_MAX)
        return NULL;
    for (const struct command *c = COMMANDS; c->noun != NULL; c++) {
        if (!command_is_built(c) || (noun != NULL && strcmp(noun, c->noun) != 0))
            continue;
        const char *name = noun != NULL ? c->verb : c->noun;
        size_t far = strncmp(name, word, len) == 0 ? 1 : distance(word, name);
        if (far < best_distance && far < len) {
            best_distance = far;
            best = name;
        }
    }
    return best;
}

static int command_unknown(int argc, char **argv)
{
    const char *noun = argv[1];
    bool is_noun = false;
    for (const struct command *c = COMMANDS; c->noun != NULL; c++)
        is_noun = is_noun || (command_is_built(c) && strcmp(noun, c->noun) == 0);
    const char *word = is_noun && argc > 2 ? argv[2] : noun;
    if (is_noun && argc > 2)
        fprintf(stderr, "spark: '%s %s' is not a command", noun, word);
    else if (is_noun)
        fprintf(stderr, "spark: '%s' needs a verb:\n", noun);
    else
        fprintf(stderr, "spark: there is no '%s'", noun);
    const char *guess = is_noun && argc <= 2 ? NULL : command_guess(is_noun ? noun : NULL, word);
    if (guess != NULL)
        fprintf(stderr, "; did you mean '%s%s%s'?\n", is_noun ? noun : "", is_noun ? " " : "",
                guess);
    else if (!is_noun || argc > 2)
        fprintf(stderr, "; see spark help%s%s\n", is_noun ? " " : "", is_noun ? noun : "");
    if (is_noun)
        command_print_noun(stderr, noun);
    return CLI_USAGE;
}

int command_dispatch(struct cli *cli, int argc, char **argv)
{
    int words;
    const struct command *command = command_find(argc, argv, &words);
    if (command == NULL)
        return command_unknown(argc, argv);

    cli->command = command;
    if (command->front_end == NULL)
        return command->run(cli, argc - words, argv + words);
    /* A front end reads everything from the environment. */
    if (!command_options(cli, argc - words, argv + words, NULL, 0, NULL))
        return CLI_USAGE;
    return command->front_end(argc - words, argv + words);
}

Err command_settings(struct cli *cli, struct settings *ret)
{
    Err err = environment_of_running(&cli->ctx);
    if (err == OK)
        err = settings_load(&cli->ctx, STR_NONE, ret);
    cli->is_misused = err != OK;
    return err;
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
    int code = cli->is_misused ? CLI_USAGE : CLI_REFUSED;
    if (entry == NULL) {
        command_refuse(cli, "%s", err_info(err)->message);
        return code;
    }
    for (; entry != NULL; entry = entry->next) {
        Str message = entry->reason.len > 0 ? entry->reason : diag_message(&cli->ctx, entry);
        fprintf(stderr, "spark: %.*s\n", STR_FMT(message));
    }
    return code;
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
