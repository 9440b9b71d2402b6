/*
 * Addresses and ranges: "10.0.0.1", "10.0.0.0/8", "10.0.0.1-10.0.0.9", IPv6 alike.
 */
#pragma once

#include "base/text/str.h"

/* Whether `ip` is in one of the comma-separated ranges. A malformed range matches nothing. */
bool ip_in_ranges(Str ip, Str ranges);
bool ip_range_is_valid(Str range);

struct arena;
/* The part of an address that identifies its owner: the first 64 bits of an IPv6 address, because
 * its owner has the whole /64 network; all of an IPv4 address. */
Str ip_owner(struct arena *arena, Str ip);
