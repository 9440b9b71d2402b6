/*
 * Refused requests in the work log: 401 and 403, within denial_limit.h. A separate fiber writes
 * them, so that the answer is not delayed, and a client that disconnects immediately is logged as
 * well.
 */
#pragma once

#include "base/system/err.h"

struct exchange;

/* Does nothing for other errors. Does not wait. */
void denial_note(struct exchange *exchange, Err err);
