/*
 * Which name a refused query is refused for.
 *
 * The compiler stops at the first name that does not exist or may not be read. Directus looks at
 * all names before: first for those that do not exist, then for those that may not be read, and of
 * these at the selected fields, level by level, before filters and sorts. It tells all of one place
 * at once. Of a query with several such names, this finds those that Directus tells. It only
 * chooses the words: the query is refused already.
 */
#include "base/memory/array.h"
#include "base/memory/list.h"
#include "content/plan/wants.h"
#include "content/schema/schema.h"

#include <assert.h>

enum {
    PATHS_MAX = 1000, /* of filters and sorts; queries with more keep the compiler's error */
    PARTS_MAX = QUERY_FILTER_DEPTH + FILTER_FIELDS_DEPTH,
    FIRST_NAMES = 8,
};

/* A level of the query: names of fields of one collection. */
struct level {
    struct level *next;
    Str path;
    Str collection_name;
    const struct collection *collection; /* NULL: there is none of this name */
    Str *names;
    uint32_t count;
    uint32_t capacity;
};

struct levels {
    struct level *first;
    struct level *last;
};

struct refusal {
    struct compiler *c;
    struct levels selected; /* fields, groups and aggregates */
    struct levels compared; /* filters and sorts */
    uint32_t path_count;
    bool is_lost;
};

static struct level *level_of(struct refusal *r, struct levels *levels, Str path,
                              Str collection_name, const struct collection *collection)
{
    for (struct level *level = levels->first; level != NULL; level = level->next)
        if (str_eq(level->path, path))
            return level;
    struct level *level = arena_new(r->c->ctx->arena, struct level);
    level->path = path;
    level->collection_name = collection_name;
    level->collection = collection;
    LIST_APPEND(levels->first, levels->last, level);
    return level;
}

static void note(struct refusal *r, struct level *level, Str name)
{
    for (uint32_t i = 0; i < level->count; i++)
        if (str_eq(level->names[i], name))
            return;
    ARRAY_GROW_IN(r->c->ctx->arena, level->names, level->count, level->capacity, FIRST_NAMES);
    level->names[level->count++] = name;
}

static Str below(struct refusal *r, Str path, Str name)
{
    return path.len == 0 ? name
                         : str_printf(r->c->ctx->arena, "%.*s.%.*s", STR_FMT(path), STR_FMT(name));
}

/* The field of "year(date)" and of "date". */
static Str field_of_call(Str part)
{
    Str argument = part;
    (void)function_split(part, &argument);
    return argument;
}

/* Follows the relations that the parts of a path name, and notes each part where it is. */
static void note_path(struct refusal *r, struct levels *levels, const struct collection *collection,
                      Str path, const Str *parts, uint32_t count)
{
    r->is_lost |= ++r->path_count > PATHS_MAX;
    Str collection_name = collection->name;
    for (uint32_t i = 0; i < count && !r->is_lost; i++) {
        Str part = parts[i];
        Str name = field_of_call(part);
        Str target;
        struct level *level = level_of(r, levels, path, collection_name, collection);
        if (named_is_follow(part) || collection == NULL)
            return;
        if (named_is_scope(part, &name, &target)) {
            note(r, level, name);
            collection_name = target;
            collection = schema_find(r->c->schema, target);
            path = below(r, path, part);
            continue;
        }
        note(r, level, name);
        const struct field *field = collection_field(collection, part);
        const struct relation *relation = field == NULL ? NULL : field->relation;
        if (relation == NULL || relation->target == NULL)
            continue;
        collection = relation->target;
        collection_name = collection->name;
        path = below(r, path, part);
    }
}

static void note_dotted(struct refusal *r, struct levels *levels,
                        const struct collection *collection, Str path, Str dotted)
{
    Str parts[QUERY_DEPTH_MAX + 1];
    uint32_t count = 0;
    if (dotted.len == 0)
        parts[count++] = STR("");
    while (count < COUNT_OF(parts) && path_next(&dotted, &parts[count])) {
        bool is_path_in_call =
            str_find_char(parts[count], '(') > 0 && str_find_char(parts[count], '.') > 0;
        if (is_path_in_call)
            return; /* "year(a.b)": only Spark takes it */
        count++;
    }
    note_path(r, levels, collection, path, parts, count);
}

/* A filter, and the names above the member that is looked at. */
struct filter_walk {
    struct refusal *r;
    const struct collection *collection;
    Str path;
    Str parts[PARTS_MAX];
};

