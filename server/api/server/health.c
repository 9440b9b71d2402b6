/* Health and info, in Directus' format. */
#include "access/grants/actor.h"
#include "access/identity/current.h"
#include "base/system/clock.h"
#include "base/system/version.h"
#include "content/schema/schema.h"
#include "gen/routes/server.h"
#include "gen/sql.h"
#include "io/reactor/reactor.h"
#include "io/redis/redis.h"
#include "runtime/host.h"
#include "server/http/http.h"

/* Together with PROBE_WHO_US of dispatch.c, the maximum duration of the answer while PostgreSQL
 * hangs. */
enum { PROBE_TIMEOUT_US = 1500 * 1000 };
#define DIRECTUS_VERSION "11.17.4"

struct probe {
    const char *name;
    Err result;
    int64_t took_us;
};

static fiber_fn Err probe_postgres(struct ctx *ctx)
{
    return db_query_platform(reactor_platform(ctx), &SQL_DB_EPOCH, NO_ARGS, NULL);
}

static fiber_fn Err probe_redis(struct ctx *ctx)
{
    struct redis_value value;
    return REDIS_CALL(ctx, ctx->reactor->redis, &value, STR("PING"));
}

static fiber_fn struct probe probe_run(struct ctx *ctx, const char *name,
                                       Err (*probe)(struct ctx *ctx))
{
    int64_t started_us = clock_now_us();
    SCOPED_CTX struct ctx patient = ctx_as_machinery(ctx, "the server asks for itself");
    patient.deadline_us = started_us + PROBE_TIMEOUT_US;
    Err err = probe(&patient);
    diag_clear(&patient); /* the result is sufficient */
    return (struct probe){name, err, clock_now_us() - started_us};
}

static void probe_write(struct json_writer *w, const struct probe *probe, bool is_vital)
{
    json_key(w, str_from_z(probe->name));
    json_array_begin(w);
    json_object_begin(w);
    json_field_str(w, "status",
                   probe->result == OK ? STR("ok")
                   : is_vital          ? STR("error")
                                       : STR("warn"));
    json_field_str(w, "componentType", STR("datastore"));
    json_field_str(w, "observedUnit", STR("ms"));
    json_key(w, STR("observedValue"));
    json_put_real(w, (double)probe->took_us / 1000);
    json_object_end(w);
    json_array_end(w);
}

/* An unavailable Redis is a warning: content and jobs work without it. So is an extension that the
 * supervisor disabled after a crash. */
fiber_fn Err route_health_show(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    (void)request;
    struct probe postgres = probe_run(ctx, "pg:responseTime", probe_postgres);
    struct probe redis = probe_run(ctx, "redis:responseTime", probe_redis);
    const struct host *host = host_of(ctx->reactor);
    bool is_ok = postgres.result == OK;
    bool is_hurt = redis.result != OK || host_has_crashed(host);
    reply->status = is_ok ? 200 : 503;
    reply->content_type = STR("application/health+json; charset=utf-8");
    struct json_writer *w = &reply->json;
    json_object_begin(w);
    json_field_str(w, "status", !is_ok ? STR("error") : is_hurt ? STR("warn") : STR("ok"));
    if (ctx->actor != NULL && ctx->actor->is_admin && ctx->scope.kind == SCOPE_PLATFORM) {
        json_field_str(w, "releaseId", STR(SPARK_VERSION));
        json_key(w, STR("checks"));
        json_object_begin(w);
        probe_write(w, &postgres, true);
        probe_write(w, &redis, false);
        json_object_end(w);
        json_key(w, STR("extensions"));
        json_put_raw(w, host_describe(host, ctx->arena));
    }
    json_object_end(w);
    return OK;
}

/* Loads the schema if this thread does not have the current one. */
static fiber_fn Err probe_schema(struct ctx *ctx)
{
    const struct schema *schema;
    TRY(access_revalidate(ctx, clock_now_us() - ACCESS_AGE_US, NULL, false));
    return schema_current(ctx, &schema);
}

/* The reason why this server should get no requests; NULL: it is ready. */
static fiber_fn const char *unready_because(struct ctx *ctx)
{
    if (server_is_draining(server_of(ctx->reactor)))
        return "The server is stopping.";
    if (probe_run(ctx, "postgres", probe_postgres).result != OK)
        return "PostgreSQL does not answer, or is not migrated.";
    if (!db_is_up(ctx->reactor->db))
        return "Not all connections to PostgreSQL are up.";
    if (probe_run(ctx, "schema", probe_schema).result != OK)
        return "The schema could not be loaded.";
    return NULL;
}

/* For load balancers. Redis is not checked: content and jobs work without it. */
fiber_fn Err route_ready_show(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    (void)request;
    const char *why = unready_because(ctx);
    reply->status = why == NULL ? 200 : 503;
    struct json_writer *w = &reply->json;
    json_object_begin(w);
    json_field_str(w, "status", why == NULL ? STR("ok") : STR("error"));
    if (why != NULL)
        json_field_str(w, "reason", str_from_z(why));
    json_object_end(w);
    return OK;
}

static void project_write(struct json_writer *w, const struct rows *rows)
{
    json_key(w, STR("project"));
    json_object_begin(w);
    for (uint32_t column = 0; column < rows->columns; column++) {
        json_key(w, row_column_name(rows, column));
        if (rows->count == 0 || row_is_null(rows, 0, column))
            json_put_null(w);
        else
            json_put_raw(w, row_text(rows, 0, column));
    }
    json_object_end(w);
}

static void limits_write(struct ctx *ctx, struct json_writer *w)
{
    json_field_bool(w, "rateLimit", false);
    json_field_bool(w, "rateLimitGlobal", false);
    json_key(w, STR("queryLimit"));
    json_object_begin(w);
    json_field_int(w, "default", ctx->reactor->settings->query_limit_default);
    json_field_int(w, "max", ctx->reactor->settings->query_limit_max);
    json_object_end(w);
    json_field_bool(w, "websocket", false);
    json_field_str(w, "version", STR(DIRECTUS_VERSION));
}

fiber_fn Err route_info_show(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    (void)request;
    SCOPED_CTX struct ctx machinery =
        ctx_as_machinery(ctx, "the project is the same for everybody");
    struct rows rows;
    TRY(db_query_platform(reactor_platform(&machinery), &SQL_PROJECT_SETTINGS, NO_ARGS, &rows));
    reply_data_begin(reply);
    json_object_begin(&reply->json);
    project_write(&reply->json, &rows);
    json_field_bool(&reply->json, "setupCompleted", true);
    if (ctx->actor->kind != ACTOR_PUBLIC)
        limits_write(ctx, &reply->json);
    json_object_end(&reply->json);
    reply_data_end(reply);
    return OK;
}
