/*
 * The host of extensions (include/spark/spark.h): loads shared objects at start, and calls them
 * from requests, writes and jobs. One a process, immutable once the threads run; callbacks run in
 * the fiber of the request or job they serve.
 *
 * An extension that cannot be loaded or started is left out, with a log line that says what to
 * rebuild; the process goes on. One whose hooks fail ten times in a row is switched off. One that
 * crashes takes the process with it; the crash page (jobs/queue/crash_page.h) says which it was,
 * and `spark up` starts the next one with its name in SPARK_EXTENSIONS_CRASHED, hence without it.
 */
#pragma once

#include "base/settings/settings.h"
#include "io/fiber/fiber.h"
#include "jobs/queue/job.h"

#include <spark/spark.h>

struct host;

/* Whether a route of the server answers to some path of this pattern. */
typedef bool HostRouteFn(Str method, Str pattern);
/* Whether some path is of both patterns. */
bool host_patterns_meet(Str a, Str b);

/* Loads every *.so of the folder that Spark ships and of those in EXTENSIONS_PATH, in the order of
 * their names, except what EXTENSIONS_DISABLED and SPARK_EXTENSIONS_CRASHED list, and puts its
 * hooks around the writes of core/content. `is_route` may be NULL. Never NULL. Before the threads
 * start. */
struct host *host_load(const struct settings *settings, HostRouteFn *is_route);
/* Stops the extensions, in reverse. After the threads have ended. NULL is fine. */
void host_free(struct host *host);

/* What the threads say at their start, so that whoever has a ctx can ask for the host. */
void host_serve(struct host *host, struct reactor *reactor);
struct host *host_of(const struct reactor *reactor);

/* Has this thread no action of a hook under way? A drain waits for it. */
bool host_is_idle(const struct reactor *reactor);

/* Endpoints, for the front end that speaks HTTP. */
struct host_endpoint;
struct host_endpoint_info {
    const struct host_endpoint *endpoint;
    Str method;
    Str pattern;
    spark_guard guard;
    spark_body body;
    const char *extension;
};
uint32_t host_endpoints(const struct host *host, struct arena *arena,
                        const struct host_endpoint_info **ret);

/* What the front end does for an endpoint; it embeds this as its first member. */
struct host_exchange {
    void (*reply)(struct host_exchange *exchange, int status, Str content_type, Str body);
    void (*reply_header)(struct host_exchange *exchange, Str name, Str value);
    Str (*param)(const struct host_exchange *exchange, size_t index);
    Str (*header)(const struct host_exchange *exchange, Str name);
};
struct host_request {
    Str method;
    Str path;
    Str query;
    Str body;
};
/* *ret_replied is false when the endpoint was content to say nothing (204). */
fiber_fn Err host_endpoint_run(struct ctx *ctx, const struct host_endpoint *endpoint,
                               const struct host_request *request, struct host_exchange *exchange,
                               bool *ret_replied);

/* Job kinds, for workers. */
struct host_job;
struct host_job_info {
    const struct host_job *job;
    Str kind;
    uint32_t timeout_s;
    const char *extension;
};
uint32_t host_jobs(const struct host *host, struct arena *arena, const struct host_job_info **ret);
/* A JobHandler's body for such a kind. */
fiber_fn Err host_job_run(struct ctx *ctx, const struct host_job *handler, struct job *job);

/* Why nobody here can do jobs of this kind for now: the extension that it begins with is left out.
 * The sentence, or STR_NONE. */
Str host_kind_is_off(const struct host *host, struct arena *arena, Str kind);

/* Does this process do without an extension, because it crashed? */
bool host_has_crashed(const struct host *host);

/* What is loaded, as a JSON array: [{"name","version","file","state","reason","failures"}]; state
 * is "on", "off", "refused" or "disabled". For `doctor` and the admin routes. */
Str host_describe(const struct host *host, struct arena *arena);
