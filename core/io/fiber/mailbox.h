/*
 * The mailbox of a loop: calls that other threads post to it. Only loop.c uses this.
 */
#pragma once

#include <stdbool.h>

struct mailbox;

struct mailbox *mailbox_new(void);
void mailbox_free(struct mailbox *mailbox); /* must be empty */

/* Readable after a post or mailbox_ring. */
int mailbox_fd(const struct mailbox *mailbox);

void mailbox_post(struct mailbox *mailbox, void (*fn)(void *arg), void *arg); /* thread-safe */
void mailbox_ring(struct mailbox *mailbox); /* thread-safe and async-signal-safe */

/* Runs the posted calls; after_each(arg) after every one. */
void mailbox_run(struct mailbox *mailbox, void (*after_each)(void *arg), void *arg);
