/*
 * Operations on a running platform: adding and deleting fields, granting permissions, and an
 * overview. SQL statements only if GOD_SQL is true.
 */
#include "god.h"
#include "text.h"

#include <string.h>

static const spark_api *api;

/* {collection, field, type, meta, schema} */
static spark_status fields_create(spark_call *call, const spark_request *request, void *user)
{
    (void)user;
    const spark_json *body;
    spark_status status =
        god_read(api, call, request, SPARK_STR("collection field type meta schema"), &body);
    if (status == SPARK_OK)
        status = api->create_field(call, body);
    if (status != SPARK_OK)
        return status;
    spark_str collection = api->json_text(call, api->json_get(body, SPARK_STR("collection")));
    spark_str field = api->json_text(call, api->json_get(body, SPARK_STR("field")));
    return god_reply(api, call,
                     api->format(call, "{\"success\":true,\"collection\":%.*s,\"field\":%.*s}",
                                 SPARK_FMT(collection), SPARK_FMT(field)));
}

static spark_status fields_delete(spark_call *call, const spark_request *request, void *user)
{
    (void)request;
    (void)user;
    spark_str collection = api->path_param(call, 0);
    spark_str field = api->path_param(call, 1);
    spark_status status = api->delete_field(call, collection, field);
    if (status != SPARK_OK)
        return status;
    collection = api->json_quote(call, collection);
    field = api->json_quote(call, field);
    return god_reply(api, call,
                     api->format(call, "{\"success\":true,\"collection\":%.*s,\"field\":%.*s}",
                                 SPARK_FMT(collection), SPARK_FMT(field)));
}

/* In a site's scope the numbers would be that site's: the overview requires PLATFORM scope. */
static spark_status require_platform(spark_call *call, const spark_request *request)
{
    if (request->is_platform)
        return SPARK_OK;
    return api->fail(call, SPARK_FORBIDDEN, SPARK_STR("This is for the platform, not for a site."));
}

/* Runs a statement that returns one row with one json column. */
static spark_status one_json(spark_call *call, const spark_request *request, spark_str sql,
                             spark_str *json)
{
    spark_rows *rows;
    spark_status status = require_platform(call, request);
    if (status == SPARK_OK)
        status = api->query(call, sql, NULL, 0, &rows);
    if (status == SPARK_OK)
        *json = api->value(rows, 0, 0);
    return status;
}

static spark_status status_show(spark_call *call, const spark_request *request, void *user)
{
    (void)user;
    spark_str database;
    spark_status status = one_json(
        call, request,
        SPARK_STR("select json_build_object("
                  "'tables', (select count(*) from pg_class c join pg_namespace n on n.oid = "
                  "c.relnamespace where n.nspname = 'public' and c.relkind in ('r', 'p') and not "
                  "c.relispartition), "
                  "'collections', (select count(*) from directus_collections), "
                  "'permissions', (select count(*) from directus_permissions))"),
        &database);
    if (status != SPARK_OK)
        return status;
    spark_str now = god_timestamp(api, call);
    return god_reply(api, call,
                     api->format(call,
                                 "{\"success\":true,\"god_mode\":true,\"database\":%.*s,"
                                 "\"timestamp\":\"%.*s\"}",
                                 SPARK_FMT(database), SPARK_FMT(now)));
}

static spark_status collections_all(spark_call *call, const spark_request *request, void *user)
{
    (void)user;
    spark_str list;
    spark_status status = one_json(
        call, request,
        SPARK_STR("select coalesce(json_agg(json_build_object('collection', c.collection, 'icon', "
                  "c.icon, 'note', c.note, 'hidden', c.hidden, 'singleton', c.singleton, 'fields', "
                  "(select count(*) from directus_fields f where f.collection = c.collection)) "
                  "order by c.collection), '[]'::json) from directus_collections c"),
        &list);
    if (status != SPARK_OK)
        return status;
    return god_reply(api, call,
                     api->format(call, "{\"success\":true,\"collections\":%.*s}", SPARK_FMT(list)));
}

/* One statement, so that all rows are inserted or none; existing permissions are unchanged. An
 * unknown policy or collection inserts nothing, and the answer contains the number of rows. */
