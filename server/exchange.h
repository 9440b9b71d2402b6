/*
 * An exchange: one request and its reply, from the socket to the last byte. Private to dispatch,
 * stream and http; the only header of the tree that names h2o.
 *
 * Two sides hold it: the fiber that runs the handler, and h2o's request. Either may go first: a
 * client that disappears cancels the fiber, a fiber that is done leaves the arena to the socket
 * until the last byte is out. Whoever lets go last gives the arena back.
 */
#pragma once

#include "access/authenticate.h"
#include "io/reactor.h"
#include "server/http.h"
#include "server/route.h"

#include <h2o.h>

enum { FD_MAX = 65536, ARENA_POOL_MAX = 256 };

struct server {
    struct reactor *reactor;
    struct router *router;
    h2o_globalconf_t config;
    h2o_context_t h2o;
    h2o_accept_ctx_t accept;
    h2o_socket_t *listener;
    struct timer accept_again;
    struct timer sweep;
    struct exchange *by_fd[FD_MAX]; /* HTTP/1 exchanges in flight, to find them from a socket */
    struct arena *arenas[ARENA_POOL_MAX];
    uint32_t arena_count;
    uint32_t connections;
    uint32_t in_flight;
    int64_t started_us;
    bool is_draining;
};

struct exchange {
    h2o_generator_t generator; /* first: h2o hands it back to us */
    struct server *server;
    h2o_req_t *req; /* NULL: the client is gone */
    struct fiber *fiber;
    struct wait *stream_wait; /* a writer waits until the chunk before is on the wire */
    struct arena *arena;
    uint32_t references;
    int fd;          /* HTTP/1: its place in by_fd; -1: none */
    bool is_watched; /* the socket is polled for a client that goes away */
    bool is_head;
    bool is_counted;       /* a token was taken for it */
    bool must_close;       /* the connection ends with this answer */
    bool is_chunk_pending; /* a stream's last chunk is still on its way */
    bool is_broken;        /* a stream that must not look complete */
    int64_t started_us;
    struct request request;
    struct reply reply;
    struct ctx ctx;
};

/* dispatch.c */
int dispatch_on_request(h2o_handler_t *self, h2o_req_t *req);
void exchange_release(struct exchange *exchange);

/* request_head.c: why this request must not be answered as if nothing were wrong; NULL: it may. */
const char *request_head_fault(const h2o_req_t *req);

/* respond.c: status line and headers from exchange->reply; the whole reply, once. */
void exchange_start_response(struct exchange *exchange);
void exchange_send(struct exchange *exchange);

/* exchange_request.c: copies what handlers may see. */
void exchange_copy_request(struct exchange *exchange, const h2o_req_t *req);
/* The host that an absolute target names; STR_NONE when it is only a path. */
Str target_host(Str target);

/* stream.c: the end of a streaming reply, however its handler ended; and of its client. */
void exchange_end_stream(struct exchange *exchange);
void exchange_client_is_gone(struct exchange *exchange);

/* pages_http.c: serves the files of `folder` and its subfolder `below` ("" or "/js") under
 * `prefix`, from memory. */
void pages_register(h2o_hostconf_t *host, const char *prefix, Str folder, const char *below);

/* body_limit.c: the sweep over bodies that are still coming in. */
uint64_t route_body_max(const struct settings *settings, enum route_body body);
void body_sweep_start(struct server *server);
