/* Checks whether a server answers, and chooses a free port. */
#pragma once

#include "base/system/ctx.h"

/* True if GET /server/ping on this address returns 200. For a wildcard host, uses the loopback
 * address. */
bool probe_server(const char *host, int64_t port);

/* Checks whether a server can listen there. ERR_CONFIG: `host` is not an address of this machine.
 * ERR_CONFLICT: the port is in use or not permitted. *ret_port: the port, or a free one for 0. */
Err probe_listen(struct ctx *ctx, const char *host, int64_t port, int64_t *ret_port);

/* The address as a URL: "http://127.0.0.1:8055". */
Str probe_address(struct arena *arena, const char *host, int64_t port);
