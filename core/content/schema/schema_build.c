#include "content/schema/schema_build.h"

#include "gen/system_meta.h"

#include <assert.h>

struct schema *schema_new(int64_t epoch)
{
    struct arena *arena = arena_create();
    struct schema *schema = arena_new(arena, struct schema);
    *schema = (struct schema){
        .epoch = epoch,
        .collections = map_in_arena(arena),
        .role_parents = map_in_arena(arena),
        .arena = arena,
        .references = 1,
    };
    return schema;
}

void schema_unref(void *object)
{
    struct schema *schema = object;
    if (schema == NULL)
        return;
    assert(schema->references > 0);
    if (--schema->references == 0)
        arena_destroy(schema->arena);
}

static struct collection *collection_get(struct schema *schema, Str name)
{
    return map_get(schema->collections, name);
}

static struct collection *collection_add(struct schema *schema, Str name)
{
    assert(name.len > 0);
    struct collection *collection = collection_get(schema, name);
    if (collection != NULL)
        return collection;
    collection = arena_new(schema->arena, struct collection);
    collection->name = str_dup(schema->arena, name);
    collection->fields_by_name = map_in_arena(schema->arena);
    collection->is_system = str_starts_with(name, STR("directus_"));
    collection->accountability = TRACK_ALL;
    map_put(schema->collections, collection->name, collection);
    return collection;
}

static struct field *field_get(const struct schema *schema, Str collection, Str name)
{
    const struct collection *found = map_get(schema->collections, collection);
    return found == NULL ? NULL : map_get(found->fields_by_name, name);
}

/* Capacity doubles when the length reaches a power of two. */
static struct field *field_add(struct schema *schema, struct collection *collection, Str name)
{
    assert(name.len > 0 && collection->fields_by_name != NULL);
    uint32_t count = collection->field_count;
    if ((count & (count - 1)) == 0) {
        struct field **grown =
            arena_array(schema->arena, struct field *, count == 0 ? 1 : (size_t)count * 2);
        if (count > 0)
            memcpy(grown, collection->fields, count * sizeof grown[0]);
        collection->fields = grown;
    }
    struct field *field = arena_new(schema->arena, struct field);
    field->name = str_dup(schema->arena, name);
    field->collection = collection;
    field->ordinal = count;
    field->is_searchable = true;
    collection->fields[collection->field_count++] = field;
    map_put(collection->fields_by_name, field->name, field);
    return field;
}

void schema_add_column(struct schema *schema, const struct column_facts *facts)
{
    assert(facts->collection.len > 0 && facts->field.len > 0);
    struct collection *collection = collection_add(schema, facts->collection);
    struct field *field = field_add(schema, collection, facts->field);
    field->type_oid = facts->type_oid;
    field->type = field_type_of(facts->type_oid, 0, STR_NONE);
    field->max_length = facts->max_length;
    field->is_nullable = facts->is_nullable;
    field->has_default = facts->has_default;
    field->is_generated = facts->is_generated;
    field->is_own = facts->is_own;
    field->indexed = facts->indexed;
    /* The key of a partitioned table includes the partition column; `id` is the key. */
    bool is_id_of_pair = facts->key_columns > 1 && str_eq(facts->field, STR("id"));
    if (facts->key_columns == 1 || is_id_of_pair) {
        field->is_key = true;
        collection->key = field;
    }
}

void schema_set_field(struct schema *schema, Str collection, Str name, Str special,
                      const struct filter_value *validation, bool is_searchable)
{
    struct field *field = field_get(schema, collection, name);
    if (field == NULL)
        return;
    field->special = field_special_of(special);
    field->type = field_type_of(field->type_oid, field->special, special);
    field->validation = validation;
    field->is_searchable = is_searchable;
}

void schema_set_collection(struct schema *schema, Str name, Str sort_field, Str accountability,
                           bool is_singleton)
{
    struct collection *collection = collection_get(schema, name);
    if (collection == NULL)
        return;
    collection->sort_field = map_get(collection->fields_by_name, sort_field);
    collection->is_singleton = is_singleton;
    if (str_eq(accountability, STR("all")))
        collection->accountability = TRACK_ALL;
    else if (str_eq(accountability, STR("activity")))
        collection->accountability = TRACK_ACTIVITY;
    else
        collection->accountability = TRACK_NOTHING;
}

