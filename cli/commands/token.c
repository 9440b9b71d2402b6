/* Tokens of a site. A token is shown once; only its SHA-256 is stored. */
#include "base/crypto/crypto.h"
#include "base/json/json_writer.h"
#include "base/memory/array.h"
#include "base/system/clock.h"
#include "cli/commands/platform.h"
#include "cli/commands/table.h"
#include "gen/sql.h"

#include <stdio.h>

int command_token_create(struct cli *cli, int argc, char **argv);
int command_token_list(struct cli *cli, int argc, char **argv);
int command_token_revoke(struct cli *cli, int argc, char **argv);

enum { TOKEN_LEN = 43 /* 43 × 6 = 258 bits */, NAME_MAX_LEN = 255 };

struct wanted {
    Str site;
    Str name;
    Str expires;
    bool is_read_only;
    bool is_json;
};

/* SHA-256 in bytea's text format. */
static const char *hash_text(struct arena *arena, Str token)
{
    Sha256 hash = sha256(token);
    struct buf *out = buf_in_arena(arena, 128);
    buf_put(out, STR("\\x"));
    for (size_t i = 0; i < sizeof hash.bytes; i++)
        buf_printf(out, "%02x", hash.bytes[i]);
    return str_z(arena, buf_str(out));
}

static Err token_create(struct cli *cli, const struct wanted *wanted, Str token, Str id)
{
    struct ctx *ctx = &cli->ctx;
    struct sync_postgres *postgres;
    const char *site;
    TRY(platform_begin(cli, "spark.site_tokens", &postgres));
    TRY(platform_site(cli, postgres, wanted->site, &site));
    const char *parameters[SITE_TOKEN_CREATE_PARAMS] = {
        [SITE_TOKEN_CREATE_PARAM_ID] = str_z(ctx->arena, id),
        [SITE_TOKEN_CREATE_PARAM_SITE] = site,
        [SITE_TOKEN_CREATE_PARAM_NAME] = str_z(ctx->arena, wanted->name),
        [SITE_TOKEN_CREATE_PARAM_TOKEN_HASH] = hash_text(ctx->arena, token),
        [SITE_TOKEN_CREATE_PARAM_SCOPES] = wanted->is_read_only ? "{read}" : "{read,write}",
        [SITE_TOKEN_CREATE_PARAM_EXPIRES_AT] =
            wanted->expires.len > 0 ? str_z(ctx->arena, wanted->expires) : NULL,
        [SITE_TOKEN_CREATE_PARAM_AUDIT_ACTOR] = "operator", /* without user and address */
    };
    struct sync_rows rows;
    TRY(platform_query(cli, postgres, &SQL_SITE_TOKEN_CREATE, parameters, SITE_TOKEN_CREATE_PARAMS,
                       &rows));
    return platform_commit(cli, postgres);
}

static void print_created(struct cli *cli, bool is_json, Str id, Str token)
{
    if (!is_json) {
        fprintf(stderr, "Token %.*s; keep it, it is not shown again:\n", STR_FMT(id));
        printf("%.*s\n", STR_FMT(token));
        return;
    }
    struct buf *out = buf_in_arena(cli->ctx.arena, 1024);
    struct json_writer w = json_writer(out);
    json_object_begin(&w);
    json_field_str(&w, "id", id);
    json_field_str(&w, "token", token);
    json_object_end(&w);
    printf("%.*s\n", STR_FMT(buf_str(out)));
}

/* A date without time means 00:00 UTC. False after printing an error. */
static bool expires_read(struct cli *cli, Str *expires)
{
    if (expires->len == 0)
        return true;
    int64_t wall_us;
    Str text = *expires;
    if (text.len == sizeof "2026-01-01" - 1)
        text = str_printf(cli->ctx.arena, "%.*sT00:00:00Z", STR_FMT(text));
    bool is_date = clock_parse_iso(text, &wall_us);
    if (!is_date || wall_us <= clock_wall_us()) {
        command_usage(cli, "--expires '%.*s' %s", STR_FMT(*expires),
                      is_date ? "is in the past" : "is not an ISO 8601 date");
        return false;
    }
    *expires = clock_iso(cli->ctx.arena, wall_us);
    return true;
}

