/*
 * The fields of routes as JSON Schema, for openapi.c.
 */
#pragma once

#include "base/json/json_writer.h"
#include "server/dispatch/route.h"

/* Whether the route's body has its own schema: components/schemas/<name>_body. */
bool schema_has_body(const struct route *route);
/* The schema of such a body: an object with its fields and the required ones. */
void schema_write_body(struct json_writer *w, const struct route *route);
/* The schema of a successful answer. */
void schema_write_reply(struct json_writer *w, const struct reply_shape *shape);
/* The schema of one value, without its description. */
void schema_write_value(struct json_writer *w, const struct route_input *input,
                        const struct input_field *field);
