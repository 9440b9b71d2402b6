/*
 * Sending an answer. A large one is sent in slices, one per turn of the loop, so that copying it
 * into the kernel does not block other requests; the memory of sent parts is released while the
 * client reads the rest.
 */
#include "base/system/clock.h"
#include "base/system/range.h"
#include "server/http/exchange.h"

#include <assert.h>
#include <sys/mman.h>
#include <unistd.h>

/* Limits the time per turn for slices of large answers; those that have waited longest go first. */
enum { SLICE = 256 * 1024, SLICES_US = 500 };

static void on_proceed(h2o_generator_t *generator, h2o_req_t *req);
static void on_stop(h2o_generator_t *generator, h2o_req_t *req);
static void on_next_turn(void *arg);
static void send_slice(struct exchange *exchange);
static void give_back(struct exchange *exchange);

void exchange_send_body(struct exchange *exchange)
{
    Str body = buf_str(exchange->reply.body);
    exchange->req->res.content_length = body.len;
    exchange->generator = (h2o_generator_t){on_proceed, on_stop};
    exchange->next_slice = (struct timer){.on_time = on_next_turn, .arg = exchange};
    exchange_start_response(exchange);
    if (exchange->is_head)
        h2o_send(exchange->req, NULL, 0, H2O_SEND_STATE_FINAL);
    else
        send_slice(exchange);
}

void exchange_stop_sending(struct exchange *exchange)
{
    timer_stop(exchange->server->reactor->loop, &exchange->next_slice);
}

static void on_proceed(h2o_generator_t *generator, h2o_req_t *req)
{
    (void)req;
    struct exchange *exchange = (struct exchange *)generator;
    give_back(exchange);
    conn_poll_anew(exchange->conn);
    timer_start(exchange->server->reactor->loop, &exchange->next_slice, clock_now_us());
}

static void on_stop(h2o_generator_t *generator, h2o_req_t *req)
{
    (void)req;
    exchange_stop_sending((struct exchange *)generator);
}

static bool has_sent_enough(struct server *server)
{
    int64_t turn_us = loop_now_us(server->reactor->loop);
    int64_t now_us = clock_now_us();
    if (server->slices_turn_us != turn_us) {
        server->slices_turn_us = turn_us;
        server->slices_since_us = now_us;
    }
    return now_us - server->slices_since_us > SLICES_US;
}

static void on_next_turn(void *arg)
{
    struct exchange *exchange = arg;
    assert(exchange->req != NULL);
    if (has_sent_enough(exchange->server))
        timer_start(exchange->server->reactor->loop, &exchange->next_slice, clock_now_us());
    else
        send_slice(exchange);
}

static void send_slice(struct exchange *exchange)
{
    Str body = buf_str(exchange->reply.body);
    Str slice = str_slice(body, exchange->sent, exchange->sent + SLICE);
    exchange->sent += slice.len;
    bool is_last = exchange->sent == body.len;
    h2o_iovec_t vec = h2o_iovec_init(slice.data, slice.len);
    h2o_send(exchange->req, &vec, slice.len > 0 ? 1 : 0,
             is_last ? H2O_SEND_STATE_FINAL : H2O_SEND_STATE_IN_PROGRESS);
}

/* Releases the complete pages of the sent part. They remain allocated from malloc's view. */
static void give_back(struct exchange *exchange)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    struct buf *answer = exchange->reply.body;
    uintptr_t start = (uintptr_t)answer->data;
    uintptr_t from = (start + exchange->given_back + page - 1) & ~(page - 1);
    uintptr_t to = (start + exchange->sent) & ~(page - 1);
    if (answer->is_borrowed || to <= from)
        return;
    (void)madvise((void *)from, to - from, MADV_DONTNEED); /* may fail: then free() releases them */
    exchange->given_back = to - start;
    struct holding *holding = &exchange->answer_holding;
    uint64_t bytes = to - from;
    holding_shrink(&exchange->server->budgets, holding, min_u64(bytes, holding->bytes));
}
