#include "cli/commands/command.h"
#include "cli/places/environment.h"

#include <string.h>

static const struct option *option_find(const struct option *options, size_t count, Str name)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(name, str_from_z(options[i].name)))
            return &options[i];
    return NULL;
}

/* Parses one word that begins with "--"; advances *index if the value is the next word. */
static bool option_read(struct cli *cli, int argc, char **argv, int *index,
                        const struct option *options, size_t count)
{
    Str word = str_from_z(argv[*index]);
    Str name = str_slice(word, 2, word.len);
    ptrdiff_t equals = str_find_char(name, '=');
    Str value = STR_NONE;
    if (equals >= 0) {
        value = str_slice(name, (size_t)equals + 1, name.len);
        name = str_slice(name, 0, (size_t)equals);
    }

    const struct option *option = option_find(options, count, name);
    if (option == NULL) {
        command_usage(cli, "there is no --%.*s here", STR_FMT(name));
        return false;
    }
    if (option->flag != NULL) {
        if (equals >= 0)
            command_usage(cli, "--%s takes no value", option->name);
        *option->flag = true;
        return equals < 0;
    }
    if (equals < 0 && *index + 1 < argc)
        value = str_from_z(argv[++*index]);
    else if (equals < 0)
        command_usage(cli, "--%s needs a value", option->name);
    *option->text = value;
    return value.data != NULL;
}

bool command_options(struct cli *cli, int argc, char **argv, const struct option *options,
                     size_t count, struct operands *operands)
{
    bool only_operands = false;
    for (int i = 1; i < argc; i++) {
        Str word = str_from_z(argv[i]);
        if (!only_operands && str_eq(word, STR("--"))) {
            only_operands = true;
        } else if (!only_operands && str_starts_with(word, STR("--"))) {
            if (!option_read(cli, argc, argv, &i, options, count))
                return false;
        } else if (operands == NULL || operands->count == OPERANDS_MAX) {
            command_usage(cli, "'%s' is too much", argv[i]);
            return false;
        } else {
            operands->values[operands->count++] = word;
        }
    }
    return true;
}

/* The number of words of "--config FILE" or "--config=FILE" at argv[at]; 0: neither. */
static int config_words(int argc, char **argv, int at, char **ret_file)
{
    static const char FLAG[] = "--config";
    static const size_t FLAG_LEN = sizeof FLAG - 1;
    if (strncmp(argv[at], FLAG, FLAG_LEN) != 0)
        return 0;
    if (argv[at][FLAG_LEN] == '=') {
        *ret_file = argv[at] + FLAG_LEN + 1;
        return 1;
    }
    *ret_file = argv[at][FLAG_LEN] == '\0' && at + 1 < argc ? argv[at + 1] : NULL;
    return argv[at][FLAG_LEN] != '\0' ? 0 : *ret_file != NULL ? 2 : 1;
}

bool command_config(struct cli *cli, int *argc, char **argv)
{
    char *file = NULL;
    int at = 1, words = 0;
    while (at < *argc && strcmp(argv[at], "--") != 0 &&
           (words = config_words(*argc, argv, at, &file)) == 0)
        at++;
    if (words == 0)
        return true;
    if (file == NULL || file[0] == '\0') {
        command_refuse(cli, "--config needs the name of a file; see spark help config");
        return false;
    }
    if (environment_read_config(&cli->ctx, file) != OK) {
        command_refuse_err(cli, ERR_CONFIG);
        return false;
    }
    memmove(argv + at, argv + at + words, sizeof(*argv) * (size_t)(*argc - at - words + 1));
    *argc -= words;
    return true;
}
