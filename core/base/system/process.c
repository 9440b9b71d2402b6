#include "base/system/process.h"

#include "base/json/json_memory.h"
#include "base/memory/array.h"
#include "base/system/ctx.h"
#include "base/system/log.h"
#include "base/system/range.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { DESCRIPTORS_UNKNOWN = 1024, DESCRIPTORS_MAX = 1 << 24, CONNECTIONS_MIN = 16 };
enum { MMAP_THRESHOLD = 2 * 1024 * 1024 };

void process_complain(const char *name, Str sentence)
{
    fprintf(stderr, "spark %s: %.*s\n", name, STR_FMT(sentence));
}

static void complain(struct ctx *ctx, const char *name)
{
    for (const struct diag_entry *entry = ctx->diag.first; entry != NULL; entry = entry->next)
        process_complain(name, diag_message(ctx, entry));
}

Str process_reason(const struct ctx *ctx, Err err)
{
    const struct diag_entry *entry = ctx->diag.first;
    if (entry != NULL && entry->reason.len > 0)
        return entry->reason;
    for (const struct diag_note *note = entry != NULL ? entry->notes : NULL; note != NULL;
         note = note->next)
        if (strcmp(note->key, "_message") == 0 && note->value.len > 0)
            return note->value;
    return str_from_z(err == ERR_TIMEOUT ? "the time for a start is over" : err_info(err)->name);
}

/* Required by these processes; `spark up` starts them by itself. */
static Err require(struct ctx *ctx, const struct settings *settings)
{
    bool has_logins =
        settings->database_tenant_url.len > 0 && settings->database_platform_url.len > 0;
    Err err = OK;
    if (settings->database_url.len == 0 && !has_logins)
        err = fail_also(ctx, ERR_CONFIG,
                        "DATABASE_URL is not set: name the database, as in "
                        "postgresql://user@host/name, or let spark up start one");
    if (settings->database_pooler.len > 0 && !has_logins)
        err = fail_also(ctx, ERR_CONFIG,
                        "DATABASE_POOLER needs DATABASE_TENANT_URL and DATABASE_PLATFORM_URL: a "
                        "pooler shares its sessions, so no role can be set at connect");
    if (settings->redis_url.len == 0)
        err = fail_also(ctx, ERR_CONFIG,
                        "REDIS_URL is not set: name the Redis, as in redis://host:6379, or let "
                        "spark up start one");
    return err;
}

/* The limit of the control group if it is a number; else unlimited. */
static uint64_t group_memory(const char *path)
{
    unsigned long long bytes = UINT64_MAX;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return UINT64_MAX;
    if (fscanf(file, "%llu", &bytes) != 1)
        bytes = UINT64_MAX;
    (void)fclose(file);
    return bytes;
}

uint64_t process_memory(void)
{
    uint64_t bytes = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    static const char *const paths[] = {"/sys/fs/cgroup/memory.max",
                                        "/sys/fs/cgroup/memory/memory.limit_in_bytes"};
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        uint64_t limit = group_memory(paths[i]);
        bytes = min_u64(limit, bytes);
    }
    return bytes;
}

static void limit_json(uint64_t bytes)
{
    enum { LEAST = 96 * 1024 * 1024, MOST = 512 * 1024 * 1024 };
    uint64_t part = max_u64(LEAST, min_u64(process_memory() / 4, MOST));
    json_memory_set_limit(bytes > 0 ? bytes : part);
}

bool process_begin(struct ctx *ctx, const char *name, struct settings *ret)
{
    enum log_level level = LOG_INFO;
    Err err = settings_load(ctx, STR_NONE, ret);
    if (err == OK)
        err = require(ctx, ret);
    if (err == OK && !log_level_parse(ret->log_level, &level))
        err = fail(ctx, ERR_CONFIG, "LOG_LEVEL is '%.*s'; it must be debug, info, warn or error",
                   STR_FMT(ret->log_level));
    if (err != OK) {
        complain(ctx, name);
        return false;
    }
    log_init(level, name);
    limit_json((uint64_t)ret->json_memory_bytes);
    return true;
}

void process_on_stop(void (*on_stop)(int signal))
{
    struct sigaction action = {.sa_handler = on_stop};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

int64_t process_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return DESCRIPTORS_UNKNOWN;
    if (limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
        getrlimit(RLIMIT_NOFILE, &limit);
    }
    return (int64_t)min_u64(limit.rlim_cur, DESCRIPTORS_MAX);
}

void process_give_memory_back(void)
{
    /* Fixed, because glibc otherwise raises the threshold to the largest freed block, and keeps the
     * memory of a burst. */
    mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD);
    mallopt(M_TRIM_THRESHOLD, MMAP_THRESHOLD);
}

int64_t process_connections_max(const struct settings *settings)
{
    int64_t room = process_descriptors() - PROCESS_DESCRIPTORS_RESERVED;
    return min_i64(settings->connections_max, max_i64(room, CONNECTIONS_MIN));
}
