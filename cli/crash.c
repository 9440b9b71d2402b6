#include "cli/crash.h"

#include "cli/sync_postgres.h"
#include "gen/sql.h"
#include "jobs/crash_page.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *page_path(struct arena *arena, const struct places *places, uint32_t slot)
{
    return path_format(arena, "%s/worker-%u", places->run, slot);
}

Err crash_page_make(struct ctx *ctx, const struct places *places, uint32_t slot,
                    const char **ret_path)
{
    const char *path = page_path(ctx->arena, places, slot);
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

/* False when the worker died before it had an incarnation: then no job was its. */
static bool page_read(struct ctx *ctx, const struct places *places, uint32_t slot,
                      struct crash_page *ret)
{
    *ret = (struct crash_page){.job = 0};
    int fd = open(page_path(ctx->arena, places, slot), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t length = read(fd, ret, sizeof *ret);
    close(fd);
    ret->incarnation[INCARNATION_MAX - 1] = '\0';
    return length == (ssize_t)sizeof *ret && ret->incarnation[0] != '\0';
}

/* As the platform, in one transaction: the settings are local to it, as everywhere. */
static Err end_lease(struct ctx *ctx, const char *url, const struct crash_page *page)
{
    const char *job = page->job != 0 ? path_format(ctx->arena, "%jd", (intmax_t)page->job) : NULL;
    const char *parameters[] = {page->incarnation, job};
    struct sync_postgres *postgres;
    TRY(sync_postgres_open(ctx, url, &postgres));
    TRY(sync_postgres_query(ctx, postgres, "begin", NULL, 0, NULL));
    TRY(sync_postgres_query(ctx, postgres, "set local role spark_platform", NULL, 0, NULL));
    TRY(sync_postgres_query(ctx, postgres, "set local spark.scope = 'platform'", NULL, 0, NULL));
    TRY(sync_postgres_query(ctx, postgres, SQL_WORKER_CRASHED.sql, parameters, 2, NULL));
    TRY(sync_postgres_query(ctx, postgres, "commit", NULL, 0, NULL));
    sync_postgres_close(postgres);
    return OK;
}

Err crash_report(struct ctx *ctx, const struct places *places, uint32_t slot)
{
    struct crash_page page;
    if (!page_read(ctx, places, slot, &page))
        return OK;
    const char *url = getenv("DATABASE_DIRECT_URL");
    if (url == NULL || url[0] == '\0')
        url = getenv("DATABASE_URL");
    return url != NULL ? end_lease(ctx, url, &page) : OK;
}
