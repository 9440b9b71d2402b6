/*
 * Validation: filters read as conditions on a payload. A field that is absent passes, except for
 * _submitted; values compare as numbers, moments or texts, whatever both sides can be.
 */
#include "base/json/json_writer.h"
#include "base/memory/array.h"
#include "base/system/clock.h"
#include "base/text/regex.h"
#include "content/items/payload.h"
#include "content/query/query.h"
#include "content/schema/schema.h"

#include <assert.h>

enum { RULE_NESTING_MAX = 16 };

static Str value_words(struct ctx *ctx, const struct json *value)
{
    if (json_kind(value) == JSON_STRING)
        return json_str(value);
    return json_text(ctx->arena, value);
}

/* `"a", "b"` */
static Str quoted_list(struct ctx *ctx, const struct json *value)
{
    struct buf *out = buf_in_arena(ctx->arena, 900);
    if (json_kind(value) != JSON_ARRAY) {
        Str words = value_words(ctx, value);
        buf_printf(out, "\"%.*s\"", STR_FMT(words));
    }
    for (uint32_t i = 0; json_kind(value) == JSON_ARRAY && i < json_len(value); i++) {
        Str words = value_words(ctx, json_at(value, i));
        buf_printf(out, "%s\"%.*s\"", i == 0 ? "" : ", ", STR_FMT(words));
    }
    return buf_str(out);
}

static const struct {
    const char *type;
    const char *sentence; /* %s: the value */
} SENTENCES[] = {
    {"eq", " Value has to be %s."},
    {"neq", " Value can't be %s."},
    {"lt", " Value has to be less than %s."},
    {"lte", " Value has to be less than or equal to %s."},
    {"gt", " Value has to be greater than %s."},
    {"gte", " Value has to be greater than or equal to %s."},
    {"in", " Value has to be one of %s."},
    {"nin", " Value can't be one of %s."},
    {"contains", " Value has to contain %s."},
    {"icontains", " Value has to contain %s."},
    {"ncontains", " Value can't contain %s."},
    {"null", " Value has to be null."},
    {"nnull", " Value can't be null."},
    {"empty", " Value has to be empty."},
    {"nempty", " Value can't be empty."},
    {"required", " Value is required."},
    {"regex", " Value doesn't have the correct format."},
    {"email", " Value has to be a valid email address."},
};

Err validation_failed(struct ctx *ctx, Str field, const char *type, const char *note,
                      const struct json *value)
{
    Str words = value == NULL ? STR_NONE : quoted_list(ctx, value);
    Str tail = STR_NONE;
    for (size_t i = 0; i < COUNT_OF(SENTENCES); i++) {
        if (strcmp(SENTENCES[i].type, type) != 0)
            continue;
        Str sentence = str_from_z(SENTENCES[i].sentence);
        ptrdiff_t at = str_find(sentence, STR("%s"));
        Str before = at < 0 ? sentence : str_slice(sentence, 0, (size_t)at);
        Str after = at < 0 ? STR_NONE : str_slice(sentence, (size_t)at + 2, sentence.len);
        tail = str_printf(ctx->arena, "%.*s%.*s%.*s", STR_FMT(before), at < 0 ? 0 : (int)words.len,
                          words.data, STR_FMT(after));
    }
    Err err = fail_also(ctx, ERR_FAILED_VALIDATION, "Validation failed for field \"%.*s\".%.*s",
                        STR_FMT(field), STR_FMT(tail));
    fail_note(ctx, "field", field);
    fail_note_json(ctx, "path", STR("[]"));
    fail_note(ctx, "type", str_from_z(type));
    if (note != NULL)
        fail_note_json(ctx, note, json_text(ctx->arena, value));
    return err;
}

struct subject {
    const struct write_scope *scope;
    const struct payload *payload;
    const struct field *field;
    enum function function;
    const struct json *value; /* NULL: absent */
    bool is_present;
};

/* -1, 0, 1; 2 when the two cannot be compared. */
static int compare_texts(Str a, Str b)
{
    double x;
    double y;
    int64_t t;
    int64_t u;
    if (str_to_double(a, &x) && str_to_double(b, &y))
        return (x > y) - (x < y);
    if (clock_parse_iso(a, &t) && clock_parse_iso(b, &u))
        return (t > u) - (t < u);
    int order = str_cmp(a, b);
    return (order > 0) - (order < 0);
}

