#include "cli/backends/doctor.h"
#include "cli/backends/sync_redis.h"

enum { VERSION_MIN = 7 };

static Str reason_of(struct ctx *ctx)
{
    Str reason = ctx->diag.first != NULL ? ctx->diag.first->reason : STR_NONE;
    diag_clear(ctx);
    return reason;
}

static void look_at_version(struct ctx *ctx, struct sync_redis *redis, struct findings *findings)
{
    const char *words[] = {"INFO"};
    Str info;
    if (sync_redis_command(ctx, redis, words, 1, &info) != OK) {
        finding_add(findings, FINDING_ODD, STR("Redis version"), reason_of(ctx),
                    STR("allow the user of REDIS_URL to run INFO"));
        return;
    }
    Str version = sync_redis_info(info, STR("redis_version"));
    Str rest = version, major;
    int64_t number = 0;
    bool is_new =
        str_next(&rest, '.', &major) && str_to_i64(major, &number) && number >= VERSION_MIN;
    finding_add(findings, is_new ? FINDING_GOOD : FINDING_BAD, STR("Redis version"), version,
                is_new ? STR_NONE : STR("Spark needs Redis 7 or newer"));

    Str policy = sync_redis_info(info, STR("maxmemory_policy"));
    bool keeps = str_eq(policy, STR("noeviction"));
    finding_add(findings, keeps ? FINDING_GOOD : FINDING_BAD, STR("Redis eviction"), policy,
                keeps ? STR_NONE : STR("queues would be evicted: set maxmemory-policy noeviction"));

    bool is_kept = str_eq(sync_redis_info(info, STR("aof_enabled")), STR("1"));
    finding_add(findings, is_kept ? FINDING_GOOD : FINDING_ODD, STR("Redis append-only"),
                is_kept ? STR("on") : STR("off"),
                is_kept ? STR_NONE
                        : STR("page views accepted but not yet stored are lost when Redis dies: "
                              "set appendonly yes"));
}

void doctor_redis(struct ctx *ctx, const struct settings *settings, struct findings *findings)
{
    if (settings->redis_url.len == 0) {
        finding_add(findings, FINDING_BAD, STR("Redis"), STR("no REDIS_URL"),
                    STR("set it, or start spark up in this folder"));
        return;
    }
    struct sync_redis *redis;
    if (sync_redis_open(ctx, settings->redis_url, &redis) != OK) {
        finding_add(findings, FINDING_BAD, STR("Redis"), reason_of(ctx),
                    STR("start it, or correct REDIS_URL"));
        return;
    }
    look_at_version(ctx, redis, findings);
}
