/*
 * The address and credentials of a Redis: the parsed REDIS_URL.
 *
 *     redis://[[user]:password@]host[:port][/db]      port 6379, db 0
 *     unix:///path[?db=n]
 *
 * User and password may be percent-encoded; an IPv6 host is written in brackets.
 */
#pragma once

#include "base/text/str.h"

struct redis_address {
    const char *unix_path; /* NULL: TCP */
    const char *host;
    const char *port;
    Str user; /* empty: the default one */
    Str password;
    Str db;   /* empty: 0 */
    Str text; /* for messages and logs: without the password */
};

/* false: invalid URL. Allocates from the arena. */
bool redis_address_parse(struct arena *arena, Str url, struct redis_address *ret);
