/*
 * spark.h: the interface for extensions. Plain C, no library types.
 *
 * PROMISE  Within a major version this header is append-only: structs grow at their end and start
 *          with their size, functions are added at the end of struct spark_api, and existing
 *          semantics never change. An extension built against 1.x runs in every host 1.y with
 *          y >= x.
 *
 * CHANGES  1.0  endpoints, hooks, jobs, queries in the caller's scope, JSON, schema and bulk loads.
 *          1.1  create_field, delete_field.
 *          1.2  log_work, count_up, publish, schema_apply; spark_item_event.is_logged.
 *               Filters of updates and deletes see the keys.
 *               Actions run after the reply, and see bulk loads too.
 *          1.3  json_check, last_error.
 *          1.4  breathe.
 *
 * An extension is a shared object that exports one function, spark_extension_get(), which returns a
 * static struct spark_extension. The host checks magic and versions before it reads anything else.
 * Extensions are trusted code: isolation covers only their calls through this header.
 *
 * MEMORY   Data passed to an extension is valid until the request or job ends, and so is memory
 *          from api->alloc. An extension frees nothing and must keep no pointer beyond that. A
 *          spark_str is bytes and a length, without a NUL at its end.
 * WAITING  Functions marked MAY WAIT park the calling fiber; they return SPARK_CANCELLED or
 *          SPARK_TIMEOUT after the deadline, and the callback should then return immediately.
 *          Callbacks run on a 64 KiB stack: no deep recursion, no large arrays, no blocking calls.
 * CRASHES  An extension that crashes takes the server or worker with it. `spark up` then starts
 *          them without it, until `spark up` is restarted; its jobs wait meanwhile.
 * THREADS  start and stop run alone. Callbacks run on several threads at once, one call on one
 *          thread; an extension must synchronise data shared between calls (C11 atomics).
 */
#ifndef SPARK_SPARK_H
#define SPARK_SPARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPARK_API_MAJOR 1
#define SPARK_API_MINOR 4
#define SPARK_MAGIC UINT64_C(0x4b52415053545845) /* "EXTSPARK" */

typedef struct spark_str {
    const char *data;
    size_t len;
} spark_str;

#define SPARK_STR(literal) ((spark_str){"" literal "", sizeof(literal) - 1})
/* The same as a constant expression, for static tables. */
#define SPARK_STR_INIT(literal)                                                                    \
    {                                                                                              \
        "" literal "", sizeof(literal) - 1                                                         \
    }
#define SPARK_FMT(s) ((int)(s).len), ((s).data) /* the two arguments of "%.*s" */

typedef enum spark_status {
    SPARK_OK = 0,
    SPARK_FAILED,
    SPARK_BAD_INPUT,
    SPARK_NOT_FOUND,
    SPARK_FORBIDDEN,
    SPARK_CONFLICT,
    SPARK_UNAVAILABLE, /* database or Redis unavailable, or the schema changed: retry */
    SPARK_TIMEOUT,
    SPARK_CANCELLED /* the client disconnected, or another attempt owns the job */
} spark_status;

typedef struct spark_call spark_call;         /* handle of one request or job */
typedef struct spark_registry spark_registry; /* what an extension registers while it starts */
typedef struct spark_rows spark_rows;         /* a result */
typedef struct spark_json spark_json;         /* a value of parsed JSON */

/* A request for an endpoint. */
typedef struct spark_request {
    size_t size;
    spark_str method;
    spark_str path;
    spark_str query; /* after '?', as sent */
    spark_str body;
    spark_str site_id; /* the scope's site as text; empty in PLATFORM and NONE scope */
    spark_str user_id; /* empty without a user */
    bool is_admin;
    bool is_platform;
} spark_request;

/* A change of items of a collection. A filter is called before the write: once for each item, for
 * several items of one request inside their transaction. An action is called after the commit: once
 * for all rows of a site that one statement wrote. Both are called for /items, nested rows and bulk
 * loads. Rows that other statements write (imports, jobs of the factory, cascades, psql) cause only
 * actions, which are called from the change feed, without a user. */
typedef struct spark_item_event {
    size_t size;
    spark_str action; /* "create", "update", "delete" */
    spark_str collection;
    spark_str
        site_id; /* actions: the site of the rows, empty if none; filters: the caller's site */
    spark_str user_id;
    const spark_json *payload; /* filters: one item, an object; NULL for delete and for actions */
    const spark_str *keys;     /* the affected items; NULL for filters of creates */
    size_t key_count;
    bool is_logged; /* since 1.2: the server has written its own work log entry */
} spark_item_event;

