/*
 * spark.h: what an extension may use. Plain C, no library types.
 *
 * PROMISE  Within a major version this header is append-only: structs grow at their end and start
 *          with their size, functions are added at the end of struct spark_api, nothing changes
 *          its meaning. An extension built against 1.x runs in every host 1.y with y >= x.
 *
 * CHANGES  1.0  endpoints, hooks, jobs, queries in the caller's scope, platform bulk loads, log.
 *
 * An extension is a shared object that exports one function, spark_extension_get(), which returns a
 * static struct spark_extension. The host compares magic and versions before it touches anything
 * else. Extensions are trusted code: isolation covers what they do through this header.
 *
 * MEMORY   Strings given to an extension live until its callback returns. Memory for what it gives
 *          back comes from api->alloc and lives as long as the request or job.
 * WAITING  Functions marked MAY WAIT park the calling fiber; they return SPARK_CANCELLED or
 *          SPARK_TIMEOUT at the deadline, and the callback should then return at once. Callbacks
 *          run on a 64 KiB stack: no deep recursion, no large arrays, no blocking calls.
 */
#ifndef SPARK_SPARK_H
#define SPARK_SPARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPARK_API_MAJOR 1
#define SPARK_API_MINOR 0
#define SPARK_MAGIC UINT64_C(0x4b52415053545845) /* "EXTSPARK" */

typedef struct spark_str {
    const char *data;
    size_t len;
} spark_str;

#define SPARK_STR(literal) ((spark_str){"" literal "", sizeof(literal) - 1})

typedef enum spark_status {
    SPARK_OK = 0,
    SPARK_FAILED, /* see spark_api.fail */
    SPARK_BAD_INPUT,
    SPARK_NOT_FOUND,
    SPARK_FORBIDDEN,
    SPARK_CONFLICT,
    SPARK_UNAVAILABLE, /* database or Redis away: worth another try */
    SPARK_TIMEOUT,
    SPARK_CANCELLED
} spark_status;

typedef struct spark_call spark_call; /* one request or job, as a handle */
typedef struct spark_rows spark_rows; /* a result */
typedef struct spark_registry spark_registry;

/* A request as an endpoint sees it. */
typedef struct spark_request {
    size_t size;
    spark_str method;
    spark_str path;
    spark_str query;
    spark_str body;
    spark_str site_id; /* the scope's site as text; empty in PLATFORM and NONE scope */
    bool is_admin;
    bool is_platform;
} spark_request;

/* What happened to items of a collection. Filters see it before, actions after the commit. */
typedef struct spark_item_event {
    size_t size;
    spark_str action; /* "create", "update", "delete" */
    spark_str collection;
    spark_str site_id;
    spark_str user_id;
    spark_str payload;     /* JSON; empty for delete */
    const spark_str *keys; /* known after the write; NULL before a create */
    size_t key_count;
} spark_item_event;

typedef spark_status spark_endpoint_fn(spark_call *call, const spark_request *request, void *user);
typedef spark_status spark_job_fn(spark_call *call, spark_str payload, void *user);
/* A filter may replace the payload: *replacement stays empty to leave it. Not SPARK_OK refuses the
 * write. An action's status is only counted. */
typedef spark_status spark_filter_fn(spark_call *call, const spark_item_event *event,
                                     spark_str *replacement, void *user);
typedef spark_status spark_action_fn(spark_call *call, const spark_item_event *event, void *user);

typedef enum spark_guard {
    SPARK_GUARD_PUBLIC, /* anonymous too */
    SPARK_GUARD_MEMBER, /* any valid token */
    SPARK_GUARD_ADMIN,
    SPARK_GUARD_GOD /* X-God-Token; the route does not exist while GOD_MODE_TOKEN is unset */
} spark_guard;

/* A typed argument of a query. */
typedef struct spark_arg {
    enum { SPARK_ARG_NULL, SPARK_ARG_TEXT, SPARK_ARG_INT, SPARK_ARG_BOOL } kind;
    spark_str text;
    int64_t integer;
} spark_arg;

typedef struct spark_field_spec {
    spark_str name;
    spark_str type; /* Directus' field types: string, text, integer, uuid, json, timestamp … */
    bool is_primary_key;
    bool is_unique;
    bool is_required;
    spark_str default_value; /* SQL literal text; empty: none */
    spark_str meta;          /* JSON for directus_fields; empty: {} */
} spark_field_spec;

