#include "factory/blueprint/blueprint_check.h"

#include "base/memory/array.h"
#include "base/system/ctx.h"
#include "base/text/ascii.h"
#include "content/items/items.h"
#include "factory/blueprint/blueprint_take.h"
#include "factory/spin/spin.h"

#include <inttypes.h>

uint32_t blueprint_row_count(const struct json *body, enum blueprint_part part)
{
    const struct json *value = json_get(body, blueprint_part_name(part));
    return blueprint_is_single(part) ? (json_is_null(value) ? 0 : 1) : json_len(value);
}

const struct json *blueprint_row_at(const struct json *body, enum blueprint_part part,
                                    uint32_t index)
{
    const struct json *value = json_get(body, blueprint_part_name(part));
    return blueprint_is_single(part) ? value : json_at(value, index);
}

Str blueprint_where(struct arena *arena, enum blueprint_part part, uint32_t index)
{
    Str name = blueprint_part_name(part);
    return blueprint_is_single(part) ? name
                                     : str_printf(arena, "%.*s[%" PRIu32 "]", STR_FMT(name), index);
}

bool blueprint_label_read(const struct json *value, Str *ret_label, bool *ret_library)
{
    const struct json *library = json_get(value, STR("library"));
    *ret_library = json_kind(value) == JSON_OBJECT;
    if (*ret_library && json_len(value) == 1)
        value = library;
    if (json_kind(value) != JSON_STRING)
        return false;
    *ret_label = json_str(value);
    return true;
}

/* Fields */

static Err refuse(struct ctx *ctx, Str where, const struct blueprint_field *field, Str sentence)
{
    return blueprint_refuse(ctx, where, str_z(ctx->arena, field->name),
                            str_z(ctx->arena, sentence));
}

static Err check_text(struct ctx *ctx, Str where, const struct blueprint_field *field,
                      const struct json *value)
{
    Str text = json_str(value);
    if (!str_has_codepoints(text, (size_t)field->least, (size_t)field->most))
        return refuse(ctx, where, field,
                      str_printf(ctx->arena, "has to have %jd to %jd characters",
                                 (intmax_t)field->least, (intmax_t)field->most));
    if (field->kind == BLUEPRINT_SPINTAX)
        return blueprint_spintax(ctx, where, str_z(ctx->arena, field->name), text);
    return OK;
}

static Err check_number(struct ctx *ctx, Str where, const struct blueprint_field *field,
                        const struct json *value)
{
    double number = json_number(value);
    bool is_whole = json_kind(value) == JSON_INT;
    if (field->kind == BLUEPRINT_INT && !is_whole)
        return refuse(ctx, where, field, STR("has to be a whole number"));
    bool is_low = is_whole ? json_int(value) < field->least
                           : field->least != INT64_MIN && number < (double)field->least;
    bool is_high = is_whole ? json_int(value) > field->most
                            : field->most != INT64_MAX && number > (double)field->most;
    if (!is_low && !is_high)
        return OK;
    return refuse(ctx, where, field,
                  str_printf(ctx->arena, "has to be a number from %jd to %jd",
                             (intmax_t)field->least, (intmax_t)field->most));
}

static Err check_choice(struct ctx *ctx, Str where, const struct blueprint_field *field,
                        const struct json *value)
{
    if (blueprint_is_choice(field, json_str(value)))
        return OK;
    return refuse(ctx, where, field,
                  str_printf(ctx->arena, "has to be one of %.*s", STR_FMT(field->choices)));
}

/* Checks only the form of the date, 2026-11-21; PostgreSQL checks the rest of a time. */
static Err check_date(struct ctx *ctx, Str where, const struct blueprint_field *field,
                      const struct json *value)
{
    static const char PATTERN[] = "0000-00-00";
    enum { DATE_LEN = 10, TIME_LEN_MAX = 40 };
    Str text = json_str(value);
    bool is_date = field->kind == BLUEPRINT_DATE ? text.len == DATE_LEN
                                                 : text.len > DATE_LEN && text.len < TIME_LEN_MAX;
    for (size_t i = 0; i < DATE_LEN && is_date; i++)
        is_date = PATTERN[i] == '0' ? ascii_is_digit(text.data[i]) : text.data[i] == PATTERN[i];
    for (size_t i = DATE_LEN; i < text.len && is_date; i++)
        is_date = ascii_is_digit(text.data[i]) ||
                  str_find(STR(" TZ:.+-"), str_slice(text, i, i + 1)) >= 0;
    if (is_date)
        return OK;
    return refuse(ctx, where, field,
                  field->kind == BLUEPRINT_DATE ? STR("has to be a date, as 2026-11-21")
                                                : STR("has to be a time, as 2026-11-21T08:00:00Z"));
}

