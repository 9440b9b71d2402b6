/*
 * The operator's commands: `spark <noun> [verb] [--flag]`. The table is commands.def.
 *
 * The command line runs no fibers: commands block. Results go to standard output; errors go to
 * standard error, as one line that says what to do.
 */
#pragma once

#include "base/system/ctx.h"

#include <stdio.h>

/* CLI_REFUSED: the operation failed. CLI_USAGE: the command line or the settings are wrong, so a
 * retry cannot help. */
enum { CLI_DONE = 0, CLI_REFUSED = 1, CLI_USAGE = 2 };

struct cli {
    struct ctx ctx; /* reactor is NULL */
    const struct command *command;
    bool is_misused; /* the settings are wrong: exit with CLI_USAGE */
};

typedef int (*command_fn)(struct cli *cli, int argc, char **argv);
typedef int (*front_end_fn)(int argc, char **argv);

/* Exactly one of run and front_end is set; neither in a build without that part. */
struct command {
    const char *noun;
    const char *verb;
    const char *arguments;
    const char *help;
    command_fn run;
    front_end_fn front_end;
};

/* All commands; the last one has a NULL noun. */
extern const struct command COMMANDS[];

/* False in a build without that part. */
bool command_is_built(const struct command *command);
/* The most similar noun or verb to `word`; NULL: none is similar. `noun` NULL: compares nouns. */
const char *command_guess(const char *noun, const char *word);
/* Prints the usage of every verb of a noun; false: there is no such noun. */
bool command_print_noun(FILE *out, const char *noun);

/* Finds and runs the command in argv; returns the exit code. */
int command_dispatch(struct cli *cli, int argc, char **argv);

/* One flag of a command: `flag` for --name, `text` for --name VALUE or --name=VALUE. */
struct option {
    const char *name;
    bool *flag;
    Str *text;
};

enum { OPERANDS_MAX = 8 };
struct operands {
    Str values[OPERANDS_MAX];
    uint32_t count;
};

/* Parses argv[1…]; other words go to `operands` (NULL: refused). False after printing an error:
 * return CLI_USAGE then. */
bool command_options(struct cli *cli, int argc, char **argv, const struct option *options,
                     size_t count, struct operands *operands);

/* Loads the settings. If the environment names no database, uses the addresses and secrets of a
 * running `spark up`. Invalid ones make the command's exit code CLI_USAGE. */
struct settings;
Err command_settings(struct cli *cli, struct settings *ret);

/* Reads the file of --config into the environment and removes both words from argv, wherever they
 * are before a "--". False after printing an error: return CLI_USAGE then. */
bool command_config(struct cli *cli, int *argc, char **argv);

/* Prints "spark: …" to standard error; returns CLI_REFUSED. */
int command_refuse(struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same with the message of fail(); CLI_USAGE if the settings were wrong. */
int command_refuse_err(struct cli *cli, Err err);
/* Prints the message and the usage line; returns CLI_USAGE. */
int command_usage(struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
