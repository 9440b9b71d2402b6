/*
 * Outbound HTTP over libcurl's multi interface on the loop. Verified TLS, no redirects unless
 * asked, a maximum for the answer, and an address filter: private, loopback and link-local
 * addresses are refused after name resolution unless allow_private.
 */
#pragma once

#include "io/fiber.h"

struct http_client;
struct loop;

struct http_call {
    Str method;
    Str url;
    const Str *headers; /* "name: value" */
    uint32_t header_count;
    Str body;
    uint32_t response_max; /* bytes */
    bool allow_private;
};
struct http_answer {
    int status;
    Str body;
    Str content_type;
};

struct http_client *http_client_new(struct loop *loop);
void http_client_free(struct http_client *client);
/* ERR_UNAVAILABLE when there is no answer, ERR_FORBIDDEN for a filtered address, ERR_TOO_LARGE,
 * ERR_INVALID_PAYLOAD for a URL, method or header that is none. ctx must have a deadline. Filtered
 * calls ignore the environment's proxies: behind one the filter could not see the address. */
fiber_fn Err http_fetch(struct ctx *ctx, struct http_client *client, const struct http_call *call,
                        struct http_answer *ret);
