/* Checks that the schema of the database matches this binary. */
#include "io/pg/db.h"
#include "io/pg/migrate_files.h"

static fiber_fn Err read_lines(struct platform platform, const struct statement *statement,
                               Str **ret, uint32_t *ret_count);

static const struct statement APPLIED = {
    .name = "db_migrations",
    .sql = "select name from spark.migrations order by name",
    .lane = DB_READ,
};

static const struct statement FUNCTIONS = {
    .name = "db_functions",
    .sql = SQL_FUNCTIONS_APPLIED,
    .lane = DB_READ,
};

fiber_fn Err db_check_migrations(struct platform platform)
{
    struct ctx *ctx = platform.ctx;
    struct migrations migrations;
    TRY(migrations_load(ctx, &migrations));
    Str *lines;
    uint32_t count;
    TRY(read_lines(platform, &APPLIED, &lines, &count));
    TRY(migrations_compare(ctx, &migrations, lines, count));
    /* The table is created by a migration, which is known to be applied only here. */
    TRY(read_lines(platform, &FUNCTIONS, &lines, &count));
    return migrations_compare_functions(ctx, &migrations, lines, count);
}

static fiber_fn Err read_lines(struct platform platform, const struct statement *statement,
                               Str **ret, uint32_t *ret_count)
{
    struct rows rows;
    TRY(db_query_platform(platform, statement, NO_ARGS, &rows));
    Str *lines = arena_array(platform.ctx->arena, Str, rows.count + 1);
    for (uint32_t i = 0; i < rows.count; i++)
        lines[i] = row_text(&rows, i, 0);
    *ret = lines;
    *ret_count = rows.count;
    return OK;
}
