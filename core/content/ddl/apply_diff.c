/*
 * From two snapshots to the changes between them. Everything that can be refused without touching
 * the database is refused here, with the place in the snapshot.
 */
#include "content/ddl/apply_internal.h"
#include "content/ddl/ddl_internal.h"

#include <assert.h>

struct part {
    enum change_of of;
    const char *name; /* in the snapshot */
    uint32_t max;
};

static const struct part PARTS[CHANGE_OF_COUNT] = {
    {OF_COLLECTION, "collections", APPLY_COLLECTIONS_MAX},
    {OF_FIELD, "fields", APPLY_FIELDS_MAX},
    {OF_RELATION, "relations", APPLY_RELATIONS_MAX},
};

struct maker {
    struct ctx *ctx;
    const struct json *wanted;
    const struct json *current;
    const struct own *own;
    bool may_delete;
    struct map *collections; /* of the wanted snapshot */
    struct diff *diff;
};

static Str text_of(const struct json *entry, const char *key)
{
    const struct json *value = json_get(entry, str_from_z(key));
    return json_kind(value) == JSON_STRING ? json_str(value) : STR_NONE;
}

static Str key_of(struct arena *arena, const struct part *part, const struct json *entry)
{
    assert(part->of < CHANGE_OF_COUNT);
    Str collection = text_of(entry, "collection");
    if (part->of == OF_COLLECTION)
        return collection;
    Str field = text_of(entry, "field");
    return str_printf(arena, "%.*s.%.*s", STR_FMT(collection), STR_FMT(field));
}

static bool is_own(const struct maker *m, const struct change *change)
{
    assert(m->own != NULL);
    if (change->of == OF_COLLECTION)
        return own_has_collection(m->own, change->collection);
    return own_has_field(m->ctx->arena, m->own, change->collection, change->field);
}

static bool is_folder(const struct json *entry)
{
    return json_is_null(json_get(entry, STR("schema")));
}

static Err alter_collection_check(struct ctx *ctx, const struct change *change)
{
    assert(change->of == OF_COLLECTION);
    if (is_folder(change->wanted) == is_folder(change->current))
        return OK;
    return fail(ctx, ERR_INVALID_PAYLOAD,
                "%.*s: a folder cannot become a table, nor a table a folder",
                STR_FMT(change->path));
}

static Err alter_field_check(const struct maker *m, struct change *change)
{
    assert(change->of == OF_FIELD);
    struct ctx *ctx = m->ctx;
    Str wanted = text_of(change->wanted, "type");
    Str current = text_of(change->current, "type");
    change->is_retyped = !str_eq(wanted, current);
    if (change->is_retyped && (str_eq(wanted, STR("alias")) || str_eq(current, STR("alias"))))
        return fail(ctx, ERR_INVALID_PAYLOAD,
                    "%.*s: the type cannot change from \"%.*s\" to \"%.*s\"; make a new field",
                    STR_FMT(change->path), STR_FMT(current), STR_FMT(wanted));
    change->has_schema = change->has_schema || change->is_retyped;
    if (is_own(m, change) && (change->has_schema || change_names(change, STR("meta.special"))))
        return fail(ctx, ERR_CONFLICT,
                    "%.*s: this column belongs to the platform and cannot be changed.",
                    STR_FMT(change->path));
    if (change_names(change, STR("schema.is_primary_key")))
        return fail(ctx, ERR_INVALID_PAYLOAD,
                    "%.*s: the primary key of a collection cannot be changed",
                    STR_FMT(change->path));
    return OK;
}

static Err alter_relation_check(const struct maker *m, const struct change *change)
{
    assert(change->of == OF_RELATION);
    struct ctx *ctx = m->ctx;
    bool is_moved = !str_eq(text_of(change->wanted, "related_collection"),
                            text_of(change->current, "related_collection"));
    bool is_changed = is_moved || change->has_meta || change->has_schema;
    if (is_changed && is_own(m, change))
        return fail(ctx, ERR_CONFLICT,
                    "%.*s: this relation belongs to the platform and cannot be changed.",
                    STR_FMT(change->path));
    if (is_moved)
        return fail(ctx, ERR_INVALID_PAYLOAD,
                    "%.*s: a relation cannot move to another collection; create a new field",
                    STR_FMT(change->path));
    return OK;
}

static void add(struct maker *m, const struct change *change)
{
    assert(change->wanted != NULL || change->current != NULL);
    struct diff *diff = m->diff;
    diff->list[diff->count++] = *change;
    if (change->kept == NULL)
        diff->due++;
    else
        diff->kept++;
}