static int64_t part_of(enum function function, Str moment)
{
    static const struct {
        size_t from;
        size_t to;
    } PARTS[] = {
        [FUNCTION_YEAR] = {0, 4},   [FUNCTION_MONTH] = {5, 7},    [FUNCTION_DAY] = {8, 10},
        [FUNCTION_HOUR] = {11, 13}, [FUNCTION_MINUTE] = {14, 16}, [FUNCTION_SECOND] = {17, 19},
    };
    int64_t number = 0;
    if ((size_t)function < COUNT_OF(PARTS))
        (void)str_to_i64(str_slice(moment, PARTS[function].from, PARTS[function].to), &number);
    return number;
}

/* The value as text, a function applied to it if the rule says so. */
static Str subject_text(const struct subject *s)
{
    struct arena *arena = s->scope->ctx->arena;
    Str text = value_words(s->scope->ctx, s->value);
    int64_t wall_us;
    if (s->function == FUNCTION_NONE)
        return text;
    if (s->function == FUNCTION_COUNT)
        return str_printf(arena, "%u", json_len(s->value));
    if (!clock_parse_iso(text, &wall_us))
        return text;
    if (s->function == FUNCTION_WEEKDAY)
        return str_printf(arena, "%jd",
                          (intmax_t)(((wall_us / (86400 * SECOND_US) + 4) % 7 + 7) % 7));
    return str_printf(arena, "%jd", (intmax_t)part_of(s->function, clock_iso(arena, wall_us)));
}

/* The rule's side, its variables replaced. */
static fiber_fn Err rule_text(const struct subject *s, const struct json *value, Str *ret)
{
    bool is_dynamic = false;
    *ret = value_words(s->scope->ctx, value);
    if (json_kind(value) != JSON_STRING)
        return OK;
    Str replaced;
    TRY(dynamic_text(s->scope->ctx, s->scope->schema, *ret, &is_dynamic, &replaced));
    if (is_dynamic)
        *ret = replaced;
    return OK;
}

static bool matches_plain(Str op, Str text, Str part)
{
    if (str_ends_with(op, STR("starts_with")))
        return str_starts_with(text, part);
    if (str_ends_with(op, STR("ends_with")))
        return str_ends_with(text, part);
    return str_find(text, part) >= 0;
}

/* A rule may ask a long text a thousand times: what is folded for it is given back. */
static bool matches_pattern(Str op, Str text, Str part, struct arena *arena)
{
    bool is_folded = str_find(op, STR("i")) == 0 || str_starts_with(op, STR("ni"));
    if (!is_folded || str_eq(op, STR("in")))
        return matches_plain(op, text, part);
    ArenaMark mark = arena_mark(arena);
    bool matches = matches_plain(op, str_lower(arena, text), str_lower(arena, part));
    arena_rewind(arena, mark);
    return matches;
}

static fiber_fn Err any_equal(const struct subject *s, Str text, const struct json *list, bool *ret)
{
    *ret = false;
    uint32_t count = json_kind(list) == JSON_ARRAY ? json_len(list) : 1;
    for (uint32_t i = 0; i < count; i++) {
        TRY(fiber_breathe(s->scope->ctx));
        Str item;
        TRY(rule_text(s, json_kind(list) == JSON_ARRAY ? json_at(list, i) : list, &item));
        *ret |= item.data != NULL && compare_texts(text, item) == 0;
    }
    return OK;
}

static Err check_regex(const struct subject *s, Str text, Str rule, bool *ret)
{
    unsigned flags;
    Str pattern = rule_pattern(rule, &flags);
    const struct regex *regex;
    TRY(regex_find(s->scope->ctx, pattern, flags, &regex));
    *ret = regex_match(regex, text, NULL);
    return OK;
}

static bool compares(Str op, int order)
{
    if (str_eq(op, STR("eq")))
        return order == 0;
    if (str_eq(op, STR("neq")))
        return order != 0;
    if (str_eq(op, STR("lt")))
        return order < 0;
    if (str_eq(op, STR("lte")))
        return order <= 0;
    if (str_eq(op, STR("gt")))
        return order > 0;
    return order >= 0;
}

