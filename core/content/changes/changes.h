/*
 * The change feed: what has become visible of the rows of collections, whatever path they took.
 * Triggers write spark.changes in the transaction of the rows (schema/functions/changes.sql); one
 * fiber of each process reads what each new snapshot shows and hands it to every subscriber, in the
 * order of visibility, and what became visible together in the order in which it was written. A
 * transaction that commits late is not passed over.
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
    Uuid site; /* nil: rows of nobody, or, without keys, of all sites */
    Str collection;
    enum change_action action;
    const Str *keys; /* NULL: too many to name, or all */
    uint32_t count;
    bool is_announced; /* hooks and Redis have heard of it, or are about to */
};

struct changes {
    const struct change *list;
    uint32_t count;
    /* The reader was away for longer than the feed is kept, or PostgreSQL is another: what came
     * before the list is unknown. */
    bool has_gap;
};

/* What a subscriber wants to hear of. */
enum changes_wanted { CHANGES_UNANNOUNCED, CHANGES_ALL };
/* May wait. After an error the same changes come again, to all subscribers. A batch may hold
 * changes that were not wanted. */
typedef fiber_fn Err ChangesFn(struct ctx *ctx, const struct changes *changes, void *arg);

enum { CHANGES_SUBSCRIBERS_MAX = 8 };
/* Before the threads start; `name` is static, for the log. */
void changes_subscribe(const char *name, enum changes_wanted wanted, ChangesFn *fn, void *arg);
/* For tests. */
void changes_unsubscribe_all(void);

/* Starts the reader of this process on this thread, if there are subscribers: they hear of what
 * becomes visible from now on. It ends when it is cancelled. */
void changes_start(struct reactor *reactor);
/* The reader looks once a second; after this, at once. From any thread of the process. */
void changes_hint(void);
/* The same when, and only when, this transaction has committed. */
void changes_hint_after(struct db_tx *tx);

/* Removes rows that are older than CHANGES_RETENTION, oldest first, some pages at a time: the
 * steward's. */
fiber_fn Err changes_trim(struct platform platform);
