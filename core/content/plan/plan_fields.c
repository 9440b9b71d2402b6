#include "base/memory/list.h"
#include "content/plan/wants.h"

#include <assert.h>

struct collector {
    struct compiler *c;
    const struct collection *collection;
    const struct access *access;
    const struct query *query;
    struct place place;
    struct wants *wants;
    struct buf *missing; /* names, NUL-terminated */
    uint32_t missing_count;
};

static struct want *want_find(const struct wants *wants, Str key)
{
    for (struct want *want = wants->first; want != NULL; want = want->next) {
        if (str_eq(want->key, key))
            return want;
    }
    return NULL;
}

static struct want *want_get(struct collector *k, Str key, const struct field *field)
{
    assert(field != NULL);
    struct want *want = want_find(k->wants, key);
    if (want != NULL)
        return want;
    want = arena_new(k->c->arena, struct want);
    want->key = str_dup(k->c->arena, key);
    want->field = field;
    LIST_APPEND(k->wants->first, k->wants->last, want);
    k->wants->count++;
    return want;
}

static void add_path(struct collector *k, struct want *want, Str path, Str collection)
{
    assert(path.len > 0);
    struct want_path *below = arena_new(k->c->arena, struct want_path);
    below->path = path;
    below->collection = collection;
    LIST_APPEND(want->first_path, want->last_path, below);
}

static void note_missing(struct collector *k, Str name)
{
    Str seen = buf_str(k->missing);
    Str part;
    while (str_next(&seen, '\0', &part)) {
        if (str_eq(part, name))
            return;
    }
    buf_put(k->missing, name);
    buf_put_char(k->missing, '\0');
    k->missing_count++;
}

/* "*": every field and every alias; "*.x": and below each relation, x. */
static void add_all(struct collector *k, Str rest)
{
    for (uint32_t i = 0; i < k->collection->field_count; i++) {
        const struct field *field = k->collection->fields[i];
        if (!access_field(k->access, field))
            continue;
        struct want *want = want_get(k, field->name, field);
        want->is_selected = true;
        if (rest.len > 0 && field->relation != NULL)
            add_path(k, want, rest, STR_NONE);
    }
    for (uint32_t i = 0; i < k->query->alias_count; i++) {
        const struct query_alias *alias = &k->query->aliases[i];
        const struct field *field = collection_field(k->collection, alias->field);
        if (field == NULL || !access_field(k->access, field))
            continue;
        struct want *want = want_get(k, alias->name, field);
        want->is_selected = want->is_alias_name = true;
    }
}

/* "json(meta, dim.w[0])" → "meta_dim_w_0_json" */
static Str json_key_name(struct collector *k, Str field, Str path)
{
    struct buf *key = buf_in_arena(k->c->arena, 1024);
    buf_put(key, field);
    buf_put_char(key, '_');
    for (size_t i = 0; i < path.len; i++) {
        char ch = path.data[i];
        if (ch == ']')
            continue;
        bool is_break = ch == '.' || ch == '[' || ch == ' ' || ch == ',';
        buf_put_char(key, is_break ? '_' : ch);
    }
    buf_put(key, STR("_json"));
    return buf_str(key);
}

static Str function_key(struct collector *k, enum function function, Str field, Str argument)
{
    assert(function != FUNCTION_NONE && function != FUNCTION_UNKNOWN);
    if (function == FUNCTION_JSON)
        return json_key_name(k, field, argument);
    return str_printf(k->c->arena, "%.*s_%s", STR_FMT(field), function_name(function));
}

static Err add_function(struct collector *k, Str head, enum function function, Str argument)
{
    assert(function != FUNCTION_NONE);
    Str name = argument;
    Str inside = STR_NONE;
    ptrdiff_t comma = str_find_char(argument, ',');
    if (function == FUNCTION_JSON && comma >= 0) {
        name = str_trim(str_slice(argument, 0, (size_t)comma));
        inside = str_trim(str_slice(argument, (size_t)comma + 1, argument.len));
    }
    const struct field *field = collection_field(k->collection, name);
    if (field == NULL || !access_field(k->access, field)) {
        note_missing(k, name);
        return OK;
    }
    Str function_text = str_slice(head, 0, (size_t)str_find_char(head, '('));
    TRY(function_check(k->c, function_text, function, field));
    if ((field->special & (SPECIAL_CONCEAL | SPECIAL_HASH)) != 0)
        return forbid_field(k->c, k->collection, name, k->place);
    struct want *want = want_get(k, function_key(k, function, name, inside), field);
    want->function = function;
    want->argument = inside;
    want->is_selected = true;
    return OK;
}

