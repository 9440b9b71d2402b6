/* Shared by the files of the plugin host. Private to extensions/runtime/. */
#pragma once

#include "base/json/json.h"
#include "runtime/host.h"

#include <stdatomic.h>

enum {
    EXTENSIONS_MAX = 64,
    ENTRIES_MAX = 256, /* endpoints, jobs and hooks of one extension */
    NAME_MAX_LEN = 40,
    FAILURES_IN_ROW_MAX = 10,
    HOOK_US = 5 * 1000 * 1000,
};

enum extension_state { EXTENSION_ON, EXTENSION_OFF, EXTENSION_REFUSED, EXTENSION_DISABLED };

struct extension {
    uint32_t number;              /* its number on the crash page; never 0 */
    const spark_extension *block; /* NULL unless loaded */
    const char *name;             /* the file name until the extension's own name is known */
    const char *version;
    const char *file;
    const char *reason; /* why it is refused or disabled */
    void *library;
    atomic_int state;       /* enum extension_state; ON → OFF while threads run */
    atomic_uint in_row;     /* consecutive failures of its hooks */
    atomic_ullong failures; /* of all its callbacks */
};

struct host_endpoint {
    struct host_endpoint *next;
    struct extension *extension;
    Str method;
    Str pattern;
    spark_guard guard;
    spark_body body;
    spark_endpoint_fn *run;
    void *user;
};

struct host_job {
    struct host_job *next;
    struct extension *extension;
    Str kind;
    uint32_t timeout_s;
    spark_job_fn *run;
    void *user;
};

struct host_hook {
    struct host_hook *next;
    struct extension *extension;
    Str collection;          /* "*": all */
    Str action;              /* "*": all */
    spark_filter_fn *filter; /* exactly one of the two is set */
    spark_action_fn *act;
    void *user;
};

struct offers {
    struct host_endpoint *endpoints;
    struct host_job *jobs;
    struct host_hook *hooks;
    uint32_t count;
};

struct host {
    struct arena *arena;
    const struct settings *settings; /* set while extensions start */
    HostRouteFn *is_route;           /* of the server; NULL: there are no routes */
    Str disabled;                    /* names that the operator has disabled */
    Str crashed;                     /* names that the supervisor has disabled */
    struct extension *extensions[EXTENSIONS_MAX];
    uint32_t count;
    struct offers offers; /* of the started extensions */
};

/* Used while an extension starts: its entries are kept only if it returns SPARK_OK. */
struct spark_registry {
    struct host *host;
    struct extension *extension;
    struct offers offers;
};

/* module.c */
/* Why an extension is refused, or STR_NONE if it is compatible. `file` is for the message. */
Str module_refusal(struct arena *arena, const spark_extension *block, const char *file);
/* Opens the file; on false, sets extension->reason. */
bool module_open(struct arena *arena, struct extension *extension);

/* registry.c */
bool registry_start(struct host *host, struct extension *extension);

/* call.c: one callback. */
struct spark_call {
    struct ctx *ctx;
    struct extension *extension;
    struct host_exchange *exchange; /* NULL outside endpoints */
    struct job *job;                /* NULL outside jobs */
    Err last;                       /* error of the last host function that failed */
    bool has_replied;
};
struct spark_call call_make(struct ctx *ctx, struct extension *extension);
/* Counts the call, and converts a status to an Err. */
Err call_end(struct spark_call *call, spark_status status);
/* Records a failure or success of a hook; ten consecutive failures disable its extension. */
void extension_hook_ended(struct extension *extension, bool has_failed);
bool extension_is_on(const struct extension *extension);
/* For host functions: records the Err and converts it to a status. */
spark_status call_status(struct spark_call *call, Err err);
Err err_of_status(spark_status status);
Str call_reason(const struct spark_call *call); /* the last failure, with PostgreSQL's message */

static inline Str str_of_spark(spark_str s)
{
    return s.data == NULL ? STR("") : str_of(s.data, s.len);
}

static inline spark_str spark_of_str(Str s)
{
    return (spark_str){s.data, s.len};
}

static inline const struct json *json_of_spark(const spark_json *json)
{
    return (const struct json *)json;
}

static inline const spark_json *spark_of_json(const struct json *json)
{
    return (const spark_json *)json;
}

/* Call around each call into an extension, so that a crash is attributed to it. The callback may
 * wait while other fibers run; the value is per fiber. Returns the argument for _leave. */
static inline uint32_t extension_enter(const struct extension *extension)
{
    return fiber_extension(extension->number);
}

static inline void extension_leave(uint32_t before)
{
    fiber_extension(before);
}

/* hooks.c */
void hooks_install(struct host *host);
void hooks_remove(void);
