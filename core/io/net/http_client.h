/*
 * Outbound HTTP over libcurl's multi interface on the loop. Verified TLS, no redirects, a maximum
 * size of the answer, and an address filter: unless allow_private, addresses that are not public
 * are refused after name resolution, where the socket is opened, and so are ports below 1024 other
 * than 80 and 443.
 */
#pragma once

#include "io/fiber/fiber.h"

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
    bool may_cut; /* truncates a larger answer instead of ERR_TOO_LARGE */
    /* Addresses that the operator has exempted from the filter; NULL: none. */
    bool (*is_exempt)(const void *arg, Str ip);
    const void *exempt_arg;
};
struct http_answer {
    int status;
    Str body;
    Str content_type;
    int64_t retry_after_s; /* from Retry-After; 0: none */
};

struct http_client *http_client_new(struct loop *loop);
void http_client_free(struct http_client *client);
/* ERR_UNAVAILABLE when there is no answer, ERR_FORBIDDEN for a filtered address, ERR_TOO_LARGE,
 * ERR_INVALID_PAYLOAD for an invalid URL, method or header. ctx must have a deadline. Filtered
 * calls ignore the environment's proxies: behind a proxy the filter cannot see the address.
 * Messages contain only scheme and host of the URL; the rest may be secret. */
fiber_fn Err http_fetch(struct ctx *ctx, struct http_client *client, const struct http_call *call,
                        struct http_answer *ret);
