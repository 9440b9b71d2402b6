#include "cli/backends/seals.h"

#include "base/text/ascii.h"
#include "cli/backends/sync_postgres.h"
#include "visitors/outbound/outbound.h"

/* The inverse of encode(…, 'hex'). */
static Str bytes_of(struct ctx *ctx, Str hex)
{
    char *bytes = arena_alloc(ctx->arena, hex.len / 2 + 1);
    for (size_t i = 0; i + 1 < hex.len; i += 2)
        bytes[i / 2] = (char)(ascii_hex_value(hex.data[i]) * 16 + ascii_hex_value(hex.data[i + 1]));
    return str_of(bytes, hex.len / 2);
}

static Err look(struct ctx *ctx, struct sync_postgres *postgres, Str secret, struct seals *ret)
{
    struct sync_rows rows;
    TRY(sync_postgres_query(ctx, postgres, "select to_regclass('spark.site_secrets')", NULL, 0,
                            &rows));
    if (sync_rows_get(&rows, 0, 0).len == 0)
        return OK;
    TRY(sync_postgres_query(ctx, postgres, "set role spark_platform", NULL, 0, NULL));
    TRY(sync_postgres_query(ctx, postgres, "set spark.scope = 'platform'", NULL, 0, NULL));
    Str sql = str_printf(ctx->arena,
                         "select site_id, name, encode(sealed, 'hex') from spark.site_secrets "
                         "order by site_id, name limit %d",
                         SEALS_MAX);
    TRY(sync_postgres_query(ctx, postgres, str_z(ctx->arena, sql), NULL, 0, &rows));
    ret->looked_at = rows.count;
    for (uint32_t i = 0; i < rows.count; i++) {
        Uuid site;
        bool is_site = uuid_parse(sync_rows_get(&rows, i, 0), &site);
        if (!is_site || !site_secret_opens(ctx, secret, site, sync_rows_get(&rows, i, 1),
                                           bytes_of(ctx, sync_rows_get(&rows, i, 2))))
            ret->closed++;
    }
    return OK;
}

Err seals_check(struct ctx *ctx, const char *url, Str secret, struct seals *ret)
{
    struct sync_postgres *postgres;
    *ret = (struct seals){.closed = 0};
    TRY(sync_postgres_open(ctx, url, &postgres));
    Err err = look(ctx, postgres, secret, ret);
    sync_postgres_close(postgres);
    return err;
}

Str seals_sentence(struct ctx *ctx, const struct seals *seals)
{
    return str_printf(ctx->arena,
                      "%u of %u stored secrets of sites cannot be opened: SECRET is not the one "
                      "that they were stored with. Restore it, or enter them again",
                      seals->closed, seals->looked_at);
}