static Err take_wanted(struct maker *m, struct change *change)
{
    assert(change->wanted != NULL);
    if (change->current == NULL) {
        change->kind = CHANGE_CREATE;
        add(m, change);
        return OK;
    }
    change->kind = CHANGE_ALTER;
    apply_compare(m->ctx, change);
    switch (change->of) {
    case OF_COLLECTION:
        TRY(alter_collection_check(m->ctx, change));
        break;
    case OF_FIELD:
        TRY(alter_field_check(m, change));
        break;
    default:
        TRY(alter_relation_check(m, change));
        break;
    }
    if (change->has_meta || change->has_schema)
        add(m, change);
    return OK;
}

/* Of a collection that goes, its fields and relations go with it and are not told one by one. */
static void take_gone(struct maker *m, struct change *change)
{
    assert(change->wanted == NULL && change->current != NULL);
    bool goes_with = map_get(m->collections, change->collection) == NULL;
    if (change->of != OF_COLLECTION && goes_with && !(change->of == OF_RELATION && m->may_delete))
        return;
    change->kind = CHANGE_DELETE;
    bool is_gone_with_own = goes_with && own_has_collection(m->own, change->collection);
    if (is_own(m, change) || (m->may_delete && is_gone_with_own))
        change->kept = "it came with the platform";
    else if (!m->may_delete)
        change->kept = "\"allow_delete\" is not true";
    add(m, change);
}

static struct change change_of(struct maker *m, const struct part *part, uint32_t index,
                               const struct json *entry)
{
    Str key = key_of(m->ctx->arena, part, entry);
    return (struct change){
        .of = part->of,
        .collection = text_of(entry, "collection"),
        .field = part->of == OF_COLLECTION ? STR_NONE : text_of(entry, "field"),
        .path = str_printf(m->ctx->arena, "%s[%u] (%.*s)", part->name, index, STR_FMT(key)),
    };
}

static Err names_check(const struct maker *m, const struct change *change)
{
    assert(change->wanted != NULL);
    struct ctx *ctx = m->ctx;
    bool has_names =
        change->collection.len > 0 && (change->of == OF_COLLECTION || change->field.len > 0);
    if (!has_names)
        return fail(ctx, ERR_INVALID_PAYLOAD, "%.*s: \"collection\"%s is required",
                    STR_FMT(change->path), change->of == OF_COLLECTION ? "" : " and \"field\"");
    if (str_starts_with(change->collection, STR("directus_")))
        return fail(ctx, ERR_INVALID_PAYLOAD, "%.*s: system collections cannot be applied",
                    STR_FMT(change->path));
    if (change->of != OF_COLLECTION && map_get(m->collections, change->collection) == NULL)
        return fail(ctx, ERR_INVALID_PAYLOAD, "%.*s: \"collections\" has no \"%.*s\"",
                    STR_FMT(change->path), STR_FMT(change->collection));
    Str related =
        change->of == OF_RELATION ? text_of(change->wanted, "related_collection") : STR_NONE;
    if (related.len > 0 && !str_starts_with(related, STR("directus_")) &&
        map_get(m->collections, related) == NULL)
        return fail(ctx, ERR_INVALID_PAYLOAD, "%.*s: \"collections\" has no \"%.*s\"",
                    STR_FMT(change->path), STR_FMT(related));
    return OK;
}

/* name → entry of the present schema. */
static fiber_fn const struct map *index_current(struct maker *m, const struct part *part)
{
    struct map *map = map_in_arena(m->ctx->arena);
    const struct json *list = json_get(m->current, str_from_z(part->name));
    for (uint32_t i = 0; i < json_len(list); i++) {
        fiber_pause();
        map_put(map, key_of(m->ctx->arena, part, json_at(list, i)),
                (void *)(uintptr_t)json_at(list, i));
    }
    return map;
}

