#include "base/process.h"

#include "base/ctx.h"
#include "base/log.h"

#include <signal.h>
#include <stdio.h>

static void complain(struct ctx *ctx, const char *name)
{
    for (const struct diag_entry *entry = ctx->diag.first; entry != NULL; entry = entry->next)
        fprintf(stderr, "spark %s: %.*s\n", name, STR_FMT(diag_message(ctx, entry)));
}

bool process_begin(struct ctx *ctx, const char *name, struct settings *ret)
{
    enum log_level level = LOG_INFO;
    Err err = settings_load(ctx, STR_NONE, ret);
    if (err == OK && !log_level_parse(ret->log_level, &level))
        err = fail(ctx, ERR_CONFIG, "LOG_LEVEL '%.*s' is none of debug, info, warn, error",
                   STR_FMT(ret->log_level));
    if (err != OK) {
        complain(ctx, name);
        return false;
    }
    log_init(level, name);
    return true;
}

void process_on_stop(void (*on_stop)(int signal))
{
    struct sigaction action = {.sa_handler = on_stop};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}
