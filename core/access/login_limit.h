/*
 * How often a login may fail: 10 times per account and 30 times per address in 15 minutes, in this
 * process. A try takes its place before the password is looked at, so that many tries at once do
 * not slip past; a right password gives it back.
 *
 * The table has a fixed size and forgets the most harmless entries first. It holds hashes, no
 * e-mail and no address.
 */
#pragma once

#include "base/ctx.h"

enum { LOGIN_FAILURES_ACCOUNT = 10, LOGIN_FAILURES_ADDRESS = 30, LOGIN_WINDOW_S = 900 };

/* The two places that one try has taken. */
struct login_try {
    uint64_t account;
    uint64_t address;
};

/* ERR_RATE_LIMITED, with the note "_retry_after", when either has failed too often. */
Err login_limit_take(struct ctx *ctx, Str email, Str ip, int64_t now_us, struct login_try *ret);
/* The try was none, or the password was right. */
void login_limit_give_back(const struct login_try *try, int64_t now_us);
