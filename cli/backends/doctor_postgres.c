#include "base/memory/array.h"
#include "base/text/buf.h"
#include "cli/backends/doctor.h"
#include "cli/backends/leakproof.h"
#include "cli/backends/seals.h"
#include "cli/backends/sync_postgres.h"
#include "io/pg/migrate_files.h"

enum { VERSION_MIN = 150000, NAMES_MAX = 16384 };

/* The message of fail(), as one line. */
static Str last_reason(struct ctx *ctx)
{
    Str reason = ctx->diag.first != NULL ? ctx->diag.first->reason : STR("no reason given");
    ptrdiff_t newline = str_find_char(reason, '\n');
    diag_clear(ctx);
    return newline > 0 ? str_slice(reason, 0, (size_t)newline) : reason;
}

/* The value of a query with one row and one column; `otherwise` if there is none or the query
 * fails. */
static Str ask(struct ctx *ctx, struct sync_postgres *postgres, const char *sql,
               const char *parameter, Str otherwise)
{
    struct sync_rows rows;
    const char *parameters[] = {parameter};
    Err err = sync_postgres_query(ctx, postgres, sql, parameters, parameter != NULL ? 1 : 0, &rows);
    if (err != OK)
        diag_clear(ctx);
    return err == OK && rows.count > 0 && rows.columns > 0 ? sync_rows_get(&rows, 0, 0) : otherwise;
}

static bool is_yes(Str answer)
{
    return str_eq(answer, STR("t"));
}

static void look_at_server(struct ctx *ctx, struct sync_postgres *postgres,
                           struct findings *findings)
{
    int version = sync_postgres_version(postgres);
    Str shown = str_printf(ctx->arena, "PostgreSQL %d.%d", version / 10000, version % 10000);
    bool is_new = version >= VERSION_MIN;
    finding_add(findings, is_new ? FINDING_GOOD : FINDING_BAD, STR("version"), shown,
                is_new ? STR_NONE : STR("Spark needs PostgreSQL 15 or newer"));

    Str encoding = ask(ctx, postgres, "show server_encoding", NULL, STR("?"));
    bool is_utf8 = str_eq(encoding, STR("UTF8"));
    finding_add(findings, is_utf8 ? FINDING_GOOD : FINDING_BAD, STR("encoding"), encoding,
                is_utf8 ? STR_NONE : STR("create the database again with encoding UTF8"));

    Str fsync = ask(ctx, postgres, "show fsync", NULL, STR("?"));
    bool is_durable = str_eq(fsync, STR("on"));
    finding_add(findings, is_durable ? FINDING_GOOD : FINDING_ODD, STR("fsync"), fsync,
                is_durable ? STR_NONE
                           : STR("with fsync off, a power failure can corrupt the database"));
}

static void look_at_roles(struct ctx *ctx, struct sync_postgres *postgres,
                          struct findings *findings)
{
    static const char *const names[] = {"spark_owner", "spark_tenant", "spark_platform"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        Str subject = str_printf(ctx->arena, "role %s", names[i]);
        Str state = ask(ctx, postgres,
                        "select case when rolsuper then 'is superuser' "
                        "when rolbypassrls then 'has BYPASSRLS' else 'narrow' end "
                        "from pg_roles where rolname = $1",
                        names[i], STR("missing"));
        bool is_good = str_eq(state, STR("narrow"));
        finding_add(findings, is_good ? FINDING_GOOD : FINDING_BAD, subject, state,
                    is_good                         ? STR_NONE
                    : str_eq(state, STR("missing")) ? STR("run spark migrate")
                                                    : STR("alter role … nosuperuser nobypassrls"));
    }
}

