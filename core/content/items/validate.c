/*
 * Validation: the rules of fields and grants as conditions on a payload.
 */
#include "base/json/json_writer.h"
#include "content/filter/filter_eval.h"
#include "content/items/payload.h"
#include "content/schema/schema.h"

#include <assert.h>

enum { SENTENCE_MAX = 900 };

static Str operand_text(struct ctx *ctx, const struct filter_value *value)
{
    assert(value != NULL);
    bool has_text = value->kind != FILTER_LIST && value->kind != FILTER_MEMBERS;
    return has_text ? value->text : filter_json(ctx->arena, value);
}

/* `"a", "b"` */
static Str quoted_list(struct ctx *ctx, const struct filter_value *value)
{
    struct buf *out = buf_in_arena(ctx->arena, SENTENCE_MAX);
    if (value->kind != FILTER_LIST) {
        Str words = operand_text(ctx, value);
        buf_printf(out, "\"%.*s\"", STR_FMT(words));
    }
    for (uint32_t i = 0; value->kind == FILTER_LIST && i < value->count; i++) {
        Str words = operand_text(ctx, &value->items[i]);
        buf_printf(out, "%s\"%.*s\"", i == 0 ? "" : ", ", STR_FMT(words));
    }
    return buf_str(out);
}

/* Prints the path from its outermost field on. */
static void put_path(struct buf *names, struct json_writer *list, const struct nested_path *path)
{
    const struct nested_path *steps[WRITE_DEPTH_MAX + 1];
    uint32_t count = 0;
    for (; path != NULL && count <= WRITE_DEPTH_MAX; path = path->outer)
        steps[count++] = path;
    json_array_begin(list);
    for (uint32_t i = count; i-- > 0;) {
        json_put_str(list, steps[i]->field);
        buf_printf(names, "%s%.*s", i + 1 == count ? "" : ".", STR_FMT(steps[i]->field));
    }
    json_array_end(list);
}

/* The message, and the notes that say where. */
static Err fail_at(const struct write_target *target, Str field, Str sentence)
{
    struct ctx *ctx = target->ctx;
    struct buf *names = buf_in_arena(ctx->arena, SENTENCE_MAX);
    struct json_writer list = json_writer(buf_in_arena(ctx->arena, 2 * (size_t)SENTENCE_MAX));
    put_path(names, &list, target->path);
    Str place = buf_str(names);
    Err err =
        fail_also(ctx, ERR_FAILED_VALIDATION, "Validation failed for field \"%.*s\"%s%.*s%s.%.*s",
                  STR_FMT(field), place.len > 0 ? " at \"" : "", STR_FMT(place),
                  place.len > 0 ? "\"" : "", STR_FMT(sentence));
    fail_note(ctx, "field", field);
    fail_note_json(ctx, "path", buf_str(list.out));
    return err;
}

Err validation_failed(const struct write_target *target, Str field,
                      const struct filter_operator *op, const struct filter_value *value)
{
    assert(op != NULL && op->sentence != NULL);
    struct ctx *ctx = target->ctx;
    Str sentence = str_from_z(op->sentence);
    ptrdiff_t at = str_find(sentence, STR("%s"));
    if (at >= 0) {
        Str words = quoted_list(ctx, value);
        Str before = str_slice(sentence, 0, (size_t)at);
        Str after = str_slice(sentence, (size_t)at + 2, sentence.len);
        sentence =
            str_printf(ctx->arena, "%.*s%.*s%.*s", STR_FMT(before), STR_FMT(words), STR_FMT(after));
    }
    Err err = fail_at(target, field, sentence);
    fail_note(ctx, "type", str_from_z(op->fault));
    if (op->note != NULL)
        fail_note_json(ctx, op->note, filter_json(ctx->arena, value));
    return err;
}

struct validation {
    struct filter_subject subject; /* must be first: filter_eval passes it back */
    const struct write_target *target;
    const struct payload *payload;
};

static const struct validation *validation_of(const struct filter_subject *subject)
{
    return (const struct validation *)subject;
}

static bool find_value(const struct filter_subject *subject, Str name, struct filter_datum *ret)
{
    const struct validation *v = validation_of(subject);
    const struct field *field = collection_field(v->target->collection, name);
    if (field == NULL)
        return false;
    const struct cell *cell = payload_find(v->payload, field);
    *ret = (struct filter_datum){
        .is_present = cell != NULL && (cell->json != NULL || cell->text.data == NULL),
        .type = field->type,
        .group = field_group_of(field->type),
        .value = cell == NULL ? NULL : cell->json,
    };
    return true;
}

static fiber_fn Err find_variable(const struct filter_subject *subject, Str text, Str *ret)
{
    const struct write_target *target = validation_of(subject)->target;
    bool is_dynamic;
    TRY(dynamic_text(target->ctx, target->schema, text, &is_dynamic, ret));
    assert(is_dynamic);
    return OK;
}

static void refuse(const struct filter_subject *subject, Str field,
                   const struct filter_operator *op, const struct filter_value *value)
{
    err_ignore(validation_failed(validation_of(subject)->target, field, op, value),
               "recorded in the diag");
}

Err validate_rule(const struct write_target *target, const struct payload *payload,
                  const struct filter_value *rule)
{
    assert(target != NULL && payload != NULL && rule != NULL);
    struct validation v = {
        .subject = {find_value, find_variable, refuse}, .target = target, .payload = payload};
    bool holds;
    TRY(filter_eval(target->ctx, rule, FILTER_OF_RULES, &v.subject, &holds));
    return holds ? OK : ERR_FAILED_VALIDATION;
}
