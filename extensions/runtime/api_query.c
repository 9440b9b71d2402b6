/*
 * Statements of extensions: one at a time, in the scope of the call, on the shared lanes, but each
 * in its own sync group. Their text is checked first (statement_check.h): row-level security
 * depends on settings of the transaction, which a function could change within a statement.
 */
#include "base/memory/array.h"
#include "base/system/clock.h"
#include "base/system/log.h"
#include "base/text/ascii.h"
#include "content/schema/schema.h"
#include "io/pg/db.h"
#include "runtime/api.h"
#include "runtime/statement_check.h"

#include <assert.h>

enum { ARGS_MAX = 1000, SQL_MAX = 1024 * 1024, OID_UNKNOWN = 705, OID_VOID = 2278 };

struct spark_rows {
    struct rows rows;
    struct arena *arena;
};

static bool is_word(char c)
{
    return ascii_is_letter(c) || c == '_';
}

static Str first_word(Str sql)
{
    size_t from = 0;
    while (from < sql.len && strchr(" \t\r\n(", sql.data[from]) != NULL)
        from++;
    size_t to = from;
    while (to < sql.len && is_word(sql.data[to]))
        to++;
    return str_slice(sql, from, to);
}

/* Statements that end a transaction, change the role or copy would leave the session in an
 * unexpected state for the next one. WITH may write. */
static bool lane_of(Str sql, enum db_lane *ret)
{
    static const struct {
        Str word;
        enum db_lane lane;
    } WORDS[] = {
        {STR_INIT("select"), DB_READ},  {STR_INIT("values"), DB_READ},
        {STR_INIT("with"), DB_WRITE},   {STR_INIT("insert"), DB_WRITE},
        {STR_INIT("update"), DB_WRITE}, {STR_INIT("delete"), DB_WRITE},
        {STR_INIT("merge"), DB_WRITE},
    };
    Str word = first_word(sql);
    for (size_t i = 0; i < COUNT_OF(WORDS); i++) {
        if (str_eq_nocase(word, WORDS[i].word)) {
            *ret = WORDS[i].lane;
            return true;
        }
    }
    return false;
}

static DbArg arg_of(const spark_arg *arg)
{
    switch (arg->kind) {
    case SPARK_ARG_TEXT:
        return db_text(str_of_spark(arg->text));
    case SPARK_ARG_INT:
        return db_int(arg->integer);
    case SPARK_ARG_BOOL:
        return db_bool(arg->integer != 0);
    case SPARK_ARG_NULL:
        break;
    }
    return db_null();
}

static Err statement_make(struct ctx *ctx, const spark_statement *wanted, struct statement *ret,
                          struct db_args *ret_args)
{
    enum db_lane lane;
    if (wanted->sql.len > SQL_MAX || wanted->arg_count > ARGS_MAX)
        return fail(ctx, ERR_EXTENSION,
                    "A statement of an extension may have %d bytes and %d arguments.", SQL_MAX,
                    ARGS_MAX);
    if (!lane_of(str_of_spark(wanted->sql), &lane))
        return fail(ctx, ERR_EXTENSION,
                    "A statement of an extension begins with select, values, with, insert, "
                    "update, delete or merge.");
    const char *fault = statement_fault(str_of_spark(wanted->sql));
    if (fault != NULL)
        return fail(ctx, ERR_EXTENSION, "A statement of an extension %s.", fault);
    DbArg *list = arena_array(ctx->arena, DbArg, wanted->arg_count);
    for (size_t i = 0; i < wanted->arg_count; i++)
        list[i] = arg_of(&wanted->args[i]);
    *ret_args = (struct db_args){list, (uint32_t)wanted->arg_count};
    *ret = (struct statement){
        .sql = str_z(ctx->arena, str_of_spark(wanted->sql)), .lane = lane, .is_alone = true};
    return OK;
}

static bool is_shown(uint32_t oid)
{
    switch (oid) {
    case OID_TEXT:
    case OID_VARCHAR:
    case OID_BPCHAR:
    case OID_NAME:
    case OID_UNKNOWN:
    case OID_VOID:
    case OID_JSON:
    case OID_JSONB:
    case OID_UUID:
    case OID_BOOL:
    case OID_INT2:
    case OID_INT4:
    case OID_INT8:
    case OID_DATE:
    case OID_TIMESTAMP:
    case OID_TIMESTAMPTZ:
        return true;
    default:
        return false;
    }
}

/* Results are in binary format. An unsupported type is reported for the column, even if there are
 * no rows. */
static Err check_columns(struct ctx *ctx, const struct rows *rows)
{
    for (uint32_t i = 0; i < rows->columns; i++) {
        if (!is_shown(row_oid(rows, i)))
            return fail(ctx, ERR_EXTENSION,
                        "The column \"%.*s\" has a type that must be selected as ::text.",
                        STR_FMT(row_column_name(rows, i)));
    }
    return OK;
}

/* Without a site: the id of a tenant that does not exist. The platform's lane would expose rows of
 * no tenant, including users and policies, and the public policy is not applied to SQL text. */
