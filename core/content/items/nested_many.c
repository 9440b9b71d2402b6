/*
 * To-many values: an array is the complete new set of children; {create, update, delete} names
 * changes of it.
 */
#include "base/json/json_build.h"
#include "base/memory/array.h"
#include "content/items/nested.h"
#include "content/plan/sql_print.h"

#include <assert.h>

enum { CHILDREN_SQL_MAX = 4096 };

/* The children of one parent, while they are written. */
struct children {
    struct writer *w;
    const struct relation *relation;
    const struct nested_parent *parent;
    const Str *keys; /* of those that belong to it, if they were looked for */
    uint32_t count;
    struct map *known; /* the same keys */
};

/* On the platform, children of the parent's own site: another site may have children of a row of
 * that key, though the row is gone, where no foreign key holds them. Rows of the library have
 * children of every site. */
static void put_own_site(struct sql *sql, const struct children *c)
{
    const struct collection *child = c->relation->target;
    const struct collection *parent = c->relation->field->collection;
    assert(c->w->ctx->scope.kind == SCOPE_PLATFORM);
    if (child->site == NULL || !parent->is_keyed_by_site ||
        parent->key->type_oid != c->relation->target_field->type_oid)
        return;
    sql_text(sql, " and exists (select from ");
    sql_name(sql, parent->name);
    sql_text(sql, " p where p.");
    sql_name(sql, parent->key->name);
    sql_text(sql, " = $1 and p.");
    sql_name(sql, parent->site->name);
    sql_text(sql, " in (");
    sql_name(sql, child->name);
    buf_put_char(sql->out, '.');
    sql_name(sql, child->site->name);
    sql_text(sql, ", '" UUID_LIBRARY_SITE_TEXT "'::uuid))");
}

/* "from child where parent = $1", within the site. What the caller may not read counts too: it
 * would stay linked otherwise. */
static void put_children(struct sql *sql, const struct children *c)
{
    assert(c->relation->kind == RELATION_TO_MANY && c->relation->target_field != NULL);
    sql_text(sql, " from ");
    sql_name(sql, c->relation->target->name);
    sql_text(sql, " where ");
    sql_name(sql, c->relation->target_field->name);
    sql_text(sql, " = $1");
    if (c->w->ctx->scope.kind == SCOPE_SITE && c->relation->target->site != NULL) {
        sql_text(sql, " and ");
        sql_name(sql, c->relation->target->site->name);
        sql_text(sql, " = $2");
    } else if (c->w->ctx->scope.kind == SCOPE_PLATFORM) {
        put_own_site(sql, c);
    }
}

static fiber_fn Err ask_children(const struct children *c, struct sql *sql, struct rows *ret)
{
    assert(c->w->tx != NULL);
    buf_put_char(sql->out, '\0');
    TRY(buf_check(c->w->ctx, sql->out, "the statement"));
    struct statement statement = {.sql = sql->out->data,
                                  .lane = DB_WRITE,
                                  .types = c->relation->target_field->type_oid,
                                  .is_of_schema = true};
    const DbArg list[] = {db_text(c->parent->key), db_uuid(c->w->ctx->scope.site)};
    bool is_of_site = c->w->ctx->scope.kind == SCOPE_SITE && c->relation->target->site != NULL;
    assert(!is_of_site || !uuid_is_nil(c->w->ctx->scope.site));
    TRY(write_queue_run(c->w));
    return db_tx_query(c->w->tx, &statement, (struct db_args){list, is_of_site ? 2 : 1}, ret);
}

static fiber_fn Err find_children(struct children *c)
{
    assert(c->known == NULL && c->count == 0); /* they are looked for once */
    struct ctx *ctx = c->w->ctx;
    struct rows rows;
    if (c->parent->is_new)
        return OK;
    struct sql sql = {.out = buf_in_arena(ctx->arena, CHILDREN_SQL_MAX)};
    sql_text(&sql, "select ");
    sql_name(&sql, c->relation->target->key->name);
    put_children(&sql, c);
    buf_printf(sql.out, " limit %d", ITEMS_WRITE_MAX + 1);
    TRY(ask_children(c, &sql, &rows));
    if (rows.count > ITEMS_WRITE_MAX)
        return fail(ctx, ERR_INVALID_PAYLOAD, "More than %d rows in \"%.*s\"", ITEMS_WRITE_MAX,
                    STR_FMT(c->relation->field->name));
    Str *keys = arena_array(ctx->arena, Str, (size_t)rows.count + 1);
    c->known = map_in_arena(ctx->arena);
    for (uint32_t i = 0; i < rows.count; i++) {
        keys[i] = key_of_row(ctx->arena, &rows, i, 0);
        map_put(c->known, keys[i], c);
    }
    c->keys = keys;
    c->count = rows.count;
    return OK;
}

