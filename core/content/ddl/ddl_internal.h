/*
 * What the files behind ddl.h share: the transaction of a schema change, names, fields read from a
 * body, and SQL text. Private to ddl*.c.
 */
#pragma once

#include "base/json/json.h"
#include "base/json/json_writer.h"
#include "base/text/buf.h"
#include "content/ddl/ddl.h"
#include "content/schema/schema.h"
#include "io/pg/db.h"

/* ddl.c: a transaction in which nobody else changes the schema; the second one only reads it. */
fiber_fn Err ddl_begin(struct platform platform, struct db_tx *tx);
fiber_fn Err ddl_begin_reading(struct platform platform, struct db_tx *tx);
/* Raises the epoch, commits, and binds the ctx to the new epoch. */
fiber_fn Err ddl_commit(struct db_tx *tx);

/* A line of the work log, in the same transaction. */
fiber_fn Err ddl_audit(struct db_tx *tx, Str action, Str what);
fiber_fn Err ddl_audit_each(struct db_tx *tx, Str action, const Str *what, uint32_t count);
fiber_fn Err ddl_audit_field(struct db_tx *tx, Str action, Str collection, Str field);

/* `err`, its sentence after the place where a snapshot has what is wrong: "fields[12]
 * (posts.title)". No path, or an error that is nobody's fault: as it is. */
Err ddl_at(struct ctx *ctx, Str path, Err err);

/* ddl_script.c: DDL that is carried out together, as the owner of the tables. */
struct ddl_script {
    struct db_tx *tx;
    Str path; /* what the statements added next are for, see ddl_at */
    struct ddl_line *first;
    struct ddl_line *last;
};
void ddl_add(struct ddl_script *script, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* In the order of their adding; the script is empty again. */
fiber_fn Err ddl_script_run(struct ddl_script *script);

/* What a snapshot says of its origin: the version of Directus whose form it has. */
#define SNAPSHOT_DIRECTUS STR("11.17.4")
#define SNAPSHOT_VENDOR STR("postgres")

/* ddl_name.c */
Err ddl_collection_name_check(struct ctx *ctx, Str name);
Err ddl_field_name_check(struct ctx *ctx, Str name);

/* ddl_field.c: one member of `fields`. */
struct ddl_field {
    Str name;
    Str path;                  /* see ddl_at */
    Str type;                  /* Directus' field type */
    const struct json *schema; /* NULL or an object */
    const struct json *meta;   /* NULL or an object */
    bool is_alias;             /* no column */
    bool is_key;
    bool is_auto; /* an integer key that counts itself */
    bool is_site; /* site_id, references sites */
    bool is_nullable;
    bool is_unique;
    bool is_indexed;
};
/* Whose rows a collection holds: its sites' if it has the field site_id, unless `meta.tenant` says
 * otherwise. */
#define DDL_SITE_FIELD STR("site_id")
enum ddl_tenancy { TENANCY_BY_FIELDS, TENANCY_WANTED, TENANCY_REFUSED };
Err ddl_tenancy_read(struct ctx *ctx, const struct json *meta, enum ddl_tenancy *ret);

Err ddl_field_read(struct ctx *ctx, const struct json *json, enum ddl_tenancy tenancy,
                   struct ddl_field *ret);

bool ddl_is_type(Str type);
/* Whether Directus has the type; whether it makes no column. */
Err ddl_type_check(struct ctx *ctx, Str type);
bool ddl_is_alias_type(Str type);

/* ddl_column.c: `"title" varchar(255) not null default 'x'` */
Err ddl_column_write(struct ctx *ctx, const struct ddl_field *field, struct buf *out);
/* Its parts: `varchar(255)`, and ` default 'x'` or nothing. */
Err ddl_column_type(struct ctx *ctx, const struct ddl_field *field, struct buf *out);
Err ddl_column_default(struct ctx *ctx, const struct ddl_field *field, struct buf *out);

/* ddl_table.c: the table with its indexes, its site and its row policies. */
struct ddl_table {
    Str name;
    Str note; /* comment on the table; empty: none */
    const struct ddl_field *fields;
    uint32_t field_count;
};
Err ddl_table_create(struct ddl_script *script, const struct ddl_table *table);
/* ERR_INVALID_PAYLOAD where one of them needs PostGIS and that is not there. */
fiber_fn Err ddl_geometry_check(struct db_tx *tx, const struct ddl_field *fields, uint32_t count);
void ddl_index_field(struct ddl_script *script, Str table, Str field, bool is_tenants);
/* An existing table becomes its sites': the pair (site, key) gets unique, policies and mark follow.
 */
void ddl_table_protect(struct ddl_script *script, Str table, Str key);
void ddl_renew_key(struct ddl_script *script, Str table);
void ddl_unique_by_site(struct ddl_script *script, Str table);

/* snapshot.c: read in it and not beside it, where who waited for the lock would be stale. */
fiber_fn Err ddl_snapshot(struct db_tx *tx, const struct json **ret);

/* What ddl.h offers, inside a transaction of the caller's. */
/* A collection to be, with its fields. Of a snapshot: its meta is whole, and has places. */
struct ddl_birth {
    const struct json *body;
    bool is_of_snapshot;
    Str path;               /* see ddl_at */
    const Str *field_paths; /* of the members of `fields`; NULL: none */
};
/* *ret_fields: how many fields the bodies have. */
fiber_fn Err ddl_collections_create(struct db_tx *tx, const struct ddl_birth *births,
                                    uint32_t count, uint32_t *ret_fields);
fiber_fn Err ddl_collection_delete(struct db_tx *tx, Str collection);
/* Refused, with the reason, where nobody could say whose the rows are. */
fiber_fn Err ddl_become_tenants(struct db_tx *tx, Str collection);
fiber_fn Err ddl_field_create(struct db_tx *tx, const struct json *body);
/* An index on a field of the system comes or goes. */
fiber_fn Err ddl_index_system(struct db_tx *tx, Str collection, Str field, bool is_indexed);
fiber_fn Err ddl_field_delete(struct db_tx *tx, Str collection, Str field);

struct ddl_relation {
    const struct json *body;
    Str path; /* see ddl_at */
};
fiber_fn Err ddl_relations_create(struct db_tx *tx, const struct ddl_relation *list,
                                  uint32_t count);
/* The foreign key alone, of a relation that is there. */
fiber_fn Err ddl_relation_key(struct db_tx *tx, const struct json *body);
