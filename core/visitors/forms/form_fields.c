#include "visitors/forms/form_fields.h"

#include "base/json/json_writer.h"
#include "base/memory/array.h"
#include "base/system/log.h"
#include "base/text/ascii.h"
#include "base/text/buf.h"
#include "base/text/regex.h"
#include "visitors/forms/forms.h"

#include <math.h>

enum { TEXT_MAX = 255, EMAIL_MAX = 254, PHONE_MAX = 50, URL_MAX = 2048, TEXTAREA_MAX = 10000 };
enum { PHONE_DIGITS_MIN = 3, CHOICES_MAX = 64 };

struct field;
struct sheet; /* collects the accepted values */
static bool take_text(struct sheet *sheet, const struct field *field, const struct json *value);
static bool take_number(struct sheet *sheet, const struct field *field, const struct json *value);
static fiber_fn bool take_checkbox(struct sheet *sheet, const struct field *field,
                                   const struct json *value);
static const char *email_fault(Str text);
static const char *phone_fault(Str text);
static const char *url_fault(Str text);

struct kind {
    Str name;
    size_t max; /* characters, unless the form sets a limit */
    fiber_fn bool (*take_into)(struct sheet *sheet, const struct field *field,
                               const struct json *value);
    const char *(*fault)(Str text);
};

/* Unknown types are treated as the first one. */
static const struct kind KINDS[] = {
    {STR_INIT("text"), TEXT_MAX, take_text, NULL},
    {STR_INIT("email"), EMAIL_MAX, take_text, email_fault},
    {STR_INIT("phone"), PHONE_MAX, take_text, phone_fault},
    {STR_INIT("tel"), PHONE_MAX, take_text, phone_fault},
    {STR_INIT("textarea"), TEXTAREA_MAX, take_text, NULL},
    {STR_INIT("select"), TEXT_MAX, take_text, NULL},
    {STR_INIT("url"), URL_MAX, take_text, url_fault},
    {STR_INIT("number"), 0, take_number, NULL},
    {STR_INIT("checkbox"), 0, take_checkbox, NULL},
};

struct field {
    Str name;
    const struct kind *kind;
    bool is_required;
    Str pattern;
    double min; /* NaN: none */
    double max;
    const struct json *options; /* NULL: any value */
};

struct sheet {
    struct ctx *ctx;
    struct json_writer json;
    Err first; /* error of the first invalid field */
};

/* Faults */

static bool refuse(struct sheet *sheet, Str name, Str sentence)
{
    struct ctx *ctx = sheet->ctx;
    Err err = fail_also(ctx, ERR_FAILED_VALIDATION, "%.*s", STR_FMT(sentence));
    fail_note(ctx, "field", name);
    sheet->first = sheet->first == OK ? err : sheet->first;
    return false;
}

static bool refuse_value(struct sheet *sheet, const struct field *field, const char *wanted)
{
    Str sentence = str_printf(sheet->ctx->arena, "\"%.*s\" %s", STR_FMT(field->name), wanted);
    return refuse(sheet, field->name, sentence);
}

static void refuse_name(struct sheet *sheet, Str name)
{
    Str sentence = str_printf(sheet->ctx->arena, "This form has no field \"%.*s\"", STR_FMT(name));
    (void)refuse(sheet, name, sentence);
}

static const char *email_fault(Str text)
{
    return email_is_plausible(text) ? NULL : "must be an e-mail address";
}

static const char *phone_fault(Str text)
{
    size_t digits = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        digits += ascii_is_digit(c);
        if (str_find_char(STR("0123456789 +-./()#*xXtTeE"), c) < 0)
            return "must be a phone number";
    }
    return digits >= PHONE_DIGITS_MIN ? NULL : "must be a phone number";
}

static const char *url_fault(Str text)
{
    Str lower = str_slice(text, 0, 8);
    bool is_web = str_eq_nocase(lower, STR("https://")) ||
                  str_eq_nocase(str_slice(lower, 0, 7), STR("http://"));
    ptrdiff_t slashes = str_find(text, STR("//"));
    if (!is_web || (size_t)slashes + 2 == text.len)
        return "must be an address that begins with https:// or http://";
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] <= ' ' || text.data[i] == 0x7f)
            return "must be an address without white space";
    return NULL;
}

/* The form's definition */

