/*
 * A request for handlers: copied from h2o into the arena before the handler starts, so that it
 * outlives the client's connection.
 */
#pragma once

#include "base/json/json.h"
#include "base/system/ctx.h"
#include "io/fiber/fiber.h"

enum { REQUEST_PARAMS_MAX = 4, REQUEST_HEADERS_MAX = 100 };

struct route; /* defined by dispatch; opaque here */

/* The format of errors, and other differences between the two APIs. */
enum envelope { ENVELOPE_CMS, ENVELOPE_API };
enum envelope envelope_of_path(Str path); /* /api, /god: ENVELOPE_API */

struct request_header {
    Str name; /* lower case */
    Str value;
};

struct request {
    Str method;
    Str path;  /* as sent, without the query */
    Str query; /* after '?', as sent */
    Str host;
    Str ip;
    Str body;
    const struct request_header *headers;
    uint32_t header_count;
    enum envelope envelope;         /* of the path, or of its route */
    const struct route *route;      /* NULL: not found, or not yet looked up */
    Str params[REQUEST_PARAMS_MAX]; /* percent-decoded, in the order of the route's pattern */
    const struct json *json; /* the body of a route whose fields were read; NULL: not parsed yet */
    void *input;             /* the route's struct, read and checked; NULL: it has no fields */
};

Str request_header(const struct request *request, Str name); /* STR_NONE if absent */
Err fail_route(struct ctx *ctx, const struct request *request); /* ERR_ROUTE_NOT_FOUND */
Str request_cookie(const struct request *request, Str name);
/* The percent-decoded value of a plain query parameter (no brackets); STR_NONE if absent. */
Str request_query(struct arena *arena, const struct request *request, Str name);

/*
 * The body as JSON: an object or array. An empty body or another content type gives an empty
 * object, as in Directus. ERR_INVALID_PAYLOAD (CMS routes) or ERR_INVALID_JSON (/api, /god).
 */
fiber_fn Err request_json(struct ctx *ctx, const struct request *request, const struct json **ret);
/* The same for a body that must be an object. */
fiber_fn Err request_object(struct ctx *ctx, const struct request *request,
                            const struct json **ret);
/* A path parameter that must be a uuid; anything else is ERR_INVALID_PATH_PARAMETER. */
Err request_uuid(struct ctx *ctx, const struct request *request, uint32_t param, Uuid *ret);
