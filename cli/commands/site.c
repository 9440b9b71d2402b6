/* Creates and lists sites. */
#include "access/identity/authenticate.h"
#include "cli/commands/platform.h"
#include "cli/commands/table.h"
#include "gen/sql.h"

#include <stdio.h>

int command_site_create(struct cli *cli, int argc, char **argv);
int command_site_list(struct cli *cli, int argc, char **argv);

enum { NAME_MAX_LEN = 255 };

static Err site_create(struct cli *cli, Str domain, Str name, struct sync_rows *ret)
{
    struct ctx *ctx = &cli->ctx;
    struct sync_postgres *postgres;
    TRY(platform_begin(cli, "sites", &postgres));
    const char *known[] = {str_z(ctx->arena, domain)};
    struct sync_rows rows;
    TRY(platform_query(cli, postgres, &SQL_SITE_FIND_BY_DOMAIN_OR_ID, known, 1, &rows));
    if (rows.count > 0)
        return fail(ctx, ERR_CONFLICT, "%.*s is the domain of site %.*s already", STR_FMT(domain),
                    STR_FMT(sync_rows_get(&rows, 0, SITE_FIND_BY_DOMAIN_OR_ID_ID)));
    const char *parameters[] = {str_z(ctx->arena, uuid_text(ctx->arena, uuid_make())),
                                str_z(ctx->arena, name), str_z(ctx->arena, domain)};
    TRY(platform_query(cli, postgres, &SQL_CLI_SITE_CREATE, parameters, 3, ret));
    return platform_commit(cli, postgres);
}

int command_site_create(struct cli *cli, int argc, char **argv)
{
    bool is_json = false;
    Str domain = STR_NONE;
    Str name = STR_NONE;
    const struct option options[] = {{.name = "domain", .text = &domain},
                                     {.name = "name", .text = &name},
                                     {.name = "json", .flag = &is_json}};
    if (!command_options(cli, argc, argv, options, 3, NULL))
        return CLI_USAGE;
    Str host = host_normalise(cli->ctx.arena, domain);
    if (domain.len == 0)
        return command_usage(cli, "--domain is missing: the hostname of the site");
    if (host.len == 0)
        return command_usage(cli, "'%.*s' is not a domain", STR_FMT(domain));
    if (name.len == 0)
        name = host;
    if (!str_is_utf8(name) || str_count_codepoints(name) > NAME_MAX_LEN)
        return command_usage(cli, "--name may have at most 255 characters");

    static const struct table_column COLUMNS[] = {TEXT_COLUMN("id"), TEXT_COLUMN("domain"),
                                                  TEXT_COLUMN("name"), TEXT_COLUMN("status")};
    struct sync_rows rows;
    Err err = site_create(cli, host, name, &rows);
    if (err != OK)
        return command_refuse_err(cli, err);
    table_print_one(cli, &rows, COLUMNS, is_json);
    return CLI_DONE;
}

static Err site_list(struct cli *cli, struct sync_rows *ret)
{
    struct sync_postgres *postgres;
    TRY(platform_begin(cli, "sites", &postgres));
    TRY(platform_query(cli, postgres, &SQL_CLI_SITE_LIST, NULL, 0, ret));
    return platform_commit(cli, postgres);
}

int command_site_list(struct cli *cli, int argc, char **argv)
{
    static const struct table_column COLUMNS[] = {TEXT_COLUMN("id"), TEXT_COLUMN("domain"),
                                                  TEXT_COLUMN("name"), TEXT_COLUMN("status"),
                                                  TEXT_COLUMN("created")};
    bool is_json = false;
    const struct option options[] = {{.name = "json", .flag = &is_json}};
    if (!command_options(cli, argc, argv, options, 1, NULL))
        return CLI_USAGE;
    struct sync_rows rows;
    Err err = site_list(cli, &rows);
    if (err != OK)
        return command_refuse_err(cli, err);
    table_print(cli, &rows, COLUMNS, is_json,
                "There are no sites; make one with spark site create --domain DOMAIN.");
    return CLI_DONE;
}