static Str text_of(const struct json *object, Str key)
{
    const struct json *value = json_get(object, key);
    return json_kind(value) == JSON_STRING ? json_str(value) : STR_NONE;
}

/* Accepts numbers as text, which editors sometimes enter. */
static double number_of(const struct json *value)
{
    double number = NAN;
    if (json_kind(value) == JSON_INT || json_kind(value) == JSON_REAL)
        number = json_number(value);
    else if (json_kind(value) == JSON_STRING && !str_to_double(str_trim(json_str(value)), &number))
        number = NAN;
    return isfinite(number) ? number : NAN;
}

static struct field field_of(const struct json *json)
{
    const struct json *options = json_get(json, STR("options"));
    struct field field = {
        .name = text_of(json, STR("name")),
        .kind = &KINDS[0],
        .is_required = json_bool(json_get(json, STR("required"))),
        .pattern = text_of(json, STR("pattern")),
        .min = number_of(json_get(json, STR("min"))),
        .max = number_of(json_get(json, STR("max"))),
        .options = json_kind(options) == JSON_ARRAY && json_len(options) > 0 ? options : NULL,
    };
    Str type = text_of(json, STR("type"));
    for (size_t i = 0; i < COUNT_OF(KINDS); i++)
        if (str_eq_nocase(KINDS[i].name, type))
            field.kind = &KINDS[i];
    return field;
}

/* An option is a string, or an object with a value. */
static bool is_option(const struct field *field, Str text)
{
    for (uint32_t i = 0; i < json_len(field->options); i++) {
        const struct json *option = json_at(field->options, i);
        Str value =
            json_kind(option) == JSON_STRING ? json_str(option) : text_of(option, STR("value"));
        if (value.data != NULL && str_eq(value, text))
            return true;
    }
    return field->options == NULL;
}

/* As in browsers, the pattern must match the whole value. Patterns are checked when a form is
 * written (factory/library/form_patterns.h), but older forms may have invalid ones. */
static bool pattern_fits(struct ctx *ctx, const struct field *field, Str text)
{
    if (field->pattern.len == 0)
        return true;
    const struct regex *regex;
    struct diag kept =
        ctx->diag; /* a pattern that does not compile must not replace earlier errors */
    if (regex_find(ctx, field->pattern, REGEX_WHOLE, &regex) != OK) {
        log_event(LOG_WARN, "form_pattern_passed_over", LOG_S("field", field->name),
                  LOG_S("pattern", field->pattern));
        ctx->diag = kept;
        return true;
    }
    return regex_match(regex, text, NULL);
}

/* Values */

static bool text_fits(struct sheet *sheet, const struct field *field, Str text)
{
    size_t count = str_count_codepoints(text);
    double most = isnan(field->max) ? (double)field->kind->max : fmin(field->max, TEXTAREA_MAX);
    if ((double)count > most)
        return refuse_value(sheet, field, "is too long");
    if (!isnan(field->min) && (double)count < field->min)
        return refuse_value(sheet, field, "is too short");
    const char *fault = field->kind->fault != NULL ? field->kind->fault(text) : NULL;
    if (fault != NULL)
        return refuse_value(sheet, field, fault);
    if (!is_option(field, text))
        return refuse_value(sheet, field, "is not one of the options");
    if (!pattern_fits(sheet->ctx, field, text))
        return refuse_value(sheet, field, "does not have the required format");
    return true;
}

static bool take_text(struct sheet *sheet, const struct field *field, const struct json *value)
{
    if (json_kind(value) != JSON_STRING)
        return refuse_value(sheet, field, "must be text");
    Str text = str_trim(json_str(value));
    if (!text_fits(sheet, field, text))
        return false;
    json_key(&sheet->json, field->name);
    json_put_str(&sheet->json, text);
    return true;
}

static bool take_number(struct sheet *sheet, const struct field *field, const struct json *value)
{
    double number = number_of(value);
    if (isnan(number))
        return refuse_value(sheet, field, "must be a number");
    if (number < field->min) /* never true for NaN */
        return refuse_value(sheet, field, "is too small");
    if (number > field->max)
        return refuse_value(sheet, field, "is too large");
    json_key(&sheet->json, field->name);
    if (json_kind(value) == JSON_INT)
        json_put_int(&sheet->json, json_int(value));
    else
        json_put_real(&sheet->json, number);
    return true;
}

