/* Is the server there? One plain HTTP request, and the choice of a free port. */
#pragma once

#include "base/str.h"

/* True when GET /server/ping on this address is answered with 200. A wildcard host is asked on its
 * loopback address. */
bool probe_server(const char *host, int64_t port);

/* A TCP port that is free now on `host`; 0 if there is none. */
int64_t probe_free_port(const char *host);

/* The address as a client would write it: "http://127.0.0.1:8055". */
Str probe_address(struct arena *arena, const char *host, int64_t port);
