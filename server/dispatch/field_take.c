#include "server/dispatch/field_take.h"

#include "base/system/clock.h"
#include "base/system/range.h"
#include "server/http/request.h"

#include <assert.h>
#include <inttypes.h>

void field_fault(struct field_reader *reader, const struct input_field *field, Err err)
{
    assert(err != OK);
    reader->faulty |= UINT64_C(1) << (field - reader->input->fields);
    if (reader->first == OK)
        reader->first = err;
}

void field_complain(struct field_reader *reader, const struct input_field *field, Err err,
                    Str sentence)
{
    if (field->says != NULL) {
        err = field->says_err;
        sentence = str_from_z(field->says);
    }
    err = fail_also(reader->ctx, err, "%.*s", STR_FMT(sentence));
    fail_note(reader->ctx, "field", str_from_z(field->path));
    field_fault(reader, field, err);
}

const struct json *field_object(const struct field_reader *reader, const struct input_field *field)
{
    if (field->parent < 0)
        return reader->body;
    return json_get(reader->body, str_from_z(reader->input->fields[field->parent].name));
}

const struct json *field_json(const struct field_reader *reader, const struct input_field *field)
{
    const struct json *object = field_object(reader, field);
    const struct json *value = json_get(object, str_from_z(field->name));
    if (json_is_null(value) && field->alias != NULL)
        value = json_get(object, str_from_z(field->alias));
    return value;
}

/* A body */

static Err take_text(struct ctx *ctx, const struct json *object, const struct input_field *field,
                     const char *name, Str *ret)
{
    const struct json *value = json_get(object, str_from_z(name));
    bool is_number = json_kind(value) == JSON_INT || json_kind(value) == JSON_REAL;
    if (field->type != INPUT_SCALAR || !is_number)
        return json_take_str(ctx, object, name, (size_t)field->int_max, ret);
    *ret = json_text(ctx->arena, value);
    return OK;
}

static Err take_named(struct field_reader *reader, const struct input_field *field,
                      const char *name)
{
    struct ctx *ctx = reader->ctx;
    const struct json *object = field_object(reader, field);
    void *value = field_value(reader, field);
    Str text;
    switch (field->type) {
    case INPUT_TEXT:
    case INPUT_SCALAR:
        return take_text(ctx, object, field, name, value);
    case INPUT_TIME:
        return json_take_str(ctx, object, name, (size_t)field->int_max, &text);
    case INPUT_INT:
        return json_take_int(ctx, object, name, field->int_min, field->int_max, value);
    case INPUT_BOOL:
        return json_take_bool(ctx, object, name, value);
    case INPUT_UUID:
        return json_take_uuid(ctx, object, name, value);
    case INPUT_IDS:
    case INPUT_MONEY:
    case INPUT_OBJECT:
    case INPUT_JSON:
    case INPUT_ANY:
        break;
    }
    return OK;
}

/* The alias first: if both names are present, the current name wins. */
void field_take_body(struct field_reader *reader, const struct input_field *field)
{
    Err err = field->alias != NULL ? take_named(reader, field, field->alias) : OK;
    if (err == OK)
        err = take_named(reader, field, field->name);
    if (err != OK)
        field_fault(reader, field, err);
    const struct json *value = field_json(reader, field);
    if (field->type == INPUT_OBJECT || field->type == INPUT_JSON)
        *(const struct json **)field_value(reader, field) = json_is_null(value) ? NULL : value;
    if (!field->has_flag)
        return;
    bool is_nullable = field->flags & INPUT_IS_NULLABLE;
    *(bool *)(reader->values + field->has_offset) =
        is_nullable ? value != NULL : !json_is_null(value);
}

/* A query */

static void take_query_int(struct field_reader *reader, const struct input_field *field, Str text)
{
    int64_t value;
    bool is_number = str_to_i64(text, &value);
    if (is_number && field->flags & INPUT_IS_CAPPED)
        value = min_i64(value, field->int_max);
    if (is_number && value >= field->int_min && value <= field->int_max)
        *(int64_t *)field_value(reader, field) = value;
    else
        field_complain(reader, field, ERR_INVALID_QUERY,
                       str_printf(reader->ctx->arena,
                                  "\"%s\" must be a whole number from %" PRId64 " to %" PRId64,
                                  field->name, field->int_min, field->int_max));
}

static bool is_choice(const char *choices, Str value)
{
    Str rest = str_from_z(choices);
    Str choice;
    while (str_next(&rest, ',', &choice))
        if (str_eq(str_trim(choice), value))
            return true;
    return false;
}

static void take_query_text(struct field_reader *reader, const struct input_field *field, Str text)
{
    struct arena *arena = reader->ctx->arena;
    bool is_text =
        text.len <= (size_t)field->int_max && str_is_utf8(text) && str_find_char(text, '\0') < 0;
    if (field->choices == NULL && !is_text)
        field_complain(reader, field, ERR_INVALID_QUERY,
                       str_printf(arena, "\"%s\" must be text of at most %" PRId64 " bytes",
                                  field->name, field->int_max));
    else if (field->choices != NULL && !is_choice(field->choices, text))
        field_complain(reader, field, ERR_INVALID_QUERY,
                       str_printf(arena, "\"%s\" must be one of %s", field->name, field->choices));
    else
        *(Str *)field_value(reader, field) = text;
}

static void take_query_time(struct field_reader *reader, const struct input_field *field, Str text)
{
    bool is_time = clock_parse_iso(text, field_value(reader, field));
    *(bool *)(reader->values + field->has_offset) = is_time;
    if (!is_time)
        field_complain(
            reader, field, ERR_INVALID_QUERY,
            str_printf(reader->ctx->arena, "\"%s\" must be an ISO 8601 date", field->name));
}

/* An empty value counts as absent, unless the field is strict. If both names are present, the
 * current name wins. */
void field_take_query(struct field_reader *reader, const struct input_field *field)
{
    struct arena *arena = reader->ctx->arena;
    const char *used = field->name;
    Str text = request_query(arena, reader->request, str_from_z(field->name));
    if (text.len == 0 && field->alias != NULL) {
        used = field->alias;
        text = request_query(arena, reader->request, str_from_z(field->alias));
    }
    bool is_strict = field->flags & INPUT_IS_STRICT;
    if (text.data == NULL || (text.len == 0 && !is_strict))
        return;
    switch (field->type) {
    case INPUT_INT:
        take_query_int(reader, field, text);
        return;
    case INPUT_TEXT:
        take_query_text(reader, field, text);
        return;
    case INPUT_TIME:
        take_query_time(reader, field, text);
        return;
    case INPUT_UUID:
        if (!uuid_parse(text, field_value(reader, field)))
            field_complain(reader, field, ERR_INVALID_QUERY,
                           str_printf(arena, "\"%s\" is not a UUID", used));
        return;
    default:
        assert(false && "a type that a query can have: route_table.py checks it");
    }
}