static void note_here(struct filter_walk *walk, uint32_t depth)
{
    if (depth > 0)
        note_path(walk->r, &walk->r->compared, walk->collection, walk->path, walk->parts, depth);
}

static bool is_condition(const struct filter *member)
{
    return member->kind == FILTER_OPERATOR;
}

static bool is_group(const struct filter *member)
{
    return member->kind == FILTER_AND || member->kind == FILTER_OR;
}

static void walk_filter(struct filter_walk *walk, const struct filter_value *value, uint32_t depth,
                        bool is_listed);

/* The members that hold further ones; Directus takes them from a stack, the last first. */
static void walk_members(struct filter_walk *walk, const struct filter_value *object,
                         uint32_t depth)
{
    assert(object->kind == FILTER_MEMBERS);
    const struct filter **members =
        arena_array(walk->r->c->ctx->arena, const struct filter *, object->count + 1);
    uint32_t count = 0;
    for (const struct filter *member = object->first; member != NULL; member = member->next)
        if (!is_condition(member))
            members[count++] = member;
    while (count > 0 && !walk->r->is_lost) {
        const struct filter *member = members[--count];
        bool is_name = member->kind == FILTER_FIELD;
        if (is_name)
            walk->parts[depth] = member->name;
        walk_filter(walk, member->value, depth + is_name, is_group(member));
    }
}

static void walk_list(struct filter_walk *walk, const struct filter_value *list, uint32_t depth,
                      bool is_listed)
{
    for (uint32_t i = list->count; i-- > 0 && !walk->r->is_lost;) {
        if (!is_listed) /* {0: …, 1: …} */
            walk->parts[depth] = str_printf(walk->r->c->ctx->arena, "%u", i);
        walk_filter(walk, &list->items[i], depth + !is_listed, false);
    }
}

/* `is_listed`: a list of conditions, below _and or _or. Recursion is limited by the depth of the
 * filter. */
static void walk_filter(struct filter_walk *walk, const struct filter_value *value, uint32_t depth,
                        bool is_listed)
{
    walk->r->is_lost |= depth + 1 >= PARTS_MAX || ++walk->r->path_count > PATHS_MAX;
    if (walk->r->is_lost)
        return;
    if (value->kind == FILTER_LIST) {
        walk_list(walk, value, depth, is_listed);
        return;
    }
    bool is_here = value->kind != FILTER_MEMBERS;
    for (const struct filter *member = value->first; member != NULL; member = member->next)
        is_here |= is_condition(member);
    if (is_here)
        note_here(walk, depth);
    if (value->kind == FILTER_MEMBERS)
        walk_members(walk, value, depth);
}

/* "sum.views" names no field where sums are asked for. */
static bool is_aggregate(const struct query *query, Str path)
{
    Str head;
    bool has_head = path_next(&path, &head);
    for (uint32_t i = 0; i < query->aggregate_count && has_head; i++)
        if (str_eq(head, query->aggregates[i].function))
            return true;
    return false;
}

static void note_query(struct refusal *r, const struct collection *collection,
                       const struct query *query, Str path)
{
    struct filter_walk walk = {.r = r, .collection = collection, .path = path};
    if (query->filter != NULL)
        walk_filter(&walk, query->filter, 0, false);
    for (uint32_t i = 0; i < query->sort_count; i++)
        if (!is_aggregate(query, query->sort[i].path))
            note_dotted(r, &r->compared, collection, path, query->sort[i].path);
    for (uint32_t i = 0; i < query->group_by_count; i++)
        note_dotted(r, &r->selected, collection, path, query->group_by[i]);
    for (uint32_t i = 0; i < query->aggregate_count; i++)
        if (!str_eq(query->aggregates[i].field, STR("*")))
            note_dotted(r, &r->selected, collection, path, query->aggregates[i].field);
}

static void note_selected(struct refusal *r, const struct collection *collection,
                          const struct query *query, struct place place);

static void note_below(struct refusal *r, const struct want *want, Str key,
                       const struct collection *target, const struct query_deep *deep,
                       struct place place)
{
    struct query query;
    struct access access;
    struct place there = place_below(r->c, place, key);
    there.via = want->field->relation;
    if (r->is_lost || !access_find(r->c, target, ACTION_READ, &access))
        return;
    r->is_lost = want_query(r->c, query_deep_find(deep, key), want, target->name, &query) != OK;
    if (r->is_lost)
        return;
    bool is_key_only = query.field_count == 0;
    if (!is_key_only)
        note_selected(r, target, &query, there);
    note_query(r, target, &query, there.path);
}

