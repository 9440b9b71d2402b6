/*
 * The fields that a route takes, as its routes.def declares them, and the reader that turns a body
 * or a query into the route's struct. All faults are told at once, each with the note "field".
 */
#pragma once

#include "base/json/json.h"
#include "base/system/ctx.h"
#include "io/fiber/fiber.h"

struct request;

enum input_type {
    INPUT_TEXT,   /* Str of at most int_max characters; in a query, of bytes */
    INPUT_SCALAR, /* Str; a number is as good as its text */
    INPUT_INT,
    INPUT_BOOL,
    INPUT_UUID,
    INPUT_IDS,    /* struct db_uuids: 1 to int_max, each once */
    INPUT_TIME,   /* int64_t, wall time in µs, from ISO 8601 of at most int_max characters */
    INPUT_MONEY,  /* Str as numeric(10, 2) takes it */
    INPUT_OBJECT, /* const struct json *; NULL: absent or null */
    INPUT_JSON,   /* the same, any value */
    INPUT_ANY,    /* known, but not read here */
};

enum input_flags {
    INPUT_IS_REQUIRED = 1,
    INPUT_IS_FILLED = 2,    /* required, and not only white space */
    INPUT_IS_FOLDED = 4,    /* read in lower case */
    INPUT_IS_BLANKABLE = 8, /* an empty text is no choice, but none was made */
    INPUT_IS_CAPPED = 16,   /* more than the most is the most */
    INPUT_IS_NULLABLE = 32, /* null is a value: has_… is set */
    INPUT_IS_STRICT = 64,   /* in a query, an empty value is one */
};

struct input_field {
    const char *name;  /* "mode" */
    const char *path;  /* "velocity.mode" */
    const char *alias; /* an older name of the same; NULL: none */
    const char *help;
    enum input_type type;
    bool is_query;
    bool has_flag;   /* there is a member has_… at has_offset */
    int16_t parent;  /* the object that it is a member of; -1: none */
    uint16_t with;   /* read only where this one is there, too: its number from 1 */
    uint16_t unless; /* not read where this one is there */
    uint32_t flags;
    int64_t int_min;
    int64_t int_max;
    const char *choices; /* "draft, published"; NULL: any text */
    Err says_err;
    const char *says; /* instead of the sentence that its type has; NULL: none */
    size_t offset;
    size_t has_offset;
};

/* One of several fields must be there. */
struct input_need {
    uint64_t fields; /* a bit each */
    uint32_t first;  /* which the note names */
    const char *says;
};

/* The members of a reply, for those who describe it; gen/routes/<family>.h has its struct. */
enum reply_type {
    REPLY_TRUE,
    REPLY_BOOL,
    REPLY_INT,
    REPLY_COUNT, /* uint64_t */
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

struct route_input {
    size_t size; /* of the struct; 0: the route takes no fields */
    const struct input_field *fields;
    uint32_t count;
    const struct input_need *needs;
    uint32_t need_count;
    const void *defaults; /* the struct before it is read; NULL: zero */
    Err (*check)(struct ctx *ctx, void *input);
    bool is_late; /* faults are for the handler to tell, beside its own */
    size_t faults_offset;
    Str body_members; /* as json_check_members reads them */
    Str query_members;
    bool has_free_body; /* the handler has a list of members of its own */
};

/*
 * Reads `body` (NULL: none) and the query. Wrong types and passed limits come first, then what is
 * required, choices, dates and ids. ERR_INVALID_PAYLOAD, ERR_INVALID_QUERY, ERR_FAILED_VALIDATION
 * or what a field says.
 */
fiber_fn Err fields_read(struct ctx *ctx, const struct route_input *input,
                         const struct request *request, const struct json *body, void *ret);

/* Whether a field of an input that was read has a value: no nil, no empty text or list. */
bool field_is_given(const struct input_field *field, const void *input);

/* ERR_FAILED_VALIDATION about one field, beside what was told before. */
Err field_refuse(struct ctx *ctx, const char *field, const char *sentence);
