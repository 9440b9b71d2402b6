/* What another user may do, for work that depends on it: whether a user who is mentioned may read
 * the item. */
#pragma once

#include "access/grants/actor.h"
#include "io/fiber/fiber.h"

/* NULL: no active user has this id, or the user's site is closed. Policies for certain addresses do
 * not count. */
fiber_fn Err other_user_find(struct ctx *ctx, Uuid user, const struct actor **ret);
