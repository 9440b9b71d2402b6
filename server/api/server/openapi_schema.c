#include "server/api/server/openapi_schema.h"

#include "base/memory/array.h"

#include <assert.h>
#include <stdio.h>

#define UUID_SCHEMA "{\"type\":\"string\",\"format\":\"uuid\"}"

static void write_properties(struct json_writer *w, const struct route_input *input, int parent);

/* OpenAPI knows no SEARCH, so that nothing it knows would refer to the schema of such a body. */
static bool is_inline(const struct route *route)
{
    return str_eq(route->method, STR("SEARCH"));
}

bool schema_has_body(const struct route *route)
{
    for (uint32_t i = 0; i < route->shape_count && !is_inline(route); i++)
        if (route->shapes[i].type == SHAPE_FIELDS)
            return true;
    return false;
}

const struct reply_shape *schema_reply_of(const struct route *route)
{
    for (uint32_t i = 0; i < route->shape_count; i++)
        if (route->shapes[i].type == SHAPE_REPLY)
            return route->shapes[i].object;
    return NULL;
}

/* Values */

static void write_choices(struct json_writer *w, const char *choices)
{
    Str rest = str_from_z(choices);
    Str choice;
    json_key(w, STR("enum"));
    json_array_begin(w);
    while (str_next(&rest, ',', &choice))
        json_put_str(w, str_trim(choice));
    json_array_end(w);
}

static void write_text(struct json_writer *w, const struct input_field *field)
{
    if (field->type == INPUT_SCALAR)
        json_field_raw(w, "type", STR("[\"string\",\"number\"]"));
    else
        json_field_str(w, "type", STR("string"));
    json_field_int(w, "maxLength", field->int_max);
    if (field->choices != NULL && !(field->flags & INPUT_IS_FOLDED))
        write_choices(w, field->choices);
}

static void write_int(struct json_writer *w, const struct input_field *field)
{
    json_field_str(w, "type", STR("integer"));
    json_field_int(w, "minimum", field->int_min);
    bool is_capped = field->flags & INPUT_IS_CAPPED;
    if (!is_capped && field->int_max != INT64_MAX)
        json_field_int(w, "maximum", field->int_max);
}

static void write_ids(struct json_writer *w, const struct input_field *field)
{
    json_field_str(w, "type", STR("array"));
    json_field_int(w, "minItems", 1);
    json_field_int(w, "maxItems", field->int_max);
    json_field_raw(w, "items", STR(UUID_SCHEMA));
}

/* The default, if it can be expressed as a simple value. */
static void write_default(struct json_writer *w, const struct route_input *input,
                          const struct input_field *field)
{
    if (input->defaults == NULL)
        return;
    const void *value = (const char *)input->defaults + field->offset;
    bool is_number = field->type == INPUT_INT && *(const int64_t *)value != INT64_MAX;
    if (is_number && *(const int64_t *)value != 0)
        json_field_int(w, "default", *(const int64_t *)value);
    else if (field->type == INPUT_TEXT && ((const Str *)value)->data != NULL)
        json_field_str(w, "default", *(const Str *)value);
    else if (field->type == INPUT_BOOL && *(const bool *)value)
        json_field_bool(w, "default", true);
}

static void write_members(struct json_writer *w, const struct route_input *input,
                          const struct input_field *field)
{
    switch (field->type) {
    case INPUT_TEXT:
    case INPUT_SCALAR:
        write_text(w, field);
        break;
    case INPUT_INT:
        write_int(w, field);
        break;
    case INPUT_BOOL:
        json_field_str(w, "type", STR("boolean"));
        break;
    case INPUT_UUID:
        json_field_str(w, "type", STR("string"));
        json_field_str(w, "format", STR("uuid"));
        break;
    case INPUT_IDS:
        write_ids(w, field);
        break;
    case INPUT_TIME:
        json_field_str(w, "type", STR("string"));
        json_field_int(w, "maxLength", field->int_max);
        break;
    case INPUT_MONEY:
        json_field_str(w, "type", STR("number"));
        json_field_int(w, "minimum", 0);
        break;
    case INPUT_OBJECT:
        write_properties(w, input, (int)(field - input->fields));
        break;
    case INPUT_JSON:
    case INPUT_ANY:
        break;
    }
    write_default(w, input, field);
}

void schema_write_value(struct json_writer *w, const struct route_input *input,
                        const struct input_field *field)
{
    json_object_begin(w);
    write_members(w, input, field);
    json_object_end(w);
}

