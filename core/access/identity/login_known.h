/*
 * From which addresses an account has logged in lately: what tells its owner from strangers while
 * somebody guesses its password (login_limit.h).
 *
 * Kept in Redis for LOGIN_KNOWN days, so that all servers know it and a restart does not forget it,
 * the latest LOGIN_KNOWN_ADDRESSES of each account; and in a table of fixed size in the process,
 * which is asked first and answers alone while Redis is away. Both hold keyed hashes, no e-mail and
 * no address.
 */
#pragma once

#include "base/system/ctx.h"
#include "io/fiber/fiber.h"

enum { LOGIN_KNOWN_ADDRESSES = 32 };

/* False as well when Redis does not answer in time and the process does not know. */
fiber_fn bool login_known_find(struct ctx *ctx, Str email, Str ip);
/* After a right password. Does not wait. */
void login_known_add(struct ctx *ctx, Str email, Str ip);
