#include "cli/supervise/crash.h"

#include "cli/backends/sync_postgres.h"
#include "gen/sql.h"
#include "jobs/queue/crash_page.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *page_path(struct arena *arena, const struct places *places, const char *name)
{
    return path_format(arena, "%s/%s", places->run, name);
}

Err crash_page_make(struct ctx *ctx, const struct places *places, const char *name,
                    const char **ret_path)
{
    const char *path = page_path(ctx->arena, places, name);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof(struct crash_page)) != 0) {
        int error = errno;
        if (fd >= 0)
            close(fd);
        return fail(ctx, ERR_CONFIG, "cannot make %s: %s", path, strerror(error));
    }
    close(fd);
    *ret_path = path;
    return OK;
}

static void end_text(char *text, size_t size)
{
    text[size - 1] = '\0';
}

/* In the arena; NULL if there is none. */
static struct crash_page *page_read(struct ctx *ctx, const struct places *places, const char *name)
{
    struct crash_page *page = arena_new(ctx->arena, struct crash_page);
    int fd = open(page_path(ctx->arena, places, name), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    ssize_t length = read(fd, page, sizeof *page);
    close(fd);
    if (length != (ssize_t)sizeof *page)
        return NULL;
    end_text(page->incarnation, INCARNATION_MAX);
    for (size_t i = 0; i < CRASH_EXTENSIONS_MAX; i++) {
        end_text(page->extensions[i].file, CRASH_NAME_MAX);
        end_text(page->extensions[i].name, CRASH_NAME_MAX);
    }
    return page;
}

/* Who is asked to end, and does, has not crashed, whatever it was doing. */
static bool was_asked_to(int status)
{
    if (!WIFSIGNALED(status))
        return false;
    int signal = WTERMSIG(status);
    return signal == SIGTERM || signal == SIGINT || signal == SIGHUP;
}

/* Both names, where they differ: a worker knows an extension that it may not open by the one, and
 * its kinds of jobs by the other. */
static const char *extension_names(struct arena *arena, const struct crash_page *page)
{
    uint32_t extension = crash_page_extension(page);
    if (extension == 0 || page->extensions[extension - 1].file[0] == '\0')
        return NULL;
    const struct crash_extension *entry = &page->extensions[extension - 1];
    if (entry->name[0] == '\0' || strcmp(entry->name, entry->file) == 0)
        return path_format(arena, "%s", entry->file);
    return path_format(arena, "%s,%s", entry->file, entry->name);
}

void crash_read(struct ctx *ctx, const struct places *places, const char *name, int status,
                struct crash *ret)
{
    const struct crash_page *page = page_read(ctx, places, name);
    *ret = (struct crash){
        .how = WIFSIGNALED(status)
                   ? path_format(ctx->arena, "was ended by signal %d (%s)", WTERMSIG(status),
                                 strsignal(WTERMSIG(status)))
                   : path_format(ctx->arena, "ended with code %d", WEXITSTATUS(status)),
    };
    if (page == NULL)
        return;
    if (!was_asked_to(status))
        ret->extension = extension_names(ctx->arena, page);
    if (atomic_load(&page->overrun_job) != 0)
        ret->how = path_format(ctx->arena, "was ended by the hard time-out of job %jd",
                               (intmax_t)atomic_load(&page->overrun_job));
}

/* As the platform, in one transaction: the settings are local to it, as everywhere. */
static Err end_lease(struct ctx *ctx, const char *url, const char *const parameters[3])
{
    struct sync_postgres *postgres;
    TRY(sync_postgres_open(ctx, url, &postgres));
    TRY(sync_postgres_query(ctx, postgres, "begin", NULL, 0, NULL));
    TRY(sync_postgres_query(ctx, postgres, "set local role spark_platform", NULL, 0, NULL));
    TRY(sync_postgres_query(ctx, postgres, "set local spark.scope = 'platform'", NULL, 0, NULL));
    TRY(sync_postgres_query(ctx, postgres, SQL_WORKER_CRASHED.sql, parameters, 3, NULL));
    TRY(sync_postgres_query(ctx, postgres, "commit", NULL, 0, NULL));
    sync_postgres_close(postgres);
    return OK;
}

/* A job that was timed out is it, even if another has had the CPU since. */
static int64_t culprit(const struct crash_page *page)
{
    int64_t overrun = atomic_load(&page->overrun_job);
    return overrun != 0 ? overrun : atomic_load(&page->threads[0].tag);
}

Err crash_report(struct ctx *ctx, const struct places *places, const char *name, const char *how)
{
    struct crash_page *page = page_read(ctx, places, name);
    if (page == NULL || page->incarnation[0] == '\0')
        return OK; /* it died before it had an incarnation: then no job was its */
    const char *url = getenv("DATABASE_DIRECT_URL");
    if (url == NULL || url[0] == '\0')
        url = getenv("DATABASE_URL");
    if (url == NULL)
        return OK;
    int64_t job = culprit(page);
    bool is_overrun = atomic_load(&page->overrun_job) != 0;
    const char *reason =
        is_overrun ? str_z(ctx->arena,
                           crash_page_overrun_reason(ctx->arena, atomic_load(&page->overrun_s)))
                   : path_format(ctx->arena, "the worker %s while this job ran", how);
    const char *parameters[] = {
        page->incarnation, job != 0 ? path_format(ctx->arena, "%jd", (intmax_t)job) : NULL, reason};
    return end_lease(ctx, url, parameters);
}