/* Parses a boolean as scripts and browsers send it; -1 for anything else. */
static int tick_of(const struct json *value)
{
    if (json_kind(value) == JSON_BOOL)
        return json_bool(value);
    Str text = json_kind(value) == JSON_STRING ? json_str(value) : STR_NONE;
    if (str_eq_nocase(text, STR("on")) || str_eq_nocase(text, STR("true")))
        return 1;
    bool is_no = str_eq_nocase(text, STR("off")) || str_eq_nocase(text, STR("false"));
    return is_no ? 0 : -1;
}

static bool take_tick(struct sheet *sheet, const struct field *field, const struct json *value)
{
    int tick = tick_of(value);
    if (tick < 0)
        return refuse_value(sheet, field, "must be true or false");
    if (tick == 0 && field->is_required)
        return refuse_value(sheet, field, "must be ticked");
    json_key(&sheet->json, field->name);
    json_put_bool(&sheet->json, tick == 1);
    return true;
}

/* A checkbox with options has a list of the ticked ones. */
static fiber_fn bool take_checkbox(struct sheet *sheet, const struct field *field,
                                   const struct json *value)
{
    if (field->options == NULL)
        return take_tick(sheet, field, value);
    bool is_one = json_kind(value) == JSON_STRING;
    uint32_t count = is_one ? 1 : json_len(value);
    if (!is_one && (json_kind(value) != JSON_ARRAY || count > CHOICES_MAX))
        return refuse_value(sheet, field, "must be a list of options");
    if (count == 0 && field->is_required)
        return refuse_value(sheet, field, "must be ticked");
    for (uint32_t i = 0; i < count; i++) {
        fiber_pause(); /* a form may have a hundred thousand options */
        const struct json *choice = is_one ? value : json_at(value, i);
        if (json_kind(choice) != JSON_STRING || !is_option(field, json_str(choice)))
            return refuse_value(sheet, field, "is not one of the options");
    }
    json_key(&sheet->json, field->name);
    json_array_begin(&sheet->json);
    for (uint32_t i = 0; i < count; i++)
        json_put_str(&sheet->json, json_str(is_one ? value : json_at(value, i)));
    json_array_end(&sheet->json);
    return true;
}

/* The sheet */

static bool is_blank(const struct json *value)
{
    return json_is_null(value) ||
           (json_kind(value) == JSON_STRING && str_trim(json_str(value)).len == 0);
}

static fiber_fn void take_field(struct sheet *sheet, const struct field *field,
                                const struct json *data)
{
    const struct json *value = json_get(data, field->name);
    if (!is_blank(value))
        (void)field->kind->take_into(sheet, field, value);
    else if (field->is_required)
        (void)refuse_value(sheet, field, "is required");
}

/* The index of `name` among the first `count` fields; `count` if it is not there. */
static uint32_t place_of(const struct json *fields, uint32_t count, Str name)
{
    for (uint32_t i = 0; i < count; i++)
        if (str_eq(text_of(json_at(fields, i), STR("name")), name))
            return i;
    return count;
}

fiber_fn Err form_check(struct ctx *ctx, const struct json *fields, const struct json *data,
                        Str *ret)
{
    struct buf *out = buf_in_arena(ctx->arena, FORM_DATA_MAX);
    struct sheet sheet = {.ctx = ctx, .json = json_writer(out), .first = OK};
    uint32_t count = json_len(fields) < FORM_FIELDS_MAX ? json_len(fields) : FORM_FIELDS_MAX;
    json_object_begin(&sheet.json);
    for (uint32_t i = 0; i < count; i++) {
        fiber_pause(); /* each pattern may take up to 20 ms */
        struct field field = field_of(json_at(fields, i));
        if (field.name.len > 0 && place_of(fields, i, field.name) == i)
            take_field(&sheet, &field, data);
    }
    json_object_end(&sheet.json);
    for (struct json_iter it = json_iter(data); json_next(&it);)
        if (it.key.len == 0 || place_of(fields, count, it.key) == count)
            refuse_name(&sheet, str_cut(it.key, TEXT_MAX));
    TRY(sheet.first);
    TRY(buf_check(ctx, out, "The form"));
    *ret = buf_str(out);
    return OK;
}

Str form_text(const struct json *data, const char *const *names, size_t max)
{
    for (; *names != NULL; names++) {
        Str text = str_trim(text_of(data, str_from_z(*names)));
        if (text.len > 0)
            return str_cut(text, max);
    }
    return STR_NONE;
}