int command_token_create(struct cli *cli, int argc, char **argv)
{
    struct wanted wanted = {.name = STR("cli")};
    const struct option options[] = {{.name = "site", .text = &wanted.site},
                                     {.name = "name", .text = &wanted.name},
                                     {.name = "expires", .text = &wanted.expires},
                                     {.name = "read-only", .flag = &wanted.is_read_only},
                                     {.name = "json", .flag = &wanted.is_json}};
    if (!command_options(cli, argc, argv, options, 5, NULL))
        return CLI_USAGE;
    if (wanted.site.len == 0)
        return command_usage(cli, "--site is missing: the site's id or domain");
    if (wanted.name.len == 0 || !str_is_utf8(wanted.name) ||
        str_count_codepoints(wanted.name) > NAME_MAX_LEN)
        return command_usage(cli, "--name has 1 to 255 characters");
    if (!expires_read(cli, &wanted.expires))
        return CLI_USAGE;
    Str token = random_token(cli->ctx.arena, TOKEN_LEN);
    Str id = uuid_text(cli->ctx.arena, uuid_make());
    Err err = token_create(cli, &wanted, token, id);
    if (err != OK)
        return command_refuse_err(cli, err);
    print_created(cli, wanted.is_json, id, token);
    return CLI_DONE;
}

static Err token_list(struct cli *cli, Str site, struct sync_rows *ret)
{
    struct sync_postgres *postgres;
    const char *id = NULL;
    TRY(platform_begin(cli, "spark.site_tokens", &postgres));
    if (site.len > 0)
        TRY(platform_site(cli, postgres, site, &id));
    TRY(platform_query(cli, postgres, &SQL_CLI_TOKEN_LIST, &id, 1, ret));
    return platform_commit(cli, postgres);
}

int command_token_list(struct cli *cli, int argc, char **argv)
{
    static const struct table_column COLUMNS[] = {
        TEXT_COLUMN("id"),        TEXT_COLUMN("site_id"),    TEXT_COLUMN("name"),
        TEXT_COLUMN("scopes"),    TEXT_COLUMN("expires_at"), TEXT_COLUMN("last_used_at"),
        TEXT_COLUMN("created_at")};
    bool is_json = false;
    Str site = STR_NONE;
    const struct option options[] = {{.name = "site", .text = &site},
                                     {.name = "json", .flag = &is_json}};
    if (!command_options(cli, argc, argv, options, 2, NULL))
        return CLI_USAGE;
    struct sync_rows rows;
    Err err = token_list(cli, site, &rows);
    if (err != OK)
        return command_refuse_err(cli, err);
    table_print(cli, &rows, COLUMNS, is_json, "There are no site tokens.");
    return CLI_DONE;
}

static Err token_revoke(struct cli *cli, Str id)
{
    struct ctx *ctx = &cli->ctx;
    struct sync_postgres *postgres;
    struct sync_rows rows;
    const char *parameters[] = {str_z(ctx->arena, id)};
    TRY(platform_begin(cli, "spark.site_tokens", &postgres));
    TRY(platform_query(cli, postgres, &SQL_CLI_TOKEN_REVOKE, parameters, 1, &rows));
    if (rows.count == 0)
        return fail(ctx, ERR_NOT_FOUND, "there is no token %.*s; see spark token list",
                    STR_FMT(id));
    return platform_commit(cli, postgres);
}

int command_token_revoke(struct cli *cli, int argc, char **argv)
{
    struct operands operands = {.count = 0};
    Uuid id;
    if (!command_options(cli, argc, argv, NULL, 0, &operands))
        return CLI_USAGE;
    if (operands.count != 1 || !uuid_parse(operands.values[0], &id))
        return command_usage(cli, "name the id of one token");
    Err err = token_revoke(cli, operands.values[0]);
    if (err != OK)
        return command_refuse_err(cli, err);
    printf("Token %.*s is revoked.\n", STR_FMT(operands.values[0]));
    return CLI_DONE;
}
