/* Whether the database is the one that this binary was made for. */
#include "io/pg/db.h"
#include "io/pg/migrate_files.h"

static const struct statement APPLIED = {
    .name = "db_migrations",
    .sql = "select name from spark.migrations order by name",
    .lane = DB_READ,
};

fiber_fn Err db_check_migrations(struct platform platform)
{
    struct ctx *ctx = platform.ctx;
    struct rows rows;
    TRY(db_query_platform(platform, &APPLIED, NO_ARGS, &rows));
    Str *names = arena_array(ctx->arena, Str, rows.count + 1);
    for (uint32_t i = 0; i < rows.count; i++)
        names[i] = row_text(&rows, i, 0);
    return migrations_compare(ctx, names, rows.count);
}
