/*
 * The HTTP front end of one thread: h2o's contexts, the listener, connections, drain.
 */
#pragma once

#include "io/reactor/reactor.h"

struct server;
struct exchange;

/* What the modules above give to a server. */
struct server_parts {
    /* Answers an exchange: later, from a fiber of its own, or at once. dispatch_answer. */
    void (*answer)(struct exchange *exchange);
    const void *answerer; /* what `answer` finds in the server: its router */
    /* Adds handlers of certain paths before the one of all others. pages_add. */
    void (*add_pages)(struct server *server);
};

/* `listener_fd` is a bound, listening socket; the server owns it from here. */
struct server *server_new(struct reactor *reactor, const struct server_parts *parts,
                          int listener_fd);
/* That of this thread. */
struct server *server_of(struct reactor *reactor);
/* Stops accepting, closes idle connections, lets the others finish. */
void server_drain(struct server *server);
int64_t server_age_us(const struct server *server);
/* The end of the drain: closes every connection, whatever is still on its way. */
void server_abort(struct server *server);
bool server_is_draining(const struct server *server);
bool server_is_idle(const struct server *server); /* no connection, no fiber of a request */
void server_free(struct server *server);
