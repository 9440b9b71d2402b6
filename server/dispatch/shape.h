/*
 * What routes answer, and what bodies look like as a whole, as routes.def declares it: for those
 * who describe it (OpenAPI).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The members of a reply, for those who describe it; gen/routes/<family>.h has its struct. */
enum reply_type {
    REPLY_TRUE,
    REPLY_BOOL,
    REPLY_INT,
    REPLY_COUNT, /* uint64_t */
    REPLY_REAL,
    REPLY_TEXT,
    REPLY_UUID,
    REPLY_TIME, /* wall time in µs */
    REPLY_RAW,  /* JSON */
    REPLY_TEXTS,
    REPLY_UUIDS,
    REPLY_OBJECT,
    REPLY_LIST, /* of objects */
};

struct reply_field {
    const char *name;
    enum reply_type type;
    const struct reply_shape *shape; /* of an object, or of those of a list */
    bool is_nullable;
    bool is_optional; /* left out when there is none */
    const char *help;
};

struct reply_shape {
    const struct reply_field *fields;
    uint32_t count;
};

enum shape_type {
    SHAPE_FIELDS,  /* the route's BODY rows */
    SHAPE_REPLY,   /* the route's REPLY rows */
    SHAPE_OBJECT,  /* any object; of the group, if it has one */
    SHAPE_OBJECTS, /* an array of any objects */
    SHAPE_KEYS,    /* an array of texts or integers */
    SHAPE_ITEM,    /* {"data": any object} */
    SHAPE_ITEMS,   /* {"data": an array of any objects, "meta": counts} */
    SHAPE_TEXT,    /* not JSON */
    SHAPE_NOTHING, /* no content */
};

/* One that the body, or the answer with a status, may have; several of one status: one of them. */
struct route_shape {
    const char *status; /* "204"; "2XX": any success; NULL: the body */
    enum shape_type type;
    const char *media; /* NULL: no content */
    const struct reply_shape *object;
    const char *help;
};