static bool is_comparison(Str op)
{
    static const Str OPS[] = {STR_INIT("eq"),  STR_INIT("neq"), STR_INIT("lt"),
                              STR_INIT("lte"), STR_INIT("gt"),  STR_INIT("gte")};
    for (size_t i = 0; i < COUNT_OF(OPS); i++) {
        if (str_eq(op, OPS[i]))
            return true;
    }
    return false;
}

static bool flag_is_set(const struct json *value)
{
    return !(json_kind(value) == JSON_BOOL && !json_bool(value));
}

/* _null, _empty and their opposites: decided without looking at a text. */
static bool check_presence(const struct subject *s, Str op, const struct json *value, bool *ret)
{
    bool is_null = json_is_null(s->value);
    bool is_empty = is_null ||
                    (json_kind(s->value) == JSON_STRING && json_str(s->value).len == 0) ||
                    (json_kind(s->value) == JSON_ARRAY && json_len(s->value) == 0);
    if (str_eq(op, STR("null")))
        *ret = is_null == flag_is_set(value);
    else if (str_eq(op, STR("nnull")))
        *ret = is_null != flag_is_set(value);
    else if (str_eq(op, STR("empty")))
        *ret = is_empty == flag_is_set(value);
    else if (str_eq(op, STR("nempty")))
        *ret = is_empty != flag_is_set(value);
    else
        return false;
    return true;
}

static fiber_fn Err check_between(const struct subject *s, Str op, Str text,
                                  const struct json *value, bool *ret)
{
    *ret = true;
    if (json_kind(value) != JSON_ARRAY || json_len(value) != 2)
        return OK;
    Str low;
    Str high;
    TRY(rule_text(s, json_at(value, 0), &low));
    TRY(rule_text(s, json_at(value, 1), &high));
    bool is_inside = compare_texts(text, low) >= 0 && compare_texts(text, high) <= 0;
    *ret = is_inside == str_eq(op, STR("between"));
    return OK;
}

static fiber_fn Err passes(const struct subject *s, Str op, const struct json *value, bool *ret)
{
    *ret = true;
    if (check_presence(s, op, value, ret))
        return OK;
    Str wanted;
    TRY(rule_text(s, value, &wanted));
    if (json_is_null(s->value)) {
        *ret = !str_eq(op, STR("eq")) || wanted.data == NULL || json_is_null(value);
        return OK;
    }
    Str text = subject_text(s);
    if (is_comparison(op)) {
        *ret = wanted.data == NULL ? str_eq(op, STR("neq"))
                                   : compares(op, compare_texts(text, wanted));
        return OK;
    }
    if (str_eq(op, STR("in")) || str_eq(op, STR("nin"))) {
        TRY(any_equal(s, text, value, ret));
        *ret = *ret == str_eq(op, STR("in"));
        return OK;
    }
    if (str_eq(op, STR("between")) || str_eq(op, STR("nbetween")))
        return check_between(s, op, text, value, ret);
    if (str_eq(op, STR("regex")))
        return check_regex(s, text, wanted, ret);
    if (str_ends_with(op, STR("contains")) || str_ends_with(op, STR("_with"))) {
        bool is_negated = str_starts_with(op, STR("n"));
        *ret = matches_pattern(op, text, wanted, s->scope->ctx->arena) != is_negated;
        return OK;
    }
    return fail(s->scope->ctx, ERR_INVALID_QUERY, "Unknown validation operator \"_%.*s\"",
                STR_FMT(op));
}

static const char *note_of(Str op)
{
    if (str_ends_with(op, STR("contains")) || str_ends_with(op, STR("_with")))
        return "substring";
    if (str_eq(op, STR("neq")) || str_eq(op, STR("nin")))
        return "invalid";
    if (is_comparison(op) || str_eq(op, STR("in")))
        return "valid";
    return NULL;
}

/* The rule's value with its variables replaced, for the sentence. */
static fiber_fn Err shown_value(const struct subject *s, const struct json *value,
                                const struct json **ret)
{
    *ret = value;
    if (json_kind(value) != JSON_STRING || dynamic_kind(json_str(value)) == DYNAMIC_NONE)
        return OK;
    Str text;
    TRY(rule_text(s, value, &text));
    struct buf *quoted = buf_in_arena(s->scope->ctx->arena, text.len * 6 + 8);
    buf_put_char(quoted, '"');
    json_escape(quoted, text);
    buf_put_char(quoted, '"');
    return json_parse(s->scope->ctx, buf_str(quoted), JSON_LIMITS_DEFAULT, ret);
}

