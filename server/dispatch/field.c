#include "server/dispatch/field.h"

#include "base/system/clock.h"
#include "base/text/buf.h"
#include "io/pg/db.h"
#include "server/dispatch/field_take.h"

#include <assert.h>
#include <inttypes.h>

#define MONEY_MAX 99999999.99 /* numeric(10, 2) */

static void complain(struct field_reader *reader, const struct input_field *field,
                     const char *wanted)
{
    field_complain(reader, field, ERR_FAILED_VALIDATION,
                   str_printf(reader->ctx->arena, "%s %s", field->path, wanted));
}

/* "draft, published" → "must be draft or published" */
static void check_choice(struct field_reader *reader, const struct input_field *field)
{
    Str *value = field_value(reader, field);
    if (field->flags & INPUT_IS_FOLDED)
        *value = str_lower(reader->ctx->arena, *value);
    Str rest = str_from_z(field->choices);
    Str choice;
    struct buf *wanted = buf_in_arena(reader->ctx->arena, rest.len + sizeof "must be  or ");
    buf_put(wanted, STR("must be "));
    for (bool is_first = true; str_next(&rest, ',', &choice); is_first = false) {
        choice = str_trim(choice);
        if (str_eq(choice, *value))
            return;
        if (!is_first)
            buf_put(wanted, rest.data == NULL || rest.len == 0 ? STR(" or ") : STR(", "));
        buf_put(wanted, choice);
    }
    complain(reader, field, str_z(reader->ctx->arena, buf_str(wanted)));
}

static void check_text(struct field_reader *reader, const struct input_field *field)
{
    Str text = *(Str *)field_value(reader, field);
    bool is_blank = text.len == 0 && field->flags & INPUT_IS_BLANKABLE;
    bool is_absent = text.data == NULL && !(field->flags & INPUT_IS_REQUIRED);
    if (field->choices != NULL && !is_blank && !is_absent)
        check_choice(reader, field);
    else if ((field->flags & INPUT_IS_FILLED && str_trim(text).len == 0) ||
             (field->flags & INPUT_IS_REQUIRED && text.len == 0))
        complain(reader, field, "is required");
}

static void check_time(struct field_reader *reader, const struct input_field *field)
{
    Str text = STR_NONE;
    const struct json *value = field_json(reader, field);
    if (json_kind(value) == JSON_STRING)
        text = json_str(value);
    bool is_given = text.len > 0;
    *(bool *)(reader->values + field->has_offset) = is_given;
    if (is_given && !clock_parse_iso(text, field_value(reader, field)))
        complain(reader, field, "must be an ISO 8601 date");
}

static void check_money(struct field_reader *reader, const struct input_field *field)
{
    const struct json *json = field_json(reader, field);
    if (json_is_null(json))
        return;
    if (json_kind(json) != JSON_INT && json_kind(json) != JSON_REAL) {
        complain(reader, field, "must be a number");
        return;
    }
    double value = json_number(json);
    if (!(value >= 0) || value > MONEY_MAX)
        complain(reader, field, "must be from 0 to 99999999.99");
    else
        *(Str *)field_value(reader, field) = str_printf(reader->ctx->arena, "%.2f", value);
}

static bool is_listed(const Uuid *ids, uint32_t count, Uuid id)
{
    for (uint32_t i = 0; i < count; i++)
        if (uuid_eq(ids[i], id))
            return true;
    return false;
}

/* Reports under the name that the client used. */
static void complain_of_ids(struct field_reader *reader, const struct input_field *field, Str name,
                            Str wanted)
{
    Err err =
        fail_also(reader->ctx, ERR_FAILED_VALIDATION, "%.*s %.*s", STR_FMT(name), STR_FMT(wanted));
    fail_note(reader->ctx, "field", name);
    field_fault(reader, field, err);
}

static void check_ids(struct field_reader *reader, const struct input_field *field)
{
    struct arena *arena = reader->ctx->arena;
    const struct json *array = field_json(reader, field);
    const struct json *object = field_object(reader, field);
    bool by_alias = json_is_null(json_get(object, str_from_z(field->name))) && !json_is_null(array);
    Str name = str_from_z(by_alias ? field->alias : field->name);
    uint32_t len = json_len(array);
    if (json_is_null(array) && !(field->flags & INPUT_IS_REQUIRED))
        return;
    if (json_kind(array) != JSON_ARRAY || len == 0 || len > field->int_max) {
        complain_of_ids(
            reader, field, name,
            str_printf(arena, "must be an array of 1 to %" PRId64 " ids", field->int_max));
        return;
    }
    Uuid *ids = arena_array(arena, Uuid, len);
    uint32_t count = 0;
    for (uint32_t i = 0; i < len; i++) {
        const struct json *item = json_at(array, i);
        Uuid id;
        if (json_kind(item) != JSON_STRING || !uuid_parse(json_str(item), &id)) {
            complain_of_ids(reader, field, str_printf(arena, "%.*s[%" PRIu32 "]", STR_FMT(name), i),
                            STR("is not a UUID"));
            return;
        }
        if (!is_listed(ids, count, id))
            ids[count++] = id;
    }
    *(struct db_uuids *)field_value(reader, field) = (struct db_uuids){ids, count};
}