#define GRANT_SQL                                                                                  \
    "with wanted as (select p.id as policy, c.collection, a.action "                               \
    "from directus_policies p, directus_collections c, unnest(string_to_array($3::text, ',')) "    \
    "a (action) where p.id::text = $1::text and c.collection = $2::text), "                        \
    "made as (insert into directus_permissions (policy, collection, action, permissions, fields) " \
    "select w.policy, w.collection, w.action, '{}', '*' from wanted w where not exists (select "   \
    "from directus_permissions d where d.policy = w.policy and d.collection = w.collection and "   \
    "d.action = w.action) returning 1) "                                                           \
    "select (select count(*) from wanted), (select count(*) from made), "                          \
    "(select spark.audit(null, 'permissions_granted', 'directus_policies', $1::text, "             \
    "jsonb_build_object('collection', $2::text, 'actions', $3::text), 'warning', 'done', null, "   \
    "'god', null)::text where exists (select from made))"

/* The actions as "create,read"; SPARK_BAD_INPUT for an unknown one. */
static spark_status actions_read(spark_call *call, const spark_json *actions, spark_str *ret)
{
    static const char *const KNOWN[] = {"create", "read", "update", "delete"};
    enum { KNOWN_COUNT = sizeof KNOWN / sizeof KNOWN[0] };
    *ret = SPARK_STR("");
    size_t count = api->json_length(actions);
    if (api->json_kind(actions) != SPARK_JSON_ARRAY || count == 0 || count > KNOWN_COUNT)
        return api->fail(call, SPARK_BAD_INPUT,
                         SPARK_STR("\"actions\" must be an array of 1 to 4 actions"));
    for (size_t i = 0; i < count; i++) {
        spark_str action = api->json_string(api->json_at(actions, i));
        bool is_known = false;
        for (size_t k = 0; k < KNOWN_COUNT; k++)
            is_known = is_known || (action.len == strlen(KNOWN[k]) &&
                                    memcmp(action.data, KNOWN[k], action.len) == 0);
        if (!is_known)
            return api->fail(call, SPARK_BAD_INPUT,
                             SPARK_STR("An action must be create, read, update or delete"));
        *ret =
            api->format(call, "%.*s%s%.*s", SPARK_FMT(*ret), i > 0 ? "," : "", SPARK_FMT(action));
    }
    return SPARK_OK;
}

/* {policy, collection, actions} */
static spark_status permissions_grant(spark_call *call, const spark_request *request, void *user)
{
    (void)user;
    const spark_json *body;
    spark_str actions;
    spark_rows *rows;
    spark_status status = require_platform(call, request);
    if (status == SPARK_OK)
        status = god_read(api, call, request, SPARK_STR("policy collection actions"), &body);
    if (status == SPARK_OK)
        status = actions_read(call, api->json_get(body, SPARK_STR("actions")), &actions);
    if (status != SPARK_OK)
        return status;
    spark_arg args[] = {SPARK_TEXT(api->json_string(api->json_get(body, SPARK_STR("policy")))),
                        SPARK_TEXT(api->json_string(api->json_get(body, SPARK_STR("collection")))),
                        SPARK_TEXT(actions)};
    status = api->query(call, SPARK_STR(GRANT_SQL), args, 3, &rows);
    if (status != SPARK_OK)
        return status;
    spark_str wanted = api->value(rows, 0, 0);
    if (wanted.len == 1 && wanted.data[0] == '0')
        return api->fail(call, SPARK_NOT_FOUND, SPARK_STR("There is no such policy or collection"));
    spark_str made = api->value(rows, 0, 1);
    return god_reply(api, call,
                     api->format(call, "{\"success\":true,\"granted\":%.*s}", SPARK_FMT(made)));
}

static void put_row(struct text *text, const spark_rows *rows, size_t row)
{
    text_put(text, SPARK_STR("["));
    for (size_t i = 0; i < api->column_count(rows); i++) {
        if (i > 0)
            text_put(text, SPARK_STR(","));
        if (api->is_null(rows, row, i))
            text_put(text, SPARK_STR("null"));
        else
            text_put_quoted(text, api->value(rows, row, i));
    }
    text_put(text, SPARK_STR("]"));
}

