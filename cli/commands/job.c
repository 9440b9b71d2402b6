/* Lists, shows, retries and enqueues jobs. */
#include "base/json/json.h"
#include "base/memory/array.h"
#include "cli/commands/platform.h"
#include "cli/commands/table.h"
#include "gen/sql.h"
#include "jobs/queue/job_kind.h"

#include <stdio.h>

int command_job_list(struct cli *cli, int argc, char **argv);
int command_job_show(struct cli *cli, int argc, char **argv);
int command_job_retry(struct cli *cli, int argc, char **argv);
int command_job_enqueue(struct cli *cli, int argc, char **argv);
int command_job_counts(struct cli *cli, int argc, char **argv);
int command_job_kinds(struct cli *cli, int argc, char **argv);

enum { LIMIT_DEFAULT = 20, LIMIT_MAX = 10000, COUNT_MAX = 1000000, NAMES_MAX = 16384 };

static const char *z_or_null(struct cli *cli, Str s)
{
    return s.len > 0 ? str_z(cli->ctx.arena, s) : NULL;
}

/* Parses a whole number within its limits; false after printing an error. An absent one stays
 * unchanged. */
static bool number_read(struct cli *cli, const char *name, Str text, int64_t most, int64_t *number)
{
    if (text.data == NULL || (str_to_i64(text, number) && *number >= 1 && *number <= most))
        return true;
    command_usage(cli, "%s is a number from 1 to %jd, not '%.*s'", name, (intmax_t)most,
                  STR_FMT(text));
    return false;
}

static bool state_is_known(Str state)
{
    static const Str STATES[] = {
        STR_INIT("queued"), STR_INIT("running"),   STR_INIT("done"),   STR_INIT("waiting_children"),
        STR_INIT("dead"),   STR_INIT("cancelled"), STR_INIT("expired")};
    for (size_t i = 0; i < COUNT_OF(STATES); i++)
        if (str_eq(state, STATES[i]))
            return true;
    return state.len == 0;
}

/* Reads the only operand, a job's id; false after printing an error. */
static bool id_read(struct cli *cli, const struct operands *operands, const char **ret)
{
    int64_t id;
    if (operands->count != 1 || !str_to_i64(operands->values[0], &id) || id < 1) {
        command_usage(cli, "name the id of one job");
        return false;
    }
    *ret = str_z(cli->ctx.arena, operands->values[0]);
    return true;
}

struct filter {
    Str state;
    Str kind;
    Str site;
    int64_t limit;
};

static Err job_list(struct cli *cli, const struct filter *filter, struct sync_rows *ret)
{
    struct sync_postgres *postgres;
    const char *site = NULL;
    TRY(platform_begin(cli, "spark.jobs", &postgres));
    if (filter->site.len > 0)
        TRY(platform_site(cli, postgres, filter->site, &site));
    const char *limit =
        str_z(cli->ctx.arena, str_printf(cli->ctx.arena, "%jd", (intmax_t)filter->limit));
    const char *parameters[] = {z_or_null(cli, filter->state), z_or_null(cli, filter->kind), site,
                                limit};
    TRY(platform_query(cli, postgres, &SQL_CLI_JOB_LIST, parameters, 4, ret));
    return platform_commit(cli, postgres);
}

int command_job_list(struct cli *cli, int argc, char **argv)
{
    static const struct table_column COLUMNS[] = {
        RAW_COLUMN("id"),       TEXT_COLUMN("state"),  TEXT_COLUMN("kind"),
        TEXT_COLUMN("site_id"), RAW_COLUMN("attempt"), RAW_COLUMN("failures"),
        RAW_COLUMN("crashes"),  TEXT_COLUMN("run_at"), TEXT_COLUMN("finished_at"),
        TEXT_COLUMN("error")};
    bool is_json = false;
    Str limit = STR_NONE;
    struct filter filter = {.limit = LIMIT_DEFAULT};
    const struct option options[] = {{.name = "state", .text = &filter.state},
                                     {.name = "kind", .text = &filter.kind},
                                     {.name = "site", .text = &filter.site},
                                     {.name = "limit", .text = &limit},
                                     {.name = "json", .flag = &is_json}};
    if (!command_options(cli, argc, argv, options, 5, NULL))
        return CLI_USAGE;
    if (!state_is_known(filter.state))
        return command_usage(cli,
                             "--state is queued, running, waiting_children, done, dead, cancelled "
                             "or expired, not '%.*s'",
                             STR_FMT(filter.state));
    if (!number_read(cli, "--limit", limit, LIMIT_MAX, &filter.limit))
        return CLI_USAGE;
    struct sync_rows rows;
    Err err = job_list(cli, &filter, &rows);
    if (err != OK)
        return command_refuse_err(cli, err);
    table_print(cli, &rows, COLUMNS, is_json, "There are no such jobs.");
    return CLI_DONE;
}

