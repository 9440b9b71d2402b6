/*
 * The change feed: all changes of rows of collections, regardless of which code wrote them.
 * Triggers insert into spark.changes in the transaction of the rows (schema/functions/changes.sql).
 * One fiber of each process reads what has become visible and passes it to every subscriber, in the
 * order of visibility; changes that became visible together, in the order in which they were
 * written. A transaction that commits late is not skipped.
 */
#pragma once

#include "base/crypto/uuid.h"
#include "base/system/err.h"
#include "io/fiber/fiber.h"

struct ctx;
struct db_tx;
struct platform;
struct reactor;

enum change_action { CHANGE_CREATE, CHANGE_UPDATE, CHANGE_DELETE };

/* Rows of one collection and one site that one statement wrote. */
struct change {
    Str xid;
    int64_t seq;
    Uuid site; /* nil: rows without a site, or rows of all sites if there are no keys */
    Str collection;
    enum change_action action;
    const Str *keys; /* NULL: more keys than the feed stores, or all rows */
    uint32_t count;
    bool is_announced; /* the writer has already notified hooks and Redis */
};

struct changes {
    const struct change *list;
    uint32_t count;
    /* The reader was down for longer than the retention of the feed, or PostgreSQL was replaced:
     * changes before the list may be missing. */
    bool has_gap;
};

/* Which changes a subscriber receives. */
enum changes_wanted { CHANGES_UNANNOUNCED, CHANGES_ALL };
/* May wait. After an error, the same changes are delivered again to all subscribers. A batch may
 * contain changes that the subscriber did not select. */
typedef fiber_fn Err ChangesFn(struct ctx *ctx, const struct changes *changes, void *arg);

enum { CHANGES_SUBSCRIBERS_MAX = 8 };
/* Before the threads start; `name` is static, for the log. */
void changes_subscribe(const char *name, enum changes_wanted wanted, ChangesFn *fn, void *arg);
/* For tests. */
void changes_unsubscribe_all(void);

/* Starts the reader of this process on this thread, if there are subscribers. They receive what
 * becomes visible from now on. The reader ends when it is cancelled. */
void changes_start(struct reactor *reactor);
/* The reader polls once a second; a hint makes it poll immediately. Thread-safe. */
void changes_hint(void);
/* Sends a hint when this transaction commits. */
void changes_hint_after(struct db_tx *tx);

/* Deletes rows older than CHANGES_RETENTION, oldest first, a limited number of pages per call.
 * Called by the steward. */
fiber_fn Err changes_trim(struct platform platform);
