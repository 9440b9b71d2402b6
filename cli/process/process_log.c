/* Finds the error in the log of a process that did not start, which may not be its last line. */
#include "base/json/json.h"
#include "base/memory/array.h"
#include "cli/process/process.h"

#include <stdio.h>
#include <sys/stat.h>

enum { READ_MAX = 64 << 10 };

int64_t process_log_size(const char *path)
{
    struct stat info;
    return path != NULL && stat(path, &info) == 0 ? (int64_t)info.st_size : 0;
}

/* The log after `from`: its last READ_MAX bytes. */
static Str read_since(struct arena *arena, const char *path, int64_t from)
{
    int64_t size = process_log_size(path);
    if (from > size || from < 0)
        from = 0; /* the file was replaced */
    if (size - from > READ_MAX)
        from = size - READ_MAX;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return STR_NONE;
    char *text = arena_alloc(arena, READ_MAX);
    size_t length = 0;
    if (fseek(file, (long)from, SEEK_SET) == 0)
        length = fread(text, 1, READ_MAX, file);
    fclose(file);
    return str_trim(str_of(text, length));
}

static Str text_after(Str line, Str mark)
{
    ptrdiff_t at = str_find(line, mark);
    return at < 0 ? STR_NONE : str_trim(str_slice(line, (size_t)at + mark.len, line.len));
}

/* PostgreSQL also logs a FATAL error for each client that connects too early. */
static Str error_of_postgres(Str line)
{
    Str words = text_after(line, STR("PANIC: "));
    if (words.len == 0)
        words = text_after(line, STR("FATAL: "));
    if (words.len == 0)
        words = text_after(line, STR("initdb: error: "));
    bool is_clients = str_starts_with(words, STR("the database system is ")) ||
                      str_starts_with(words, STR("terminating connection"));
    return is_clients ? STR_NONE : words;
}

/* "23335:M 28 Nov 2026 19:27:30.040 # Bad file format …": Redis marks warnings with '#', but also
 * its greeting and hints about the machine. */
static Str error_of_redis(Str line)
{
    static const Str HARMLESS[] = {
        STR_INIT("WARNING"),
        STR_INIT("oO0OoO0OoO0Oo"),
        STR_INIT("Redis version="),
        STR_INIT("Redis is now"),
        STR_INIT("Server initialized"),
        STR_INIT("Configuration loaded"),
        STR_INIT("User request"),
        STR_INIT("Warning"),
    };
    if (line.len == 0 || line.data[0] < '0' || line.data[0] > '9')
        return STR_NONE;
    Str words = text_after(line, STR(" # "));
    for (size_t i = 0; i < COUNT_OF(HARMLESS); i++)
        if (str_starts_with(words, HARMLESS[i]))
            return STR_NONE;
    return words;
}

/* "spark server: message", or a line of the JSON log. */
static Str error_of_spark(struct ctx *ctx, Str line)
{
    const struct json *json;
    if (str_starts_with(line, STR("spark")))
        return text_after(line, STR(": "));
    if (!str_starts_with(line, STR("{")) || str_find(line, STR("\"level\":\"error\"")) < 0)
        return STR_NONE;
    struct ctx own = {.arena = ctx->arena};
    if (json_parse(&own, line, JSON_LIMITS_DEFAULT, &json) != OK)
        return STR_NONE;
    const struct json *reason = json_get(json, STR("reason"));
    return reason != NULL && json_kind(reason) == JSON_STRING ? json_str(reason) : STR_NONE;
}

Str process_log_error(struct ctx *ctx, const char *path, int64_t from)
{
    Str text = read_since(ctx->arena, path, from);
    Str line, found = STR_NONE, last = STR_NONE;
    while (str_next(&text, '\n', &line)) {
        line = str_trim(line);
        Str words = error_of_postgres(line);
        if (words.len == 0)
            words = error_of_redis(line);
        if (words.len == 0)
            words = error_of_spark(ctx, line);
        found = words.len > 0 ? words : found;
        last = line.len > 0 ? line : last;
    }
    if (found.len > 0)
        return found;
    return last.len > 0 ? last : STR("it said nothing");
}
