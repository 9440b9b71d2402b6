/*
 * The HTTP face of one thread: h2o's contexts, the listener, connections, drain.
 */
#pragma once

#include "io/reactor/reactor.h"

struct server;
struct router;

/* `listener_fd` is a bound, listening socket; the server owns it from here. */
struct server *server_new(struct reactor *reactor, const struct router *router, int listener_fd);
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
