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
/* What its REPLY rows say, which has a schema of its own: components/schemas/<name>_reply; or NULL.
 */
const struct reply_shape *schema_reply_of(const struct route *route);
/* The schema of an answer, or of an object in one. */
void schema_write_reply(struct json_writer *w, const struct reply_shape *shape);
/* The schema of one value, without its description. */
void schema_write_value(struct json_writer *w, const struct route_input *input,
                        const struct input_field *field);
/* The schema of one shape of the body or of an answer; not of SHAPE_NOTHING. */
void schema_write_shape(struct json_writer *w, const struct route *route,
                        const struct route_shape *shape);