/* "year(author.date)" stands for "author.year(date)". */
static bool add_function_of_path(struct collector *k, Str head, Str argument)
{
    ptrdiff_t dot = str_find_char(argument, '.');
    ptrdiff_t comma = str_find_char(argument, ',');
    if (dot < 0 || (comma >= 0 && comma < dot))
        return false;
    Str first = str_slice(argument, 0, (size_t)dot);
    Str after = str_slice(argument, (size_t)dot + 1, argument.len);
    const struct field *field = collection_field(k->collection, first);
    if (field == NULL || field->relation == NULL || !access_field(k->access, field))
        return false;
    Str name = str_slice(head, 0, (size_t)str_find_char(head, '('));
    Str below = str_printf(k->c->arena, "%.*s(%.*s)", STR_FMT(name), STR_FMT(after));
    add_path(k, want_get(k, first, field), below, STR_NONE);
    return true;
}

/* Whether the collection behind the relation may not be read. */
static bool leads_nowhere(const struct collector *k, const struct field *field)
{
    struct access access;
    const struct relation *relation = field->relation;
    return relation != NULL && relation->target != NULL &&
           !access_find(k->c, relation->target, ACTION_READ, &access) &&
           !access_field(k->access, field);
}

static void add_field(struct collector *k, Str head, Str rest)
{
    Str scope = STR_NONE;
    ptrdiff_t colon = str_find_char(head, ':');
    if (colon > 0) {
        scope = str_slice(head, (size_t)colon + 1, head.len);
        head = str_slice(head, 0, (size_t)colon);
    }
    const struct query_alias *renamed = query_alias_find(k->query, head);
    Str name = renamed == NULL ? head : renamed->field;
    const struct field *field = collection_field(k->collection, name);
    if (rest.len > 0 && (field == NULL || leads_nowhere(k, field)))
        return; /* as in Directus: a path whose first name is unknown, or that leaves what is
                   readable */
    if (field == NULL || !access_field(k->access, field)) {
        note_missing(k, name);
        return;
    }
    if (rest.len > 0 && field->relation == NULL)
        return; /* a path below a scalar is ignored */
    struct want *want = want_get(k, head, field);
    want->is_alias_name |= renamed != NULL;
    if (rest.len > 0)
        add_path(k, want, rest, scope);
    else
        want->is_selected = true;
}

static Err add(struct collector *k, Str path)
{
    Str rest = path;
    Str head;
    if (!path_next(&rest, &head))
        return OK;
    if (str_eq(head, STR("*"))) {
        add_all(k, rest);
        return OK;
    }
    Str argument;
    enum function function = function_split(head, &argument);
    if (function == FUNCTION_NONE) {
        add_field(k, head, rest);
        return OK;
    }
    if (add_function_of_path(k, head, argument))
        return OK;
    return add_function(k, head, function, argument);
}

static Err report_missing(struct collector *k)
{
    if (k->missing_count == 0)
        return OK;
    Str *names = arena_array(k->c->arena, Str, k->missing_count);
    Str rest = buf_str(k->missing);
    for (uint32_t i = 0; i < k->missing_count; i++)
        str_next(&rest, '\0', &names[i]);
    return forbid_fields(k->c, k->collection, names, k->missing_count, k->place);
}

Err wants_collect(struct compiler *c, const struct collection *collection,
                  const struct access *access, const struct query *query, struct place place,
                  struct wants *ret)
{
    assert(query != NULL && access != NULL);
    enum { MISSING_MAX = 64 * 1024 /* bytes of the missing names that are reported together */ };
    *ret = (struct wants){0};
    if (place.depth > QUERY_DEPTH_MAX)
        return fail(c->ctx, ERR_INVALID_QUERY, "Max relational depth exceeded");
    struct collector k = {
        .c = c,
        .collection = collection,
        .access = access,
        .query = query,
        .place = place,
        .wants = ret,
        .missing = buf_in_arena(c->arena, MISSING_MAX),
    };
    if (query->field_count == 0)
        TRY(add(&k, STR("*")));
    for (uint32_t i = 0; i < query->field_count; i++)
        TRY(add(&k, query->fields[i]));
    return report_missing(&k);
}
