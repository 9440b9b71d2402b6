/* The one executable: every process of Spark starts here. */
#include "app/compose.h"
#include "base/system/log.h"
#include "cli/commands/command.h"
#include "cli/places/places.h"
#include "io/pg/db_wait.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static bool is_version(const char *word)
{
    return strcmp(word, "--version") == 0 || strcmp(word, "-v") == 0 || strcmp(word, "-V") == 0;
}

/* `spark`, `spark --help`, `spark <noun> [verb] --help` and `spark --version` are their commands.
 */
static char **read_aliases(int *argc, char **argv)
{
    static char help[] = "help", version[] = "version";
    static char *rewritten[4];

    if (*argc > 1 && is_version(argv[1])) {
        rewritten[1] = version;
        *argc = 2;
    } else if (*argc < 2 || is_help(argv[1])) {
        rewritten[1] = help;
        *argc = 2;
    } else if (is_help(argv[*argc - 1])) {
        rewritten[1] = help;
        rewritten[2] = argv[1];
        *argc = 3;
    } else {
        return argv;
    }
    rewritten[0] = argv[0];
    return rewritten;
}

static void print_waiting(Str sentence)
{
    fprintf(stderr, "spark: %.*s\n", STR_FMT(sentence));
}

int main(int argc, char **argv)
{
    /* A peer that closed its socket is an error of write(2), never the end of the process. */
    signal(SIGPIPE, SIG_IGN);

    struct cli cli = {.ctx = {.arena = arena_create()}};
    db_wait_tell(print_waiting);
    compose();
    bool is_configured = command_config(&cli, &argc, argv);
    argv = read_aliases(&argc, argv);
    places_export_defaults(cli.ctx.arena);
    log_init(LOG_INFO, argv[1]);

    int code = is_configured ? command_dispatch(&cli, argc, argv) : CLI_USAGE;
    arena_destroy(cli.ctx.arena);
    if (fflush(stdout) != 0 && code == CLI_DONE)
        code = CLI_REFUSED;
    return code;
}
