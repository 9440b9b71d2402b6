/*
 * Running actions: each in a fiber of its own after the reply, with five seconds from its start.
 * Per thread, an extension runs at most 128 at once (about 1,000 for all extensions), and 5,000 may
 * wait; more are dropped and counted. A hanging action delays only events of its own extension.
 */
#pragma once

#include "content/items/items.h"
#include "runtime/host_internal.h"

enum { ACTIONS_RUNNING_MAX = 128, ACTIONS_RUNNING_ALL_MAX = 1000, ACTIONS_WAITING_MAX = 5000 };

/* Copies its arguments; returns immediately. */
void action_start(const struct ctx *ctx, const struct host_hook *hook,
                  const struct items_change *change);
/* The number of unfinished actions in this thread. */
uint32_t actions_open(const struct reactor *reactor);
