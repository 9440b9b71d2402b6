/*
 * A client's connection: everything between the socket and libh2o. Private to the server.
 *
 * libh2o 2.2 reads, buffers and parses whatever comes. Here it never reads a client's socket: each
 * byte is received by us, read by framing.h, and only a whole, unambiguous head is written into the
 * buffer that libh2o parses, without what says that a body follows. So libh2o knows requests
 * without bodies only, and takes no second one from what is left over. Bodies belong to us: small
 * ones are complete before their request is dispatched, large ones are received by the request's
 * fiber when it has found out who asks (exchange_receive_body).
 *
 *     HEAD   some bytes of a head, or a new connection     HEAD_TIMEOUT
 *     BODY   a small body comes in                         BODY_TIMEOUT without progress
 *     BUSY   libh2o has a request of it                    SEND_TIMEOUT, BODY_TIMEOUT
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

/* Bodies up to this are read before anybody asks whose they are. */
enum { BODY_EARLY_MAX = 64 * 1024 };
/* What is received at once. */
enum { RECEIVE_MAX = 64 * 1024 };
/* A part of a head and what came with its end; what more is sent waits in the kernel. */
enum { EARLY_MAX = HEAD_MAX + RECEIVE_MAX };

enum conn_phase { CONN_HEAD, CONN_BODY, CONN_BUSY, CONN_IDLE, CONN_PHASES };

struct server;
struct exchange;

struct conn {
    struct server *server;
    h2o_socket_t *socket;
    h2o_socket_cb on_head;     /* libh2o's: its buffer has a head; or, with an error, close it */
    struct exchange *exchange; /* the one being answered; NULL: none, or a static page */
    struct account *address;   /* NULL: a proxy of ours or no IP address; counted nowhere */
    enum conn_phase phase;
    struct conn *previous; /* in its phase's list, by since_us */
    struct conn *next;
    int64_t since_us;    /* when the phase began or, in BODY, something worth the name had come */
    int64_t progress_us; /* BUSY, while bytes go out or in: as since_us; 0: not measured yet */
    uint64_t progress;   /* how many had gone or come by then */
    struct timer soon;   /* what was received early must be looked at */
    struct buf early;    /* received, not yet used: part of a head, or the next requests */
    struct head head;
    struct holding head_holding; /* early, and the head of the request that is being answered */
    enum envelope envelope;      /* how its path speaks of errors */
    struct chunks chunks;
    struct buf body;
    struct holding body_holding;
    uint64_t body_left; /* BODY_COUNTED */
    uint64_t body_max;  /* what the route takes, when its fiber receives */
    bool is_body_complete;
    enum refusal body_refusal;
    struct wait *body_wait; /* the fiber that receives it */
    bool is_watched;        /* BUSY: read for the end of the connection */
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
/* Takes over `fd`; closes it at once when its address has too many. */
void conn_open(struct server *server, int fd, struct sockaddr *address, socklen_t len);
struct conn *conn_of_request(const h2o_req_t *req);
/* Ends a connection that libh2o has no request of. */
void conn_close(struct conn *conn);
void conn_enter(struct conn *conn, enum conn_phase phase);
/* Between two writes. libh2o polls for room to write from when it last looked, may be told of it
 * while nothing is being written, and aborts; so it must look again. */
void conn_poll_anew(struct conn *conn);
/* While its fiber waits: whether the client goes away. Bytes that come early end the watch. */
void conn_watch(struct conn *conn);

/* conn_head.c */
/* More of a head, after what came early. The conn may be gone after it. */
void conn_read_head(struct conn *conn, const char *bytes, size_t len);
/* What there is of head and body has been used: libh2o acts on the head. The conn may be gone after
 * it. */
void conn_dispatch(struct conn *conn);
/* The request has been answered: its head is nobody's any more. */
void conn_drop_head(struct conn *conn);
/* What has been received and belongs to the next request. */
void conn_keep_early(struct conn *conn, const char *bytes, size_t len);
/* Counts that; when there is no room it is dropped, and the connection closes after the answer. */
void conn_hold_early(struct conn *conn);

/* conn_body.c */
/* The head is complete, `bytes` come after it. The conn may be gone after it. */
void conn_begin_body(struct conn *conn, const char *bytes, size_t len);
/* More of a body that comes before its request is dispatched. */
void conn_continue_body(struct conn *conn, const char *bytes, size_t len);
/* Something can be received for the fiber that waits for it. */
void conn_receive_late(struct conn *conn);
void conn_drop_body(struct conn *conn);

/* conn_refuse.c */
/* Answers by hand and closes. Only for a connection that libh2o has no request of. */
void conn_refuse(struct conn *conn, enum refusal refusal);
/* When it closes, what the client still sends is read and thrown away for a moment: a reset would
 * take the answer from it. */
void conn_linger(struct conn *conn);
void linger_start(struct server *server, int fd);
void linger_end_all(struct server *server);

/* conn_sweep.c */
void sweep_start(struct server *server);
/* Closes a connection that does nothing, to make room for a new one; false: all are at work. */
bool conn_may_evict(const struct server *server);
bool conn_evict_one(struct server *server);
/* Ends one that is at work and has not moved for seconds; it is gone in the next turn. */
void conn_cut_one(struct server *server);
/* Until the holding may grow: ends what has not moved for seconds, largest first. */
bool conn_make_room(struct server *server, struct holding *holding, uint64_t bytes);
