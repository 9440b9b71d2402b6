#include "cli/supervise/fresh_install.h"

#include "base/memory/array.h"
#include "cli/backends/sync_postgres.h"

/* A comment on schema public of the emptied database, set in the same transaction. */
static const char MARK[] = "spark: made by FORCE_FRESH_INSTALL";

static Err is_marked(struct ctx *ctx, struct sync_postgres *postgres, bool *ret)
{
    struct sync_rows rows;
    TRY(sync_postgres_query(ctx, postgres,
                            "select obj_description(oid, 'pg_namespace') from pg_namespace "
                            "where nspname = 'public'",
                            NULL, 0, &rows));
    *ret = rows.count == 1 && str_eq(sync_rows_get(&rows, 0, 0), str_of(MARK, sizeof(MARK) - 1));
    return OK;
}

static Err empty_database(struct ctx *ctx, struct sync_postgres *postgres)
{
    static const char *const statements[] = {
        "begin",
        "drop schema if exists spark cascade",
        "drop schema public cascade",
        "create schema public",
        "grant usage on schema public to public",
        "comment on schema public is 'spark: made by FORCE_FRESH_INSTALL'",
        "commit",
    };
    for (size_t i = 0; i < COUNT_OF(statements); i++)
        TRY(sync_postgres_query(ctx, postgres, statements[i], NULL, 0, NULL));
    return OK;
}

Err fresh_install(struct ctx *ctx, const char *url, Str asked, bool *ret_done, Str *ret_why)
{
    *ret_done = false;
    *ret_why = STR_NONE;
    if (asked.len == 0)
        return OK;

    struct sync_postgres *postgres;
    TRY(sync_postgres_open(ctx, url, &postgres));
    Str name = str_from_z(sync_postgres_database(postgres));
    bool is_done_before;
    TRY(is_marked(ctx, postgres, &is_done_before));
    if (!str_eq(asked, name)) {
        *ret_why = str_printf(ctx->arena,
                              "FORCE_FRESH_INSTALL is not '%.*s', the name of this database: "
                              "nothing was dropped",
                              STR_FMT(name));
    } else if (is_done_before) {
        *ret_why = STR("FORCE_FRESH_INSTALL was already done on this database: nothing was "
                       "dropped; unset it");
    } else {
        TRY(empty_database(ctx, postgres));
        *ret_done = true;
    }
    sync_postgres_close(postgres);
    return OK;
}
