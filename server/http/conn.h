/*
 * A client's connection: everything between the socket and libh2o. Private to the server.
 *
 * libh2o 2.2 reads, buffers and parses without limits. Here it never reads a client's socket: we
 * receive each byte, parse it with framing.h, and write only a complete, unambiguous head into
 * libh2o's buffer, without the headers that announce a body. So libh2o sees only requests without
 * bodies, and cannot take leftover bytes for a second request. We receive bodies ourselves: small
 * ones completely before the request is dispatched, large ones by the request's fiber after
 * authentication (exchange_receive_body).
 *
 *     HEAD   some bytes of a head, or a new connection     HEAD_TIMEOUT
 *     BODY   a small body is being received                         BODY_TIMEOUT without progress
 *     BUSY   libh2o has a request                    SEND_TIMEOUT, BODY_TIMEOUT
 *     IDLE   between two requests                          KEEPALIVE_TIMEOUT
 *
 * libh2o calls h2o_socket_read_start when it wants a request; conn.c defines that function, and the
 * dynamic linker prefers the executable's to the library's.
 */
#pragma once

#include "base/text/buf.h"
#include "io/fiber/fiber.h"
#include "io/fiber/loop.h"
#include "server/http/budget.h"
#include "server/http/framing.h"
#include "server/http/reply.h"

#include <h2o.h>

/* Bodies up to this size are received before authentication. */
enum { BODY_EARLY_MAX = 64 * 1024 };
/* Maximum bytes of one receive call. */
enum { RECEIVE_MAX = 64 * 1024 };
/* A part of a head and the bytes received after its end; further bytes wait in the kernel. */
enum { EARLY_MAX = HEAD_MAX + RECEIVE_MAX };

enum conn_phase { CONN_HEAD, CONN_BODY, CONN_BUSY, CONN_IDLE, CONN_PHASES };

struct server;
struct exchange;

struct conn {
    struct server *server;
    h2o_socket_t *socket;
    h2o_socket_cb on_head; /* libh2o's callback: its buffer has a head; or, with an error, close the
                              connection */
    struct exchange *exchange; /* the exchange in progress; NULL: none, or a static page */
    struct account *address;   /* NULL: one of our proxies, or not an IP address; not limited */
    enum conn_phase phase;
    struct conn *previous; /* in its phase's list, by since_us */
    struct conn *next;
    int64_t since_us;    /* start of the phase or, in BODY, time of the last sufficient progress */
    int64_t progress_us; /* BUSY, while bytes are sent or received: like since_us; 0: not measured
                            yet */
    uint64_t progress;   /* the number of bytes at that time */
    struct timer soon;   /* processes bytes that were received early */
    struct buf early;    /* received, not yet used: part of a head, or the next requests */
    struct head head;
    struct holding head_holding; /* memory of `early`, and of the head of the request in progress */
    enum envelope envelope;      /* the error format for its path */
    struct chunks chunks;
    struct buf body;
    struct holding body_holding;
    uint64_t body_left; /* BODY_COUNTED */
    uint64_t body_max;  /* the limit of the route, when its fiber receives */
    bool is_body_complete;
    enum refusal body_refusal;
    struct wait *body_wait; /* the fiber that receives the body */
    bool is_watched;        /* BUSY: watched for a disconnect */
    bool must_close;        /* nothing more is read from it */
    bool is_evicted;
    int linger_fd; /* -1: none */
};

/* The connections of one phase, oldest first. */
struct conn_list {
    struct conn *first;
    struct conn *last;
    uint32_t count;
};

/* conn.c */
/* Takes over `fd`; closes it immediately when its address has too many connections. */
void conn_open(struct server *server, int fd, struct sockaddr *address, socklen_t len);
struct conn *conn_of_request(const h2o_req_t *req);
/* Closes a connection without a request in libh2o. */
void conn_close(struct conn *conn);
void conn_enter(struct conn *conn, enum conn_phase phase);
/* Call between two writes. libh2o keeps polling for writability, may be notified while nothing is
 * being written, and then aborts; so it must poll again. */
void conn_poll_anew(struct conn *conn);
/* While its fiber waits: watches for a disconnect. Early bytes end the watch. */
void conn_watch(struct conn *conn);

/* conn_head.c */
/* More of a head, after the bytes received early. This may free the conn. */
void conn_read_head(struct conn *conn, const char *bytes, size_t len);
/* Head and body are complete: libh2o processes the head. This may free the conn. */
void conn_dispatch(struct conn *conn);
/* The request has been answered: releases its head. */
void conn_drop_head(struct conn *conn);
/* Stores bytes that belong to the next request. */
void conn_keep_early(struct conn *conn, const char *bytes, size_t len);
/* Charges them; if the budget is exhausted they are dropped, and the connection closes after the
 * answer. */
void conn_hold_early(struct conn *conn);

/* conn_body.c */
/* The head is complete, `bytes` follow it. This may free the conn. */
void conn_begin_body(struct conn *conn, const char *bytes, size_t len);
/* More of a body that is received before its request is dispatched. */
void conn_continue_body(struct conn *conn, const char *bytes, size_t len);
/* Data for the fiber that waits for the body. */
void conn_receive_late(struct conn *conn);
void conn_drop_body(struct conn *conn);

/* conn_refuse.c */
/* Answers without libh2o and closes. Only for a connection without a request in libh2o. */
void conn_refuse(struct conn *conn, enum refusal refusal);
/* After closing, incoming bytes are read and discarded for a moment: a TCP reset would destroy the
 * answer. */
void conn_linger(struct conn *conn);
void linger_start(struct server *server, int fd);
void linger_end_all(struct server *server);

/* conn_sweep.c */
void sweep_start(struct server *server);
/* Closes an idle connection to make room for a new one; false: all are busy. */
bool conn_may_evict(const struct server *server);
bool conn_evict_one(struct server *server);
/* Ends a busy connection that has made no progress for seconds; it is closed in the next turn. */
void conn_cut_one(struct server *server);
/* Ends connections without progress, largest first, until the holding may grow. */
bool conn_make_room(struct server *server, struct holding *holding, uint64_t bytes);
