/* Streaming replies: each chunk leaves when the one before is on the wire. */
#include "server/exchange.h"

#include <assert.h>

static void on_proceed(h2o_generator_t *generator, h2o_req_t *req)
{
    (void)req;
    struct exchange *exchange = (struct exchange *)generator;
    if (exchange->stream_wait != NULL)
        wait_end(exchange->stream_wait, OK);
    fibers_run_ready(exchange->server->reactor->loop);
}

static void on_stop(h2o_generator_t *generator, h2o_req_t *req)
{
    (void)req;
    struct exchange *exchange = (struct exchange *)generator;
    if (exchange->stream_wait != NULL)
        wait_end(exchange->stream_wait, ERR_CANCELLED);
    else if (exchange->fiber != NULL)
        fiber_cancel(exchange->fiber);
}

static fiber_fn Err wait_until_sent(struct ctx *ctx, struct exchange *exchange)
{
    struct wait wait = wait_begin();
    exchange->stream_wait = &wait;
    Err err = fiber_wait(ctx, &wait);
    exchange->stream_wait = NULL;
    if (err == OK && exchange->req == NULL)
        return ERR_CANCELLED;
    return err;
}

fiber_fn Err reply_stream_begin(struct ctx *ctx, struct reply *reply, Str content_type)
{
    struct exchange *exchange = reply->exchange;
    assert(!reply->is_streaming);
    if (exchange->req == NULL)
        return ERR_CANCELLED;
    reply->is_streaming = true;
    reply->content_type = content_type;
    reply_header(reply, STR("cache-control"), STR("no-store"));
    exchange->generator = (h2o_generator_t){on_proceed, on_stop};
    exchange_start_response(exchange);
    h2o_send(exchange->req, NULL, 0, H2O_SEND_STATE_IN_PROGRESS);
    return wait_until_sent(ctx, exchange);
}

fiber_fn Err reply_stream_write(struct ctx *ctx, struct reply *reply, Str chunk)
{
    struct exchange *exchange = reply->exchange;
    assert(reply->is_streaming);
    if (exchange->req == NULL)
        return ERR_CANCELLED;
    h2o_iovec_t vec = h2o_iovec_init(chunk.data, chunk.len);
    h2o_send(exchange->req, &vec, 1, H2O_SEND_STATE_IN_PROGRESS);
    return wait_until_sent(ctx, exchange);
}
