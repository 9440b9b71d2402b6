/*
 * What the files behind schema_apply share: the diff between two snapshots, and its steps. Private
 * to apply*.c.
 */
#pragma once

#include "base/json/json.h"
#include "base/json/json_writer.h"
#include "base/memory/map.h"
#include "io/pg/db.h"

enum {
    APPLY_COLLECTIONS_MAX = 2000,
    APPLY_FIELDS_MAX = 20000,
    APPLY_RELATIONS_MAX = 10000,
};

enum change_of { OF_COLLECTION, OF_FIELD, OF_RELATION, CHANGE_OF_COUNT };
enum change_kind { CHANGE_CREATE, CHANGE_ALTER, CHANGE_DELETE, CHANGE_KIND_COUNT };

struct change {
    enum change_of of;
    enum change_kind kind;
    Str collection;
    Str field;                 /* of fields and relations */
    Str path;                  /* "fields[12] (posts.title)", for sentences */
    const struct json *wanted; /* NULL: CHANGE_DELETE */
    const struct json *current;
    const Str *members; /* CHANGE_ALTER: "meta.note", "schema.max_length" … */
    uint32_t member_count;
    bool has_meta;    /* CHANGE_ALTER: something of meta */
    bool has_schema;  /* CHANGE_ALTER: something of schema */
    bool is_retyped;  /* CHANGE_ALTER of a field: it becomes another type */
    const char *kept; /* CHANGE_DELETE: why it is not carried out; NULL: it is */
};

struct diff {
    struct change *list;
    uint32_t count;
    uint32_t due;  /* that are carried out */
    uint32_t kept; /* deletions that are not */
};

/* apply_own.c: what came with the platform. */
struct own {
    const struct map *collections;
    const struct map *fields; /* "collection.field": neither holds a dot */
};
fiber_fn Err apply_own_load(struct db_tx *tx, struct own *ret);
bool own_has_collection(const struct own *own, Str collection);
bool own_has_field(struct arena *arena, const struct own *own, Str collection, Str field);

/* apply_diff.c: what must happen so that `current` becomes `wanted`, both snapshots. Refuses what
 * cannot: ERR_INVALID_PAYLOAD, ERR_CONFLICT for what came with the platform. */
fiber_fn Err apply_diff(struct ctx *ctx, const struct json *wanted, const struct json *current,
                        const struct own *own, bool may_delete, struct diff *ret);

/* apply_compare.c: fills members, has_meta and has_schema. */
void apply_compare(struct ctx *ctx, struct change *change);
bool apply_is_same(const struct json *a, const struct json *b);
bool change_names(const struct change *change, Str member);

/* apply_steps.c: all of it, in the order that needs nothing before it is there. */
fiber_fn Err apply_steps(struct db_tx *tx, const struct diff *diff);
/* apply_alter.c: one field or relation that is there becomes as wanted; or a relation goes. `body`
 * is the wanted field as one to make. */
fiber_fn Err apply_alter_field(struct db_tx *tx, const struct change *change,
                               const struct json *body);
fiber_fn Err apply_alter_relation(struct db_tx *tx, const struct change *change);
fiber_fn Err apply_drop_relation(struct db_tx *tx, const struct change *change);
/* The foreign key of a relation, with the checks and triggers that one to the library has. */
fiber_fn Err apply_drop_keys(struct db_tx *tx, Str collection, Str field);