static Err check_label(struct ctx *ctx, Str where, const struct blueprint_field *field,
                       const struct json *value)
{
    Str label;
    bool is_library;
    bool is_own = field->site_column.len == 0;
    if (!blueprint_label_read(value, &label, &is_library) || (is_library && is_own))
        return refuse(ctx, where, field,
                      is_own
                          ? STR("has to be a name")
                          : STR("has to be a name, or {\"library\": name} for one of the library"));
    return OK;
}

static Err check_place(struct ctx *ctx, Str where, const struct blueprint_field *field,
                       const struct json *value)
{
    const struct json *state = json_get(value, STR("state"));
    const struct json *county = json_get(value, STR("county"));
    Str label;
    bool is_library;
    if (json_len(value) != 1 ||
        !blueprint_label_read(json_is_null(state) ? county : state, &label, &is_library))
        return refuse(ctx, where, field, STR("has to be {\"state\": name} or {\"county\": name}"));
    return OK;
}

static const char *wanted_kind(const struct blueprint_field *field, enum json_kind kind)
{
    switch (field->kind) {
    case BLUEPRINT_INT:
    case BLUEPRINT_REAL:
        return kind == JSON_INT || kind == JSON_REAL ? NULL : "has to be a number";
    case BLUEPRINT_BOOL:
        return kind == JSON_BOOL ? NULL : "has to be true or false";
    case BLUEPRINT_ARRAY:
        return kind == JSON_ARRAY ? NULL : "has to be an array";
    case BLUEPRINT_OBJECT:
    case BLUEPRINT_PLACE:
        return kind == JSON_OBJECT ? NULL : "has to be an object";
    case BLUEPRINT_JSON:
    case BLUEPRINT_REF:
    case BLUEPRINT_NAME:
        return NULL;
    default:
        return kind == JSON_STRING ? NULL : "has to be a text";
    }
}

static Err check_field(struct ctx *ctx, Str where, const struct blueprint_field *field,
                       const struct json *row)
{
    const struct json *value = json_get(row, field->name);
    if (json_is_null(value)) {
        if ((field->flags & B_NEEDED) != 0)
            return refuse(ctx, where, field, STR("must not be empty"));
        return OK;
    }
    const char *sentence = wanted_kind(field, json_kind(value));
    if (sentence != NULL)
        return refuse(ctx, where, field, str_from_z(sentence));
    switch (field->kind) {
    case BLUEPRINT_TEXT:
    case BLUEPRINT_SPINTAX:
        return check_text(ctx, where, field, value);
    case BLUEPRINT_INT:
    case BLUEPRINT_REAL:
        return check_number(ctx, where, field, value);
    case BLUEPRINT_CHOICE:
        return check_choice(ctx, where, field, value);
    case BLUEPRINT_DATE:
    case BLUEPRINT_TIME:
        return check_date(ctx, where, field, value);
    case BLUEPRINT_REF:
    case BLUEPRINT_NAME:
        return check_label(ctx, where, field, value);
    case BLUEPRINT_PLACE:
        return check_place(ctx, where, field, value);
    case BLUEPRINT_ARRAY:
        if (json_len(value) > (uint64_t)field->most)
            return refuse(ctx, where, field,
                          str_printf(ctx->arena, "may have %jd elements", (intmax_t)field->most));
        return OK;
    default:
        return OK;
    }
}

/* Rows */

/* Refuses unknown members. Ids are refused too: no part has a member for them. */
static Err check_members(struct ctx *ctx, Str where, const struct blueprint_layout *layout,
                         enum blueprint_part part, const struct json *row)
{
    for (struct json_iter it = json_iter(row); json_next(&it);) {
        bool is_known = false;
        for (uint32_t i = 0; i < layout->counts[part] && !is_known; i++)
            is_known = str_eq(layout->fields[part][i].name, it.key);
        if (!is_known)
            return blueprint_refuse(ctx, where, str_z(ctx->arena, it.key),
                                    "is no part of a blueprint");
    }
    return OK;
}

