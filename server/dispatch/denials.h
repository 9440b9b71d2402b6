/*
 * Refused requests in the work log: 401 and 403, as many as denial_limit.h allows. They are written
 * by a fiber of their own, so that the answer waits for nothing, and a client that hangs up at once
 * leaves its line all the same.
 */
#pragma once

#include "base/system/err.h"

struct exchange;

/* Does nothing for other errors. Does not wait. */
void denial_note(struct exchange *exchange, Err err);
