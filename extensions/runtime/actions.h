/*
 * Actions on their way: each in a fiber of its own after the reply, with five seconds from when it
 * starts. An extension has at most 128 at once in a thread (all together some 1,000) and 5,000
 * that wait; more are dropped, and counted. One that hangs delays nobody but the events of its own
 * extension.
 */
#pragma once

#include "content/items/items.h"
#include "runtime/host_internal.h"

enum { ACTIONS_RUNNING_MAX = 128, ACTIONS_RUNNING_ALL_MAX = 1000, ACTIONS_WAITING_MAX = 5000 };

/* Copies all that it needs; returns at once. */
void action_start(const struct ctx *ctx, const struct host_hook *hook,
                  const struct items_change *change);
/* How many have not ended in this thread. */
uint32_t actions_open(const struct reactor *reactor);
