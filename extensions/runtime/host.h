/*
 * The plugin host (include/spark/spark.h): loads shared objects at start, and calls them from
 * requests, writes and jobs. One per process, immutable once the threads run; callbacks run in the
 * fiber of the request or job they serve.
 *
 * An extension that cannot be loaded or started is skipped, with a log line that says what to
 * rebuild; the process continues. One whose hooks fail ten times in a row is disabled. A crash in
 * an extension ends the process; the crash page (jobs/queue/crash_page.h) records which extension
 * it was, and `spark up` restarts the process with its name in SPARK_EXTENSIONS_CRASHED, so without
 * it.
 */
#pragma once

#include "base/settings/settings.h"
#include "io/fiber/fiber.h"
#include "jobs/queue/job.h"

#include <spark/spark.h>

struct host;

/* Whether a route of the server matches some path of this pattern. */
typedef bool HostRouteFn(Str method, Str pattern);
/* Whether some path matches both patterns. */
bool host_patterns_meet(Str a, Str b);

/* Loads every *.so of the bundled folder and of those in EXTENSIONS_PATH, in alphabetical order,
 * except those in EXTENSIONS_DISABLED and SPARK_EXTENSIONS_CRASHED, and installs their hooks around
 * the writes of core/content. `is_route` may be NULL. Never returns NULL. Call before the threads
 * start. */
struct host *host_load(const struct settings *settings, HostRouteFn *is_route);
/* Stops the extensions, in reverse order. Call after the threads have ended. NULL is allowed. */
void host_free(struct host *host);

/* Registers the host with a thread at its start, so that code with a ctx can find it. */
void host_serve(struct host *host, struct reactor *reactor);
struct host *host_of(const struct reactor *reactor);

/* Whether this thread has no running action. A drain waits for this. */
bool host_is_idle(const struct reactor *reactor);

/* Endpoints, for the server. */
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

/* Functions of the server for an endpoint; it embeds this as its first member. */
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
/* *ret_replied is false if the endpoint gave no reply (204). */
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
/* The body of a JobHandler for such a kind. */
fiber_fn Err host_job_run(struct ctx *ctx, const struct host_job *handler, struct job *job);

/* Why jobs of this kind cannot run here at the moment: the extension in its name is disabled. A
 * message, or STR_NONE. */
Str host_kind_is_off(const struct host *host, struct arena *arena, Str kind);

/* Whether this process runs without an extension because it crashed. */
bool host_has_crashed(const struct host *host);

/* The loaded extensions as a JSON array: [{"name","version","file","state","reason","failures"}];
 * state is "on", "off", "refused" or "disabled". For `doctor` and the admin routes. */
Str host_describe(const struct host *host, struct arena *arena);
