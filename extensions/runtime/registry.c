/*
 * Registration of endpoints, jobs and hooks. Everything is checked at registration, so that a
 * mistake is found at start and not by the first request.
 */
#include "base/memory/array.h"
#include "base/system/counters.h"
#include "base/system/log.h"
#include "base/system/range.h"
#include "runtime/api.h"

#include <assert.h>
#include <stdlib.h>

enum { PATTERN_MAX = 200, JOB_TIMEOUT_MAX_S = 24 * 3600, JOB_TIMEOUT_S = 60 };

/* Entries keep their order: hooks run in that order. */
#define APPEND(type, list, entry)                                                                  \
    do {                                                                                           \
        type **end_ = &(list);                                                                     \
        while (*end_ != NULL)                                                                      \
            end_ = &(*end_)->next;                                                                 \
        *end_ = (entry);                                                                           \
    } while (0)

static Str keep(const spark_registry *registry, spark_str text)
{
    return str_dup(registry->host->arena, str_of_spark(text));
}

static spark_status refuse(spark_registry *registry, spark_status status, const char *what,
                           Str name, const char *why)
{
    log_event(LOG_WARN, "extension_offer_refused", LOG_Z("extension", registry->extension->name),
              LOG_Z("what", what), LOG_S("name", name), LOG_Z("reason", why));
    return status;
}

static bool take_place(spark_registry *registry)
{
    if (registry->offers.count == ENTRIES_MAX)
        return false;
    registry->offers.count++;
    return true;
}

/* The fixed part of a segment: all of it, or the part before its parameter. */
static Str fixed_part(Str segment)
{
    ptrdiff_t colon = str_find_char(segment, ':');
    return colon < 0 ? segment : str_slice(segment, 0, (size_t)colon);
}

static bool segments_meet(Str a, Str b)
{
    Str fixed_a = fixed_part(a);
    Str fixed_b = fixed_part(b);
    if (fixed_a.len == a.len && fixed_b.len == b.len)
        return str_eq_nocase(a, b);
    size_t both = min_size(fixed_a.len, fixed_b.len);
    return str_eq_nocase(str_slice(fixed_a, 0, both), str_slice(fixed_b, 0, both));
}

/* Parameters are equal regardless of their names. */
static bool segments_equal(Str a, Str b)
{
    return segments_meet(a, b) && str_eq_nocase(fixed_part(a), fixed_part(b)) &&
           (str_find_char(a, ':') < 0) == (str_find_char(b, ':') < 0);
}

typedef bool SegmentsFn(Str a, Str b);

static bool every_segment(Str a, Str b, SegmentsFn *fits)
{
    Str part_a;
    Str part_b;
    for (;;) {
        bool has_a = false;
        bool has_b = false;
        while ((has_a = str_next(&a, '/', &part_a)) && part_a.len == 0)
            ;
        while ((has_b = str_next(&b, '/', &part_b)) && part_b.len == 0)
            ;
        if (!has_a || !has_b)
            return has_a == has_b;
        if (!fits(part_a, part_b))
            return false;
    }
}

bool host_patterns_meet(Str a, Str b)
{
    return every_segment(a, b, segments_meet);
}

static bool has_endpoint(const struct offers *offers, Str method, Str pattern, SegmentsFn *fits)
{
    for (const struct host_endpoint *e = offers->endpoints; e != NULL; e = e->next)
        if (str_eq(e->method, method) && every_segment(e->pattern, pattern, fits))
            return true;
    return false;
}

/* By Spark, by another extension, or twice by this one. */
static bool is_taken(const spark_registry *registry, Str method, Str pattern)
{
    const struct host *host = registry->host;
    return (host->is_route != NULL && host->is_route(method, pattern)) ||
           has_endpoint(&host->offers, method, pattern, segments_meet) ||
           has_endpoint(&registry->offers, method, pattern, segments_equal);
}

static bool is_method(Str method)
{
    static const Str METHODS[] = {STR_INIT("GET"), STR_INIT("POST"), STR_INIT("PATCH"),
                                  STR_INIT("PUT"), STR_INIT("DELETE")};
    for (size_t i = 0; i < COUNT_OF(METHODS); i++)
        if (str_eq(method, METHODS[i]))
            return true;
    return false;
}

spark_status api_add_endpoint(spark_registry *registry, spark_str method_, spark_str pattern_,
                              spark_guard guard, spark_body body, spark_endpoint_fn *fn, void *user)
{
    Str method = keep(registry, method_);
    Str pattern = keep(registry, pattern_);
    if (fn == NULL || !is_method(method) || pattern.len > PATTERN_MAX ||
        !str_starts_with(pattern, STR("/")) || guard > SPARK_GUARD_GOD || body > SPARK_BODY_BULK)
        return refuse(registry, SPARK_BAD_INPUT, "endpoint", pattern,
                      "it needs a method (GET, POST, PATCH, PUT, DELETE), a pattern from '/', a "
                      "guard, a body and a function");
    if (is_taken(registry, method, pattern))
        return refuse(registry, SPARK_CONFLICT, "endpoint", pattern, "it already exists");
    if (!take_place(registry))
        return refuse(registry, SPARK_BAD_INPUT, "endpoint", pattern, "there are too many entries");
    struct host_endpoint *endpoint = arena_new(registry->host->arena, struct host_endpoint);
    *endpoint = (struct host_endpoint){
        .extension = registry->extension,
        .method = method,
        .pattern = pattern,
        .guard = guard,
        .body = body,
        .run = fn,
        .user = user,
    };
    APPEND(struct host_endpoint, registry->offers.endpoints, endpoint);
    return SPARK_OK;
}

