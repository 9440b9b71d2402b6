/*
 * Commands of the operator: `spark <noun> [verb] [--flag]`. The table is commands.def.
 *
 * The command line never runs fibers: a command waits in the plain sense. Results go to standard
 * output, errors in one line that says what to do to standard error.
 */
#pragma once

#include "base/system/ctx.h"

#include <stdio.h>

/* Done; refused; the command line or the settings are wrong, so that again is no use. */
enum { CLI_DONE = 0, CLI_REFUSED = 1, CLI_USAGE = 2 };

struct cli {
    struct ctx ctx; /* reactor is NULL */
    const struct command *command;
    bool is_misused; /* the settings are wrong: to be refused with CLI_USAGE */
};

typedef int (*command_fn)(struct cli *cli, int argc, char **argv);
typedef int (*front_end_fn)(int argc, char **argv);

/* Exactly one of run and front_end is set; none in a build without that part. */
struct command {
    const char *noun;
    const char *verb;
    const char *arguments;
    const char *help;
    command_fn run;
    front_end_fn front_end;
};

/* All commands, the last with a NULL noun. */
extern const struct command COMMANDS[];

/* False in a build without that part. */
bool command_is_built(const struct command *command);
/* The noun or verb that `word` was probably meant to be; NULL: none is near. `noun` NULL: nouns. */
const char *command_guess(const char *noun, const char *word);
/* The usage of every verb of a noun; false: there is no such noun. */
bool command_print_noun(FILE *out, const char *noun);

/* Finds and runs the command that argv names; returns the exit code. */
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

/* Reads argv[1…]; what is no flag goes to `operands` (NULL: refused). False after telling the user
 * what was wrong: return CLI_USAGE then. */
bool command_options(struct cli *cli, int argc, char **argv, const struct option *options,
                     size_t count, struct operands *operands);

/* The settings, with addresses and secrets of a `spark up` that runs here where the environment
 * names no database. Bad ones make the command's exit code CLI_USAGE. */
struct settings;
Err command_settings(struct cli *cli, struct settings *ret);

/* Reads the file of --config into the environment and takes the two words out of argv, wherever
 * they stand before a "--". False after telling the user: return CLI_USAGE then. */
bool command_config(struct cli *cli, int *argc, char **argv);

/* "spark: …" on standard error; returns CLI_REFUSED. */
int command_refuse(struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same from what fail() recorded; CLI_USAGE if the settings were wrong. */
int command_refuse_err(struct cli *cli, Err err);
/* Wrong usage: the sentence and the usage line; returns CLI_USAGE. */
int command_usage(struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