static fiber_fn Err report(const struct subject *s, Str op, const struct json *value)
{
    struct ctx *ctx = s->scope->ctx;
    const char *type = str_z(ctx->arena, op);
    if (str_eq(op, STR("regex")))
        return validation_failed(ctx, s->field->name, type, "invalid", s->value);
    const struct json *shown;
    TRY(shown_value(s, value, &shown));
    return validation_failed(ctx, s->field->name, type, note_of(op), shown);
}

struct check {
    const struct write_scope *scope;
    const struct payload *payload;
    bool is_silent; /* inside an _or: count, do not report */
    uint32_t failed;
};

static fiber_fn Err check_operator(struct check *check, const struct subject *s, Str key,
                                   const struct json *value)
{
    Str op = str_slice(key, 1, key.len);
    bool ok;
    TRY(fiber_breathe(check->scope->ctx));
    if (str_eq(op, STR("submitted"))) {
        ok = s->is_present == flag_is_set(value);
        op = STR("required");
    } else if (!s->is_present) {
        return OK;
    } else {
        TRY(passes(s, op, value, &ok));
    }
    if (ok)
        return OK;
    check->failed++;
    if (!check->is_silent)
        err_ignore(report(s, op, value), "counted: the diag holds it");
    return OK;
}

static fiber_fn Err check_object(struct check *check, const struct json *rule, int nesting);

static fiber_fn Err check_field(struct check *check, Str key, const struct json *conditions,
                                int nesting)
{
    Str name = key;
    enum function function = function_split(key, &name);
    const struct field *field = collection_field(check->scope->collection, name);
    if (field == NULL)
        return OK;
    const struct cell *cell = payload_find(check->payload, field);
    struct subject s = {.scope = check->scope,
                        .payload = check->payload,
                        .field = field,
                        .function = function,
                        .value = cell == NULL ? NULL : cell->json,
                        .is_present =
                            cell != NULL && (cell->json != NULL || cell->text.data == NULL)};
    if (json_kind(conditions) != JSON_OBJECT)
        return check_operator(check, &s, STR("_eq"), conditions);
    for (struct json_iter it = json_iter(conditions); json_next(&it);) {
        if (str_eq(it.key, STR("_and")) || str_eq(it.key, STR("_or"))) {
            for (uint32_t i = 0; i < json_len(it.value) && nesting < RULE_NESTING_MAX; i++)
                TRY(check_field(check, key, json_at(it.value, i), nesting + 1));
        } else if (operator_is_name(it.key)) {
            TRY(check_operator(check, &s, it.key, it.value));
        } /* conditions on rows behind a relation are not for payloads */
    }
    return OK;
}

/* One passing branch is enough; when none passes, the first one's faults are told. */
static fiber_fn Err check_or(struct check *check, const struct json *branches, int nesting)
{
    uint32_t count = json_len(branches);
    for (uint32_t i = 0; i < count; i++) {
        struct check quiet = {check->scope, check->payload, true, 0};
        TRY(check_object(&quiet, json_at(branches, i), nesting + 1));
        if (quiet.failed == 0)
            return OK;
    }
    return count == 0 ? OK : check_object(check, json_at(branches, 0), nesting + 1);
}

static fiber_fn Err check_object(struct check *check, const struct json *rule, int nesting)
{
    if (nesting > RULE_NESTING_MAX)
        return fail(check->scope->ctx, ERR_INVALID_QUERY, "A validation rule is nested too deeply");
    for (struct json_iter it = json_iter(rule); json_next(&it);) {
        if (str_eq(it.key, STR("_or"))) {
            TRY(check_or(check, it.value, nesting));
        } else if (str_eq(it.key, STR("_and"))) {
            for (uint32_t i = 0; i < json_len(it.value); i++)
                TRY(check_object(check, json_at(it.value, i), nesting + 1));
        } else {
            TRY(check_field(check, it.key, it.value, nesting));
        }
    }
    return OK;
}

Err validate_rule(const struct write_scope *scope, const struct payload *payload,
                  const struct json *rule)
{
    struct check check = {.scope = scope, .payload = payload};
    TRY(check_object(&check, rule, 0));
    return check.failed == 0 ? OK : ERR_FAILED_VALIDATION;
}
