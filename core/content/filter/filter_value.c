/*
 * Constructors of filters, and lookups in them.
 */
#include "base/memory/array.h"
#include "content/filter/filter.h"

#include <assert.h>

enum { FILTER_JSON_MAX = 64 * 1024 * 1024 };

struct filter_value filter_text(Str text)
{
    return (struct filter_value){.kind = FILTER_TEXT, .dynamic = dynamic_kind(text), .text = text};
}

struct filter_value filter_literal(Str text)
{
    return (struct filter_value){.kind = FILTER_TEXT, .text = text};
}

static enum filter_kind kind_of(Str name)
{
    static const struct {
        Str name;
        enum filter_kind kind;
    } WORDS[] = {{STR_INIT("_and"), FILTER_AND},
                 {STR_INIT("_or"), FILTER_OR},
                 {STR_INIT("_some"), FILTER_SOME},
                 {STR_INIT("_none"), FILTER_NONE}};
    if (name.len < 2 || name.data[0] != '_')
        return FILTER_FIELD;
    for (size_t i = 0; i < COUNT_OF(WORDS); i++)
        if (str_eq(name, WORDS[i].name))
            return WORDS[i].kind;
    return FILTER_OPERATOR;
}

struct filter *filter_member(struct arena *arena, Str name, const struct filter_value *value)
{
    assert(value != NULL);
    struct filter *member = arena_new(arena, struct filter);
    *member = (struct filter){.kind = kind_of(name), .name = name, .field = name, .value = value};
    member->function = function_split(name, &member->field);
    if (member->kind == FILTER_OPERATOR)
        member->op = filter_operator_find(name);
    return member;
}

const struct filter_value *filter_object(struct arena *arena, const struct filter *member)
{
    assert(member->next == NULL);
    assert(member->value != NULL);
    struct filter_value *object = arena_new(arena, struct filter_value);
    *object = (struct filter_value){.kind = FILTER_MEMBERS, .first = member, .count = 1};
    return object;
}

const struct filter_value *filter_condition(struct arena *arena, Str field,
                                            enum filter_operator_id op, struct filter_value value)
{
    assert(field.len > 0);
    struct filter_value *kept = arena_new(arena, struct filter_value);
    *kept = value;
    const struct filter *condition = filter_member(arena, filter_operator(op)->name, kept);
    return filter_object(arena, filter_member(arena, field, filter_object(arena, condition)));
}

const struct filter *filter_find(const struct filter_value *object, Str name)
{
    if (object == NULL || object->kind != FILTER_MEMBERS)
        return NULL;
    for (const struct filter *member = object->first; member != NULL; member = member->next)
        if (str_eq(member->name, name))
            return member;
    return NULL;
}

bool filter_is_scalar(const struct filter_value *value)
{
    assert(value != NULL);
    return value->kind == FILTER_BOOL || value->kind == FILTER_NUMBER || value->kind == FILTER_TEXT;
}

bool filter_means_null(const struct filter_value *value)
{
    assert(value != NULL);
    return value->kind == FILTER_NULL ||
           (value->kind == FILTER_TEXT &&
            (str_eq(value->text, STR("null")) || str_eq(value->text, STR("NULL"))));
}

bool filter_flag(const struct filter_value *value, bool *ret)
{
    bool is_word = value->kind == FILTER_BOOL || value->kind == FILTER_TEXT;
    *ret = !is_word || !str_eq(value->text, STR("false"));
    return filter_means_null(value) ||
           (is_word && (value->text.len == 0 || !*ret || str_eq(value->text, STR("true"))));
}

void filter_write(struct json_writer *w, const struct filter_value *value)
{
    switch (value->kind) {
    case FILTER_TEXT:
        json_put_str(w, value->text);
        break;
    case FILTER_LIST:
        json_array_begin(w);
        for (uint32_t i = 0; i < value->count; i++)
            filter_write(w, &value->items[i]);
        json_array_end(w);
        break;
    case FILTER_MEMBERS:
        json_object_begin(w);
        for (const struct filter *member = value->first; member != NULL; member = member->next) {
            json_key(w, member->name);
            filter_write(w, member->value);
        }
        json_object_end(w);
        break;
    default:
        json_put_raw(w, value->text);
    }
}

Str filter_json(struct arena *arena, const struct filter_value *value)
{
    struct buf *out = buf_in_arena(arena, FILTER_JSON_MAX);
    struct json_writer w = json_writer(out);
    filter_write(&w, value);
    return buf_str(out);
}

struct filter_elements filter_elements(const struct filter_value *list)
{
    assert(list != NULL);
    bool has_members = list->kind == FILTER_MEMBERS;
    return (struct filter_elements){.list = list, .member = has_members ? list->first : NULL};
}

const struct filter_value *filter_next(struct filter_elements *elements)
{
    const struct filter_value *list = elements->list;
    assert(list->kind == FILTER_LIST ? elements->next <= list->count : elements->next == 0);
    if (list->kind == FILTER_LIST)
        return elements->next < list->count ? &list->items[elements->next++] : NULL;
    const struct filter *member = elements->member;
    if (member == NULL)
        return NULL;
    elements->member = member->next;
    return member->value;
}