/* "hello.greet": a worker can then attribute a job even if the extension is disabled. */
static bool is_own_kind(const spark_registry *registry, Str kind)
{
    Str name = str_from_z(registry->extension->name);
    return kind.len > name.len + 1 && kind.len <= JOB_KIND_MAX && str_starts_with(kind, name) &&
           kind.data[name.len] == '.';
}

static bool has_job(const struct offers *offers, Str kind)
{
    for (const struct host_job *job = offers->jobs; job != NULL; job = job->next)
        if (str_eq(job->kind, kind))
            return true;
    return false;
}

spark_status api_add_job(spark_registry *registry, spark_str kind_, uint32_t timeout_s,
                         spark_job_fn *fn, void *user)
{
    Str kind = keep(registry, kind_);
    if (fn == NULL || !is_own_kind(registry, kind) || timeout_s > JOB_TIMEOUT_MAX_S)
        return refuse(registry, SPARK_BAD_INPUT, "job", kind,
                      "it needs a kind of at most 100 bytes that begins with the extension's name "
                      "and a dot, a timeout of at most a day and a function");
    if (has_job(&registry->host->offers, kind) || has_job(&registry->offers, kind))
        return refuse(registry, SPARK_CONFLICT, "job", kind, "it already exists");
    if (!take_place(registry))
        return refuse(registry, SPARK_BAD_INPUT, "job", kind, "there are too many entries");
    struct host_job *job = arena_new(registry->host->arena, struct host_job);
    *job = (struct host_job){
        .extension = registry->extension,
        .kind = kind,
        .timeout_s = timeout_s > 0 ? timeout_s : JOB_TIMEOUT_S,
        .run = fn,
        .user = user,
    };
    APPEND(struct host_job, registry->offers.jobs, job);
    return SPARK_OK;
}

static bool is_action(Str action)
{
    static const Str ACTIONS[] = {STR_INIT("create"), STR_INIT("update"), STR_INIT("delete"),
                                  STR_INIT("*")};
    for (size_t i = 0; i < COUNT_OF(ACTIONS); i++)
        if (str_eq(action, ACTIONS[i]))
            return true;
    return false;
}

static spark_status add_hook(spark_registry *registry, spark_str collection_, spark_str action_,
                             spark_filter_fn *filter, spark_action_fn *act, void *user)
{
    Str collection = keep(registry, collection_);
    Str action = keep(registry, action_);
    if ((filter == NULL && act == NULL) || collection.len == 0 || !is_action(action))
        return refuse(registry, SPARK_BAD_INPUT, "hook", collection,
                      "it needs a collection or '*', an action (create, update, delete, *) and a "
                      "function");
    if (!take_place(registry))
        return refuse(registry, SPARK_BAD_INPUT, "hook", collection, "there are too many entries");
    struct host_hook *hook = arena_new(registry->host->arena, struct host_hook);
    *hook = (struct host_hook){
        .extension = registry->extension,
        .collection = collection,
        .action = action,
        .filter = filter,
        .act = act,
        .user = user,
    };
    APPEND(struct host_hook, registry->offers.hooks, hook);
    return SPARK_OK;
}

spark_status api_add_filter(spark_registry *registry, spark_str collection, spark_str action,
                            spark_filter_fn *fn, void *user)
{
    return add_hook(registry, collection, action, fn, NULL, user);
}

spark_status api_add_action(spark_registry *registry, spark_str collection, spark_str action,
                            spark_action_fn *fn, void *user)
{
    return add_hook(registry, collection, action, NULL, fn, user);
}

spark_str api_setting(spark_registry *registry, spark_str name)
{
    struct arena *arena = registry->host->arena;
    Str value = settings_text(arena, registry->host->settings, str_of_spark(name));
    if (value.data == NULL) /* not a setting of the server */
        value = str_from_z(getenv(str_z(arena, str_of_spark(name))));
    return spark_of_str(str_dup(arena, value));
}

bool registry_start(struct host *host, struct extension *extension)
{
    assert(extension->block != NULL);
    struct spark_registry registry = {.host = host, .extension = extension};
    uint32_t before = extension_enter(extension);
    spark_status status = extension->block->start(&HOST_API, &registry);
    extension_leave(before);
    if (status != SPARK_OK) {
        extension->reason = str_z(
            host->arena, str_printf(host->arena, "%s did not start: its start function returned %d",
                                    extension->file, (int)status));
        atomic_store(&extension->state, EXTENSION_REFUSED);
        counter_inc(extension_failures);
        return false;
    }
    APPEND(struct host_endpoint, host->offers.endpoints, registry.offers.endpoints);
    APPEND(struct host_job, host->offers.jobs, registry.offers.jobs);
    APPEND(struct host_hook, host->offers.hooks, registry.offers.hooks);
    return true;
}