/* The position after the last child, for relations with an order. */
static fiber_fn Err next_place(const struct children *c, int64_t *ret)
{
    assert(c->relation->sort_field != NULL);
    *ret = 1;
    if (c->parent->is_new)
        return OK;
    struct sql sql = {.out = buf_in_arena(c->w->ctx->arena, CHILDREN_SQL_MAX)};
    sql_text(&sql, "select coalesce(max(");
    sql_name(&sql, c->relation->sort_field->name);
    sql_text(&sql, "), 0)::int8");
    put_children(&sql, c);
    struct rows rows;
    TRY(ask_children(c, &sql, &rows));
    *ret = row_int(&rows, 0, 0) + 1;
    return OK;
}

static bool is_child(const struct children *c, Str key)
{
    return c->known != NULL && map_get(c->known, key) != NULL;
}

/* A child to write; `link`: its reference to the parent is set as well. */
static Err open_child(const struct children *c, enum action action, bool link,
                      struct write_target *ret)
{
    assert(action == ACTION_CREATE || action == ACTION_UPDATE || action == ACTION_DELETE);
    TRY(nested_open(c->w, c->relation->target, action, c->parent->path, ret));
    ret->parent_revision = c->parent->revision;
    if (!link)
        return OK;
    ret->link = c->relation->target_field;
    ret->link_value = c->parent->key;
    return OK;
}

/* Children that no longer belong to the parent are unlinked or deleted. */
static fiber_fn Err deselect(const struct children *c, const Str *keys, uint32_t count)
{
    assert(count == 0 || keys != NULL);
    struct write_target target;
    if (count == 0)
        return OK;
    if (c->relation->deselect_deletes) {
        TRY(open_child(c, ACTION_DELETE, false, &target));
        return write_delete_keys(c->w, &target, keys, count);
    }
    const struct json *nothing;
    TRY(json_of_no_members(c->w->ctx, &nothing));
    TRY(open_child(c, ACTION_UPDATE, true, &target));
    target.link_value = STR_NONE;
    return write_update_keys(c->w, &target, keys, count, nothing);
}

/* An existing row is linked to the parent. */
static fiber_fn Err link_row(const struct children *c, const struct json *given, Str *ret_key)
{
    struct writer *w = c->w;
    struct write_target target;
    const struct json *nothing;
    struct run run = {.ctx = w->ctx};
    if (!write_key_of_json(w->ctx->arena, c->relation->target->key, given, ret_key))
        return fail_plain(w->ctx, ERR_FORBIDDEN);
    if (is_child(c, *ret_key))
        return OK;
    TRY(json_of_no_members(w->ctx, &nothing));
    TRY(open_child(c, ACTION_UPDATE, true, &target));
    TRY(write_update_one(w, &target, *ret_key, nothing, NULL, &run));
    return run.rows.count == 1 ? OK : fail_plain(w->ctx, ERR_FORBIDDEN);
}

/* New children, together. place: of the first in the order of siblings; 0: has none. */
static fiber_fn Err create_children(const struct children *c, const struct json *const *objects,
                                    uint32_t count, int64_t place, struct new_rows *ret)
{
    assert(place == 0 || c->relation->sort_field != NULL);
    if (count == 0)
        return OK;
    struct write_target *target = arena_new(c->w->ctx->arena, struct write_target);
    TRY(open_child(c, ACTION_CREATE, true, target));
    target->order = place > 0 ? c->relation->sort_field : NULL;
    target->order_value = place;
    *ret = (struct new_rows){.target = target, .items = objects, .count = count};
    return write_create_rows(c->w, ret);
}

/* The reference is written only if it changes, because that needs a grant. */
static fiber_fn Err update_child(const struct children *c, Str key, const struct json *object)
{
    struct write_target target;
    struct run run = {.ctx = c->w->ctx};
    bool is_linked = is_child(c, key);
    bool names_parent = json_get(object, c->relation->target_field->name) != NULL;
    if (is_linked && json_len(object) == 1)
        return OK;
    TRY(open_child(c, ACTION_UPDATE, !is_linked || names_parent, &target));
    return write_update_one(c->w, &target, key, object, NULL, &run);
}

