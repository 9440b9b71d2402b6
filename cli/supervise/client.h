/*
 * A blocking client of the API, for commands: one request at a time, JSON in both directions. Only
 * client.c uses libcurl.
 */
#pragma once

#include "base/json/json.h"
#include "base/system/ctx.h"

enum { CLIENT_ANSWER_MAX = 64 * 1024 * 1024 };

struct client {
    struct ctx *ctx;
    Str address; /* http://host:port */
    Str token;
    void *curl;
};

/* ERR_UNAVAILABLE if libcurl cannot be initialised. */
Err client_open(struct ctx *ctx, Str address, Str token, struct client *ret);
void client_close(struct client *client);

/* `body` STR_NONE: none. Returns the status, and the response as JSON (NULL if it is empty), in
 * ctx->arena. ERR_UNAVAILABLE: no response. */
Err client_call(struct client *client, const char *method, Str path, Str body, int *ret_status,
                const struct json **ret);

/* The same, but any status except 2xx is ERR_UNAVAILABLE with the server's message. */
Err client_ask(struct client *client, const char *method, Str path, Str body,
               const struct json **ret);