static const Uuid NOWHERE = {{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                              0xFF, 0xFF, 0xFF, 0xFF, 0xFF}};

static fiber_fn Err run_statement(struct ctx *ctx, const struct statement *statement,
                                  struct db_args args, struct rows *ret)
{
    if (ctx->scope.kind != SCOPE_NONE)
        return db_query(ctx, statement, args, ret);
    SCOPED_CTX struct ctx nowhere = ctx_for_site(ctx, NOWHERE, "a tenant that does not exist");
    return db_query(&nowhere, statement, args, ret);
}

static fiber_fn Err query(struct ctx *ctx, const spark_statement *wanted, struct rows *ret)
{
    struct statement statement;
    struct db_args args = NO_ARGS;
    TRY(statement_make(ctx, wanted, &statement, &args));
    TRY(run_statement(ctx, &statement, args, ret));
    return check_columns(ctx, ret);
}

/* An invalid statement is a bug of the extension and is only logged: the answer must not contain
 * it. An error caused by a visitor's value is in the answer. */
static void log_refused(const struct spark_call *call, Err err)
{
    if (err != ERR_DATABASE && err != ERR_FORBIDDEN)
        return;
    log_event(LOG_WARN, "extension_statement_refused", LOG_Z("extension", call->extension->name),
              LOG_S("trace", call->ctx->trace), LOG_S("reason", call_reason(call)));
}

fiber_fn spark_status api_query(spark_call *call, spark_str sql, const spark_arg *args,
                                size_t arg_count, spark_rows **rows)
{
    struct ctx *ctx = call->ctx;
    spark_rows *result = arena_new(ctx->arena, spark_rows);
    result->arena = ctx->arena;
    spark_statement wanted = {sql, args, arg_count};
    Err err = query(ctx, &wanted, &result->rows);
    log_refused(call, err);
    spark_status status = call_status(call, err);
    if (status == SPARK_OK && rows != NULL)
        *rows = result;
    return status;
}

size_t api_row_count(const spark_rows *rows)
{
    return rows->rows.count;
}

size_t api_column_count(const spark_rows *rows)
{
    return rows->rows.columns;
}

int64_t api_rows_affected(const spark_rows *rows)
{
    return rows->rows.affected;
}

static bool is_inside(const spark_rows *rows, size_t row, size_t column)
{
    return row < rows->rows.count && column < rows->rows.columns;
}

bool api_is_null(const spark_rows *rows, size_t row, size_t column)
{
    return !is_inside(rows, row, column) ||
           row_is_null(&rows->rows, (uint32_t)row, (uint32_t)column);
}

static Str value_text(const spark_rows *rows, uint32_t row, uint32_t column)
{
    switch (row_oid(&rows->rows, column)) {
    case OID_UUID:
        return uuid_text(rows->arena, row_uuid(&rows->rows, row, column));
    case OID_BOOL:
        return row_bool(&rows->rows, row, column) ? STR("true") : STR("false");
    case OID_INT2:
    case OID_INT4:
    case OID_INT8:
        return str_printf(rows->arena, "%jd", (intmax_t)row_int(&rows->rows, row, column));
    case OID_DATE:
        return str_slice(clock_iso(rows->arena, row_time(&rows->rows, row, column)), 0, 10);
    case OID_TIMESTAMP:
    case OID_TIMESTAMPTZ:
        return clock_iso(rows->arena, row_time(&rows->rows, row, column));
    case OID_JSON:
    case OID_JSONB:
        return row_json(&rows->rows, row, column);
    default:
        return row_text(&rows->rows, row, column);
    }
}

spark_str api_value(const spark_rows *rows, size_t row, size_t column)
{
    if (api_is_null(rows, row, column))
        return (spark_str){NULL, 0};
    return spark_of_str(value_text(rows, (uint32_t)row, (uint32_t)column));
}

static fiber_fn Err finish(struct ctx *ctx, struct job *job, const spark_statement *effects,
                           size_t count, Str result)
{
    enum { EFFECTS_MAX = DB_BATCH_MAX - 1 }; /* the fencing statement is the first */
    if (job == NULL || job->is_finished)
        return fail(ctx, ERR_EXTENSION, "finish_job is for jobs, once.");
    if (count > EFFECTS_MAX)
        return fail(ctx, ERR_EXTENSION, "A job may have %d effects.", EFFECTS_MAX);
    struct db_batch batch = {.lane = DB_SHARED};
    struct statement *statements = arena_array(ctx->arena, struct statement, count);
    for (size_t i = 0; i < count; i++) {
        struct db_args args = NO_ARGS;
        TRY(statement_make(ctx, &effects[i], &statements[i], &args));
        db_batch_add(&batch, &statements[i], args, NULL);
    }
    return job_finish(ctx, job, &batch, result);
}

fiber_fn spark_status api_finish_job(spark_call *call, const spark_statement *effects, size_t count,
                                     spark_str result_json)
{
    return call_status(call,
                       finish(call->ctx, call->job, effects, count, str_of_spark(result_json)));
}
