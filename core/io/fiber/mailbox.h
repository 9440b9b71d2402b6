/*
 * The mailbox of a loop: what other threads want done on its own. Only loop.c uses this.
 */
#pragma once

#include <stdbool.h>

struct mailbox;

struct mailbox *mailbox_new(void);
void mailbox_free(struct mailbox *mailbox); /* must be empty */

/* Readable while the loop should look: something was posted, or mailbox_ring was called. */
int mailbox_fd(const struct mailbox *mailbox);

void mailbox_post(struct mailbox *mailbox, void (*fn)(void *arg), void *arg); /* any thread */
void mailbox_ring(struct mailbox *mailbox); /* any thread, and signal handlers */

/* Runs what had been posted; after_each(arg) after every one. */
void mailbox_run(struct mailbox *mailbox, void (*after_each)(void *arg), void *arg);