/* A filter may set *replacement to another payload, which is validated as if the client had sent
 * it: it cannot leave the site or write fields that the caller may not write. Any status but
 * SPARK_OK refuses the write, with the message passed to api->fail. Actions run after the reply has
 * been sent, in no particular order; their status is only counted.
 *
 * A hook has 5 seconds. After that its waits fail, and the write of a filter is refused whatever
 * the filter returns. A hook cannot be interrupted while it computes: one that never waits blocks
 * its thread. Per extension and thread 128 actions run at once and 5,000 wait; more are dropped and
 * counted. Ten consecutive failures disable the extension. */
typedef spark_status spark_endpoint_fn(spark_call *call, const spark_request *request, void *user);
typedef spark_status spark_job_fn(spark_call *call, const spark_json *payload, void *user);
typedef spark_status spark_filter_fn(spark_call *call, const spark_item_event *event,
                                     const spark_json **replacement, void *user);
typedef spark_status spark_action_fn(spark_call *call, const spark_item_event *event, void *user);

typedef enum spark_guard {
    SPARK_GUARD_PUBLIC, /* including anonymous callers */
    SPARK_GUARD_MEMBER, /* any valid token */
    SPARK_GUARD_ADMIN,  /* an administrator, or a site token for its own site */
    SPARK_GUARD_GOD     /* X-God-Token; the route does not exist while GOD_MODE_TOKEN is unset */
} spark_guard;

/* The maximum size of a request's body; larger ones are answered 413 without calling the
 * endpoint. */
typedef enum spark_body {
    SPARK_BODY_NONE,
    SPARK_BODY_SMALL,   /* 16 KiB */
    SPARK_BODY_CONTENT, /* MAX_PAYLOAD_SIZE, by default 1 MiB */
    SPARK_BODY_BULK     /* BULK_PAYLOAD_SIZE, by default 64 MiB */
} spark_body;

/* A typed argument of a statement: $1 is the first. */
typedef enum spark_arg_kind {
    SPARK_ARG_NULL,
    SPARK_ARG_TEXT, /* takes the type that the statement expects */
    SPARK_ARG_INT,
    SPARK_ARG_BOOL
} spark_arg_kind;
typedef struct spark_arg {
    spark_arg_kind kind;
    spark_str text;
    int64_t integer; /* SPARK_ARG_BOOL too */
} spark_arg;
#define SPARK_NULL ((spark_arg){SPARK_ARG_NULL, {NULL, 0}, 0})
#define SPARK_TEXT(str) ((spark_arg){SPARK_ARG_TEXT, (str), 0})
#define SPARK_INT(value) ((spark_arg){SPARK_ARG_INT, {NULL, 0}, (value)})
#define SPARK_BOOL(value) ((spark_arg){SPARK_ARG_BOOL, {NULL, 0}, (value)})

typedef struct spark_statement {
    spark_str sql;
    const spark_arg *args;
    size_t arg_count;
} spark_statement;

typedef enum spark_json_kind {
    SPARK_JSON_NULL,
    SPARK_JSON_BOOL,
    SPARK_JSON_INT,
    SPARK_JSON_REAL,
    SPARK_JSON_STRING,
    SPARK_JSON_ARRAY,
    SPARK_JSON_OBJECT
} spark_json_kind;

/* for (spark_member m = {.object = o}; api->json_next(&m);) … m.key, m.value */
typedef struct spark_member {
    const spark_json *object;
    void *cursor;
    bool has_begun;
    spark_str key;
    const spark_json *value;
} spark_member;

enum { SPARK_LOG_DEBUG, SPARK_LOG_INFO, SPARK_LOG_WARN, SPARK_LOG_ERROR };

/* A work log entry. */
typedef struct spark_work {
    size_t size;
    spark_str action;      /* "created": at most 100 bytes */
    spark_str entity_type; /* a collection, or another type of object: at most 100 bytes */
    spark_str entity_id;   /* at most 500 bytes */
    spark_str details;     /* an object as JSON text, at most 16 KiB; may be empty */
    spark_str level;       /* "debug", "info", "success", "warning", "error"; empty: "info" */
    spark_str site_id;     /* empty: the site of the scope. Another site only in PLATFORM scope */
} spark_work;

