/*
 * The function table, and the functions that concern the call itself.
 */
#include "runtime/api.h"

#include "base/system/log.h"

#include <assert.h>
#include <stdarg.h>

enum { REASON_MAX = 1000, REPLY_STATUS_MIN = 200, REPLY_STATUS_MAX = 599 };

static void *api_alloc(spark_call *call, size_t size)
{
    return arena_alloc(call->ctx->arena, size);
}

__attribute__((format(printf, 2, 3))) static spark_str api_format(spark_call *call,
                                                                  const char *format, ...)
{
    va_list args;
    va_start(args, format);
    Str text = str_vprintf(call->ctx->arena, format, args);
    va_end(args);
    return spark_of_str(text);
}

static fiber_fn spark_status api_breathe(spark_call *call)
{
    return call_status(call, fiber_breathe(call->ctx));
}

static void api_log(spark_call *call, int level, spark_str message)
{
    static const enum log_level LEVELS[] = {LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR};
    bool is_known = level >= SPARK_LOG_DEBUG && level <= SPARK_LOG_ERROR;
    log_event(is_known ? LEVELS[level] : LOG_INFO, "extension",
              LOG_Z("extension", call->extension->name), LOG_S("trace", call->ctx->trace),
              LOG_S("message", str_of_spark(message)));
}

static spark_status api_fail(spark_call *call, spark_status status, spark_str message)
{
    if (status <= SPARK_OK || status > SPARK_CANCELLED)
        status = SPARK_FAILED;
    Str reason = str_cut(str_of_spark(message), REASON_MAX);
    call->last = fail(call->ctx, err_of_status(status), "%.*s", STR_FMT(reason));
    return status;
}

static spark_str api_last_error(spark_call *call)
{
    if (call->last == OK || call->ctx->diag.last == NULL)
        return SPARK_STR("");
    return spark_of_str(call_reason(call));
}

static void api_reply(spark_call *call, int http_status, spark_str content_type, spark_str body)
{
    assert(call->exchange != NULL);
    if (http_status < REPLY_STATUS_MIN || http_status > REPLY_STATUS_MAX)
        http_status = 500;
    call->has_replied = true;
    call->exchange->reply(call->exchange, http_status, str_of_spark(content_type),
                          str_of_spark(body));
}

/* A line break would allow header injection. */
static bool is_one_line(Str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] < 0x20 && text.data[i] != '\t')
            return false;
    return true;
}

static void api_reply_header(spark_call *call, spark_str name, spark_str value)
{
    assert(call->exchange != NULL);
    if (is_one_line(str_of_spark(name)) && is_one_line(str_of_spark(value)))
        call->exchange->reply_header(call->exchange, str_of_spark(name), str_of_spark(value));
}

static spark_str api_path_param(spark_call *call, size_t index)
{
    if (call->exchange == NULL)
        return (spark_str){NULL, 0};
    return spark_of_str(call->exchange->param(call->exchange, index));
}

static spark_str api_header(spark_call *call, spark_str name)
{
    if (call->exchange == NULL)
        return (spark_str){NULL, 0};
    return spark_of_str(call->exchange->header(call->exchange, str_of_spark(name)));
}

static fiber_fn spark_status api_enqueue(spark_call *call, spark_str kind, spark_str payload_json,
                                         spark_str dedup_key, int64_t *id)
{
    struct ctx *ctx = call->ctx;
    if (ctx->scope.kind == SCOPE_NONE) /* otherwise the job would run in PLATFORM scope */
        return api_fail(call, SPARK_FORBIDDEN, SPARK_STR("A job needs a site or the platform"));
    if (kind.len == 0 || kind.len > JOB_KIND_MAX || dedup_key.len > JOB_DEDUP_KEY_MAX)
        return api_fail(call, SPARK_BAD_INPUT,
                        SPARK_STR("A job needs a kind of at most 100 bytes and a key of at most "
                                  "255"));
    const struct json *payload = NULL;
    if (payload_json.len > 0) {
        Err err = json_parse(ctx, str_of_spark(payload_json), JSON_LIMITS_DEFAULT, &payload);
        if (err != OK)
            return call_status(call, err);
        if (json_kind(payload) != JSON_OBJECT)
            return api_fail(call, SPARK_BAD_INPUT, SPARK_STR("A job's payload must be an object"));
    }
    struct job_spec spec = {
        .kind = str_of_spark(kind),
        .payload = str_of_spark(payload_json),
        .dedup_key = str_of_spark(dedup_key),
        .priority = JOB_NORMAL,
    };
    int64_t made = 0;
    spark_status status = call_status(call, job_enqueue_now(ctx, &spec, &made));
    if (status == SPARK_OK && id != NULL)
        *id = made;
    return status;
}

static int32_t api_job_attempt(spark_call *call)
{
    return call->job != NULL ? call->job->attempt : 0;
}

const spark_api HOST_API = {
    .size = sizeof(spark_api),
    .major = SPARK_API_MAJOR,
    .minor = SPARK_API_MINOR,
    .add_endpoint = api_add_endpoint,
    .add_job = api_add_job,
    .add_filter = api_add_filter,
    .add_action = api_add_action,
    .setting = api_setting,
    .alloc = api_alloc,
    .format = api_format,
    .log = api_log,
    .fail = api_fail,
    .reply = api_reply,
    .reply_header = api_reply_header,
    .path_param = api_path_param,
    .header = api_header,
    .json_parse = api_json_parse,
    .json_kind = api_json_kind,
    .json_get = api_json_get,
    .json_at = api_json_at,
    .json_length = api_json_length,
    .json_next = api_json_next,
    .json_string = api_json_string,
    .json_integer = api_json_integer,
    .json_boolean = api_json_boolean,
    .json_text = api_json_text,
    .json_quote = api_json_quote,
    .query = api_query,
    .row_count = api_row_count,
    .column_count = api_column_count,
    .rows_affected = api_rows_affected,
    .is_null = api_is_null,
    .value = api_value,
    .enqueue = api_enqueue,
    .finish_job = api_finish_job,
    .job_attempt = api_job_attempt,
    .create_collection = api_create_collection,
    .create_relation = api_create_relation,
    .schema_snapshot = api_schema_snapshot,
    .bulk_insert = api_bulk_insert,
    .create_field = api_create_field,
    .delete_field = api_delete_field,
    .log_work = api_log_work,
    .count_up = api_count_up,
    .publish = api_publish,
    .schema_apply = api_schema_apply,
    .json_check = api_json_check,
    .last_error = api_last_error,
    .breathe = api_breathe,
};
