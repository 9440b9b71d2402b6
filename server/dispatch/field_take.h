/*
 * Reads one field from a body or a query: its type and limits. Private to field.c and field_take.c.
 */
#pragma once

#include "server/dispatch/field.h"

struct field_reader {
    struct ctx *ctx;
    const struct route_input *input;
    const struct request *request;
    const struct json *body;
    char *values;    /* the route's struct */
    uint64_t faulty; /* bit set of fields with a reported fault */
    Err first;       /* the first fault */
};

static inline void *field_value(const struct field_reader *reader, const struct input_field *field)
{
    return reader->values + field->offset;
}

/* The first fault becomes the result. */
void field_fault(struct field_reader *reader, const struct input_field *field, Err err);
/* Reports the field's own message, or else `sentence`. */
void field_complain(struct field_reader *reader, const struct input_field *field, Err err,
                    Str sentence);
/* The object that contains the field, and the field's value in it: by its name, else its alias. */
const struct json *field_object(const struct field_reader *reader, const struct input_field *field);
const struct json *field_json(const struct field_reader *reader, const struct input_field *field);

void field_take_body(struct field_reader *reader, const struct input_field *field);
void field_take_query(struct field_reader *reader, const struct input_field *field);
