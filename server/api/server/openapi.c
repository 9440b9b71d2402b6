/* GET /server/specs/oas: the API as OpenAPI 3.1, generated from the route table. */
#include "base/memory/array.h"
#include "base/system/version.h"
#include "gen/routes/server.h"
#include "io/reactor/reactor.h"
#include "server/api/server/openapi_schema.h"
#include "server/http/exchange.h"

struct section {
    const char *tag;
    const char *description;
};

static const struct section SECTIONS[] = {
#define TAG(name_, title_, description_) [TAG_##name_] = {title_, description_},
#include "server/dispatch/tags.def"
#undef TAG
};

struct parameter {
    const char *name;
    const char *type;
    const char *description;
};

/* For GET /items/:collection; a single item accepts the first two. */
static const struct parameter query_parameters[] = {
    {"fields", "string", "Fields to return, with dots for nested ones."},
    {"deep", "string", "Queries of nested relations, as JSON."},
    {"filter", "string", "Conditions, as JSON or in brackets."},
    {"search", "string", "A text to look for in all text fields."},
    {"sort", "string", "Fields to sort by, a minus for descending."},
    {"limit", "integer", "Items to return, -1 for all that are allowed."},
    {"offset", "integer", "Items to skip."},
    {"page", "integer", "Page to return, from 1."},
    {"meta", "string", "Counts to add: total_count, filter_count or *."},
    {"aggregate", "string", "Aggregate functions, as JSON or in brackets."},
    {"groupBy", "string", "Fields to group by."},
};
enum { QUERY_PARAMETERS = COUNT_OF(query_parameters) };
enum { ONE_ITEM_PARAMETERS = 2 };

/* "/items/:collection" → "/items/{collection}" */
static Str path_template(struct ctx *ctx, Str pattern)
{
    struct buf *out = buf_in_arena(ctx->arena, 4096);
    bool is_open = false;
    for (size_t i = 0; i < pattern.len; i++) {
        char c = pattern.data[i];
        bool ends = is_open && (c == '/' || c == '.');
        if (ends)
            buf_put_char(out, '}');
        is_open = (is_open && !ends) || c == ':';
        buf_put_char(out, c == ':' ? '{' : c);
    }
    if (is_open)
        buf_put_char(out, '}');
    return buf_str(out);
}

static void write_parameter(struct json_writer *w, Str name, const char *in, const char *type,
                            const char *description)
{
    json_object_begin(w);
    json_field_str(w, "name", name);
    json_field_str(w, "in", str_from_z(in));
    json_field_bool(w, "required", in[0] == 'p');
    if (description != NULL)
        json_field_str(w, "description", str_from_z(description));
    json_key(w, STR("schema"));
    json_object_begin(w);
    json_field_str(w, "type", str_from_z(type));
    json_object_end(w);
    json_object_end(w);
}

/* The path parameters of the pattern. */
static void write_path_parameters(struct json_writer *w, Str pattern)
{
    for (;;) {
        ptrdiff_t colon = str_find_char(pattern, ':');
        if (colon < 0)
            return;
        pattern = str_slice(pattern, (size_t)colon + 1, pattern.len);
        size_t len = 0;
        while (len < pattern.len && pattern.data[len] != '/' && pattern.data[len] != '.')
            len++;
        write_parameter(w, str_slice(pattern, 0, len), "path", "string", NULL);
    }
}

static void write_field(struct json_writer *w, const struct route_input *input,
                        const struct input_field *field)
{
    json_object_begin(w);
    json_field_str(w, "name", str_from_z(field->name));
    json_field_str(w, "in", STR("query"));
    json_field_bool(w, "required", field->alias == NULL && field->flags & INPUT_IS_REQUIRED);
    json_field_str(w, "description", str_from_z(field->help));
    json_key(w, STR("schema"));
    schema_write_value(w, input, field);
    json_object_end(w);
}

static void write_parameters(struct json_writer *w, const struct route *route)
{
    json_key(w, STR("parameters"));
    json_array_begin(w);
    write_path_parameters(w, route->pattern);
    bool is_items = str_starts_with(route->pattern, STR("/items/"));
    bool is_one = str_find(route->pattern, STR(":id")) >= 0;
    uint32_t count = is_one ? ONE_ITEM_PARAMETERS : QUERY_PARAMETERS;
    for (uint32_t i = 0; is_items && str_eq(route->method, STR("GET")) && i < count; i++)
        write_parameter(w, str_from_z(query_parameters[i].name), "query", query_parameters[i].type,
                        query_parameters[i].description);
    for (uint32_t i = 0; i < route->input.count; i++)
        if (route->input.fields[i].is_query)
            write_field(w, &route->input, &route->input.fields[i]);
    json_array_end(w);
}

/* Security requirements: an empty one means anonymous access. */
static void write_security(struct json_writer *w, enum route_guard guard)
{
    json_key(w, STR("security"));
    json_array_begin(w);
    if (guard != GUARD_ADMIN && guard != GUARD_MEMBER)
        json_put_raw(w, STR("{}"));
    if (guard != GUARD_OPEN)
        json_put_raw(w, STR("{\"token\":[]}"));
    json_array_end(w);
}

