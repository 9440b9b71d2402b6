/*
 * Builds a reactor from all modules of io: the only module that depends on all the others.
 */
#pragma once

#include "io/reactor/reactor.h"

/* PostgreSQL and Redis are still connecting when this returns; see db_wait_ready. `application` is
 * the name that PostgreSQL shows for the connections. Never NULL; free with reactor_free. */
struct reactor *reactor_new(const struct settings *settings, struct offload *offload,
                            uint32_t index, const char *application);
/* No fiber may be live. Releases the slots first. */
void reactor_free(struct reactor *reactor);
