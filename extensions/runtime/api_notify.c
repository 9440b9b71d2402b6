/*
 * Output of extensions: work log entries, and counters and messages in Redis. Each belongs to a
 * site, which must be the caller's.
 */
#include "access/audit/audit.h"
#include "base/memory/array.h"
#include "base/text/ascii.h"
#include "io/reactor/reactor.h"
#include "io/redis/redis.h"
#include "runtime/api.h"
#include "runtime/lines.h"

#include <assert.h>

enum {
    WORD_MAX = 100,
    ENTITY_MAX = 500,
    DETAILS_MAX = 16 * 1024,
    MESSAGE_MAX = 64 * 1024,
    NAME_MAX_BYTES = 100,
};

/* The requested site; nil: the platform. */
static Err site_of(struct ctx *ctx, Str given, Uuid *ret)
{
    Uuid site = {0};
    if (given.len > 0 && !uuid_parse(given, &site))
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"site_id\" must be a UUID");
    bool is_own =
        ctx->scope.kind == SCOPE_SITE && (given.len == 0 || uuid_eq(site, ctx->scope.site));
    if (!is_own && ctx->scope.kind != SCOPE_PLATFORM)
        return fail(ctx, ERR_FORBIDDEN, "An extension may only notify the caller's site.");
    *ret = is_own ? ctx->scope.site : site;
    return OK;
}

static bool is_storable(Str text, size_t max)
{
    return text.len <= max && str_is_utf8(text) && str_find_char(text, '\0') < 0;
}

/* NULL: unknown level. */
static const char *level_of(Str level)
{
    static const char *const LEVELS[] = {"info", "debug", "success", "warning", "error"};
    if (level.len == 0)
        return LEVELS[0];
    for (size_t i = 0; i < COUNT_OF(LEVELS); i++)
        if (str_eq(level, str_from_z(LEVELS[i])))
            return LEVELS[i];
    return NULL;
}

static Err check_details(struct ctx *ctx, Str details)
{
    if (details.len == 0)
        return OK;
    const struct json *json;
    if (details.len > DETAILS_MAX)
        return fail(ctx, ERR_INVALID_PAYLOAD, "Details may have at most %d bytes.", DETAILS_MAX);
    TRY(json_parse(ctx, details, JSON_LIMITS_DEFAULT, &json));
    if (json_kind(json) != JSON_OBJECT || str_find(details, STR("\\u0000")) >= 0)
        return fail(ctx, ERR_INVALID_PAYLOAD, "Details are an object, without a NUL in its texts.");
    return OK;
}

static Err line_make(struct ctx *ctx, const spark_work *work, struct audit *ret)
{
    *ret = (struct audit){
        .action = str_of_spark(work->action),
        .entity_type = str_of_spark(work->entity_type),
        .entity_id = str_of_spark(work->entity_id),
        .details = str_of_spark(work->details),
        .level = level_of(str_of_spark(work->level)),
    };
    if (ret->action.len == 0 || ret->level == NULL || !is_storable(ret->action, WORD_MAX) ||
        !is_storable(ret->entity_type, WORD_MAX) || !is_storable(ret->entity_id, ENTITY_MAX))
        return fail(ctx, ERR_INVALID_PAYLOAD,
                    "A line of the work log has an action and a type of at most %d bytes, a level "
                    "and an id of at most %d bytes.",
                    WORD_MAX, ENTITY_MAX);
    TRY(check_details(ctx, ret->details));
    return site_of(ctx, str_of_spark(work->site_id), &ret->site);
}

static fiber_fn Err log_work(struct ctx *ctx, const spark_work *work)
{
    struct audit line;
    TRY(line_make(ctx, work, &line));
    return line_write(ctx, &line);
}

fiber_fn spark_status api_log_work(spark_call *call, const spark_work *work)
{
    assert(work != NULL && work->size >= sizeof *work);
    return call_status(call, log_work(call->ctx, work));
}

static bool is_name(Str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool is_plain = ascii_is_alnum(c) || c == '_' || c == '-' || c == '.';
        if (!is_plain)
            return false;
    }
    return name.len > 0 && name.len <= NAME_MAX_BYTES;
}

/* The braces are a Redis Cluster hash tag: all keys of a site are on one node. */
static Err place_of(struct spark_call *call, spark_str site_id, spark_str name, Str *ret)
{
    struct ctx *ctx = call->ctx;
    Uuid site;
    if (!is_name(str_of_spark(name)))
        return fail(ctx, ERR_INVALID_PAYLOAD,
                    "A name in Redis has 1 to %d letters, digits, '_', '-' and '.'.",
                    NAME_MAX_BYTES);
    TRY(site_of(ctx, str_of_spark(site_id), &site));
    Str owner = uuid_is_nil(site) ? STR("all") : uuid_text(ctx->arena, site);
    *ret = str_printf(ctx->arena, "spark:ext:{%.*s}:%s:%.*s", STR_FMT(owner), call->extension->name,
                      STR_FMT(str_of_spark(name)));
    return OK;
}

static fiber_fn Err count_up(struct spark_call *call, spark_str site_id, spark_str name,
                             int64_t *ret)
{
    struct ctx *ctx = call->ctx;
    Str key;
    TRY(place_of(call, site_id, name, &key));
    struct redis_value value;
    TRY(REDIS_CALL(ctx, ctx->reactor->redis, &value, STR("INCR"), key));
    *ret = value.integer;
    return OK;
}

fiber_fn spark_status api_count_up(spark_call *call, spark_str site_id, spark_str name,
                                   int64_t *value)
{
    int64_t raised = 0;
    spark_status status = call_status(call, count_up(call, site_id, name, &raised));
    if (status == SPARK_OK && value != NULL)
        *value = raised;
    return status;
}

static Err publish(struct spark_call *call, spark_str site_id, spark_str channel, Str message)
{
    struct ctx *ctx = call->ctx;
    Str place;
    if (message.len > MESSAGE_MAX)
        return fail(ctx, ERR_INVALID_PAYLOAD, "A message may have at most %d bytes.", MESSAGE_MAX);
    TRY(place_of(call, site_id, channel, &place));
    const Str words[] = {STR("PUBLISH"), place, message};
    if (!redis_send(ctx->reactor->redis, words, COUNT_OF(words)))
        return fail(ctx, ERR_UNAVAILABLE, "Redis is unreachable.");
    return OK;
}

spark_status api_publish(spark_call *call, spark_str site_id, spark_str channel, spark_str message)
{
    return call_status(call, publish(call, site_id, channel, str_of_spark(message)));
}
