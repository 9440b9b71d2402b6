#include "cli/console/say.h"

#include "base/system/clock.h"

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

struct say say_open(FILE *out)
{
    const char *no_colour = getenv("NO_COLOR");
    bool is_wanted = no_colour == NULL || no_colour[0] == '\0';
    return (struct say){.out = out, .has_colour = is_wanted && isatty(fileno(out)) == 1};
}

static void say_mark(const struct say *say, const char *mark, const char *colour)
{
    if (say->has_colour)
        fprintf(say->out, "  \033[%sm%s\033[0m ", colour, mark);
    else
        fprintf(say->out, "  %s ", mark);
}

void say_done(const struct say *say, int64_t started_us, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);

    say_mark(say, "✓", "32");
    double seconds = (double)(clock_now_us() - started_us) / (double)SECOND_US;
    fprintf(say->out, "%-56s %6.2f s\n", text, seconds);
    fflush(say->out);
}

void say_bad(const struct say *say, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say_mark(say, "✗", "31");
    vfprintf(say->out, format, args);
    va_end(args);
    fputc('\n', say->out);
    fflush(say->out);
}

void say_line(const struct say *say, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(say->out, format, args);
    va_end(args);
    fputc('\n', say->out);
    fflush(say->out);
}