/* The selected fields, and those of the rows below them. */
static void note_selected(struct refusal *r, const struct collection *collection,
                          const struct query *query, struct place place)
{
    struct access access;
    struct wants wants;
    const Str *missing;
    uint32_t count;
    struct level *level = level_of(r, &r->selected, place.path, collection->name, collection);
    bool is_read = access_find(r->c, collection, ACTION_READ, &access) &&
                   access_has_fields(&access) &&
                   query->aggregate_count + query->group_by_count == 0;
    if (!is_read)
        return;
    r->is_lost |=
        wants_find(r->c, collection, &access, query, place, &wants, &missing, &count) != OK;
    for (uint32_t i = 0; i < count && !r->is_lost; i++)
        note(r, level, missing[i]);
    const struct want **ordered = r->is_lost ? NULL : wants_in_order(r->c, &wants);
    for (uint32_t n = 0; ordered != NULL && n < wants.count && !r->is_lost; n++) {
        const struct want *want = ordered[n];
        const struct relation *relation = want->field->relation;
        note(r, level, want->field->name);
        bool is_nested = relation != NULL && want->function == FUNCTION_NONE && want->nested_at > 0;
        if (is_nested && relation->target != NULL)
            note_below(r, want, want->key, relation->target, query->deep, place);
        for (uint32_t i = 0; is_nested && i < relation->allowed_count; i++) {
            Str key = str_printf(r->c->ctx->arena, "%.*s:%.*s", STR_FMT(want->key),
                                 STR_FMT(relation->allowed[i]->name));
            note_below(r, want, key, relation->allowed[i], query->deep, place);
        }
    }
}

/* Refuses the names of a level: those that do not exist, or all that may not be read. */
static Err refuse_level(struct refusal *r, const struct level *level, bool is_about_rights)
{
    struct compiler *c = r->c;
    struct access access = {.is_full = true};
    bool is_visible = level->collection != NULL;
    if (is_visible && is_about_rights)
        is_visible = access_find(c, level->collection, ACTION_READ, &access);
    if (!is_visible)
        return schema_forbidden_collection(c->ctx, level->collection_name, level->path);
    Str *refused = arena_array(c->ctx->arena, Str, level->count + 1);
    uint32_t count = 0;
    for (uint32_t i = 0; i < level->count; i++) {
        const struct field *field = collection_field(level->collection, level->names[i]);
        if (field == NULL || !access_field(&access, field))
            refused[count++] = level->names[i];
    }
    if (count == 0)
        return OK;
    return forbid_fields(c, level->collection, refused, count, (struct place){.path = level->path});
}

static Err refuse(struct refusal *r, const struct levels *levels, bool is_about_rights)
{
    for (const struct level *level = levels->first; level != NULL; level = level->next)
        TRY(refuse_level(r, level, is_about_rights));
    return OK;
}

/* A group that does not exist is told alone. */
static Err refuse_group(struct refusal *r, const struct collection *collection,
                        const struct query *query)
{
    for (uint32_t i = 0; i < query->group_by_count; i++) {
        Str name = field_of_call(query->group_by[i]);
        if (str_find_char(name, '.') < 0 && collection_field(collection, name) == NULL)
            return forbid_field(r->c, collection, name, (struct place){0});
    }
    return OK;
}

static Err refuse_all(struct refusal *r, const struct collection *collection,
                      const struct query *query)
{
    TRY(refuse_group(r, collection, query));
    TRY(refuse(r, &r->compared, false));
    TRY(refuse(r, &r->selected, false));
    TRY(refuse(r, &r->selected, true));
    return refuse(r, &r->compared, true);
}

Err refusal_tell(struct compiler *c, const struct collection *collection, const struct query *query,
                 Err err)
{
    assert(err == ERR_FORBIDDEN && !query->is_unparsed);
    struct refusal r = {.c = c};
    struct diag before = c->ctx->diag;
    diag_clear(c->ctx);
    note_selected(&r, collection, query, (struct place){0});
    note_query(&r, collection, query, STR_NONE);
    if (r.is_lost || refuse_all(&r, collection, query) == OK)
        c->ctx->diag = before;
    return err;
}
