/*
 * The fields of a route, as its routes.def declares them, and the reader that converts a body or a
 * query to the route's struct. All faults are reported together, each with the note "field".
 */
#pragma once

#include "base/json/json.h"
#include "base/system/ctx.h"
#include "io/fiber/fiber.h"

struct request;

enum input_type {
    INPUT_TEXT,   /* Str of at most int_max characters; in a query, of bytes */
    INPUT_SCALAR, /* Str; a number is converted to its text */
    INPUT_INT,
    INPUT_BOOL,
    INPUT_UUID,
    INPUT_IDS,    /* struct db_uuids: 1 to int_max, duplicates removed */
    INPUT_TIME,   /* int64_t, wall time in µs, from ISO 8601 of at most int_max characters */
    INPUT_MONEY,  /* Str in the format of numeric(10, 2) */
    INPUT_OBJECT, /* const struct json *; NULL: absent or null */
    INPUT_JSON,   /* the same, any value */
    INPUT_ANY,    /* known, but the handler reads it */
};

enum input_flags {
    INPUT_IS_REQUIRED = 1,
    INPUT_IS_FILLED = 2,    /* required, and not only white space */
    INPUT_IS_FOLDED = 4,    /* converted to lower case */
    INPUT_IS_BLANKABLE = 8, /* an empty text counts as absent instead of as a choice */
    INPUT_IS_CAPPED = 16,   /* a value above the maximum becomes the maximum */
    INPUT_IS_NULLABLE = 32, /* null is a value: has_… is set */
    INPUT_IS_STRICT = 64,   /* in a query, an empty value counts as present */
};

struct input_field {
    const char *name;  /* "mode" */
    const char *path;  /* "velocity.mode" */
    const char *alias; /* an older name; NULL: none */
    const char *help;
    enum input_type type;
    bool is_query;
    bool has_flag;   /* there is a member has_… at has_offset */
    int16_t parent;  /* index of the containing object; -1: none */
    uint16_t with;   /* read only if this field is present: its number from 1 */
    uint16_t unless; /* not read if this field is present */
    uint32_t flags;
    int64_t int_min;
    int64_t int_max;
    const char *choices; /* "draft, published"; NULL: any text */
    Err says_err;
    const char *says; /* replaces the type's error message; NULL: none */
    size_t offset;
    size_t has_offset;
};

/* One of several fields is required. */
struct input_need {
    uint64_t fields; /* bit set of the fields */
    uint32_t first;  /* the field that the note names */
    const char *says;
};

struct route_input {
    size_t size; /* of the struct; 0: the route has no fields */
    const struct input_field *fields;
    uint32_t count;
    const struct input_need *needs;
    uint32_t need_count;
    const void *defaults; /* initial contents of the struct; NULL: zero */
    Err (*check)(struct ctx *ctx, void *input);
    bool is_late; /* the handler reports the faults, together with its own */
    size_t faults_offset;
    Str body_members; /* as json_check_members reads them */
    Str query_members;
    bool has_free_body; /* the handler has its own list of members */
};

/*
 * Reads `body` (NULL: none) and the query. First checks types and limits, then required fields,
 * choices, dates and ids. ERR_INVALID_PAYLOAD, ERR_INVALID_QUERY, ERR_FAILED_VALIDATION or the
 * field's own error.
 */
fiber_fn Err fields_read(struct ctx *ctx, const struct route_input *input,
                         const struct request *request, const struct json *body, void *ret);

/* Whether a field has a value after reading: not nil, no empty text or list. */
bool field_is_given(const struct input_field *field, const void *input);

/* Adds an ERR_FAILED_VALIDATION about one field to the faults reported before. */
Err field_refuse(struct ctx *ctx, const char *field, const char *sentence);
