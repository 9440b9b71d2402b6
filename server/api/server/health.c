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
/* A slower answer of a backend is a warning in the list of checks. */
enum { THRESHOLD_MS = 150 };
#define DIRECTUS_VERSION "11.17.4"

struct probe {
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

static fiber_fn struct probe probe_run(struct ctx *ctx, Err (*probe)(struct ctx *ctx))
{
    int64_t started_us = clock_now_us();
    SCOPED_CTX struct ctx patient = ctx_as_machinery(ctx, "the server asks for itself");
    patient.deadline_us = started_us + PROBE_TIMEOUT_US;
    Err err = probe(&patient);
    diag_clear(&patient); /* the result says enough */
    return (struct probe){err, clock_now_us() - started_us};
}

static struct probe_reply probe_of(const struct probe *probe, bool is_vital)
{
    Str bad = is_vital ? STR("error") : STR("warn");
    bool is_slow = probe->took_us > THRESHOLD_MS * MS_US;
    return (struct probe_reply){
        .status = probe->result != OK ? bad
                  : is_slow           ? STR("warn")
                                      : STR("ok"),
        .threshold = THRESHOLD_MS,
        .componentType = STR("datastore"),
        .observedUnit = STR("ms"),
        .observedValue = (double)probe->took_us / 1000,
    };
}

/* Its address, as Directus says it. */
static Str service_of(struct ctx *ctx)
{
    const struct settings *settings = ctx->reactor->settings;
    if (settings->public_url.len > 0)
        return settings->public_url;
    return str_printf(ctx->arena, "http://%.*s:%jd", STR_FMT(settings->host),
                      (intmax_t)settings->port);
}

/* What only administrators are told. */
static void details_tell(struct ctx *ctx, struct health_show_reply *health,
                         const struct probe_reply *postgres, const struct probe_reply *redis)
{
    health->releaseId = STR(SPARK_VERSION);
    health->serviceId = service_of(ctx);
    health->has_checks = true;
    health->checks.pg_responseTime = (struct probe_replies){postgres, 1};
    health->checks.redis_responseTime = (struct probe_replies){redis, 1};
    health->extensions = host_describe(host_of(ctx->reactor), ctx->arena);
}

/* An unavailable Redis is a warning: content and jobs work without it. So is an extension that the
 * supervisor disabled after a crash. */
fiber_fn Err route_health_show(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    (void)request;
    struct probe postgres = probe_run(ctx, probe_postgres);
    struct probe redis = probe_run(ctx, probe_redis);
    bool is_ok = postgres.result == OK;
    bool is_hurt = redis.result != OK || host_has_crashed(host_of(ctx->reactor));
    reply->status = is_ok ? 200 : 503;
    reply->content_type = STR("application/health+json; charset=utf-8");
    struct health_show_reply health = {.status = !is_ok    ? STR("error")
                                                 : is_hurt ? STR("warn")
                                                           : STR("ok")};
    struct probe_reply postgres_check = probe_of(&postgres, true);
    struct probe_reply redis_check = probe_of(&redis, false);
    if (ctx->actor != NULL && ctx->actor->is_admin && ctx->scope.kind == SCOPE_PLATFORM)
        details_tell(ctx, &health, &postgres_check, &redis_check);
    health_show_reply_write(&reply->json, &health);
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
    if (probe_run(ctx, probe_postgres).result != OK)
        return "PostgreSQL does not answer, or is not migrated.";
    if (!db_is_up(ctx->reactor->db))
        return "Not all connections to PostgreSQL are up.";
    if (probe_run(ctx, probe_schema).result != OK)
        return "The schema could not be loaded.";
    return NULL;
}

/* For load balancers. Redis is not checked: content and jobs work without it. */
fiber_fn Err route_ready_show(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    (void)request;
    const char *why = unready_because(ctx);
    reply->status = why == NULL ? 200 : 503;
    ready_show_reply_write(&reply->json, &(struct ready_show_reply){
                                             .status = why == NULL ? STR("ok") : STR("error"),
                                             .reason = why == NULL ? STR_NONE : str_from_z(why),
                                         });
    return OK;
}

/* Without a row of settings all is null. */
static struct project_reply project_of(const struct rows *rows)
{
    if (rows->count == 0)
        return (struct project_reply){0};
    return (struct project_reply){
        .project_name = row_text(rows, 0, PROJECT_SETTINGS_PROJECT_NAME),
        .project_descriptor = row_text(rows, 0, PROJECT_SETTINGS_PROJECT_DESCRIPTOR),
        .project_logo = row_uuid(rows, 0, PROJECT_SETTINGS_PROJECT_LOGO),
        .project_color = row_text(rows, 0, PROJECT_SETTINGS_PROJECT_COLOR),
        .default_appearance = row_text(rows, 0, PROJECT_SETTINGS_DEFAULT_APPEARANCE),
        .default_theme_light = row_text(rows, 0, PROJECT_SETTINGS_DEFAULT_THEME_LIGHT),
        .default_theme_dark = row_text(rows, 0, PROJECT_SETTINGS_DEFAULT_THEME_DARK),
        .theme_light_overrides = row_text(rows, 0, PROJECT_SETTINGS_THEME_LIGHT_OVERRIDES),
        .theme_dark_overrides = row_text(rows, 0, PROJECT_SETTINGS_THEME_DARK_OVERRIDES),
        .default_language = row_text(rows, 0, PROJECT_SETTINGS_DEFAULT_LANGUAGE),
        .public_foreground = row_uuid(rows, 0, PROJECT_SETTINGS_PUBLIC_FOREGROUND),
        .public_favicon = row_uuid(rows, 0, PROJECT_SETTINGS_PUBLIC_FAVICON),
        .public_note = row_text(rows, 0, PROJECT_SETTINGS_PUBLIC_NOTE),
        .custom_css = row_text(rows, 0, PROJECT_SETTINGS_CUSTOM_CSS),
        .public_registration = row_bool(rows, 0, PROJECT_SETTINGS_PUBLIC_REGISTRATION),
        .has_public_registration = true,
        .public_registration_verify_email =
            row_bool(rows, 0, PROJECT_SETTINGS_PUBLIC_REGISTRATION_VERIFY_EMAIL),
        .has_public_registration_verify_email = true,
        .public_background = row_json(rows, 0, PROJECT_SETTINGS_PUBLIC_BACKGROUND),
    };
}

static void limits_tell(const struct settings *settings, struct info_reply *info)
{
    static const Str ANY_TYPE[] = {STR_INIT("*/*")};
    info->has_rateLimit = info->has_rateLimitGlobal = info->has_websocket = true; /* each off */
    info->has_mcp_enabled = info->has_ai_enabled = info->has_extensions = true;
    info->has_files = true;
    info->files.mimeTypeAllowList = (struct db_texts){ANY_TYPE, 1};
    info->has_queryLimit = true;
    info->queryLimit.default_ = settings->query_limit_default;
    info->queryLimit.max = settings->query_limit_max;
    info->version = STR(DIRECTUS_VERSION);
}

fiber_fn Err route_info_show(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    (void)request;
    SCOPED_CTX struct ctx machinery =
        ctx_as_machinery(ctx, "the project is the same for everybody");
    struct rows rows;
    TRY(db_query_platform(reactor_platform(&machinery), &SQL_PROJECT_SETTINGS, NO_ARGS, &rows));
    struct info_show_reply info = {.data.project = project_of(&rows)};
    if (ctx->actor->kind != ACTOR_PUBLIC)
        limits_tell(ctx->reactor->settings, &info.data);
    info_show_reply_write(&reply->json, &info);
    return OK;
}