static fiber_fn Err diff_part(struct maker *m, const struct part *part)
{
    struct ctx *ctx = m->ctx;
    const struct map *known = index_current(m, part);
    struct map *seen = part->of == OF_COLLECTION ? m->collections : map_in_arena(ctx->arena);
    const struct json *wanted = json_get(m->wanted, str_from_z(part->name));
    for (uint32_t i = 0; i < json_len(wanted); i++) {
        TRY(fiber_breathe(ctx));
        const struct json *entry = json_at(wanted, i);
        struct change change = change_of(m, part, i, entry);
        Str key = key_of(ctx->arena, part, entry);
        change.wanted = entry;
        change.current = map_get(known, key);
        TRY(names_check(m, &change));
        if (map_put(seen, key, (void *)(uintptr_t)entry) != NULL)
            return fail(ctx, ERR_INVALID_PAYLOAD, "%.*s: it is listed twice", STR_FMT(change.path));
        TRY(take_wanted(m, &change));
    }
    const struct json *current = json_get(m->current, str_from_z(part->name));
    for (uint32_t i = 0; i < json_len(current); i++) {
        TRY(fiber_breathe(ctx));
        const struct json *entry = json_at(current, i);
        struct change change = change_of(m, part, i, entry);
        change.current = entry;
        if (map_get(seen, key_of(ctx->arena, part, entry)) == NULL)
            take_gone(m, &change);
    }
    return OK;
}

/* So much as a request that makes one collection or field may have by default: whoever looks at an
 * entry looks at all of it in one go. */
static fiber_fn Err entries_check(struct ctx *ctx, const struct part *part, const struct json *list)
{
    enum { ENTRY_MAX = 1024 * 1024 };
    for (uint32_t i = 0; i < json_len(list); i++) {
        TRY(fiber_breathe(ctx));
        const struct json *entry = json_at(list, i);
        if (json_kind(entry) != JSON_OBJECT)
            return fail(ctx, ERR_INVALID_PAYLOAD, "%s[%u]: it must be an object, not %s",
                        part->name, i, json_kind_name(entry));
        if (json_is_long(entry, ENTRY_MAX))
            return fail(ctx, ERR_INVALID_PAYLOAD, "%s[%u]: it has more than %d bytes", part->name,
                        i, ENTRY_MAX);
    }
    return OK;
}

static fiber_fn Err shape_check(struct ctx *ctx, const struct json *wanted)
{
    const struct json *version = json_get(wanted, STR("version"));
    Str vendor = text_of(wanted, "vendor");
    if (json_kind(wanted) != JSON_OBJECT)
        return fail(ctx, ERR_INVALID_PAYLOAD, "The snapshot must be an object, not %s",
                    json_kind_name(wanted));
    if (json_kind(version) != JSON_INT || json_int(version) != 1)
        return fail(ctx, ERR_INVALID_PAYLOAD,
                    "version: this server accepts snapshots of version 1");
    if (vendor.len > 0 && !str_eq(vendor, STR("postgres")))
        return fail(ctx, ERR_INVALID_PAYLOAD,
                    "vendor: a snapshot of \"%.*s\" cannot be applied to PostgreSQL",
                    STR_FMT(vendor));
    for (uint32_t i = 0; i < CHANGE_OF_COUNT; i++) {
        const struct json *list = json_get(wanted, str_from_z(PARTS[i].name));
        if (json_kind(list) != JSON_ARRAY)
            return fail(ctx, ERR_INVALID_PAYLOAD, "\"%s\" must be an array", PARTS[i].name);
        if (json_len(list) > PARTS[i].max)
            return fail(ctx, ERR_INVALID_PAYLOAD, "\"%s\" can't have more than %u entries",
                        PARTS[i].name, PARTS[i].max);
        TRY(entries_check(ctx, &PARTS[i], list));
    }
    return OK;
}

fiber_fn Err apply_diff(struct ctx *ctx, const struct json *wanted, const struct json *current,
                        const struct own *own, bool may_delete, struct diff *ret)
{
    assert(own != NULL);
    TRY(shape_check(ctx, wanted));
    uint32_t most = 0;
    for (uint32_t i = 0; i < CHANGE_OF_COUNT; i++)
        most += json_len(json_get(wanted, str_from_z(PARTS[i].name))) +
                json_len(json_get(current, str_from_z(PARTS[i].name)));
    *ret = (struct diff){.list = arena_array(ctx->arena, struct change, most + 1)};
    struct maker maker = {
        .ctx = ctx,
        .wanted = wanted,
        .current = current,
        .own = own,
        .may_delete = may_delete,
        .collections = map_in_arena(ctx->arena),
        .diff = ret,
    };
    for (uint32_t i = 0; i < CHANGE_OF_COUNT; i++)
        TRY(diff_part(&maker, &PARTS[i]));
    assert(ret->due + ret->kept == ret->count);
    assert(ret->count <= most);
    return OK;
}
