/*
 * The administrator of a new installation: made from ADMIN_EMAIL and ADMIN_PASSWORD when there is
 * no user with admin rights yet.
 */
#pragma once

#include "base/system/ctx.h"
#include "io/fiber/fiber.h"

/* Does nothing when there is one, or when no password is set. */
fiber_fn Err admin_user_ensure(struct ctx *ctx, bool *ret_created);
