/*
 * How often a login may fail in LOGIN_WINDOW, in this process: LOGIN_FAILURES times for one account
 * from one address, LOGIN_FAILURES_ADDRESS times from one address whatever the account (IPv6: the
 * 2^64 beside it count as one), LOGIN_FAILURES_ACCOUNT times for one account from all addresses
 * that it has not logged in from lately (login_known.h). So a stranger who guesses, from however
 * many addresses, slows strangers and locks out nobody whose address is known.
 *
 * A try takes its places before the password is looked at, so that many tries at once do not slip
 * past; a right password gives them back. An account need not exist to be counted: the answers of
 * those that do are the same.
 *
 * The table has a fixed size and forgets the most harmless entries first. It holds hashes, no
 * e-mail and no address.
 */
#pragma once

#include "base/system/ctx.h"

/* Of the settings with these names. */
struct login_limits {
    int64_t window_s;
    int64_t failures; /* of an account from one address */
    int64_t failures_address;
    int64_t failures_account; /* from addresses that are not known */
};

enum { LOGIN_PLACES = 3 };

/* The places that one try has taken. */
struct login_try {
    struct {
        uint64_t key;
        int64_t interval_us; /* until it is free again by itself */
    } places[LOGIN_PLACES];
    uint32_t count;
};

/* ERR_RATE_LIMITED, with the note "_retry_after", when any of them has failed too often. */
Err login_limit_take(struct ctx *ctx, const struct login_limits *limits, Str email, Str ip,
                     bool is_known, int64_t now_us, struct login_try *ret);
/* The try was none, or the password was right. */
void login_limit_give_back(const struct login_try *try, int64_t now_us);