/* The functions of the host. Check `size` before using one that a later minor added. */
typedef struct spark_api {
    size_t size;
    uint32_t major;
    uint32_t minor;

    /* At start, inside spark_extension.start. SPARK_CONFLICT: the route or kind is taken. A route
     * is taken if a route of Spark or of another extension matches some of the same paths,
     * including by a parameter; "/a/:id" and "/a/list" of one extension are two routes. */

    /* pattern: "/hello/:name". A parameter is a whole segment. */
    spark_status (*add_endpoint)(spark_registry *registry, spark_str method, spark_str pattern,
                                 spark_guard guard, spark_body body, spark_endpoint_fn *fn,
                                 void *user);
    /* kind: "hello.greet", beginning with the extension's name and a dot; others are refused. After
     * its timeout, waits fail; a job that computes for JOB_HARD_TIMEOUT without waiting ends its
     * worker. */
    spark_status (*add_job)(spark_registry *registry, spark_str kind, uint32_t timeout_s,
                            spark_job_fn *fn, void *user);
    /* collection: "*" means all; action: "create", "update", "delete" or "*". */
    spark_status (*add_filter)(spark_registry *registry, spark_str collection, spark_str action,
                               spark_filter_fn *fn, void *user);
    spark_status (*add_action)(spark_registry *registry, spark_str collection, spark_str action,
                               spark_action_fn *fn, void *user);
    spark_str (*setting)(spark_registry *registry, spark_str name); /* environment; may be empty */

    /* In a callback. */

    void *(*alloc)(spark_call *call, size_t size); /* zeroed; never NULL */
    /* Like printf. */
    spark_str (*format)(spark_call *call, const char *format, ...);
    void (*log)(spark_call *call, int level, spark_str message);
    /* Records the message for the caller, and returns `status`, which determines the code and the
     * HTTP status. An endpoint returns it as its answer, a job fails with it. */
    spark_status (*fail)(spark_call *call, spark_status status, spark_str message);

    /* The reply of an endpoint; without one it is 204. Errors are returned instead: they then have
     * the format of the API. */
    void (*reply)(spark_call *call, int http_status, spark_str content_type, spark_str body);
    void (*reply_header)(spark_call *call, spark_str lower_case_name, spark_str value);
    spark_str (*path_param)(spark_call *call, size_t index);          /* percent-decoded */
    spark_str (*header)(spark_call *call, spark_str lower_case_name); /* empty if absent */

    /* JSON. All functions accept NULL as null, so that lookups can be chained. At most 16
     * levels. */

    /* MAY WAIT with texts of 256 KiB and more, which another thread parses. */
    spark_status (*json_parse)(spark_call *call, spark_str text, const spark_json **json);
    spark_json_kind (*json_kind)(const spark_json *json);
    const spark_json *(*json_get)(const spark_json *object, spark_str key); /* NULL if absent */
    const spark_json *(*json_at)(const spark_json *array, size_t index);
    size_t (*json_length)(const spark_json *json);
    bool (*json_next)(spark_member *member);
    spark_str (*json_string)(const spark_json *json); /* empty unless a string */
    int64_t (*json_integer)(const spark_json *json);  /* 0 unless an integer */
    bool (*json_boolean)(const spark_json *json);     /* false unless true */
    spark_str (*json_text)(spark_call *call, const spark_json *json);
    /* A string as JSON, quotes included. */
    spark_str (*json_quote)(spark_call *call, spark_str text);

    /* The database. */

    /* MAY WAIT. One statement (select, insert, update, delete, with …) in the caller's scope,
     * under row-level security; its changes are durable when this returns. Without a site (a
     * visitor on an unknown host) it sees only the rows of the library. It may not change settings,
     * run text as SQL or create tables. Values of types other than text, integers, boolean, uuid,
     * json and timestamps must be selected as ::text. */
    spark_status (*query)(spark_call *call, spark_str sql, const spark_arg *args, size_t arg_count,
                          spark_rows **rows /* may be NULL */);
    size_t (*row_count)(const spark_rows *rows);
    size_t (*column_count)(const spark_rows *rows);
    int64_t (*rows_affected)(const spark_rows *rows);
    bool (*is_null)(const spark_rows *rows, size_t row, size_t column);
    /* Text of a value: "true", "42", "2024-12-29T23:56:42.000Z"; empty if null. */
    spark_str (*value)(const spark_rows *rows, size_t row, size_t column);

    /* Jobs. */

    /* MAY WAIT. Enqueues a job in the caller's scope; SPARK_FORBIDDEN where there is no site.
     * payload: an object as JSON text, or empty. *id is 0 when dedup_key belongs to an
     * unfinished job. */
    spark_status (*enqueue)(spark_call *call, spark_str kind, spark_str payload_json,
                            spark_str dedup_key, int64_t *id);
    /* MAY WAIT. Inside a job: commits its effects together with its completion. A job runs at least
     * once, but its effects take place exactly once; call this last. result: JSON or empty.
     * SPARK_CANCELLED: another attempt owns the job, and nothing was written. A job that returns
     * SPARK_OK without calling this is completed without effects. At most 31 effects. */
    spark_status (*finish_job)(spark_call *call, const spark_statement *effects, size_t count,
                               spark_str result_json);
    int32_t (*job_attempt)(spark_call *call); /* 1 the first time; 0 outside jobs */

    /* MAY WAIT. Schema and bulk work of the platform; SPARK_FORBIDDEN unless the caller is an
     * administrator in PLATFORM scope. Each is one transaction. */

    /* Directus' body: {collection, fields: [{field, type, meta, schema}], meta, schema}. */
    spark_status (*create_collection)(spark_call *call, const spark_json *definition,
                                      size_t *fields_created);
    /* {collection, field, related_collection, schema: {on_delete}, meta} */
    spark_status (*create_relation)(spark_call *call, const spark_json *definition,
                                    spark_str *relation_json);
    /* The schema as JSON in the form of Directus' snapshot. */
    spark_status (*schema_snapshot)(spark_call *call, spark_str *json);
    /* Loads an array of objects. atomic: all or none; else invalid items are skipped and listed:
     * {"inserted":n,"ids":[…],"failed":[{"index","error"}]}. At most 100,000 items. */
    spark_status (*bulk_insert)(spark_call *call, spark_str collection, const spark_json *items,
                                bool atomic, spark_str *result_json);

    /* Since 1.1. MAY WAIT. Platform work as above. */

    /* {collection, field, type, meta, schema}: adds a field, which cannot be the key or the site.
     */
    spark_status (*create_field)(spark_call *call, const spark_json *definition);
    /* Deletes the field with its values and its relation. SPARK_CONFLICT: other objects depend on
     * it. */
    spark_status (*delete_field)(spark_call *call, spark_str collection, spark_str field);

    /* Since 1.2. An empty `site_id` means the site of the scope or, in PLATFORM scope, the whole
     * platform. Only PLATFORM scope may name another site: else SPARK_FORBIDDEN, as without a
     * site. */

    /* MAY WAIT. Writes a line. User, kind of actor and address are always those of the caller or,
     * in a job, of the request that created it. Statements may not write the work log; an effect of
     * a job writes it with "select spark.audit(…)". */
    spark_status (*log_work)(spark_call *call, const spark_work *work);
    /* MAY WAIT. Increments a counter of the extension in Redis and returns its value. It restarts
     * when Redis loses its data. The key is spark:ext:{site}:<extension>:<name>, with "all"
     * for the platform. name: letters, digits, '_', '-', '.', at most 100. */
    spark_status (*count_up)(spark_call *call, spark_str site_id, spark_str name, int64_t *value);
    /* Sends a message of at most 64 KiB on spark:ext:{site}:<extension>:<channel>, to its
     * current subscribers; SPARK_UNAVAILABLE when Redis is unreachable. channel: like a name. */
    spark_status (*publish)(spark_call *call, spark_str site_id, spark_str channel,
                            spark_str message);
    /* MAY WAIT. Platform work: applies a snapshot (in the form of schema_snapshot) in one
     * transaction; a dry run only reports the changes. What the snapshot lacks is deleted only with
     * may_delete, and never if it belongs to the platform. *result_json: {"success","dry_run",
     * "changes","kept","diff"}. SPARK_BAD_INPUT and SPARK_CONFLICT name the place. */
    spark_status (*schema_apply)(spark_call *call, const spark_json *snapshot, bool is_dry_run,
                                 bool may_delete, spark_str *result_json);

    /* Since 1.3. Refuses members of `object` (and of the objects in it) that are not in `known`,
     * such as "name items{id title}"; a name without braces may contain anything. SPARK_BAD_INPUT
     * names the member and the known ones. */
    spark_status (*json_check)(spark_call *call, const spark_json *object, spark_str known);
    /* Since 1.3. Why the last function of this call failed, with the SQLSTATE first if PostgreSQL
     * refused. For logs and decisions: it may name tables and values, so do not send it to clients.
     * Empty when nothing failed. */
    spark_str (*last_error)(spark_call *call);
    /* Since 1.4. MAY WAIT. Cooperative yield, for the top of loops over input: yields when this
     * call has computed for a while, and returns at once otherwise. All calls of a thread share one
     * event loop; a callback that blocks it for long is logged (long_turn). */
    spark_status (*breathe)(spark_call *call);
} spark_api;

typedef struct spark_extension {
    /* These four come first and never move: they protect the rest. */
    uint64_t magic;
    uint32_t major;
    uint32_t minor;
    size_t size;

    const char *name; /* lower case letters, digits, '-'; at most 40 */
    const char *version;
    /* Registers the extension's endpoints, jobs and hooks; `api` stays valid until stop. Any status
     * but SPARK_OK: the extension is skipped, with a log line, and the host continues. */
    spark_status (*start)(const spark_api *api, spark_registry *registry);
    void (*stop)(void); /* may be NULL */
} spark_extension;

#define SPARK_EXTENSION_HEAD                                                                       \
    .magic = SPARK_MAGIC, .major = SPARK_API_MAJOR, .minor = SPARK_API_MINOR,                      \
    .size = sizeof(spark_extension)

/* Must be defined by every extension. */
#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
const spark_extension *
spark_extension_get(void);
#define SPARK_ENTRY_POINT "spark_extension_get"

#endif
