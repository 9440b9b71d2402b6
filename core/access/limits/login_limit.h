/*
 * How often a login may fail in LOGIN_WINDOW, in this process: LOGIN_FAILURES times for one account
 * from one address, LOGIN_FAILURES_ADDRESS times from one address across accounts (IPv6: its /64
 * network counts as one), LOGIN_FAILURES_ACCOUNT times for one account from all addresses that it
 * has not logged in from recently (login_known.h). So guessing from many addresses delays unknown
 * addresses only; known ones are not locked out.
 *
 * An attempt takes its places before the password is checked, so that concurrent attempts cannot
 * exceed the limit; a correct password returns them. Unknown accounts are counted as well, so that
 * their answers do not differ.
 *
 * The table has a fixed size and evicts the entries nearest to full first. It holds hashes, no
 * e-mail and no address.
 */
#pragma once

#include "base/system/ctx.h"

/* The values of the settings with these names. */
struct login_limits {
    int64_t window_s;
    int64_t failures; /* for an account from one address */
    int64_t failures_address;
    int64_t failures_account; /* for an account from unknown addresses */
};

enum { LOGIN_PLACES = 3 };

/* The places that one attempt has taken. */
struct login_try {
    struct {
        uint64_t key;
        int64_t interval_us; /* time until the place is free again */
    } places[LOGIN_PLACES];
    uint32_t count;
};

/* ERR_RATE_LIMITED, with the note "_retry_after", when any limit is exceeded. */
Err login_limit_take(struct ctx *ctx, const struct login_limits *limits, Str email, Str ip,
                     bool is_known, int64_t now_us, struct login_try *ret);
/* Call when the password was correct or no attempt was made. */
void login_limit_give_back(const struct login_try *try, int64_t now_us);