/* Objects */

static void write_property(struct json_writer *w, const struct route_input *input,
                           const struct input_field *field, const char *name, bool is_old)
{
    json_key(w, str_from_z(name));
    json_object_begin(w);
    write_members(w, input, field);
    json_field_str(w, "description", str_from_z(field->help));
    if (is_old)
        json_field_bool(w, "deprecated", true);
    json_object_end(w);
}

static void write_properties(struct json_writer *w, const struct route_input *input, int parent)
{
    json_field_str(w, "type", STR("object"));
    json_key(w, STR("properties"));
    json_object_begin(w);
    bool has_members = false;
    for (uint32_t i = 0; i < input->count; i++) {
        const struct input_field *field = &input->fields[i];
        if (field->is_query || field->parent != parent)
            continue;
        has_members = true;
        write_property(w, input, field, field->name, false);
        if (field->alias != NULL)
            write_property(w, input, field, field->alias, true);
    }
    json_object_end(w);
    /* An object without declared members may have any members. */
    bool is_free = parent < 0 ? input->has_free_body : !has_members;
    json_field_bool(w, "additionalProperties", is_free);
}

static void put_required(struct json_writer *w, const char *name)
{
    json_object_begin(w);
    json_key(w, STR("required"));
    json_array_begin(w);
    json_put_str(w, str_from_z(name));
    json_array_end(w);
    json_object_end(w);
}

/* A field under either of its names. */
static void put_either_name(struct json_writer *w, const struct input_field *field)
{
    put_required(w, field->name);
    if (field->alias != NULL)
        put_required(w, field->alias);
}

static bool is_required(const struct input_field *field)
{
    return !field->is_query && field->parent < 0 &&
           field->flags & (INPUT_IS_REQUIRED | INPUT_IS_FILLED);
}

/* Members without an alias. */
static void write_required(struct json_writer *w, const struct route_input *input)
{
    bool is_begun = false;
    for (uint32_t i = 0; i < input->count; i++) {
        if (!is_required(&input->fields[i]) || input->fields[i].alias != NULL)
            continue;
        if (!is_begun) {
            json_key(w, STR("required"));
            json_array_begin(w);
        }
        is_begun = true;
        json_put_str(w, str_from_z(input->fields[i].name));
    }
    if (is_begun)
        json_array_end(w);
}

static void write_any(struct json_writer *w, const struct route_input *input, uint64_t fields)
{
    json_key(w, STR("anyOf"));
    json_array_begin(w);
    for (uint32_t i = 0; i < input->count; i++)
        if (fields & UINT64_C(1) << i)
            put_either_name(w, &input->fields[i]);
    json_array_end(w);
}

/* Each requires one of several fields: a single requirement goes into the open object, several into
 * allOf. */
static void write_needs(struct json_writer *w, const struct route_input *input)
{
    uint64_t needs[64];
    uint32_t count = 0;
    for (uint32_t i = 0; i < input->count; i++)
        if (is_required(&input->fields[i]) && input->fields[i].alias != NULL)
            needs[count++] = UINT64_C(1) << i;
    for (uint32_t i = 0; i < input->need_count && count < COUNT_OF(needs); i++)
        needs[count++] = input->needs[i].fields;
    if (count == 1)
        write_any(w, input, needs[0]);
    if (count < 2)
        return;
    json_key(w, STR("allOf"));
    json_array_begin(w);
    for (uint32_t i = 0; i < count; i++) {
        json_object_begin(w);
        write_any(w, input, needs[i]);
        json_object_end(w);
    }
    json_array_end(w);
}

void schema_write_body(struct json_writer *w, const struct route *route)
{
    json_object_begin(w);
    write_properties(w, &route->input, -1);
    write_required(w, &route->input);
    write_needs(w, &route->input);
    json_object_end(w);
}

/* Replies */

static const char *const REPLY_TYPES[] = {
    [REPLY_TRUE] = "boolean",  [REPLY_BOOL] = "boolean", [REPLY_INT] = "integer",
    [REPLY_COUNT] = "integer", [REPLY_REAL] = "number",  [REPLY_TEXT] = "string",
    [REPLY_UUID] = "string",   [REPLY_TIME] = "string",  [REPLY_TEXTS] = "array",
    [REPLY_OBJECT] = "object", [REPLY_LIST] = "array",   [REPLY_UUIDS] = "array",
    [REPLY_RAW] = NULL,
};

static void write_reply_members(struct json_writer *w, const struct reply_shape *shape);

