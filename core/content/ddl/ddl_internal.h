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

/* ddl.c: a transaction in which nobody else changes the schema. */
fiber_fn Err ddl_begin(struct platform platform, struct db_tx *tx);
/* From here on as the owner of the tables: DDL, and no row of a Directus table any more. */
fiber_fn Err ddl_become_owner(struct db_tx *tx);
/* The platform lane's own role again: the rows of the Directus tables are written next. */
fiber_fn Err ddl_resign_owner(struct db_tx *tx);
/* Raises the epoch, commits, and binds the ctx to the new epoch. */
fiber_fn Err ddl_commit(struct db_tx *tx);

/* A line of the work log, in the same transaction; before ddl_become_owner. */
fiber_fn Err ddl_audit(struct db_tx *tx, Str action, Str what);
fiber_fn Err ddl_audit_field(struct db_tx *tx, Str action, Str collection, Str field);

/* What a snapshot says of its origin: the version of Directus whose form it has. */
#define SNAPSHOT_DIRECTUS STR("11.17.4")
#define SNAPSHOT_VENDOR STR("postgres")

/* ddl_name.c */
Err ddl_collection_name_check(struct ctx *ctx, Str name);
Err ddl_field_name_check(struct ctx *ctx, Str name);

/* ddl_field.c: one member of `fields`. */
struct ddl_field {
    Str name;
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

/* ddl_table.c: the table with its indexes, its site and its row policies; as the owner. */
struct ddl_table {
    Str name;
    Str note; /* comment on the table; empty: none */
    const struct ddl_field *fields;
    uint32_t field_count;
};
fiber_fn Err ddl_table_create(struct db_tx *tx, const struct ddl_table *table);
/* ERR_INVALID_PAYLOAD where one of them needs PostGIS and that is not there. */
fiber_fn Err ddl_geometry_check(struct db_tx *tx, const struct ddl_field *fields, uint32_t count);
fiber_fn Err ddl_index_field(struct db_tx *tx, Str table, Str field, bool is_tenants);
/* An existing table becomes its sites': the pair (site, key) gets unique, policies and mark follow.
 */
fiber_fn Err ddl_table_protect(struct db_tx *tx, Str table, Str key);
fiber_fn Err ddl_renew_key(struct db_tx *tx, Str table);
fiber_fn Err ddl_unique_by_site(struct db_tx *tx, Str table);

/* ddl_meta.c: rows of the Directus tables; before ddl_become_owner. `meta` may be NULL: {}. */
fiber_fn Err ddl_meta_collection(struct db_tx *tx, Str collection, const struct json *meta);
fiber_fn Err ddl_meta_field(struct db_tx *tx, Str collection, const struct ddl_field *field);
fiber_fn Err ddl_meta_relation(struct db_tx *tx, Str collection, Str field, Str related,
                               const struct json *meta);
/* The meta of a field that the server fills: hidden, and nobody edits it. */
Err ddl_meta_hidden(struct ctx *ctx, Str interface, const struct json **ret);

/* What ddl.h offers, inside a transaction of the caller's; some leave it as the owner. */
fiber_fn Err ddl_collection_create(struct db_tx *tx, const struct json *body, uint32_t *ret_fields);
fiber_fn Err ddl_collection_delete(struct db_tx *tx, Str collection);
/* Refused, with the reason, where nobody could say whose the rows are. */
fiber_fn Err ddl_become_tenants(struct db_tx *tx, Str collection);
fiber_fn Err ddl_field_create(struct db_tx *tx, const struct json *body);
/* An index on a field of the system comes or goes. */
fiber_fn Err ddl_index_system(struct db_tx *tx, Str collection, Str field, bool is_indexed);
fiber_fn Err ddl_field_delete(struct db_tx *tx, Str collection, Str field);
fiber_fn Err ddl_relation_create(struct db_tx *tx, const struct json *body);
/* The foreign key alone, of a relation that is there. */
fiber_fn Err ddl_relation_key(struct db_tx *tx, const struct json *body);
