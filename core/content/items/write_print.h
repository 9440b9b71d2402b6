/*
 * What the statement of a write is printed from.
 */
#pragma once

#include "access/audit/activity.h"
#include "content/items/write_reference.h"

/* The leading arguments of every write: who acts, then these; the cells follow. */
enum { ARG_DATA = ACTIVITY_ARGS, ARG_PARENT, ARG_CELLS };

struct write_print {
    const struct collection *collection;
    struct source *root;
    enum action action;
    const struct field *const *fields;
    uint32_t field_count;
    const struct field *const *supplied;
    uint32_t supplied_count;
    bool is_many;
    struct pred *where;
    struct param *arguments[ARG_CELLS];
    struct param **cells;
    const struct reference_guard **guards; /* one per cell; NULL if no check is needed */
    struct param *name;
    bool is_tracked;
    bool has_revisions;
    bool has_lineage;
    bool waits;    /* write_history_waits */
    bool has_site; /* activity and revisions carry the row's site */
};

void write_put_cast(struct sql *sql, struct param *param, const char *type);
void write_put_literal(struct sql *sql, Str text);
/* write_history.c */
/* Work log entries for rows of an audited collection, in the transaction of the
 * write. */
fiber_fn Err write_audit(struct writer *w, const struct plan *plan, const struct write_shape *shape,
                         const struct rows *rows);
bool write_is_tracked(const struct actor *actor, const struct collection *collection);
bool write_tracks_sites(const struct schema *schema, const struct collection *collection);
/* ", act as (…), rev as (…)" for the rows of w, as far as they are tracked. */
void write_put_history(struct sql *sql, const struct write_print *p);
/* The id of the revision of the row that the answer shows. */
const char *write_revision_of_row(struct arena *arena, const struct write_print *p);
