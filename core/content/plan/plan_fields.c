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
    bool takes_forbidden;
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

static void nest(struct collector *k, struct want *want)
{
    assert(want->nested_at <= k->wants->nested_count);
    if (want->nested_at == 0)
        want->nested_at = ++k->wants->nested_count;
}

/* The member itself, not only the paths below it. */
static void select_member(struct collector *k, struct want *want)
{
    const struct relation *relation = want->field->relation;
    want->is_selected = true;
    if (relation != NULL && relation->kind == RELATION_TO_MANY && want->function == FUNCTION_NONE)
        nest(k, want);
}

/* An empty path: the key of what is below, typed as its collection has it. */
static void add_path(struct collector *k, struct want *want, Str path, Str collection)
{
    nest(k, want);
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

/* The column that holds the reference: the same seen from both sides. */
static const struct field *link_of(const struct relation *relation)
{
    assert(relation->kind != RELATION_TO_MANY || relation->target_field != NULL);
    return relation->kind == RELATION_TO_MANY ? relation->target_field : relation->field;
}

static bool is_backlink(const struct collector *k, const struct field *field)
{
    return k->c->has_no_backlinks && k->place.via != NULL && field->relation != NULL &&
           link_of(field->relation) == link_of(k->place.via);
}

/* "*": every field and every alias; "*.x": and below each relation, x. */
static void add_all(struct collector *k, Str rest)
{
    for (uint32_t i = 0; i < k->collection->field_count; i++) {
        const struct field *field = k->collection->fields[i];
        if (!access_field(k->access, field))
            continue;
        struct want *want = want_get(k, field->name, field);
        if (rest.len > 0 && is_backlink(k, field))
            continue;
        if (rest.len > 0 && field->relation != NULL)
            add_path(k, want, rest, STR_NONE);
        select_member(k, want);
    }
    for (uint32_t i = 0; i < k->collection->field_count && rest.len > 0; i++) {
        const struct field *field = k->collection->fields[i];
        if (is_backlink(k, field) && access_field(k->access, field))
            select_member(k, want_get(k, field->name, field));
    }
    for (uint32_t i = 0; i < k->query->alias_count; i++) {
        const struct query_alias *alias = &k->query->aliases[i];
        const struct field *field = collection_field(k->collection, alias->field);
        if (field == NULL || !access_field(k->access, field))
            continue;
        struct want *want = want_get(k, alias->name, field);
        want->is_alias_name = true;
        select_member(k, want);
    }
}

static bool is_found(const struct collector *k, const struct field *field)
{
    return field != NULL &&
           (k->takes_forbidden ? !field->is_hidden_site : access_field(k->access, field));
}

/* "json(meta, dim.w[0])" → "meta_dim_w_0_json" */
static Str json_key_name(struct collector *k, Str field, Str path)
{
    struct buf *key = buf_in_arena(k->c->arena, 1024);
    buf_put(key, field);
    bool is_open = false;
    for (size_t i = 0; i < path.len; i++) {
        char ch = path.data[i];
        bool is_break = ch == '.' || ch == '[' || ch == ']' || ch == ' ' || ch == ',';
        if (!is_break && !is_open)
            buf_put_char(key, '_');
        if (!is_break)
            buf_put_char(key, ch);
        is_open = !is_break;
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

/* "meta, dim.w" → "meta" and "dim.w" */
static Err split_json(struct compiler *c, Str argument, Str *name, Str *inside)
{
    ptrdiff_t comma = str_find_char(argument, ',');
    if (comma < 0)
        return fail(c->ctx, ERR_INVALID_QUERY,
                    "Invalid json() syntax: requires json(field, path) format");
    *name = str_trim(str_slice(argument, 0, (size_t)comma));
    *inside = str_trim(str_slice(argument, (size_t)comma + 1, argument.len));
    return inside->len > 0 ? OK
                           : fail(c->ctx, ERR_INVALID_QUERY, "Invalid json() syntax: missing path");
}

/* `alias`: the member's name; NULL: made of the function and the field. */
static Err add_function(struct collector *k, Str head, enum function function, Str argument,
                        const Str *alias)
{
    assert(function != FUNCTION_NONE);
    Str name = argument;
    Str inside = STR_NONE;
    if (function == FUNCTION_JSON)
        TRY(split_json(k->c, argument, &name, &inside));
    const struct field *field = collection_field(k->collection, name);
    if (!is_found(k, field)) {
        note_missing(k, name);
        return OK;
    }
    assert(str_find_char(head, '(') > 0);
    Str function_text = str_slice(head, 0, (size_t)str_find_char(head, '('));
    TRY(function_check(k->c, function_text, function, field));
    if ((field->special & SPECIAL_SECRET) != 0)
        return forbid_field(k->c, k->collection, name, k->place);
    Str key = alias == NULL ? function_key(k, function, name, inside) : *alias;
    struct want *want = want_get(k, key, field);
    want->function = function;
    want->is_alias_name |= alias != NULL;
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
    if (!is_found(k, field) || field->relation == NULL)
        return false;
    Str name = str_slice(head, 0, (size_t)str_find_char(head, '('));
    Str below = str_printf(k->c->arena, "%.*s(%.*s)", STR_FMT(name), STR_FMT(after));
    add_path(k, want_get(k, first, field), below, STR_NONE);
    return true;
}

/* A path into a collection that may not be read is left out, whatever may be seen of the field. */
static bool leads_nowhere(const struct collector *k, const struct field *field, Str rest)
{
    const struct relation *relation = field->relation;
    struct access access;
    return relation != NULL && relation->target != NULL &&
           (rest.len > 0 || relation->kind == RELATION_TO_MANY) &&
           !access_find(k->c, relation->target, ACTION_READ, &access);
}

static Err add_field(struct collector *k, Str head, Str rest)
{
    Str scope = STR_NONE;
    ptrdiff_t colon = str_find_char(head, ':');
    if (colon > 0) {
        scope = str_slice(head, (size_t)colon + 1, head.len);
        head = str_slice(head, 0, (size_t)colon);
    }
    const struct query_alias *renamed = query_alias_find(k->query, head);
    Str name = renamed == NULL ? head : renamed->field;
    Str argument;
    enum function function = rest.len > 0 ? FUNCTION_NONE : function_split(name, &argument);
    if (function != FUNCTION_NONE)
        return add_function(k, name, function, argument, renamed == NULL ? NULL : &renamed->name);
    const struct field *field = collection_field(k->collection, name);
    if (field == NULL && rest.len > 0)
        return OK; /* an unknown first name is ignored */
    if (field != NULL && leads_nowhere(k, field, rest))
        return OK;
    if (!is_found(k, field)) {
        note_missing(k, name);
        return OK;
    }
    if (rest.len > 0 && field->relation == NULL)
        return OK; /* a path below a scalar is ignored */
    struct want *want = want_get(k, head, field);
    want->is_alias_name |= renamed != NULL;
    bool is_key_of_any =
        scope.len > 0 && field->relation != NULL && field->relation->kind == RELATION_TO_ANY;
    if (rest.len > 0 || is_key_of_any)
        add_path(k, want, rest.len > 0 ? rest : STR(""), scope);
    else
        select_member(k, want);
    return OK;
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
    if (function == FUNCTION_NONE)
        return add_field(k, head, rest);
    if (add_function_of_path(k, head, argument))
        return OK;
    return add_function(k, head, function, argument, NULL);
}

static Err collect(struct collector *k)
{
    enum { MISSING_MAX = 64 * 1024 /* bytes of the missing names that are reported together */ };
    k->missing = buf_in_arena(k->c->arena, MISSING_MAX);
    if (k->place.depth > QUERY_DEPTH_MAX)
        return fail(k->c->ctx, ERR_INVALID_QUERY, "Max relational depth exceeded");
    if (k->query->field_count == 0)
        TRY(add(k, STR("*")));
    for (uint32_t i = 0; i < k->query->field_count; i++)
        TRY(add(k, k->query->fields[i]));
    return OK;
}

static const Str *missing_of(struct collector *k)
{
    Str *names = arena_array(k->c->arena, Str, k->missing_count + 1);
    Str rest = buf_str(k->missing);
    for (uint32_t i = 0; i < k->missing_count; i++)
        str_next(&rest, '\0', &names[i]);
    return names;
}

Err wants_find(struct compiler *c, const struct collection *collection, const struct access *access,
               const struct query *query, struct place place, struct wants *ret,
               const Str **ret_missing, uint32_t *ret_count)
{
    assert(query != NULL && access != NULL);
    *ret = (struct wants){0};
    struct collector k = {c, collection, access, query, place, ret, .takes_forbidden = true};
    TRY(collect(&k));
    *ret_missing = missing_of(&k);
    *ret_count = k.missing_count;
    return OK;
}

Err wants_collect(struct compiler *c, const struct collection *collection,
                  const struct access *access, const struct query *query, struct place place,
                  struct wants *ret)
{
    assert(query != NULL && access != NULL);
    *ret = (struct wants){0};
    struct collector k = {c, collection, access, query, place, ret, .takes_forbidden = false};
    TRY(collect(&k));
    return k.missing_count == 0
               ? OK
               : forbid_fields(c, collection, missing_of(&k), k.missing_count, place);
}

Err want_query(struct compiler *c, const struct query_deep *deep, const struct want *want,
               Str target, struct query *ret)
{
    *ret = deep == NULL ? (struct query){0} : *deep->query;
    if (deep != NULL && deep->is_refused)
        return fail(c->ctx, ERR_INVALID_QUERY, "%.*s", STR_FMT(deep->refusal));
    uint32_t count = 0;
    for (const struct want_path *path = want->first_path; path != NULL; path = path->next)
        count++;
    Str *paths = arena_array(c->arena, Str, count + 1);
    for (const struct want_path *path = want->first_path; path != NULL; path = path->next)
        if (path->collection.len == 0 || str_eq(path->collection, target))
            paths[ret->field_count++] = path->path;
    assert(ret->field_count <= count);
    ret->fields = paths;
    return OK;
}

static uint32_t rank_of(const struct want *want, const struct wants *wants)
{
    assert(want->nested_at <= wants->nested_count);
    if (want->nested_at > 0)
        return want->nested_at;
    return want->is_alias_name ? wants->nested_count + 1 : 0;
}

const struct want **wants_in_order(struct compiler *c, const struct wants *wants)
{
    uint32_t ranks = wants->nested_count + 2;
    uint32_t *places = arena_array(c->arena, uint32_t, ranks + 1);
    const struct want **ordered = arena_array(c->arena, const struct want *, wants->count + 1);
    for (const struct want *want = wants->first; want != NULL; want = want->next)
        places[rank_of(want, wants) + 1]++;
    for (uint32_t i = 1; i <= ranks; i++)
        places[i] += places[i - 1];
    assert(places[ranks] == wants->count);
    for (const struct want *want = wants->first; want != NULL; want = want->next)
        ordered[places[rank_of(want, wants)]++] = want;
    return ordered;
}
