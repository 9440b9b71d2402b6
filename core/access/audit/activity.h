/*
 * directus_activity: what users did to rows, as Directus keeps it. Statements of others insert its
 * rows, with the change that they tell of; this is what they have in common.
 */
#pragma once

#include "access/grants/actor.h"
#include "io/pg/db.h"

/* Whether what the actor does is kept: not what the server does by itself. */
bool activity_is_kept(const struct actor *actor);

/* Who acts: arguments for the columns "user", ip, user_agent and origin, cut to their lengths. */
enum { ACTIVITY_USER, ACTIVITY_IP, ACTIVITY_AGENT, ACTIVITY_ORIGIN, ACTIVITY_ARGS };
void activity_put_actor(const struct actor *actor, DbArg *list);
