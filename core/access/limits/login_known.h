/*
 * The addresses from which an account has logged in recently: distinguishes the owner from
 * strangers while its password is being guessed (login_limit.h).
 *
 * Stored in Redis for LOGIN_KNOWN days, so that all servers share it and it survives a restart, the
 * latest LOGIN_KNOWN_ADDRESSES of each account; and in a table of fixed size in the process, which
 * is read first and is the only source while Redis is unavailable. Both hold keyed hashes, no
 * e-mail and no address.
 */
#pragma once

#include "base/system/ctx.h"
#include "io/fiber/fiber.h"

enum { LOGIN_KNOWN_ADDRESSES = 32 };

/* Also false when Redis does not answer in time and the process has no entry. */
fiber_fn bool login_known_find(struct ctx *ctx, Str email, Str ip);
/* Call after a successful login. Does not wait. */
void login_known_add(struct ctx *ctx, Str email, Str ip);
