/*
 * hello: the example to copy. It demonstrates each feature of extensions once:
 *
 *   GET /hello, GET /hello/:name   an endpoint that reads the caller's site from the database
 *   POST /hello/greet              an endpoint that reads JSON and enqueues a job
 *   hello.greet                    the job: writes one work log entry, exactly once
 *   a filter on creates            refuses an item whose title is "forbidden"
 *   an action on creates           counts them; GET /hello returns the count in PLATFORM scope
 *                                  only, because it covers all sites
 *
 * To build it anywhere, only the header is required, and no library:
 *
 *   cc -std=c11 -shared -fPIC -I<prefix>/include -o hello.so hello.c
 *
 * Put the .so into the folder that EXTENSIONS_PATH names, and restart server and workers.
 */
#include <spark/spark.h>

#include <stdatomic.h>
#include <string.h>

enum { NAME_MAX_BYTES = 100, GREET_TIMEOUT_S = 30 };

static const spark_api *api;  /* valid from start to stop */
static spark_str greeting;    /* from the environment */
static atomic_ullong created; /* callbacks run on several threads */

static bool equals(spark_str a, spark_str b)
{
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

/* The name of the caller's site, under row-level security. */
static spark_status site_name(spark_call *call, const spark_request *request, spark_str *name)
{
    *name = SPARK_STR("everybody");
    if (request->site_id.len == 0)
        return SPARK_OK;
    spark_rows *rows;
    spark_status status = api->query(call, SPARK_STR("select name from sites where id = $1::uuid"),
                                     (const spark_arg[]){SPARK_TEXT(request->site_id)}, 1, &rows);
    if (status == SPARK_OK && api->row_count(rows) == 1)
        *name = api->value(rows, 0, 0);
    return status;
}

static spark_status hello_show(spark_call *call, const spark_request *request, void *user)
{
    (void)user;
    spark_str name = api->path_param(call, 0);
    if (name.len > NAME_MAX_BYTES)
        return api->fail(call, SPARK_BAD_INPUT, SPARK_STR("A name has at most 100 bytes"));
    if (name.len == 0) {
        spark_status status = site_name(call, request, &name);
        if (status != SPARK_OK)
            return status; /* the host has recorded the error */
    }
    spark_str text = api->format(call, "%.*s, %.*s!", SPARK_FMT(greeting), SPARK_FMT(name));
    spark_str quoted = api->json_quote(call, text);
    spark_str body = api->format(call, "{\"message\":%.*s}", SPARK_FMT(quoted));
    if (request->is_platform)
        body = api->format(call, "{\"message\":%.*s,\"created\":%llu}", SPARK_FMT(quoted),
                           (unsigned long long)atomic_load(&created));
    api->reply(call, 200, SPARK_STR("application/json; charset=utf-8"), body);
    return SPARK_OK;
}

/* {"name": …} → 202 {"job": id} */
static spark_status hello_enqueue(spark_call *call, const spark_request *request, void *user)
{
    (void)user;
    const spark_json *body;
    spark_status status = api->json_parse(call, request->body, &body);
    if (status != SPARK_OK)
        return status;
    spark_str name = api->json_string(api->json_get(body, SPARK_STR("name")));
    if (name.len == 0 || name.len > NAME_MAX_BYTES)
        return api->fail(call, SPARK_BAD_INPUT,
                         SPARK_STR("\"name\" must be a text of 1 to 100 bytes"));
    spark_str quoted = api->json_quote(call, name);
    spark_str payload = api->format(call, "{\"name\":%.*s}", SPARK_FMT(quoted));
    int64_t id;
    status = api->enqueue(call, SPARK_STR("hello.greet"), payload, (spark_str){NULL, 0}, &id);
    if (status != SPARK_OK)
        return status;
    api->reply(call, 202, SPARK_STR("application/json; charset=utf-8"),
               api->format(call, "{\"job\":%lld}", (long long)id));
    return SPARK_OK;
}

/* The entry and the end of the job are one transaction: a crash in between cannot greet twice. */
static spark_status hello_greet(spark_call *call, const spark_json *payload, void *user)
{
    (void)user;
    spark_str name = api->json_string(api->json_get(payload, SPARK_STR("name")));
    spark_str quoted = api->json_quote(call, name);
    spark_str details = api->format(call, "{\"name\":%.*s,\"attempt\":%d}", SPARK_FMT(quoted),
                                    (int)api->job_attempt(call));
    const spark_arg args[] = {SPARK_TEXT(SPARK_STR("hello")), SPARK_TEXT(details)};
    const spark_statement effect = {
        SPARK_STR("select spark.audit(null, $1, null, null, $2::jsonb, 'info', 'done', null, "
                  "'machinery', null)"),
        args, 2};
    return api->finish_job(call, &effect, 1, SPARK_STR("{\"greeted\":true}"));
}

/* Called before the write: any status but SPARK_OK refuses it. */
static spark_status refuse_forbidden(spark_call *call, const spark_item_event *event,
                                     const spark_json **replacement, void *user)
{
    (void)replacement;
    (void)user;
    spark_str title = api->json_string(api->json_get(event->payload, SPARK_STR("title")));
    if (!equals(title, SPARK_STR("forbidden")))
        return SPARK_OK;
    return api->fail(call, SPARK_BAD_INPUT, SPARK_STR("The title \"forbidden\" is forbidden"));
}

/* Called after the commit. */
static spark_status count_created(spark_call *call, const spark_item_event *event, void *user)
{
    (void)user;
    atomic_fetch_add(&created, event->key_count);
    api->log(
        call, SPARK_LOG_DEBUG,
        api->format(call, "%zu created in %.*s", event->key_count, SPARK_FMT(event->collection)));
    return SPARK_OK;
}

static spark_status hello_start(const spark_api *host, spark_registry *registry)
{
    api = host;
    greeting = host->setting(registry, SPARK_STR("HELLO_GREETING"));
    if (greeting.len == 0)
        greeting = SPARK_STR("Hello");

    const spark_status statuses[] = {
        host->add_endpoint(registry, SPARK_STR("GET"), SPARK_STR("/hello"), SPARK_GUARD_PUBLIC,
                           SPARK_BODY_NONE, hello_show, NULL),
        host->add_endpoint(registry, SPARK_STR("GET"), SPARK_STR("/hello/:name"),
                           SPARK_GUARD_PUBLIC, SPARK_BODY_NONE, hello_show, NULL),
        host->add_endpoint(registry, SPARK_STR("POST"), SPARK_STR("/hello/greet"),
                           SPARK_GUARD_ADMIN, SPARK_BODY_SMALL, hello_enqueue, NULL),
        host->add_job(registry, SPARK_STR("hello.greet"), GREET_TIMEOUT_S, hello_greet, NULL),
        host->add_filter(registry, SPARK_STR("*"), SPARK_STR("create"), refuse_forbidden, NULL),
        host->add_action(registry, SPARK_STR("*"), SPARK_STR("create"), count_created, NULL),
    };
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        if (statuses[i] != SPARK_OK)
            return statuses[i];
    return SPARK_OK;
}

static const spark_extension HELLO = {
    SPARK_EXTENSION_HEAD,
    .name = "hello",
    .version = "1.0.0",
    .start = hello_start,
};

const spark_extension *spark_extension_get(void)
{
    return &HELLO;
}