static const char *limit_text(struct ctx *ctx, enum route_body body)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB"};
    uint64_t limit = route_body_max(ctx->reactor->settings, body);
    uint32_t unit = 0;
    for (; limit % 1024 == 0 && unit + 1 < COUNT_OF(units); unit++)
        limit /= 1024;
    return str_z(ctx->arena,
                 str_printf(ctx->arena, "%llu %s", (unsigned long long)limit, units[unit]));
}

static bool is_of(const struct route_shape *shape, const char *status)
{
    if (shape->status == NULL || status == NULL)
        return shape->status == status;
    return strcmp(shape->status, status) == 0;
}

/* The sentences of all shapes of one status, NULL: of the body. */
static void write_help(struct ctx *ctx, struct json_writer *w, const struct route *route,
                       const char *status)
{
    enum { HELP_MAX = 1024 };
    struct buf *out = buf_in_arena(ctx->arena, HELP_MAX);
    if (status == NULL)
        buf_printf(out, "At most %s of JSON.", limit_text(ctx, route->body));
    for (uint32_t i = 0; i < route->shape_count; i++) {
        if (!is_of(&route->shapes[i], status) || route->shapes[i].help[0] == '\0')
            continue;
        if (out->len > 0)
            buf_put_char(out, ' ');
        buf_put(out, str_from_z(route->shapes[i].help));
    }
    json_field_str(w, "description", buf_str(out));
}

static void write_content(struct json_writer *w, const struct route *route,
                          const struct route_shape *first)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < route->shape_count; i++)
        count += is_of(&route->shapes[i], first->status);
    json_key(w, STR("content"));
    json_object_begin(w);
    json_key(w, str_from_z(first->media));
    json_object_begin(w);
    json_key(w, STR("schema"));
    if (count > 1) {
        json_object_begin(w);
        json_key(w, STR("oneOf"));
        json_array_begin(w);
    }
    for (uint32_t i = 0; i < route->shape_count; i++)
        if (is_of(&route->shapes[i], first->status))
            schema_write_shape(w, route, &route->shapes[i]);
    if (count > 1) {
        json_array_end(w);
        json_object_end(w);
    }
    json_object_end(w);
    json_object_end(w);
}

/* The first of its status, which speaks for the others. */
static bool is_first_of_status(const struct route *route, uint32_t index)
{
    for (uint32_t i = 0; i < index; i++)
        if (is_of(&route->shapes[i], route->shapes[index].status))
            return false;
    return true;
}

static void write_body(struct ctx *ctx, struct json_writer *w, const struct route *route,
                       const struct route_shape *shape)
{
    json_key(w, STR("requestBody"));
    json_object_begin(w);
    write_help(ctx, w, route, NULL);
    write_content(w, route, shape);
    json_object_end(w);
}

/* A route that never answers with a success, but sends elsewhere, has a default instead. */
static void write_responses(struct ctx *ctx, struct json_writer *w, const struct route *route)
{
    static const char ERROR[] = "{\"$ref\":\"#/components/responses/error\"}";
    bool has_success = false;
    json_key(w, STR("responses"));
    json_object_begin(w);
    for (uint32_t i = 0; i < route->shape_count; i++) {
        const struct route_shape *shape = &route->shapes[i];
        if (shape->status == NULL || !is_first_of_status(route, i))
            continue;
        has_success |= shape->status[0] == '2';
        json_key(w, str_from_z(shape->status));
        json_object_begin(w);
        write_help(ctx, w, route, shape->status);
        if (shape->media != NULL)
            write_content(w, route, shape);
        json_object_end(w);
    }
    if (!has_success)
        json_field_raw(w, "default", str_from_z(ERROR));
    json_field_raw(w, "4XX", str_from_z(ERROR));
    json_field_raw(w, "5XX", str_from_z(ERROR));
    json_object_end(w);
}

static void write_operation(struct ctx *ctx, struct json_writer *w, const struct route *route)
{
    json_object_begin(w);
    json_field_str(w, "operationId", str_from_z(route->name));
    json_field_str(w, "summary", str_from_z(route->summary));
    json_key(w, STR("tags"));
    json_array_begin(w);
    json_put_str(w, str_from_z(SECTIONS[route->tag].tag));
    json_array_end(w);
    write_parameters(w, route);
    write_security(w, route->guard);
    for (uint32_t i = 0; i < route->shape_count; i++)
        if (route->shapes[i].status == NULL && is_first_of_status(route, i))
            write_body(ctx, w, route, &route->shapes[i]);
    write_responses(ctx, w, route);
    json_object_end(w);
}

/* OpenAPI has no SEARCH method: it is added as an extension. */
static void write_method(struct json_writer *w, Str method)
{
    char key[16] = "x-";
    size_t len = str_eq(method, STR("SEARCH")) ? 2 : 0;
    for (size_t i = 0; i < method.len && len < sizeof(key); i++)
        key[len++] = (char)(method.data[i] | 0x20);
    json_key(w, str_of(key, len));
}