/* Updates if the key is present and exists; else creates. */
static fiber_fn Err upsert_child(const struct children *c, const struct json *object, Str *ret_key)
{
    assert(json_kind(object) == JSON_OBJECT);
    const struct collection *child = c->relation->target;
    const struct json *given = json_get(object, child->key->name);
    bool is_known = false;
    if (!json_is_null(given)) {
        if (!write_key_of_json(c->w->ctx->arena, child->key, given, ret_key))
            return fail_plain(c->w->ctx, ERR_FORBIDDEN);
        is_known = is_child(c, *ret_key);
        if (!is_known)
            TRY(nested_exists(c->w, child, *ret_key, &is_known));
    }
    if (is_known)
        return update_child(c, *ret_key, object);
    struct new_rows created;
    TRY(create_children(c, &object, 1, 0, &created));
    *ret_key = created.keys[0];
    return OK;
}

static bool is_new_child(const struct children *c, const struct json *element)
{
    return json_kind(element) == JSON_OBJECT &&
           json_is_null(json_get(element, c->relation->target->key->name));
}

/* The new children of the list from `from` up to the next that is not new. */
static fiber_fn Err create_next(const struct children *c, const struct json *list, uint32_t from,
                                uint32_t *ret_count)
{
    uint32_t count = 1;
    assert(is_new_child(c, json_at(list, from)));
    while (from + count < json_len(list) && is_new_child(c, json_at(list, from + count)))
        count++;
    const struct json **objects = arena_array(c->w->ctx->arena, const struct json *, count);
    for (uint32_t i = 0; i < count; i++)
        objects[i] = json_at(list, from + i);
    struct new_rows created;
    *ret_count = count;
    return create_children(c, objects, count, 0, &created);
}

static Err check_count(const struct children *c, const struct json *list)
{
    if (json_len(list) > ITEMS_WRITE_MAX)
        return fail(c->w->ctx, ERR_INVALID_PAYLOAD, "More than %d rows in \"%.*s\"",
                    ITEMS_WRITE_MAX, STR_FMT(c->relation->field->name));
    return OK;
}

static fiber_fn Err write_element(struct children *c, const struct json *element, Str *ret_key)
{
    switch (json_kind(element)) {
    case JSON_OBJECT:
        return upsert_child(c, element, ret_key);
    case JSON_NULL:
    case JSON_BOOL:
    case JSON_ARRAY:
        return fail(c->w->ctx, ERR_INVALID_PAYLOAD,
                    "An element of \"%.*s\" must be an object or a key",
                    STR_FMT(c->relation->field->name));
    default:
        return link_row(c, element, ret_key);
    }
}

/* The body is the complete new set: other children are deselected. */
static fiber_fn Err write_set(struct children *c, const struct json *list)
{
    struct arena *arena = c->w->ctx->arena;
    uint32_t count = json_len(list);
    TRY(check_count(c, list));
    TRY(find_children(c));
    struct map *kept = map_in_arena(arena);
    for (uint32_t i = 0, step = 1; i < count; i += step) {
        Str key;
        step = 1;
        if (is_new_child(c, json_at(list, i))) {
            TRY(create_next(c, list, i, &step));
            continue; /* none of those that were linked before */
        }
        TRY(write_element(c, json_at(list, i), &key));
        map_put(kept, key, c);
    }
    Str *gone = arena_array(arena, Str, (size_t)c->count + 1);
    uint32_t gone_count = 0;
    for (uint32_t i = 0; i < c->count; i++) {
        if (map_get(kept, c->keys[i]) == NULL)
            gone[gone_count++] = c->keys[i];
    }
    assert(gone_count <= c->count);
    return deselect(c, gone, gone_count);
}

/* A member of the detailed form: its name, and what its elements may be. */
struct member {
    Str name;
    bool takes_keys; /* else objects */
};
static const struct member CREATE = {STR_INIT("create"), false};
static const struct member UPDATE = {STR_INIT("update"), false};
static const struct member DELETE = {STR_INIT("delete"), true};

static const struct member *find_member(Str name)
{
    static const struct member *const MEMBERS[] = {&CREATE, &UPDATE, &DELETE};
    for (size_t i = 0; i < COUNT_OF(MEMBERS); i++) {
        if (str_eq(MEMBERS[i]->name, name))
            return MEMBERS[i];
    }
    return NULL;
}

static Err bad_structure(struct ctx *ctx, Str what)
{
    return fail(ctx, ERR_INVALID_PAYLOAD, "Invalid one-to-many update structure: %.*s",
                STR_FMT(what));
}

