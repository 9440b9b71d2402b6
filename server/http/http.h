/*
 * The HTTP front end of one thread: h2o's contexts, the listener, connections, drain.
 */
#pragma once

#include "io/reactor/reactor.h"

struct server;
struct exchange;

/* Functions of higher modules for a server. */
struct server_parts {
    /* Answers an exchange, immediately or from its own fiber. dispatch_answer. */
    void (*answer)(struct exchange *exchange);
    const void *answerer; /* private data of `answer`: its router */
    /* Adds handlers for certain paths before the general one. pages_add. */
    void (*add_pages)(struct server *server);
};

/* `listener_fd` is a bound, listening socket; the server takes it over. */
struct server *server_new(struct reactor *reactor, const struct server_parts *parts,
                          int listener_fd);
/* The server of this thread. */
struct server *server_of(struct reactor *reactor);
/* Stops accepting, closes idle connections, lets the others finish. */
void server_drain(struct server *server);
int64_t server_age_us(const struct server *server);
/* The end of the drain: closes every connection, including busy ones. */
void server_abort(struct server *server);
bool server_is_draining(const struct server *server);
bool server_is_idle(const struct server *server); /* no connection, no fiber of a request */
void server_free(struct server *server);
