/*
 * What of the schema a caller may see. Private to catalog.
 */
#pragma once

#include "access/grants/actor.h"
#include "content/schema/schema.h"

struct viewer {
    const struct schema *schema;
    const struct grants *grants; /* NULL: none */
    bool is_admin;
    bool is_site; /* SITE scope: what no tenant owns is not there, unless it is shared */
};

fiber_fn Err viewer_of(struct ctx *ctx, struct viewer *ret);
/* Whether there is such a collection, for whoever is in this scope. */
bool viewer_knows(const struct viewer *viewer, Str collection);
bool viewer_sees(const struct viewer *viewer, Str collection);
bool viewer_sees_field(const struct viewer *viewer, Str collection, Str field);
/* ERR_FORBIDDEN: as the items of such a collection answer, and as its permission checks do. */
Err viewer_require_known(struct ctx *ctx, const struct viewer *viewer, Str collection);
Err viewer_require_read(struct ctx *ctx, const struct viewer *viewer, Str collection);
