/*
 * An exchange: one request and its reply, from the head to the last byte. Only for http, dispatch
 * and pages; with conn.h the only header that includes h2o.
 *
 * It is referenced by the fiber that runs the handler and by h2o's request. Either may end first: a
 * disconnect cancels the fiber; a finished fiber leaves the arena until the last byte is sent. The
 * last reference frees the arena.
 */
#pragma once

#include "access/identity/authenticate.h"
#include "io/reactor/reactor.h"
#include "server/http/conn.h"
#include "server/http/http.h"
#include "server/http/reply.h"
#include "server/http/request.h"

enum { ARENA_POOL_MAX = 256 };
/* Answers up to this size are not charged. */
enum { ANSWER_SMALL_MAX = 64 * 1024 };
/* The progress that an answer or a large body must make within its timeout. */
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
    uint32_t linger_count; /* including connections that are about to close */
    uint32_t sweeps;
    int64_t slices_turn_us; /* the turn that last sent slices of answers, and its start */
    int64_t slices_since_us;
    struct arena *arenas[ARENA_POOL_MAX];
    uint32_t arena_count;
    uint32_t connections;
    uint32_t connections_max;
    uint32_t in_flight;
    int64_t started_us;
    bool is_draining;
    char received[RECEIVE_MAX]; /* receive buffer of the connection that is being read; not kept */
};

struct exchange {
    h2o_generator_t generator; /* must be first: h2o passes it back */
    struct server *server;
    h2o_req_t *req;    /* NULL: the client has disconnected */
    struct conn *conn; /* NULL if req is NULL */
    struct fiber *fiber;
    struct wait *stream_wait; /* a writer that waits until the previous chunk is sent */
    struct arena *arena;
    uint32_t references;
    bool is_head;
    bool is_of_proxy;      /* from one of our proxies, without the client's address */
    bool is_counted;       /* a rate-limit token was taken for it */
    bool must_close;       /* the connection closes after this answer */
    bool is_chunk_pending; /* the last chunk of a stream is still being sent */
    bool is_broken;        /* a stream that must end like a lost connection */
    int64_t started_us;
    ArenaMark mark;     /* memory of the request itself is before it */
    char *answer_first; /* REPLY_FIRST bytes before the mark */
    struct buf_gate answer_gate;
    struct buf answer; /* reply.body */
    struct holding answer_holding;
    struct timer next_slice; /* of the answer */
    size_t sent;             /* bytes of the answer that are sent or being sent */
    size_t given_back;       /* bytes of its memory that are released */
    struct buf body;         /* request.body */
    struct holding body_holding;
    struct request request;
    struct reply reply;
    struct ctx *ctx; /* of the caller, after authentication */
    struct db_tally tally; /* of all attempts */
};

/* exchange.c: a handler of h2o: creates an exchange and passes it to server_parts.answer. */
int exchange_on_request(h2o_handler_t *self, h2o_req_t *req);
void exchange_release(struct exchange *exchange);

/* answer.c: the memory of the answer: initialise and release. */
void exchange_begin_answer(struct exchange *exchange);
/* The client is not reading it: charges an answer that was too small before. False if the budget is
 * exhausted. */
bool exchange_count_answer(struct exchange *exchange);
/* Adds the owners of a body or an answer: the address and, if known, the site. */
void exchange_add_owners(struct exchange *exchange, struct holding *holding);
void exchange_drop_memory(struct exchange *exchange);

/* respond.c: sends status line and headers from exchange->reply; the whole reply, once. */
void exchange_start_response(struct exchange *exchange);
void exchange_send(struct exchange *exchange);
/* Sets the ETag of a successful answer to GET; if the client has that version, it becomes 304. */
fiber_fn void exchange_make_conditional(struct exchange *exchange);

/* send.c: sends the body after the headers, in slices; stops when the client disconnects. */
void exchange_send_body(struct exchange *exchange);
void exchange_stop_sending(struct exchange *exchange);

/* exchange_request.c: copies the parts of the request that handlers use. */
void exchange_copy_request(struct exchange *exchange, const h2o_req_t *req);

/* stream.c: ends a streaming reply after its handler or its client has ended. */
void exchange_end_stream(struct exchange *exchange);
void exchange_client_is_gone(struct exchange *exchange);
/* exchange.c: the connection has ended; cancels its fiber. */
void exchange_lose_client(struct exchange *exchange);

/* conn_body.c: the body that was received before dispatch; or the rest of a larger one, after the
 * route guard. ERR_TOO_LARGE over `max` bytes. */
void exchange_take_body(struct exchange *exchange);
void exchange_drop_body(struct exchange *exchange);
fiber_fn Err exchange_receive_body(struct ctx *ctx, struct exchange *exchange, uint64_t max);
void conn_refuse_late(struct conn *conn, enum refusal refusal);

/* conn_refuse.c, http.c */
void linger_end_late(struct server *server, int64_t now_us);
void server_connection_is_gone(struct server *server);
