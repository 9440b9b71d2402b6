/*
 * Addresses and ranges: "10.0.0.1", "10.0.0.0/8", "10.0.0.1-10.0.0.9", IPv6 alike.
 */
#pragma once

#include "base/text/str.h"

/* Is `ip` in one of the comma-separated ranges? A malformed range matches nothing. */
bool ip_in_ranges(Str ip, Str ranges);

struct arena;
/* Whoever has one IPv6 address has the 2^64 beside it, and they count as one: its first 64 bits. Of
 * an IPv4 address all of it. */
Str ip_owner(struct arena *arena, Str ip);
