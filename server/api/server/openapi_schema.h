/*
 * The fields of routes as JSON Schema, for openapi.c.
 */
#pragma once

#include "base/json/json_writer.h"
#include "server/dispatch/route.h"

/* Whether the route's body has a schema of its own: components/schemas/<name>_body. */
bool schema_has_body(const struct route *route);
/* The schema of such a body: an object of the fields, with what is required. */
void schema_write_body(struct json_writer *w, const struct route *route);
/* The schema of what the route answers when all went well. */
void schema_write_reply(struct json_writer *w, const struct reply_shape *shape);
/* The schema of one value, without its description. */
void schema_write_value(struct json_writer *w, const struct route_input *input,
                        const struct input_field *field);
