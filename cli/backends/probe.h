/* Is the server there? One plain HTTP request, and the choice of a free port. */
#pragma once

#include "base/system/ctx.h"

/* True when GET /server/ping on this address is answered with 200. A wildcard host is asked on its
 * loopback address. */
bool probe_server(const char *host, int64_t port);

/* Can a server listen there? ERR_CONFIG: `host` is no address of this machine; ERR_CONFLICT: the
 * port is taken, or not for us. *ret_port: the port, or a free one for 0. */
Err probe_listen(struct ctx *ctx, const char *host, int64_t port, int64_t *ret_port);

/* The address as a client would write it: "http://127.0.0.1:8055". */
Str probe_address(struct arena *arena, const char *host, int64_t port);
