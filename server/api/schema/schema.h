/* What the handlers of this family share. */
#pragma once

#include "access/grants/actor.h"
#include "server/http/reply.h"

/* Changes of the schema are the platform's: ERR_FORBIDDEN for others, also for a site's
 * administrators. */
Err schema_writer(struct ctx *ctx, struct platform *ret);

/* {"data": …} around what is written in between. */
void data_begin(struct reply *reply);
void data_end(struct reply *reply);

/* The members that a body may have, names separated by blanks; in Directus' words. */
Err body_members_check(struct ctx *ctx, const struct json *body, Str known);
