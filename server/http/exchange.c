/*
 * The life of an exchange: created when a head is complete; referenced by h2o's request, by the
 * fiber that answers it and, until the fiber starts, by its creator.
 */
#include "server/http/exchange.h"

#include "base/system/clock.h"
#include "base/system/counters.h"

#include <assert.h>

static struct arena *arena_take(struct server *server)
{
    if (server->arena_count == 0)
        return arena_create();
    return server->arenas[--server->arena_count];
}

static void arena_give(struct server *server, struct arena *arena)
{
    if (server->arena_count == ARENA_POOL_MAX) {
        arena_destroy(arena);
        return;
    }
    arena_reset(arena);
    server->arenas[server->arena_count++] = arena;
}

void exchange_release(struct exchange *exchange)
{
    assert(exchange->references > 0);
    if (--exchange->references > 0)
        return;
    exchange_drop_memory(exchange);
    arena_give(exchange->server, exchange->arena);
}

struct link {
    struct exchange *exchange;
};

/* h2o's request ends: the reply is sent, or the client disconnected. */
static void link_dispose(void *memory)
{
    struct exchange *exchange = ((struct link *)memory)->exchange;
    struct conn *conn = exchange->conn;
    if (conn->body_wait != NULL)
        wait_end(conn->body_wait, ERR_CANCELLED);
    conn->body_wait = NULL;
    conn->exchange = NULL;
    exchange->conn = NULL;
    exchange->req = NULL;
    exchange_stop_sending(exchange);
    exchange_client_is_gone(exchange);
    exchange_release(exchange);
}

/* A new exchange has three references: the caller, the fiber and h2o's request. */
static struct exchange *exchange_new(struct server *server, h2o_req_t *req)
{
    struct arena *arena = arena_take(server);
    struct exchange *exchange = arena_new(arena, struct exchange);
    exchange->server = server;
    exchange->arena = arena;
    exchange->req = req;
    exchange->conn = conn_of_request(req);
    exchange->conn->exchange = exchange;
    exchange->references = 3;
    exchange->started_us = clock_now_us();
    exchange->body_holding.budget = BUDGET_BODIES;
    exchange_copy_request(exchange, req);
    if (exchange->conn->is_body_complete && exchange->conn->body.len > 0)
        exchange_take_body(exchange);
    exchange->answer_first = arena_alloc_raw(arena, REPLY_FIRST);
    exchange->mark = arena_mark(arena);

    struct link *link = h2o_mem_alloc_shared(&req->pool, sizeof *link, link_dispose);
    link->exchange = exchange;
    return exchange;
}

void exchange_lose_client(struct exchange *exchange)
{
    if (exchange->fiber == NULL)
        return;
    counter_inc(http_cancelled);
    fiber_cancel(exchange->fiber);
}

int exchange_on_request(h2o_handler_t *self, h2o_req_t *req)
{
    (void)self;
    struct server *server = H2O_STRUCT_FROM_MEMBER(struct server, h2o, req->conn->ctx);
    struct exchange *exchange = exchange_new(server, req);
    server->parts.answer(exchange);
    exchange_release(exchange);
    return 0;
}
