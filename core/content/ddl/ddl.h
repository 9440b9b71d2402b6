/*
 * Changing the schema through the API: collections, fields, relations. Transactional; every change
 * raises the epoch, and leaves the ctx bound to the new one. New tables get row security from
 * birth; a collection whose `site_id` references sites is tenant-owned, and its relations to other
 * tenant-owned collections carry the site, so that none can cross from one site to another.
 */
#pragma once

#include "base/json/json.h"
#include "base/system/ctx.h"
#include "io/pg/db.h"

enum { DDL_FIELDS_MAX = 500, DDL_NAME_MAX = 63 };

/* Directus' body {collection, fields:[{field,type,meta,schema}], meta, schema}. Names are checked
 * against Directus' rules; ERR_INVALID_PAYLOAD says what is wrong and nothing was made. As there:
 * no `schema` makes a folder, no `meta` an untracked collection, no key an integer `id`. */
fiber_fn Err collection_create(struct platform platform, const struct json *body,
                               uint32_t *ret_fields);
/* {collection, field, related_collection, schema:{on_delete}, meta}; *ret is the relation as the
 * API shows it, {collection, field, related_collection, schema, meta}. */
fiber_fn Err relation_create(struct platform platform, const struct json *body, Str *ret);
/* Directus' snapshot of what is tracked and not system. As text, numbers, escapes and blanks are as
 * PostgreSQL prints them. */
fiber_fn Err schema_snapshot(struct platform platform, const struct json **ret);
fiber_fn Err schema_snapshot_text(struct platform platform, Str *ret);

/* {collection, field, type, meta, schema} on a collection that is there. Neither a key nor the
 * site: those a table has from birth. */
fiber_fn Err field_create(struct platform platform, const struct json *body);
/* The column with its rows' values, its relation and what the metadata says of both. ERR_NOT_FOUND;
 * ERR_CONFLICT for a key, the site and what others depend on. */
fiber_fn Err field_delete(struct platform platform, Str collection, Str field);

/* Makes the schema what a snapshot says (schema_snapshot's form). *ret tells every change:
 * {"success","dry_run","changes","kept","diff":{"collections":{"create","change","delete"},…}}.
 * What is not in the snapshot goes only when it may, and never when it came with the platform: then
 * it is told as kept. Refusals name the place, as in fields[12] (posts.title), and nothing was
 * changed. */
struct schema_wish {
    const struct json *snapshot;
    bool is_dry_run;
    bool may_delete;
};
fiber_fn Err schema_apply(struct platform platform, const struct schema_wish *wish, Str *ret);

/* One statement of a schema change, in its transaction. */
fiber_fn Err ddl_run(struct db_tx *tx, Str sql);
/* "name", with quotes doubled, and 'text' likewise. */
Str sql_ident(struct arena *arena, Str name);
Str sql_literal(struct arena *arena, Str text);
/* public."name" */
Str sql_table(struct arena *arena, Str name);
