/*
 * Building a snapshot: used by schema_load.c (from the database) and by unit tests (from
 * constants). Order: tables and columns, then field metadata, then relations, then schema_finish.
 */
#pragma once

#include "content/schema/schema.h"

struct schema *schema_new(int64_t epoch); /* one reference */

struct column_facts {
    Str collection;
    Str field;
    uint32_t type_oid;
    int32_t max_length;
    bool is_nullable;
    bool has_default;
    bool is_generated;
    int32_t key_columns; /* number of columns of the primary key it belongs to; 0: none */
    bool is_own;
    enum field_index indexed;
};
void schema_add_column(struct schema *schema, const struct column_facts *facts);

/* `special` as in directus_fields.special; ignored for fields without a column. */
void schema_set_field(struct schema *schema, Str collection, Str field, Str special,
                      const struct filter_value *validation, bool is_searchable);

struct relation_facts {
    Str many_collection;
    Str many_field;
    Str one_collection;   /* empty: to-any */
    Str one_field;        /* empty: no alias on the other side */
    Str collection_field; /* to-any */
    Str allowed;          /* to-any: comma-separated */
    Str sort_field;
    bool deselect_deletes;
};
/* Relations with missing collections or fields are ignored; the first of two for one field wins. */
void schema_add_relation(struct schema *schema, const struct relation_facts *facts);
/* Ignored unless the target column is the target's key and no relation uses the field. */
void schema_add_foreign_key(struct schema *schema, Str collection, Str field, Str target,
                            Str target_field);
struct reference_facts {
    Str collection;
    Str field;
    Str target;
    Str target_field;
    Str site_field; /* empty: none */
};
/* A foreign key that the database enforces, independent of Directus relations. Call after the
 * tenants are set. */
void schema_set_reference(struct schema *schema, const struct reference_facts *facts);
/* The foreign key of this relation includes the site. */
void schema_set_keeps_site(struct schema *schema, Str collection, Str field, Str target);

void schema_set_collection(struct schema *schema, Str name, Str sort_field, Str accountability,
                           bool is_singleton);
struct tenant_facts {
    Str collection;
    Str site_column;
    bool is_shared_read;
    bool is_site_optional;
    bool is_read_only;
    bool is_audited;
    bool is_keyed_by_site;
};
void schema_set_tenant(struct schema *schema, const struct tenant_facts *facts);
void schema_set_role(struct schema *schema, Uuid role, Uuid parent);

/* Built-in metadata of Directus' own collections. Call after the columns. */
void schema_add_system(struct schema *schema);
/* Drops tables without a single-column key. Call last. */
void schema_finish(struct schema *schema);
