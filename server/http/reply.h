/*
 * A reply that a handler fills. The body is a buf in the request's arena; it goes to the socket
 * without a copy. Sending is dispatch's business, and so are errors: a handler returns its Err.
 */
#pragma once

#include "base/json/json_writer.h"
#include "base/system/ctx.h"
#include "io/fiber/fiber.h"
#include "server/http/request.h"

enum { REPLY_HEADERS_MAX = 16, REPLY_MAX = 64 * 1024 * 1024 };
/* What an answer may have without a malloc: most of them, and it still fits an arena's first chunk.
 */
enum { REPLY_FIRST = 4096 };

struct exchange;

struct reply {
    int status;
    Str content_type;
    struct buf *body;
    struct json_writer json; /* writes into body */
    bool is_streaming;
    uint32_t header_count;
    struct {
        Str name; /* lower case, static or in the arena */
        Str value;
    } headers[REPLY_HEADERS_MAX];
    struct exchange *exchange;
};

/* Left out, and logged, when it would be two lines or one too many. */
void reply_header(struct reply *reply, Str name, Str value);
bool reply_has_header(const struct reply *reply, Str name);
void reply_text(struct reply *reply, int status, Str content_type, Str text);
void reply_no_content(struct reply *reply);

/* Streams, as server-sent events are: the status line goes out, then each chunk when the one before
 * is on the wire. Not to be stored unless the handler has said how long. ERR_CANCELLED when the
 * client is gone. */
fiber_fn Err reply_stream_begin(struct ctx *ctx, struct reply *reply, Str content_type);
fiber_fn Err reply_stream_write(struct ctx *ctx, struct reply *reply, Str chunk);
/* The stream ends as a lost connection does, so that nobody takes what has come for all of it. */
void reply_stream_break(struct reply *reply);

/* The error of ctx->diag in the envelope of the API being spoken. */
void reply_error(struct ctx *ctx, struct reply *reply, enum envelope envelope, Err err);