void schema_set_tenant(struct schema *schema, const struct tenant_facts *facts)
{
    struct collection *collection = collection_get(schema, facts->collection);
    if (collection == NULL)
        return;
    struct field *site = map_get(collection->fields_by_name, facts->site_column);
    assert(site == NULL || site->collection == collection);
    collection->site = site;
    collection->is_shared_read = facts->is_shared_read;
    collection->is_site_optional = facts->is_site_optional;
    collection->is_read_only = facts->is_read_only;
    collection->is_audited |= facts->is_audited;
    collection->is_keyed_by_site = facts->is_keyed_by_site;
    if (site != NULL)
        site->is_hidden_site = collection->is_system;
}

void schema_set_role(struct schema *schema, Uuid role, Uuid parent)
{
    assert(schema->role_parents != NULL);
    Uuid *value = arena_new(schema->arena, Uuid);
    *value = parent;
    map_put(schema->role_parents, uuid_text(schema->arena, role), value);
}

static void mark_accounts(struct collection *users);

void schema_add_system(struct schema *schema)
{
    for (uint32_t i = 0; i < SYSTEM_FIELD_META_COUNT; i++) {
        const struct system_field_meta *meta = &SYSTEM_FIELD_METAS[i];
        schema_set_field(schema, meta->collection, meta->field, meta->special, NULL, true);
    }
#define SYSTEM_FIELD(collection, field, special)                                                   \
    schema_set_field(schema, STR(collection), STR(field), STR(special), NULL, true);
#include "content/schema/system.def"
#undef SYSTEM_FIELD
#define SYSTEM_RELATION(many, many_field_, one, one_field_, deselect, sort)                        \
    schema_add_relation(schema, &(struct relation_facts){                                          \
                                    .many_collection = STR(many),                                  \
                                    .many_field = STR(many_field_),                                \
                                    .one_collection = STR(one),                                    \
                                    .one_field = STR(one_field_),                                  \
                                    .sort_field = STR(sort),                                       \
                                    .deselect_deletes = STR(deselect).len > 0,                     \
                                });
#include "content/schema/system.def"
#undef SYSTEM_RELATION
#define SYSTEM_COLLECTION(name, tracking, singleton, sort)                                         \
    do {                                                                                           \
        struct collection *found_ = collection_get(schema, STR(name));                             \
        if (found_ != NULL) {                                                                      \
            found_->accountability = tracking;                                                     \
            found_->is_singleton = singleton;                                                      \
            found_->sort_field = map_get(found_->fields_by_name, STR(sort));                       \
        }                                                                                          \
    } while (0);
#include "content/schema/system.def"
#undef SYSTEM_COLLECTION
#define SYSTEM_AUDITED(name)                                                                       \
    do {                                                                                           \
        struct collection *audited_ = collection_get(schema, STR(name));                           \
        if (audited_ != NULL)                                                                      \
            audited_->is_audited = true;                                                           \
    } while (0);
#include "content/schema/system.def"
#undef SYSTEM_AUDITED
    mark_accounts(collection_get(schema, STR("directus_users")));
}

/* Columns that people added count as part of the account: they may be unique across sites, and
 * their use is unknown. */
static void mark_accounts(struct collection *users)
{
    if (users == NULL)
        return;
    assert(str_eq(users->name, STR("directus_users")));
    users->has_accounts = true;
    for (uint32_t i = 0; i < users->field_count; i++)
        users->fields[i]->is_account = !users->fields[i]->is_alias;
#define SYSTEM_PROFILE(name)                                                                       \
    do {                                                                                           \
        struct field *profile_ = map_get(users->fields_by_name, STR(name));                        \
        if (profile_ != NULL)                                                                      \
            profile_->is_account = false;                                                          \
    } while (0);
#include "content/schema/system.def"
#undef SYSTEM_PROFILE
}

static struct relation *relation_new(struct schema *schema, struct field *field,
                                     enum relation_kind kind)
{
    assert(field->relation == NULL);
    struct relation *relation = arena_new(schema->arena, struct relation);
    relation->kind = kind;
    relation->field = field;
    field->relation = relation;
    return relation;
}