static void write_reply_type(struct json_writer *w, const struct reply_field *field)
{
    const char *type = REPLY_TYPES[field->type];
    if (type == NULL)
        return;
    json_key(w, STR("type"));
    if (field->is_nullable)
        json_array_begin(w);
    json_put_str(w, str_from_z(type));
    if (!field->is_nullable)
        return;
    json_put_str(w, STR("null"));
    json_array_end(w);
}

static void write_reply_field(struct json_writer *w, const struct reply_field *field)
{
    json_key(w, str_from_z(field->name));
    json_object_begin(w);
    write_reply_type(w, field);
    if (field->type == REPLY_TRUE)
        json_field_bool(w, "const", true);
    else if (field->type == REPLY_UUID)
        json_field_str(w, "format", STR("uuid"));
    else if (field->type == REPLY_TIME)
        json_field_str(w, "format", STR("date-time"));
    else if (field->type == REPLY_TEXTS)
        json_field_raw(w, "items", STR("{\"type\":\"string\"}"));
    else if (field->type == REPLY_UUIDS)
        json_field_raw(w, "items", STR(UUID_SCHEMA));
    else if (field->type == REPLY_OBJECT)
        write_reply_members(w, field->shape);
    if (field->type == REPLY_LIST) {
        json_key(w, STR("items"));
        schema_write_reply(w, field->shape);
    }
    json_field_str(w, "description", str_from_z(field->help));
    json_object_end(w);
}

static void write_reply_members(struct json_writer *w, const struct reply_shape *shape)
{
    json_key(w, STR("properties"));
    json_object_begin(w);
    for (uint32_t i = 0; i < shape->count; i++)
        write_reply_field(w, &shape->fields[i]);
    json_object_end(w);
    json_key(w, STR("required"));
    json_array_begin(w);
    for (uint32_t i = 0; i < shape->count; i++)
        if (!shape->fields[i].is_optional)
            json_put_str(w, str_from_z(shape->fields[i].name));
    json_array_end(w);
}

void schema_write_reply(struct json_writer *w, const struct reply_shape *shape)
{
    json_object_begin(w);
    json_field_str(w, "type", STR("object"));
    write_reply_members(w, shape);
    json_object_end(w);
}

/* Bodies and answers as a whole */

#define OBJECT_SCHEMA "{\"type\":\"object\",\"additionalProperties\":true}"
#define LIST_SCHEMA "{\"type\":\"array\",\"items\":" OBJECT_SCHEMA "}"
#define COUNT_SCHEMA "{\"type\":\"integer\",\"minimum\":0}"

static const char *const SHAPES[] = {
    [SHAPE_OBJECT] = OBJECT_SCHEMA,
    [SHAPE_OBJECTS] = LIST_SCHEMA,
    [SHAPE_KEYS] = "{\"type\":\"array\",\"items\":{\"type\":[\"string\",\"integer\"]}}",
    [SHAPE_ITEM] =
        "{\"type\":\"object\",\"properties\":{\"data\":" OBJECT_SCHEMA "},\"required\":[\"data\"]}",
    [SHAPE_ITEMS] = "{\"type\":\"object\",\"properties\":{\"data\":" LIST_SCHEMA
                    ",\"meta\":{\"type\":\"object\",\"properties\":{\"total_count\":" COUNT_SCHEMA
                    ",\"filter_count\":" COUNT_SCHEMA "}}},\"required\":[\"data\"]}",
    [SHAPE_TEXT] = "{\"type\":\"string\"}",
};

static void write_reference(struct json_writer *w, const char *name, const char *suffix)
{
    char text[160];
    int len = snprintf(text, sizeof(text), "#/components/schemas/%s_%s", name, suffix);
    assert(len > 0 && (size_t)len < sizeof(text));
    json_object_begin(w);
    json_field_str(w, "$ref", str_of(text, (size_t)len));
    json_object_end(w);
}

void schema_write_shape(struct json_writer *w, const struct route *route,
                        const struct route_shape *shape)
{
    if (shape->type == SHAPE_FIELDS && is_inline(route))
        schema_write_body(w, route);
    else if (shape->type == SHAPE_FIELDS)
        write_reference(w, route->name, "body");
    else if (shape->type == SHAPE_REPLY)
        write_reference(w, route->name, "reply");
    else if (shape->object != NULL)
        schema_write_reply(w, shape->object);
    else
        json_put_raw(w, str_from_z(SHAPES[shape->type]));
}
