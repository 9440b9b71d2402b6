/*
 * The administrator of a new installation: created from ADMIN_EMAIL and ADMIN_PASSWORD if no user
 * has admin rights.
 */
#pragma once

#include "base/system/ctx.h"
#include "io/fiber/fiber.h"

/* Does nothing if an administrator exists or no password is set. */
fiber_fn Err admin_user_ensure(struct ctx *ctx, bool *ret_created);