/* The functions of the host. Check `size` before using one that a later minor added. */
typedef struct spark_api {
    size_t size;
    uint32_t major;
    uint32_t minor;

    /* At start, inside spark_extension.start. */
    spark_status (*add_endpoint)(spark_registry *registry, spark_str method, spark_str pattern,
                                 spark_guard guard, size_t body_max, spark_endpoint_fn *fn,
                                 void *user);
    spark_status (*add_job)(spark_registry *registry, spark_str kind, spark_job_fn *fn, void *user);
    spark_status (*add_filter)(spark_registry *registry, spark_str collection /* "*": all */,
                               spark_str action, spark_filter_fn *fn, void *user);
    spark_status (*add_action)(spark_registry *registry, spark_str collection, spark_str action,
                               spark_action_fn *fn, void *user);
    spark_str (*setting)(spark_registry *registry, spark_str name); /* environment; may be empty */

    /* In a callback. */
    void *(*alloc)(spark_call *call, size_t size); /* zeroed; never NULL */
    void (*log)(spark_call *call, int level /* 0 debug … 3 error */, spark_str message);
    /* Records the sentence and code that the caller of the API will see; returns `status`. */
    spark_status (*fail)(spark_call *call, spark_status status, spark_str code, spark_str message);

    /* The reply of an endpoint. */
    void (*reply)(spark_call *call, int http_status, spark_str content_type, spark_str body);
    spark_str (*path_param)(spark_call *call, size_t index);
    spark_str (*header)(spark_call *call, spark_str lower_case_name);

    /* MAY WAIT. One statement in the caller's scope, under row security: $1 … are `args`. */
    spark_status (*query)(spark_call *call, spark_str sql, const spark_arg *args, size_t arg_count,
                          spark_rows **rows);
    size_t (*row_count)(const spark_rows *rows);
    size_t (*column_count)(const spark_rows *rows);
    bool (*is_null)(const spark_rows *rows, size_t row, size_t column);
    /* Text of a value; select with ::text what is not text. */
    spark_str (*value)(const spark_rows *rows, size_t row, size_t column);

    /* MAY WAIT. Enqueues a job in the caller's scope; *id is 0 when dedup_key named a live one. */
    spark_status (*enqueue)(spark_call *call, spark_str kind, spark_str payload_json,
                            spark_str dedup_key, int64_t *id);

    /* MAY WAIT. Schema and bulk work of the platform; SPARK_FORBIDDEN unless the caller is an
     * administrator in PLATFORM scope. All are transactional and raise the schema epoch. */
    spark_status (*create_collection)(spark_call *call, spark_str collection,
                                      const spark_field_spec *fields, size_t field_count,
                                      spark_str meta_json);
    spark_status (*create_relation)(spark_call *call, spark_str collection, spark_str field,
                                    spark_str related_collection, spark_str on_delete,
                                    spark_str meta_json);
    /* The schema as JSON in the form of Directus' snapshot. */
    spark_status (*schema_snapshot)(spark_call *call, spark_str *json);
    /* Loads `items_json`, an array of objects. atomic: all or none, by COPY; else row by row, each
     * failure noted in *result_json: {"inserted":n,"ids":[…],"failed":[{"index","error"}]}. */
    spark_status (*bulk_insert)(spark_call *call, spark_str collection, spark_str items_json,
                                bool atomic, spark_str *result_json);
} spark_api;

typedef struct spark_extension {
    /* These four come first and never move: they protect the rest. */
    uint64_t magic;
    uint32_t major;
    uint32_t minor;
    size_t size;

    const char *name; /* lower case letters, digits, '-' */
    const char *version;
    /* Registers what the extension offers. Not SPARK_OK: the extension is left out, with a log
     * line; the host goes on. */
    spark_status (*start)(const spark_api *api, spark_registry *registry);
    void (*stop)(void); /* may be NULL */
} spark_extension;

#define SPARK_EXTENSION_HEAD                                                                       \
    .magic = SPARK_MAGIC, .major = SPARK_API_MAJOR, .minor = SPARK_API_MINOR,                      \
    .size = sizeof(spark_extension)

/* What every extension defines. */
const spark_extension *spark_extension_get(void);
#define SPARK_ENTRY_POINT "spark_extension_get"

#endif
