/*
 * Opening a socket to a Redis without blocking: names are resolved in an offload thread, every
 * address is tried in turn, the connect itself is watched. Only redis_connection.c uses this.
 */
#pragma once

struct loop;
struct redis_address;
struct redis_dial;

/* done(arg, fd, NULL) with a connected non-blocking socket, or done(arg, -1, why); once, never
 * from inside this call, and not after redis_dial_free. The dial frees itself then. */
struct redis_dial *redis_dial_start(struct loop *loop, const struct redis_address *address,
                                    void (*done)(void *arg, int fd, const char *error), void *arg);
void redis_dial_free(struct redis_dial *dial); /* cancels it; NULL is allowed */