/* Checks other than the type. */
static void check_body(struct field_reader *reader, const struct input_field *field)
{
    switch (field->type) {
    case INPUT_TEXT:
    case INPUT_SCALAR:
        check_text(reader, field);
        return;
    case INPUT_TIME:
        check_time(reader, field);
        return;
    case INPUT_MONEY:
        check_money(reader, field);
        return;
    case INPUT_IDS:
        check_ids(reader, field);
        return;
    case INPUT_OBJECT: {
        const struct json *value = field_json(reader, field);
        bool may_be_absent = !(field->flags & INPUT_IS_REQUIRED) && json_is_null(value);
        if (!may_be_absent && json_kind(value) != JSON_OBJECT)
            complain(reader, field, "must be an object");
        return;
    }
    case INPUT_UUID:
    case INPUT_INT:
        if (field->flags & INPUT_IS_REQUIRED && !field_is_given(field, reader->values))
            complain(reader, field, "is required");
        return;
    case INPUT_BOOL:
    case INPUT_JSON:
    case INPUT_ANY:
        return;
    }
}

static void check_query(struct field_reader *reader, const struct input_field *field)
{
    if (field->flags & INPUT_IS_REQUIRED && !field_is_given(field, reader->values))
        field_complain(reader, field, ERR_FAILED_VALIDATION,
                       str_printf(reader->ctx->arena, "%s is required", field->path));
}

bool field_is_given(const struct input_field *field, const void *input)
{
    const void *value = (const char *)input + field->offset;
    switch (field->type) {
    case INPUT_UUID:
        return !uuid_is_nil(*(const Uuid *)value);
    case INPUT_INT:
        return *(const int64_t *)value != 0;
    case INPUT_IDS:
        return ((const struct db_uuids *)value)->count > 0;
    case INPUT_TEXT:
    case INPUT_SCALAR:
    case INPUT_MONEY:
        return ((const Str *)value)->len > 0;
    case INPUT_OBJECT:
    case INPUT_JSON:
        return !json_is_null(*(const struct json *const *)value);
    case INPUT_BOOL:
    case INPUT_TIME:
    case INPUT_ANY:
        break;
    }
    return false;
}

static void check_need(struct field_reader *reader, const struct input_need *need)
{
    for (uint32_t i = 0; i < reader->input->count; i++) {
        uint64_t bit = UINT64_C(1) << i;
        bool is_there =
            reader->faulty & bit || field_is_given(&reader->input->fields[i], reader->values);
        if (need->fields & bit && is_there)
            return;
    }
    const struct input_field *field = &reader->input->fields[need->first];
    field_fault(reader, field, field_refuse(reader->ctx, field->path, need->says));
}

static bool is_there(const struct field_reader *reader, uint32_t number)
{
    return !json_is_null(field_json(reader, &reader->input->fields[number - 1]));
}

/* Whether another member makes this one irrelevant. */
static bool applies(const struct field_reader *reader, const struct input_field *field)
{
    return (field->with == 0 || is_there(reader, field->with)) &&
           (field->unless == 0 || !is_there(reader, field->unless));
}

fiber_fn Err fields_read(struct ctx *ctx, const struct route_input *input,
                         const struct request *request, const struct json *body, void *ret)
{
    assert(input->count <= 64);
    struct field_reader reader = {
        .ctx = ctx, .input = input, .request = request, .body = body, .values = ret, .first = OK};
    for (uint32_t i = 0; i < input->count; i++) {
        if (input->fields[i].is_query)
            field_take_query(&reader, &input->fields[i]);
        else if (applies(&reader, &input->fields[i]))
            field_take_body(&reader, &input->fields[i]);
    }
    for (uint32_t i = 0; i < input->count; i++) {
        if (reader.faulty & UINT64_C(1) << i)
            continue;
        if (input->fields[i].is_query)
            check_query(&reader, &input->fields[i]);
        else if (applies(&reader, &input->fields[i]))
            check_body(&reader, &input->fields[i]);
    }
    for (uint32_t i = 0; i < input->need_count; i++)
        check_need(&reader, &input->needs[i]);
    return reader.first;
}

Err field_refuse(struct ctx *ctx, const char *field, const char *sentence)
{
    return diag_fail_noted(ctx, "field", str_from_z(field),
                           fail_also(ctx, ERR_FAILED_VALIDATION, "%s", sentence));
}