static Err job_show(struct cli *cli, const char *id, struct sync_rows *ret, struct sync_rows *logs)
{
    struct sync_postgres *postgres;
    TRY(platform_begin(cli, "spark.jobs", &postgres));
    TRY(platform_query(cli, postgres, &SQL_CLI_JOB_SHOW, &id, 1, ret));
    if (ret->count == 0)
        return fail(&cli->ctx, ERR_NOT_FOUND, "there is no job %s; see spark job list", id);
    TRY(platform_query(cli, postgres, &SQL_CLI_JOB_LOGS, &id, 1, logs));
    return platform_commit(cli, postgres);
}

int command_job_show(struct cli *cli, int argc, char **argv)
{
    static const struct table_column COLUMNS[] = {
        RAW_COLUMN("id"),          TEXT_COLUMN("state"),       TEXT_COLUMN("kind"),
        TEXT_COLUMN("site_id"),    RAW_COLUMN("priority"),     RAW_COLUMN("attempt"),
        RAW_COLUMN("failures"),    RAW_COLUMN("max_failures"), RAW_COLUMN("crashes"),
        RAW_COLUMN("max_crashes"), TEXT_COLUMN("worker"),      TEXT_COLUMN("dedup_key"),
        RAW_COLUMN("payload"),     RAW_COLUMN("progress"),     RAW_COLUMN("checkpoint"),
        RAW_COLUMN("result"),      TEXT_COLUMN("error_class"), TEXT_COLUMN("error"),
        TEXT_COLUMN("trace"),      TEXT_COLUMN("created_at"),  TEXT_COLUMN("run_at"),
        TEXT_COLUMN("started_at"), TEXT_COLUMN("finished_at")};
    static const struct table_column LOGS[] = {TEXT_COLUMN("timestamp"), RAW_COLUMN("attempt"),
                                               TEXT_COLUMN("level"), TEXT_COLUMN("line")};
    bool is_json = false;
    struct operands operands = {.count = 0};
    const struct option options[] = {{.name = "json", .flag = &is_json}};
    const char *id;
    if (!command_options(cli, argc, argv, options, 1, &operands) || !id_read(cli, &operands, &id))
        return CLI_USAGE;
    struct sync_rows rows;
    struct sync_rows logs;
    Err err = job_show(cli, id, &rows, &logs);
    if (err != OK)
        return command_refuse_err(cli, err);
    table_print_one(cli, &rows, COLUMNS, is_json);
    if (!is_json && logs.count > 0)
        table_print(cli, &logs, LOGS, false, "");
    return CLI_DONE;
}

static Err job_retry(struct cli *cli, const char *id)
{
    struct sync_postgres *postgres;
    struct sync_rows rows;
    TRY(platform_begin(cli, "spark.jobs", &postgres));
    TRY(platform_query(cli, postgres, &SQL_JOB_RETRY, &id, 1, &rows));
    if (rows.count == 0)
        return fail(&cli->ctx, ERR_NOT_FOUND,
                    "there is no job %s that is dead, cancelled or expired; see spark job show %s",
                    id, id);
    return platform_commit(cli, postgres);
}

int command_job_retry(struct cli *cli, int argc, char **argv)
{
    struct operands operands = {.count = 0};
    const char *id;
    if (!command_options(cli, argc, argv, NULL, 0, &operands) || !id_read(cli, &operands, &id))
        return CLI_USAGE;
    Err err = job_retry(cli, id);
    if (err != OK)
        return command_refuse_err(cli, err);
    printf("Job %s is queued again.\n", id);
    return CLI_DONE;
}

struct order {
    Str kind;
    Str payload;
    Str site;
    int64_t count;
    bool is_any_kind;
};

/* The built-in kinds of this binary, as a PostgreSQL array. */
static const char *built_kinds(struct cli *cli)
{
    struct buf *names = buf_in_arena(cli->ctx.arena, NAMES_MAX);
    buf_put_char(names, '{');
    for (uint32_t i = 0; i < job_kind_count(); i++)
        buf_printf(names, "%s%.*s", i > 0 ? "," : "", STR_FMT(job_kind_at(i)->name));
    buf_put_char(names, '}');
    return str_z(cli->ctx.arena, buf_str(names));
}

static Err kinds_find(struct cli *cli, struct sync_postgres *postgres, struct sync_rows *ret)
{
    const char *built = built_kinds(cli);
    return platform_query(cli, postgres, &SQL_CLI_JOB_KINDS, &built, 1, ret);
}

static Err kind_check(struct cli *cli, struct sync_postgres *postgres, Str kind)
{
    struct arena *arena = cli->ctx.arena;
    struct sync_rows rows;
    TRY(kinds_find(cli, postgres, &rows));
    Str known = STR("");
    for (uint32_t i = 0; i < rows.count; i++) {
        Str name = sync_rows_get(&rows, i, CLI_JOB_KINDS_KIND);
        if (str_eq(name, kind))
            return OK;
        known = str_printf(arena, "%.*s%s%.*s", STR_FMT(known), i > 0 ? ", " : "", STR_FMT(name));
    }
    return fail(&cli->ctx, ERR_NOT_FOUND,
                "no worker knows the kind '%.*s'; known kinds: %.*s. --any-kind queues it anyway",
                STR_FMT(kind), STR_FMT(known));
}