/* Checks tenant isolation: connections of a site's scope must not bypass row-level security. */
static void look_at_tenant_lane(struct ctx *ctx, const struct settings *settings, const char *url,
                                struct findings *findings)
{
    struct sync_postgres *lane;
    bool has_own = settings->database_tenant_url.len > 0;
    Err err = sync_postgres_open(
        ctx, has_own ? str_z(ctx->arena, settings->database_tenant_url) : url, &lane);
    if (err == OK && !has_own)
        err = sync_postgres_query(ctx, lane, "set role spark_tenant", NULL, 0, NULL);
    if (err != OK) {
        finding_add(findings, FINDING_BAD, STR("tenant lane"), last_reason(ctx),
                    STR("run spark migrate, or grant spark_tenant to the user of DATABASE_URL"));
        return;
    }
    Str state = ask(ctx, lane,
                    "select case when r.rolsuper then 'is superuser' "
                    "when r.rolbypassrls then 'has BYPASSRLS' "
                    "when exists (select from pg_class c where c.relowner = r.oid and "
                    "c.relkind in ('r', 'p') and c.relnamespace = any (array(select oid from "
                    "pg_namespace where nspname in ('public', 'spark')))) then 'owns tables' "
                    "else 'narrow' end from pg_roles r where r.rolname = current_user",
                    NULL, STR("unknown"));
    bool is_good = str_eq(state, STR("narrow"));
    finding_add(findings, is_good ? FINDING_GOOD : FINDING_BAD, STR("tenant lane"), state,
                is_good ? STR_NONE
                        : STR("requests of one site would see every site: let DATABASE_TENANT_URL "
                              "log in as spark_tenant"));
    sync_postgres_close(lane);
}

/* *ret: the applied migrations. */
static Err compare_schema(struct ctx *ctx, struct sync_postgres *postgres, struct sync_rows *ret)
{
    struct migrations migrations;
    TRY(migrations_load(ctx, &migrations));
    TRY(sync_postgres_query(ctx, postgres, "select name from spark.migrations order by name", NULL,
                            0, ret));
    TRY(migrations_compare(ctx, &migrations, ret->values, ret->count));
    struct sync_rows functions;
    TRY(sync_postgres_query(ctx, postgres, SQL_FUNCTIONS_APPLIED, NULL, 0, &functions));
    return migrations_compare_functions(ctx, &migrations, functions.values, functions.count);
}

static void look_at_schema(struct ctx *ctx, struct sync_postgres *postgres,
                           struct findings *findings)
{
    Str has =
        ask(ctx, postgres, "select to_regclass('spark.migrations') is not null", NULL, STR("f"));
    if (!is_yes(has)) {
        finding_add(findings, FINDING_ODD, STR("schema"), STR("not installed"),
                    STR("run spark migrate"));
        return;
    }
    struct sync_rows rows = {0};
    if (compare_schema(ctx, postgres, &rows) != OK)
        finding_add(findings, FINDING_BAD, STR("schema"), last_reason(ctx),
                    STR("servers and workers refuse to start with it"));
    else
        finding_add(findings, FINDING_GOOD, STR("schema"),
                    str_printf(ctx->arena, "%u migrations", rows.count), STR_NONE);
}

static void look_at_seals(struct ctx *ctx, const char *url, Str secret, struct findings *findings)
{
    struct seals seals;
    if (secret.len == 0)
        return;
    if (seals_check(ctx, url, secret, &seals) != OK) {
        diag_clear(ctx); /* no such role or table: reported above */
        return;
    }
    if (seals.closed > 0)
        finding_add(findings, FINDING_BAD, STR("secrets of sites"), seals_sentence(ctx, &seals),
                    STR("webhooks and conversions of these sites fail until then"));
    else if (seals.looked_at > 0)
        finding_add(findings, FINDING_GOOD, STR("secrets of sites"),
                    str_printf(ctx->arena, "%u, and SECRET opens them", seals.looked_at), STR_NONE);
}

/* Performance only: without these, filters by pattern and on decimals read every row of the
 * site. */
static void look_at_indexes(struct ctx *ctx, struct sync_postgres *postgres,
                            struct findings *findings)
{
    Str functions, offered, absent;
    if (leakproof_missing(ctx, postgres, &functions) != OK ||
        trigram_missing(ctx, postgres, &offered, &absent) != OK) {
        finding_add(findings, FINDING_ODD, STR("leakproof"), last_reason(ctx), STR_NONE);
        return;
    }
    bool is_marked = functions.len == 0;
    finding_add(findings, is_marked ? FINDING_GOOD : FINDING_ODD, STR("leakproof"),
                is_marked
                    ? STR("filters can use indexes under row-level security")
                    : str_printf(ctx->arena, "indexes are kept from %.*s", STR_FMT(functions)),
                is_marked ? STR_NONE
                          : str_printf(ctx->arena, "as superuser in the database %s: %.*s",
                                       sync_postgres_database(postgres),
                                       STR_FMT(leakproof_sql(ctx, functions))));
    bool has_extensions = offered.len + absent.len == 0;
    Str missing = absent.len > 0 ? absent : offered;
    finding_add(findings, has_extensions ? FINDING_GOOD : FINDING_ODD, STR("trigrams"),
                has_extensions ? STR("pg_trgm and btree_gin are installed")
                               : str_printf(ctx->arena, "no %.*s", STR_FMT(missing)),
                has_extensions ? STR_NONE
                : absent.len > 0
                    ? STR("install PostgreSQL's contrib modules on its server; needed for trigram "
                          "indexes only")
                    : STR("as owner of the database: create extension if not exists pg_trgm; "
                          "create extension if not exists btree_gin;"));
}

