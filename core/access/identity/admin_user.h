/*
 * The administrator of a new installation: created from ADMIN_EMAIL and ADMIN_PASSWORD if no user
 * has admin rights.
 */
#pragma once

#include "base/system/ctx.h"
#include "io/fiber/fiber.h"
#include "io/pg/db_error.h"

/* Does nothing if an administrator exists or no password is set. */
fiber_fn Err admin_user_ensure(struct ctx *ctx, bool *ret_created);

/* Raised by schema/functions/administrators.sql: a change would leave no administrator, or put a
 * role above itself. */
extern const struct db_error_rule LAST_ADMIN_ERROR;
extern const struct db_error_rule ROLE_CIRCLE_ERROR;