static bool is_first_of_path(uint32_t index)
{
    for (uint32_t i = 0; i < index; i++)
        if (str_eq(ROUTES[i].pattern, ROUTES[index].pattern))
            return false;
    return true;
}

static void write_paths(struct ctx *ctx, struct json_writer *w)
{
    json_object_begin(w);
    for (uint32_t i = 0; i < ROUTES_COUNT; i++) {
        if (!is_first_of_path(i))
            continue;
        json_key(w, path_template(ctx, ROUTES[i].pattern));
        json_object_begin(w);
        for (uint32_t j = i; j < ROUTES_COUNT; j++) {
            if (!str_eq(ROUTES[i].pattern, ROUTES[j].pattern))
                continue;
            write_method(w, ROUTES[j].method);
            write_operation(ctx, w, &ROUTES[j]);
        }
        json_object_end(w);
    }
    json_object_end(w);
}

static void write_tags(struct json_writer *w)
{
    json_array_begin(w);
    for (uint32_t i = 0; i < COUNT_OF(SECTIONS); i++) {
        json_object_begin(w);
        json_field_str(w, "name", str_from_z(SECTIONS[i].tag));
        json_field_str(w, "description", str_from_z(SECTIONS[i].description));
        json_object_end(w);
    }
    json_array_end(w);
}

static const char SECURITY_SCHEMES[] =
    "{\"token\":{\"type\":\"http\",\"scheme\":\"bearer\",\"description\":"
    "\"A static token, the token of a site, or the access token of a login.\"}}";
static const char RESPONSES[] =
    "{\"error\":{\"description\":\"Refused or failed; the code can be tested.\","
    "\"content\":{\"application/json\":{\"schema\":{\"oneOf\":["
    "{\"$ref\":\"#/components/schemas/ContentErrors\"},"
    "{\"$ref\":\"#/components/schemas/PlatformError\"}]}}}}}";
static const char CONTENT_ERRORS[] =
    "{\"type\":\"object\",\"required\":[\"errors\"],\"properties\":{\"errors\":{"
    "\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"message\",\"extensions\"],"
    "\"properties\":{\"message\":{\"type\":\"string\"},\"extensions\":{\"type\":\"object\","
    "\"required\":[\"code\"],\"properties\":{\"code\":{\"type\":\"string\"}}}}}}}}";
static const char PLATFORM_ERROR[] =
    "{\"type\":\"object\",\"required\":[\"error\",\"message\",\"code\"],"
    "\"properties\":{\"error\":{\"const\":true},\"message\":{\"type\":\"string\"},"
    "\"code\":{\"type\":\"string\"},\"errors\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
    "\"required\":[\"message\",\"code\"],\"properties\":{\"field\":{\"type\":\"string\"},"
    "\"message\":{\"type\":\"string\"},\"code\":{\"type\":\"string\"}}}}}}";

static void write_components(struct ctx *ctx, struct json_writer *w)
{
    json_object_begin(w);
    json_field_raw(w, "securitySchemes", str_from_z(SECURITY_SCHEMES));
    json_field_raw(w, "responses", str_from_z(RESPONSES));
    json_key(w, STR("schemas"));
    json_object_begin(w);
    json_field_raw(w, "ContentErrors", str_from_z(CONTENT_ERRORS));
    json_field_raw(w, "PlatformError", str_from_z(PLATFORM_ERROR));
    for (uint32_t i = 0; i < ROUTES_COUNT; i++) {
        const struct route *route = &ROUTES[i];
        if (schema_has_body(route)) {
            json_key(w, str_printf(ctx->arena, "%s_body", route->name));
            schema_write_body(w, route);
        }
        const struct reply_shape *answer = schema_reply_of(route);
        if (answer != NULL) {
            json_key(w, str_printf(ctx->arena, "%s_reply", route->name));
            schema_write_reply(w, answer);
        }
    }
    json_object_end(w);
    json_object_end(w);
}

fiber_fn Err route_openapi_show(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    (void)request;
    Str url = ctx->reactor->settings->public_url;
    struct json_writer *w = &reply->json;
    json_object_begin(w);
    json_field_str(w, "openapi", STR("3.1.0"));
    json_field_raw(w, "info",
                   STR("{\"title\":\"Spark\",\"version\":\"" SPARK_VERSION
                       "\",\"description\":\"A headless content backend. Extensions may add paths "
                       "of their own.\",\"license\":{\"name\":\"MIT\",\"identifier\":\"MIT\"}}"));
    json_key(w, STR("servers"));
    json_array_begin(w);
    json_object_begin(w);
    json_field_str(w, "url", url.len > 0 ? url : STR("/"));
    json_object_end(w);
    json_array_end(w);
    json_key(w, STR("tags"));
    write_tags(w);
    json_key(w, STR("paths"));
    write_paths(ctx, w);
    json_key(w, STR("components"));
    write_components(ctx, w);
    json_object_end(w);
    return OK;
}