/* Runs the value check of the field, as a write through /items does (content/items/items.h). */
static fiber_fn Err check_field_value(struct ctx *ctx, Str where, Str collection,
                                      const struct blueprint_field *field, const struct json *row)
{
    const struct json *value = json_get(row, field->name);
    const struct items_guard *guard = items_guard_find(collection, field->name);
    if (guard == NULL || json_is_null(value))
        return OK;
    Str text = json_kind(value) == JSON_STRING ? json_str(value) : json_text(ctx->arena, value);
    Err err = guard->judge(ctx, text);
    if (err != ERR_FAILED_VALIDATION)
        return err;
    Str reason = ctx->diag.last->reason;
    diag_clear(ctx);
    return refuse(ctx, where, field, str_printf(ctx->arena, "is refused: %.*s", STR_FMT(reason)));
}

static fiber_fn Err check_row(struct ctx *ctx, const struct blueprint_layout *layout,
                              enum blueprint_part part, Str where, const struct json *row)
{
    if (json_kind(row) != JSON_OBJECT)
        return blueprint_refuse(ctx, where, NULL, "has to be an object");
    TRY(check_members(ctx, where, layout, part, row));
    const struct blueprint_field *fields = layout->fields[part];
    for (uint32_t f = 0; f < layout->counts[part]; f++)
        TRY(check_field(ctx, where, &fields[f], row));
    for (uint32_t f = 0; f < layout->counts[part]; f++)
        TRY(check_field_value(ctx, where, layout->collections[part]->name, &fields[f], row));
    return OK;
}

static fiber_fn Err check_part(struct ctx *ctx, const struct blueprint_layout *layout,
                               const struct json *body, enum blueprint_part part)
{
    const struct blueprint_part_info *info = blueprint_part_info(part);
    const struct json *value = json_get(body, info->name);
    if (!json_is_null(value) && !blueprint_is_single(part) && json_kind(value) != JSON_ARRAY)
        return blueprint_refuse(ctx, info->name, NULL, "has to be an array");
    uint32_t count = blueprint_row_count(body, part);
    if (count > info->most)
        return blueprint_refuse(
            ctx, info->name, NULL,
            str_z(ctx->arena, str_printf(ctx->arena, "may have %" PRIu32 " elements, not %" PRIu32,
                                         info->most, count)));
    for (uint32_t i = 0; i < count; i++) {
        TRY(fiber_breathe(ctx));
        ArenaMark mark = arena_mark(ctx->arena);
        Str where = blueprint_where(ctx->arena, part, i);
        TRY(check_row(ctx, layout, part, where, blueprint_row_at(body, part, i)));
        arena_rewind(ctx->arena, mark);
    }
    return OK;
}

static Err check_top(struct ctx *ctx, const struct json *body)
{
    static const Str OTHERS[] = {STR_INIT("format"), STR_INIT("left_out"), STR_INIT("site_id"),
                                 STR_INIT("site")};
    for (struct json_iter it = json_iter(body); json_next(&it);) {
        bool is_known = false;
        for (size_t i = 0; i < COUNT_OF(OTHERS); i++)
            is_known = is_known || str_eq(OTHERS[i], it.key);
        for (enum blueprint_part part = 0; part < BLUEPRINT_PARTS && !is_known; part++)
            is_known = str_eq(blueprint_part_name(part), it.key);
        if (!is_known)
            return blueprint_refuse(ctx, STR_NONE, str_z(ctx->arena, it.key),
                                    "is no part of a blueprint");
    }
    return OK;
}

fiber_fn Err blueprint_check(struct ctx *ctx, const struct blueprint_layout *layout,
                             const struct json *body)
{
    const struct json *format = json_get(body, STR("format"));
    if (json_kind(format) != JSON_STRING || !str_eq(json_str(format), STR(BLUEPRINT_SITE_FORMAT)))
        return blueprint_refuse(ctx, STR_NONE, "format", "has to be \"" BLUEPRINT_SITE_FORMAT "\"");
    TRY(check_top(ctx, body));
    for (enum blueprint_part part = 0; part < BLUEPRINT_PARTS; part++)
        TRY(check_part(ctx, layout, body, part));
    return OK;
}
