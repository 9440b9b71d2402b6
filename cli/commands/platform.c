#include "cli/commands/platform.h"

#include "base/settings/settings.h"
#include "gen/sql.h"

static Err run(struct cli *cli, struct sync_postgres *postgres, const char *sql)
{
    return sync_postgres_query(&cli->ctx, postgres, sql, NULL, 0, NULL);
}

static Err require(struct cli *cli, struct sync_postgres *postgres, const char *table)
{
    struct sync_rows rows;
    const char *parameters[] = {table};
    TRY(sync_postgres_query(&cli->ctx, postgres, "select to_regclass($1)", parameters, 1, &rows));
    if (sync_rows_get(&rows, 0, 0).data != NULL)
        return OK;
    bool is_machinery = str_starts_with(str_from_z(table), STR("spark."));
    return fail(&cli->ctx, ERR_CONFIG, "database %s has no table %s: run spark migrate%s",
                sync_postgres_database(postgres), table, is_machinery ? "" : " --pack");
}

Err platform_begin(struct cli *cli, const char *needs, struct sync_postgres **ret)
{
    struct ctx *ctx = &cli->ctx;
    struct settings settings;
    TRY(command_settings(cli, &settings));
    bool has_login = settings.database_platform_url.len > 0;
    Str url = has_login ? settings.database_platform_url : settings.database_url;
    if (url.len == 0)
        return fail(ctx, ERR_CONFIG,
                    "DATABASE_URL is not set, and no spark up runs here: name the database");
    TRY(sync_postgres_open(ctx, str_z(ctx->arena, url), ret));
    TRY(run(cli, *ret, "begin"));
    TRY(require(cli, *ret, needs));
    if (!has_login)
        TRY(run(cli, *ret, "set local role spark_platform"));
    return run(cli, *ret, "set local spark.scope = 'platform'");
}

Err platform_query(struct cli *cli, struct sync_postgres *postgres,
                   const struct statement *statement, const char *const *parameters,
                   uint32_t parameter_count, struct sync_rows *ret)
{
    return sync_postgres_query(&cli->ctx, postgres, statement->sql, parameters, parameter_count,
                               ret);
}

Err platform_commit(struct cli *cli, struct sync_postgres *postgres)
{
    TRY(run(cli, postgres, "commit"));
    sync_postgres_close(postgres);
    return OK;
}

Err platform_site(struct cli *cli, struct sync_postgres *postgres, Str domain_or_id,
                  const char **ret_id)
{
    struct ctx *ctx = &cli->ctx;
    struct sync_rows rows;
    const char *parameters[] = {str_z(ctx->arena, domain_or_id)};
    TRY(require(cli, postgres, "sites"));
    TRY(platform_query(cli, postgres, &SQL_SITE_FIND_BY_DOMAIN_OR_ID, parameters, 1, &rows));
    if (rows.count == 0)
        return fail(ctx, ERR_NOT_FOUND, "there is no site '%.*s'; see spark site list",
                    STR_FMT(domain_or_id));
    *ret_id = str_z(ctx->arena, sync_rows_get(&rows, 0, SITE_FIND_BY_DOMAIN_OR_ID_ID));
    return OK;
}