static Err check_elements(struct ctx *ctx, const struct member *member, const struct json *list)
{
    assert(json_kind(list) == JSON_ARRAY);
    for (uint32_t i = 0; i < json_len(list); i++) {
        enum json_kind kind = json_kind(json_at(list, i));
        bool is_key = kind == JSON_STRING || kind == JSON_INT;
        if (member->takes_keys ? is_key : kind == JSON_OBJECT)
            continue;
        return bad_structure(
            ctx, str_printf(ctx->arena, "\"%.*s[%u]\" %s", STR_FMT(member->name), i,
                            member->takes_keys ? "does not match any of the allowed types"
                                               : "must be of type object"));
    }
    return OK;
}

static Err check_structure(const struct children *c, const struct json *changes)
{
    struct ctx *ctx = c->w->ctx;
    if (json_kind(changes) != JSON_OBJECT)
        return bad_structure(ctx, STR("\"value\" must be of type object"));
    for (struct json_iter it = json_iter(changes); json_next(&it);) {
        const struct member *member = find_member(it.key);
        if (member == NULL)
            return bad_structure(
                ctx, str_printf(ctx->arena, "\"%.*s\" is not allowed", STR_FMT(it.key)));
        if (json_kind(it.value) != JSON_ARRAY)
            return bad_structure(
                ctx, str_printf(ctx->arena, "\"%.*s\" must be an array", STR_FMT(it.key)));
        TRY(check_count(c, it.value));
        TRY(check_elements(ctx, member, it.value));
    }
    return OK;
}

static fiber_fn Err create_listed(const struct children *c, const struct json *list)
{
    int64_t place = 0;
    uint32_t count = json_len(list);
    const struct json **objects =
        arena_array(c->w->ctx->arena, const struct json *, (size_t)count + 1);
    for (uint32_t i = 0; i < count; i++)
        objects[i] = json_at(list, i);
    if (count > 0 && c->relation->sort_field != NULL)
        TRY(next_place(c, &place));
    struct new_rows created;
    return create_children(c, objects, count, place, &created);
}

static fiber_fn Err update_listed(const struct children *c, const struct json *list)
{
    const struct field *key_field = c->relation->target->key;
    for (uint32_t i = 0; i < json_len(list); i++) {
        const struct json *given = json_get(json_at(list, i), key_field->name);
        Str key;
        if (json_is_null(given) || !write_key_of_json(c->w->ctx->arena, key_field, given, &key))
            return fail(c->w->ctx, ERR_INVALID_PAYLOAD, "Item in update misses primary key");
        TRY(update_child(c, key, json_at(list, i)));
    }
    return OK;
}

static fiber_fn Err delete_listed(const struct children *c, const struct json *list)
{
    assert(!c->parent->is_new);
    struct arena *arena = c->w->ctx->arena;
    Str *gone = arena_array(arena, Str, (size_t)json_len(list) + 1);
    uint32_t count = 0;
    struct map *seen = map_in_arena(arena);
    for (uint32_t i = 0; i < json_len(list); i++) {
        Str key;
        bool is_key = write_key_of_json(arena, c->relation->target->key, json_at(list, i), &key);
        if (is_key && is_child(c, key) && map_put(seen, key, seen) == NULL)
            gone[count++] = key;
    }
    return deselect(c, gone, count);
}

/* A row that was linked by "update" may be named by "delete" as well, so the children are found
 * again. */
static fiber_fn Err write_changes(struct children *c, const struct json *changes)
{
    TRY(check_structure(c, changes));
    const struct json *updated = json_get(changes, UPDATE.name);
    const struct json *deleted = json_get(changes, DELETE.name);
    TRY(create_listed(c, json_get(changes, CREATE.name)));
    if (json_len(updated) > 0) {
        TRY(find_children(c));
        TRY(update_listed(c, updated));
    }
    if (json_len(deleted) == 0)
        return OK;
    struct nested_parent parent = *c->parent;
    parent.is_new = false;
    struct children after = {.w = c->w, .relation = c->relation, .parent = &parent};
    TRY(find_children(&after));
    return delete_listed(&after, deleted);
}

fiber_fn Err nested_to_many(struct writer *w, const struct relation *relation,
                            const struct json *value, const struct nested_parent *parent)
{
    assert(relation->kind == RELATION_TO_MANY && w->tx != NULL);
    struct children c = {.w = w, .relation = relation, .parent = parent};
    bool is_set = json_is_null(value) || json_kind(value) == JSON_ARRAY;
    return is_set ? write_set(&c, value) : write_changes(&c, value);
}
