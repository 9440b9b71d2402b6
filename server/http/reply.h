/*
 * A reply that a handler fills. The body is a buf in the request's arena; it is sent without a
 * copy. Dispatch sends replies and errors: a handler returns its Err.
 */
#pragma once

#include "base/json/json_writer.h"
#include "base/system/ctx.h"
#include "io/fiber/fiber.h"
#include "server/http/request.h"

enum { REPLY_HEADERS_MAX = 16, REPLY_MAX = 64 * 1024 * 1024 };
/* Answers up to this size need no malloc: most do, and it still fits an arena's first chunk. */
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

/* A header is dropped and logged if its value contains a line break or there are too many. */
void reply_header(struct reply *reply, Str name, Str value);
bool reply_has_header(const struct reply *reply, Str name);
void reply_text(struct reply *reply, int status, Str content_type, Str text);
void reply_no_content(struct reply *reply);

/* Streams, as server-sent events are: the status line goes out, then each chunk when the one before
 * is on the wire. Not to be stored unless the handler has said how long. ERR_CANCELLED when the
 * client is gone. */
fiber_fn Err reply_stream_begin(struct ctx *ctx, struct reply *reply, Str content_type);
fiber_fn Err reply_stream_write(struct ctx *ctx, struct reply *reply, Str chunk);
/* Ends the stream like a lost connection, so that the client does not take it for complete. */
void reply_stream_break(struct reply *reply);

/* Writes the error of ctx->diag in the envelope of the API. */
void reply_error(struct ctx *ctx, struct reply *reply, enum envelope envelope, Err err);
