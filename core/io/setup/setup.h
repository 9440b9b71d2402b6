/*
 * Builds a reactor from everything in io: the only module that knows all the others.
 */
#pragma once

#include "io/reactor/reactor.h"

/* PostgreSQL and Redis are connecting when this returns; see db_wait_ready. `application` is the
 * name that PostgreSQL shows for the connections. Never NULL; reactor_free. */
struct reactor *reactor_new(const struct settings *settings, struct offload *offload,
                            uint32_t index, const char *application);
/* No fiber may be alive. Releases the slots first. */
void reactor_free(struct reactor *reactor);
