/*
 * One-time passwords of authenticator apps (RFC 6238): six digits that change every 30 seconds,
 * from a shared secret in base32.
 */
#pragma once

#include "base/text/str.h"

/* The secret of at most this many characters. */
enum { OTP_SECRET_MAX = 128 };

/* Whether `code` is that of `wall_s`, or the one before, which somebody may still be typing. False
 * for a secret that is not base32. */
bool otp_fits(Str secret, Str code, int64_t wall_s);