/* The tables that the pack would create, as a PostgreSQL array: read from its migrations. */
static const char *pack_tables(struct ctx *ctx, const struct migrations *migrations)
{
    struct buf *names = buf_in_arena(ctx->arena, NAMES_MAX);
    buf_put_char(names, '{');
    for (uint32_t i = 0; i < migrations->count; i++) {
        Str text = migrations->list[i].is_pack ? migrations->list[i].sql : STR_NONE;
        Str line, name;
        while (str_next(&text, '\n', &line)) {
            if (!str_starts_with(line, STR("create table ")))
                continue;
            line = str_slice(line, sizeof("create table ") - 1, line.len);
            if (!str_next(&line, ' ', &name) || str_find_char(name, '.') >= 0)
                continue;
            buf_put(names, names->len > 1 ? STR(",") : STR_NONE);
            buf_put(names, name);
        }
    }
    buf_put_char(names, '}');
    return str_z(ctx->arena, buf_str(names));
}

/* Only before the pack is installed: afterwards these tables belong to it. */
static void look_at_names(struct ctx *ctx, struct sync_postgres *postgres,
                          struct findings *findings)
{
    Str has_pack =
        ask(ctx, postgres,
            "select exists (select from spark.migrations where name ~ '/([0-9]{4}_)?pack[_/]')",
            NULL, STR("f"));
    struct migrations migrations;
    if (is_yes(has_pack) || migrations_load(ctx, &migrations) != OK)
        return;
    Str clashes = ask(ctx, postgres,
                      "select string_agg(relname::text, ', ' order by relname) from pg_class "
                      "where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v') "
                      "and relname = any ($1::name[])",
                      pack_tables(ctx, &migrations), STR_NONE);
    finding_add(findings, clashes.len > 0 ? FINDING_ODD : FINDING_GOOD, STR("names"),
                clashes.len > 0 ? clashes : STR("no clash with the factory's tables"),
                clashes.len > 0 ? STR("the factory's pack cannot be installed here until these "
                                      "are renamed; everything else works")
                                : STR_NONE);
    Str directus =
        ask(ctx, postgres, "select to_regclass('public.directus_collections') is not null", NULL,
            STR("f"));
    Str has_spark =
        ask(ctx, postgres, "select to_regnamespace('spark') is not null", NULL, STR("f"));
    if (is_yes(directus) && !is_yes(has_spark))
        finding_add(findings, FINDING_GOOD, STR("Directus"),
                    STR("an existing Directus database: it will be opened in place"), STR_NONE);
}

void doctor_postgres(struct ctx *ctx, const struct settings *settings, struct findings *findings)
{
    Str direct = settings->database_direct_url.len > 0 ? settings->database_direct_url
                                                       : settings->database_url;
    if (direct.len == 0) {
        finding_add(findings, FINDING_BAD, STR("PostgreSQL"), STR("no DATABASE_URL"),
                    STR("set it, or start spark up in this folder"));
        return;
    }
    const char *url = str_z(ctx->arena, direct);
    struct sync_postgres *postgres;
    if (sync_postgres_open(ctx, url, &postgres) != OK) {
        finding_add(findings, FINDING_BAD, STR("PostgreSQL"), last_reason(ctx),
                    STR("start it, or correct DATABASE_URL"));
        return;
    }
    look_at_server(ctx, postgres, findings);
    look_at_roles(ctx, postgres, findings);
    look_at_tenant_lane(ctx, settings, str_z(ctx->arena, settings->database_url), findings);
    look_at_schema(ctx, postgres, findings);
    look_at_seals(ctx, url, settings->secret, findings);
    look_at_indexes(ctx, postgres, findings);
    look_at_names(ctx, postgres, findings);
    sync_postgres_close(postgres);
}