static Err job_kinds(struct cli *cli, struct sync_rows *ret)
{
    struct sync_postgres *postgres;
    TRY(platform_begin(cli, "spark.job_kinds", &postgres));
    TRY(kinds_find(cli, postgres, ret));
    return platform_commit(cli, postgres);
}

int command_job_kinds(struct cli *cli, int argc, char **argv)
{
    static const struct table_column COLUMNS[] = {TEXT_COLUMN("kind"), TEXT_COLUMN("extension"),
                                                  RAW_COLUMN("timeout_s"), TEXT_COLUMN("seen_at")};
    bool is_json = false;
    const struct option options[] = {{.name = "json", .flag = &is_json}};
    if (!command_options(cli, argc, argv, options, 1, NULL))
        return CLI_USAGE;
    struct sync_rows rows;
    Err err = job_kinds(cli, &rows);
    if (err != OK)
        return command_refuse_err(cli, err);
    table_print(cli, &rows, COLUMNS, is_json, "No worker has registered any job kind.");
    return CLI_DONE;
}

static Err job_enqueue_many(struct cli *cli, const struct order *order, struct sync_rows *ret)
{
    struct arena *arena = cli->ctx.arena;
    struct sync_postgres *postgres;
    const char *site = NULL;
    TRY(platform_begin(cli, "spark.job_kinds", &postgres));
    if (!order->is_any_kind)
        TRY(kind_check(cli, postgres, order->kind));
    if (order->site.len > 0)
        TRY(platform_site(cli, postgres, order->site, &site));
    const char *parameters[] = {site, str_z(arena, order->kind), str_z(arena, order->payload),
                                str_z(arena, str_printf(arena, "%jd", (intmax_t)order->count))};
    TRY(platform_query(cli, postgres, &SQL_CLI_JOB_ENQUEUE, parameters, 4, ret));
    return platform_commit(cli, postgres);
}

static bool payload_is_fit(struct cli *cli, Str payload)
{
    const struct json *json;
    if (payload.len > JOB_PAYLOAD_MAX)
        command_usage(cli, "--payload may have at most %d bytes", JOB_PAYLOAD_MAX);
    else if (json_parse(&cli->ctx, payload, JSON_LIMITS_DEFAULT, &json) != OK ||
             json_kind(json) != JSON_OBJECT)
        command_usage(cli, "--payload is not a JSON object");
    else
        return true;
    return false;
}

int command_job_enqueue(struct cli *cli, int argc, char **argv)
{
    static const struct table_column COLUMNS[] = {RAW_COLUMN("count"), RAW_COLUMN("first_id"),
                                                  RAW_COLUMN("last_id")};
    bool is_json = false;
    Str count = STR_NONE;
    struct order order = {.payload = STR("{}"), .count = 1};
    struct operands operands = {.count = 0};
    const struct option options[] = {{.name = "payload", .text = &order.payload},
                                     {.name = "site", .text = &order.site},
                                     {.name = "count", .text = &count},
                                     {.name = "any-kind", .flag = &order.is_any_kind},
                                     {.name = "json", .flag = &is_json}};
    if (!command_options(cli, argc, argv, options, 5, &operands))
        return CLI_USAGE;
    if (operands.count != 1 || operands.values[0].len == 0 || operands.values[0].len > JOB_KIND_MAX)
        return command_usage(cli, "name the kind of job");
    if (!number_read(cli, "--count", count, COUNT_MAX, &order.count) ||
        !payload_is_fit(cli, order.payload))
        return CLI_USAGE;
    order.kind = operands.values[0];
    struct sync_rows rows;
    Err err = job_enqueue_many(cli, &order, &rows);
    if (err != OK)
        return command_refuse_err(cli, err);
    table_print_one(cli, &rows, COLUMNS, is_json);
    return CLI_DONE;
}

static Err job_counts(struct cli *cli, struct sync_rows *ret)
{
    struct sync_postgres *postgres;
    TRY(platform_begin(cli, "spark.jobs", &postgres));
    TRY(platform_query(cli, postgres, &SQL_CLI_JOB_COUNTS, NULL, 0, ret));
    return platform_commit(cli, postgres);
}

int command_job_counts(struct cli *cli, int argc, char **argv)
{
    static const struct table_column COLUMNS[] = {TEXT_COLUMN("state"), RAW_COLUMN("count"),
                                                  TEXT_COLUMN("oldest_due")};
    bool is_json = false;
    const struct option options[] = {{.name = "json", .flag = &is_json}};
    if (!command_options(cli, argc, argv, options, 1, NULL))
        return CLI_USAGE;
    struct sync_rows rows;
    Err err = job_counts(cli, &rows);
    if (err != OK)
        return command_refuse_err(cli, err);
    table_print(cli, &rows, COLUMNS, is_json, "There are no jobs.");
    return CLI_DONE;
}
