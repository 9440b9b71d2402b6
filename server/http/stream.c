/* Streaming replies: each chunk is sent after the previous one. */
#include "server/http/exchange.h"

#include <assert.h>
#include <sys/socket.h>

/* Only once: h2o may stop a generator and then drop its request before the fiber has run. */
static bool wake_writer(struct exchange *exchange, Err result)
{
    struct wait *wait = exchange->stream_wait;
    exchange->stream_wait = NULL;
    if (wait != NULL)
        wait_end(wait, result);
    return wait != NULL;
}

void exchange_client_is_gone(struct exchange *exchange)
{
    if (!wake_writer(exchange, ERR_CANCELLED) && exchange->fiber != NULL)
        fiber_cancel(exchange->fiber);
}

static void on_proceed(h2o_generator_t *generator, h2o_req_t *req)
{
    (void)req;
    struct exchange *exchange = (struct exchange *)generator;
    exchange->is_chunk_pending = false;
    wake_writer(exchange, OK);
    fibers_run_ready(exchange->server->reactor->loop);
}

static void on_stop(h2o_generator_t *generator, h2o_req_t *req)
{
    (void)req;
    exchange_client_is_gone((struct exchange *)generator);
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
    if (!reply_has_header(reply, STR("cache-control")))
        reply_header(reply, STR("cache-control"), STR("no-store"));
    exchange->generator = (h2o_generator_t){on_proceed, on_stop};
    exchange_start_response(exchange);
    exchange->is_chunk_pending = true;
    h2o_send(exchange->req, NULL, 0, H2O_SEND_STATE_IN_PROGRESS);
    TRY(wait_until_sent(ctx, exchange));
    return exchange->is_head ? ERR_CANCELLED : OK; /* a HEAD request gets only the headers */
}

fiber_fn Err reply_stream_write(struct ctx *ctx, struct reply *reply, Str chunk)
{
    struct exchange *exchange = reply->exchange;
    assert(reply->is_streaming);
    if (exchange->req == NULL)
        return ERR_CANCELLED;
    h2o_iovec_t vec = h2o_iovec_init(chunk.data, chunk.len);
    exchange->is_chunk_pending = true;
    h2o_send(exchange->req, &vec, 1, H2O_SEND_STATE_IN_PROGRESS);
    return wait_until_sent(ctx, exchange);
}

void reply_stream_break(struct reply *reply)
{
    assert(reply->is_streaming);
    reply->exchange->is_broken = true;
}

/* h2o accepts no further chunk while one is pending: a client that reads too slowly loses the
 * connection, and h2o's reference to the exchange ends with it. */
void exchange_end_stream(struct exchange *exchange)
{
    assert(exchange->req != NULL);
    if (!exchange->is_chunk_pending) {
        h2o_send(exchange->req, NULL, 0,
                 exchange->is_broken ? H2O_SEND_STATE_ERROR : H2O_SEND_STATE_FINAL);
        return;
    }
    h2o_conn_t *conn = exchange->req->conn;
    shutdown(h2o_socket_get_fd(conn->callbacks->get_socket(conn)), SHUT_RDWR);
}
