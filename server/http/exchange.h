/*
 * An exchange: one request and its reply, from the head to the last byte. For http, dispatch and
 * pages alone; with conn.h the only header of the tree that names h2o.
 *
 * Two sides hold it: the fiber that runs the handler, and h2o's request. Either may go first: a
 * client that disappears cancels the fiber, a fiber that is done leaves the arena to the socket
 * until the last byte is out. Whoever lets go last gives the arena back.
 */
#pragma once

#include "access/identity/authenticate.h"
#include "io/reactor/reactor.h"
#include "server/http/conn.h"
#include "server/http/http.h"
#include "server/http/reply.h"
#include "server/http/request.h"

enum { ARENA_POOL_MAX = 256 };
/* Answers up to this are no matter of budgets. */
enum { ANSWER_SMALL_MAX = 64 * 1024 };
/* What an answer or a large body must move within its time-out. */
enum { PROGRESS_STEP = 32 * 1024 };

struct lingering;

struct server {
    struct reactor *reactor;
    struct server_parts parts;
    h2o_hostconf_t *host;
    h2o_globalconf_t config;
    h2o_context_t h2o;
    h2o_accept_ctx_t accept;
    h2o_socket_t *listener;
    struct timer accept_again;
    struct timer sweep;
    struct budgets budgets;
    struct conn_list phases[CONN_PHASES];
    struct lingering *lingers;
    uint32_t linger_count; /* with those of connections that are about to close */
    uint32_t sweeps;
    int64_t slices_turn_us; /* the turn that has sent slices of answers, and since when */
    int64_t slices_since_us;
    struct arena *arenas[ARENA_POOL_MAX];
    uint32_t arena_count;
    uint32_t connections;
    uint32_t connections_max;
    uint32_t in_flight;
    int64_t started_us;
    bool is_draining;
    char received[RECEIVE_MAX]; /* by the connection that is being read; nobody keeps it */
};

struct exchange {
    h2o_generator_t generator; /* first: h2o hands it back to us */
    struct server *server;
    h2o_req_t *req;    /* NULL: the client is gone */
    struct conn *conn; /* NULL with req */
    struct fiber *fiber;
    struct wait *stream_wait; /* a writer waits until the chunk before is on the wire */
    struct arena *arena;
    uint32_t references;
    bool is_head;
    bool is_of_proxy;      /* one of ours, which does not say for whom it asks */
    bool is_counted;       /* a token was taken for it */
    bool must_close;       /* the connection ends with this answer */
    bool is_chunk_pending; /* a stream's last chunk is still on its way */
    bool is_broken;        /* a stream that must not look complete */
    int64_t started_us;
    ArenaMark mark;     /* what the request itself needs lies before it */
    char *answer_first; /* REPLY_FIRST bytes before the mark */
    struct buf_gate answer_gate;
    struct buf answer; /* reply.body */
    struct holding answer_holding;
    struct timer next_slice; /* of the answer */
    size_t sent;             /* of the answer's bytes, or on their way */
    size_t given_back;       /* of its memory */
    struct buf body;         /* request.body */
    struct holding body_holding;
    struct request request;
    struct reply reply;
    struct ctx *ctx; /* of the caller, once that is known */
};

/* exchange.c: a handler of h2o: makes an exchange and hands it to server_parts.answer. */
int exchange_on_request(h2o_handler_t *self, h2o_req_t *req);
void exchange_release(struct exchange *exchange);

/* answer.c: the memory of the answer: a fresh one, and its end. */
void exchange_begin_answer(struct exchange *exchange);
/* It is not being read: counts what was too small to be counted. False when there is no room. */
bool exchange_count_answer(struct exchange *exchange);
/* Whose a body or an answer is: the address and, once that is known, the site. */
void exchange_add_owners(struct exchange *exchange, struct holding *holding);
void exchange_drop_memory(struct exchange *exchange);

/* respond.c: status line and headers from exchange->reply; the whole reply, once. */
void exchange_start_response(struct exchange *exchange);
void exchange_send(struct exchange *exchange);
/* Gives a good answer to GET its ETag; one that the client has becomes 304. */
fiber_fn void exchange_make_conditional(struct exchange *exchange);

/* send.c: after the headers the whole body, in slices; and no more of it, for the client is gone.
 */
void exchange_send_body(struct exchange *exchange);
void exchange_stop_sending(struct exchange *exchange);

/* exchange_request.c: copies what handlers may see. */
void exchange_copy_request(struct exchange *exchange, const h2o_req_t *req);

/* stream.c: the end of a streaming reply, however its handler ended; and of its client. */
void exchange_end_stream(struct exchange *exchange);
void exchange_client_is_gone(struct exchange *exchange);
/* exchange.c: its connection has ended; its fiber need not go on. */
void exchange_lose_client(struct exchange *exchange);

/* conn_body.c: the body that came before the request was dispatched; the rest of one that is
 * larger, for routes that have let their caller pass. ERR_TOO_LARGE over `max` bytes. */
void exchange_take_body(struct exchange *exchange);
void exchange_drop_body(struct exchange *exchange);
fiber_fn Err exchange_receive_body(struct ctx *ctx, struct exchange *exchange, uint64_t max);
void conn_refuse_late(struct conn *conn, enum refusal refusal);

/* conn_refuse.c, http.c */
void linger_end_late(struct server *server, int64_t now_us);
void server_connection_is_gone(struct server *server);
