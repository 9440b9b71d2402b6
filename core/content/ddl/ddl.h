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

enum {
    DDL_COLLECTIONS_MAX = 500, /* of one request */
    DDL_FIELDS_MAX = 500,      /* of one collection, or of one request */
    DDL_NAME_MAX = 63,
};

/* Directus' body {collection, fields:[{field,type,meta,schema}], meta, schema}. Names are checked
 * against Directus' rules; ERR_INVALID_PAYLOAD says what is wrong and nothing was made. As there:
 * no `schema` makes a folder, no `meta` an untracked collection, no key an integer `id`. */
fiber_fn Err collection_create(struct platform platform, const struct json *body,
                               uint32_t *ret_fields);
/* An array of such bodies: all or none. */
fiber_fn Err collections_create(struct platform platform, const struct json *list);
/* {meta}: members that are left out stay. `meta.tenant` true gives an empty collection to its
 * sites. What was not tracked is from then on. ERR_FORBIDDEN: the system's own. */
fiber_fn Err collection_update(struct platform platform, Str collection, const struct json *body);
/* An array of {collection, meta}. */
fiber_fn Err collections_update(struct platform platform, const struct json *list);
/* With its rows, its relations, the fields of others that hold its keys, and what was said of it:
 * rights, presets, activity, revisions. ERR_FORBIDDEN: it is not there, or the system's own;
 * ERR_CONFLICT: the platform's. */
fiber_fn Err collection_delete(struct platform platform, Str collection);
/* {collection, field, related_collection, schema:{on_delete}, meta}; *ret is the relation as the
 * API shows it, {collection, field, related_collection, schema, meta}. */
fiber_fn Err relation_create(struct platform platform, const struct json *body, Str *ret);
/* The same with metadata, even where the body has none: Directus' own route. */
fiber_fn Err relation_create_tracked(struct platform platform, const struct json *body);
/* {related_collection, meta, schema}: of the metadata what is given, of the foreign key its
 * actions.
 */
fiber_fn Err relation_update(struct platform platform, Str collection, Str field,
                             const struct json *body);
/* The foreign key and the metadata; the field stays. */
fiber_fn Err relation_delete(struct platform platform, Str collection, Str field);

/* Directus' snapshot of what is tracked and not system. As text, numbers, escapes and blanks are as
 * PostgreSQL prints them. */
fiber_fn Err schema_snapshot(struct platform platform, const struct json **ret);
fiber_fn Err schema_snapshot_text(struct platform platform, Str *ret);

/* {collection, field, type, meta, schema} on a collection that is there. No key: that a table has
 * from birth. A field that says whose a row is comes only to a collection without rows. */
fiber_fn Err field_create(struct platform platform, const struct json *body);
/* The same, the collection beside the body; tracked only if the body has `meta`. */
fiber_fn Err field_create_in(struct platform platform, Str collection, const struct json *body);
/* {type, schema, meta}: members that are left out stay. ERR_INVALID_PAYLOAD for what a column
 * cannot become; of the system's own fields only an index comes or goes. */
fiber_fn Err field_update(struct platform platform, Str collection, Str field,
                          const struct json *body);
/* An array of them, each with its `field`: all or none. */
fiber_fn Err fields_update(struct platform platform, Str collection, const struct json *list);
/* The column with its rows' values, its relation and what the metadata says of both. ERR_NOT_FOUND;
 * ERR_CONFLICT for a key, the site and what others depend on. */
fiber_fn Err field_delete(struct platform platform, Str collection, Str field);

/* What a snapshot would change, as Directus tells it: {"hash","diff":{"collections":[…],…}}. Empty:
 * nothing. Of what came with the platform nothing goes. `is_forced`: a snapshot of another version.
 */
fiber_fn Err schema_diff(struct platform platform, const struct json *snapshot, bool is_forced,
                         Str *ret);
/* Carries out such a difference, all or nothing. ERR_INVALID_PAYLOAD: it was told against another
 * state of the schema, unless it is forced. */
fiber_fn Err schema_diff_apply(struct platform platform, const struct json *body, bool is_forced);

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