enum { SQL_PARAMS_MAX = 100, SQL_ROWS_MAX = 1000, SQL_FIRST = 4096, SQL_ANSWER_MAX = 16 << 20 };

static spark_status rows_reply(spark_call *call, const spark_rows *rows)
{
    struct text text = text_make(api, call, SQL_FIRST, SQL_ANSWER_MAX);
    text_put(&text, api->format(call, "{\"success\":true,\"affected\":%lld,\"rows\":[",
                                (long long)api->rows_affected(rows)));
    for (size_t i = 0; i < api->row_count(rows); i++) {
        if (i > 0)
            text_put(&text, SPARK_STR(","));
        put_row(&text, rows, i);
    }
    text_put(&text, SPARK_STR("]}"));
    spark_str answer;
    spark_status status = text_end(
        &text, SPARK_BAD_INPUT, SPARK_STR("The answer has more than 16 MiB; use limit"), &answer);
    return status == SPARK_OK ? god_reply(api, call, answer) : status;
}

/* {sql, params: [text or null]}: one statement under the rules of api->query; values as text. */
static spark_status sql_execute(spark_call *call, const spark_request *request, void *user)
{
    (void)user;
    const spark_json *body;
    spark_rows *rows;
    spark_status status = require_platform(call, request);
    if (status == SPARK_OK)
        status = god_read(api, call, request, SPARK_STR("sql params"), &body);
    if (status != SPARK_OK)
        return status;
    const spark_json *params = api->json_get(body, SPARK_STR("params"));
    size_t count = api->json_length(params);
    if (count > SQL_PARAMS_MAX)
        return api->fail(call, SPARK_BAD_INPUT, SPARK_STR("At most 100 params"));
    spark_arg *args = api->alloc(call, (count + 1) * sizeof *args);
    for (size_t i = 0; i < count; i++) {
        const spark_json *value = api->json_at(params, i);
        bool is_text = api->json_kind(value) == SPARK_JSON_STRING;
        args[i] = SPARK_TEXT(is_text ? api->json_string(value) : api->json_text(call, value));
        if (api->json_kind(value) == SPARK_JSON_NULL)
            args[i] = SPARK_NULL;
    }
    status = api->query(call, api->json_string(api->json_get(body, SPARK_STR("sql"))), args, count,
                        &rows);
    if (status != SPARK_OK)
        return status;
    if (api->row_count(rows) > SQL_ROWS_MAX)
        return api->fail(call, SPARK_BAD_INPUT,
                         SPARK_STR("The answer has more than 1000 rows; use limit"));
    return rows_reply(call, rows);
}

static bool is_sql_on(spark_registry *registry)
{
    spark_str value = api->setting(registry, SPARK_STR("GOD_SQL"));
    return value.len == 4 && memcmp(value.data, "true", 4) == 0;
}

spark_status operate_start(const spark_api *host, spark_registry *registry)
{
    static const struct god_route ROUTES[] = {
        {SPARK_STR_INIT("POST"), SPARK_STR_INIT("/god/schema/fields/create"), SPARK_BODY_CONTENT,
         fields_create},
        {SPARK_STR_INIT("DELETE"), SPARK_STR_INIT("/god/schema/fields/:collection/:field"),
         SPARK_BODY_NONE, fields_delete},
        {SPARK_STR_INIT("GET"), SPARK_STR_INIT("/god/status"), SPARK_BODY_NONE, status_show},
        {SPARK_STR_INIT("GET"), SPARK_STR_INIT("/god/collections/all"), SPARK_BODY_NONE,
         collections_all},
        {SPARK_STR_INIT("POST"), SPARK_STR_INIT("/god/permissions/grant"), SPARK_BODY_SMALL,
         permissions_grant},
        {SPARK_STR_INIT("POST"), SPARK_STR_INIT("/god/sql/execute"), SPARK_BODY_CONTENT,
         sql_execute}, /* must be last: skipped unless enabled */
    };
    enum { COUNT = sizeof ROUTES / sizeof ROUTES[0] };
    api = host;
    return god_add(host, registry, ROUTES, is_sql_on(registry) ? COUNT : COUNT - 1);
}