static void add_to_many(struct schema *schema, struct collection *one, struct field *many_field,
                        const struct relation_facts *facts)
{
    assert(one->key != NULL && many_field->collection != NULL);
    if (facts->one_field.len == 0 || map_get(one->fields_by_name, facts->one_field) != NULL)
        return;
    struct field *alias = field_add(schema, one, facts->one_field);
    alias->is_alias = true;
    alias->is_nullable = true;
    alias->type = FIELD_ALIAS;
    struct relation *relation = relation_new(schema, alias, RELATION_TO_MANY);
    relation->target = many_field->collection;
    relation->target_field = many_field;
    relation->sort_field = map_get(many_field->collection->fields_by_name, facts->sort_field);
    relation->deselect_deletes = facts->deselect_deletes;
}

static void add_to_any(struct schema *schema, struct field *field,
                       const struct relation_facts *facts)
{
    assert(field->relation == NULL);
    struct field *collection_field =
        map_get(field->collection->fields_by_name, facts->collection_field);
    if (collection_field == NULL)
        return;
    uint32_t room = 1;
    for (size_t i = 0; i < facts->allowed.len; i++)
        room += facts->allowed.data[i] == ',';
    struct relation *relation = relation_new(schema, field, RELATION_TO_ANY);
    relation->collection_field = collection_field;
    relation->allowed = arena_array(schema->arena, const struct collection *, room);
    Str rest = facts->allowed;
    Str name;
    while (str_next(&rest, ',', &name)) {
        const struct collection *allowed = collection_get(schema, str_trim(name));
        if (allowed != NULL && allowed->key != NULL)
            relation->allowed[relation->allowed_count++] = allowed;
    }
    assert(relation->allowed_count <= room);
}

void schema_add_relation(struct schema *schema, const struct relation_facts *facts)
{
    struct field *field = field_get(schema, facts->many_collection, facts->many_field);
    if (field == NULL || field->is_alias)
        return;
    if (facts->one_collection.len == 0) {
        if (field->relation == NULL)
            add_to_any(schema, field, facts);
        return;
    }
    struct collection *one = collection_get(schema, facts->one_collection);
    if (one == NULL || one->key == NULL)
        return;
    assert(one->key->collection == one);
    if (field->relation == NULL) {
        struct relation *relation = relation_new(schema, field, RELATION_TO_ONE);
        relation->target = one;
        relation->target_field = one->key;
    }
    add_to_many(schema, one, field, facts);
}

void schema_add_foreign_key(struct schema *schema, Str collection, Str name, Str target,
                            Str target_field)
{
    const struct field *field = field_get(schema, collection, name);
    const struct field *key = field_get(schema, target, target_field);
    if (field == NULL || field->relation != NULL || key == NULL || !key->is_key)
        return;
    /* The site column of a composite key belongs to the other column's reference; it is not a
     * relation. */
    if (field->collection->site == field && !str_eq(target, STR("sites")))
        return;
    schema_add_relation(schema, &(struct relation_facts){.many_collection = collection,
                                                         .many_field = name,
                                                         .one_collection = target});
}

void schema_set_reference(struct schema *schema, const struct reference_facts *facts)
{
    struct field *field = field_get(schema, facts->collection, facts->field);
    const struct field *target = field_get(schema, facts->target, facts->target_field);
    if (field == NULL || target == NULL || field->reference != NULL)
        return;
    assert(field->collection != NULL && target->collection != NULL);
    if (field == field->collection->site || target == target->collection->site)
        return;
    struct reference *reference = arena_new(schema->arena, struct reference);
    reference->target = target->collection;
    reference->target_field = target;
    struct field *site = field_get(schema, facts->collection, facts->site_field);
    reference->site_field = site;
    if (site != NULL)
        site->is_site_half = true;
    field->reference = reference;
}

void schema_set_keeps_site(struct schema *schema, Str collection, Str name, Str target)
{
    const struct field *field = field_get(schema, collection, name);
    if (field == NULL || field->relation == NULL || field->relation->kind != RELATION_TO_ONE ||
        !str_eq(field->relation->target->name, target))
        return;
    ((struct relation *)field->relation)->keeps_site = true;
}

void schema_finish(struct schema *schema)
{
    assert(schema->collections != NULL);
    struct map *kept = map_in_arena(schema->arena);
    const struct map_slot *slot;
    for (uint32_t i = 0; (slot = map_next(schema->collections, &i)) != NULL;) {
        const struct collection *collection = slot->value;
        if (collection->key != NULL)
            map_put(kept, slot->key, slot->value);
    }
    schema->collections = kept;
}
