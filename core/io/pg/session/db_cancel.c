/*
 * A read whose fiber has left (deadline, client gone) blocks the requests behind it in the pipeline
 * while it runs or waits for a lock. So PostgreSQL is asked to cancel it. That ends the whole
 * group; the other members are resubmitted.
 *
 * A cancel request names a session, not a statement: it may hit another member, or arrive late and
 * hit the next group, and because PostgreSQL signals twice, it may hit two groups. Requests that
 * were hit are resubmitted as well (AGAIN_CANCELLED).
 *
 * libpq 15 can only send it blocking, and without a timeout: a hanging server would occupy an
 * offload thread, and delay the end of the process, indefinitely. So a detached thread sends it,
 * one at a time. A thread that takes too long is abandoned; otherwise a hanging server, which a
 * failover may have replaced, would prevent all further requests.
 */
#include "base/system/clock.h"
#include "base/system/counters.h"
#include "io/pg/db_internal.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
    CANCEL_AGAIN_US = 1000 * 1000, /* before a cancel request is repeated */
    CANCEL_ECHO_US = 1000 * 1000,  /* how long its effect may be delayed */
    CANCEL_LATE_US = 5000 * 1000,
    CANCEL_THREADS_MAX = 64, /* per process, including those of a hanging server */
};

struct db_cancel {
    PGcancel *request;
    struct db_connection *connection; /* not accessed by the thread */
    int64_t sent_us;
    atomic_bool is_done;
    atomic_uint holders; /* the thread and the db: the last one frees it */
};

static atomic_uint threads;

static bool has_abandoned(const struct db_group *group, const struct db_group *end);
static bool thread_start(struct db_cancel *cancel);
static void *thread_run(void *arg);
static void cancel_release(struct db_cancel *cancel);

bool cancel_head_if_abandoned(struct db_connection *connection)
{
    if (!has_abandoned(connection->first_group, NULL))
        return false;
    /* Most statements end before a cancel request would take effect. */
    if (connection_is_stalled(connection) &&
        has_abandoned(connection->first_group, connection->first_group->next))
        cancel_head(connection);
    return true;
}

bool cancel_may_hit(const struct db_connection *connection)
{
    const struct db_cancel *cancel = connection->lane->db->cancel;
    return (cancel != NULL && cancel->connection == connection) ||
           (connection->cancel_ended_us != 0 &&
            clock_now_us() - connection->cancel_ended_us < CANCEL_ECHO_US);
}

void cancel_finish(struct db *db)
{
    if (db->cancel != NULL)
        cancel_release(db->cancel);
    db->cancel = NULL;
}

/* From one group up to, not including, the other. PostgreSQL buffers its answers until the Sync, so
 * it is unknown which member of the first group is running. */
static bool has_abandoned(const struct db_group *group, const struct db_group *end)
{
    for (; group != end; group = group->next)
        for (const struct db_request *request = group->members.first; request != NULL;
             request = request->next)
            if (request->wait == NULL)
                return true;
    return false;
}

void cancel_head(struct db_connection *connection)
{
    assert(connection->first_group != NULL && connection->pg != NULL);
    struct db *db = connection->lane->db;
    bool is_asked = connection->cancelled_us != 0 &&
                    connection->cancel_mark == connection->answers &&
                    clock_now_us() - connection->cancelled_us < CANCEL_AGAIN_US;
    if (db->cancel != NULL || is_asked || connection->first_group->has_failed ||
        atomic_load(&threads) >= CANCEL_THREADS_MAX)
        return;
    struct db_cancel *cancel = calloc(1, sizeof(*cancel));
    if (cancel == NULL)
        abort();
    *cancel = (struct db_cancel){
        .request = PQgetCancel(connection->pg),
        .connection = connection,
        .sent_us = clock_now_us(),
    };
    atomic_init(&cancel->holders, 2);
    if (cancel->request == NULL || !thread_start(cancel)) {
        PQfreeCancel(cancel->request);
        free(cancel);
        return;
    }
    counter_inc(db_cancels);
    db->cancel = cancel;
    connection->cancel_mark = connection->answers;
    connection->cancelled_us = cancel->sent_us;
}

/* Signals are handled by the threads that have a loop. */
static bool thread_start(struct db_cancel *cancel)
{
    assert(cancel->request != NULL);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    atomic_fetch_add(&threads, 1);
    bool is_started = pthread_create(&thread, NULL, thread_run, cancel) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!is_started)
        atomic_fetch_sub(&threads, 1);
    else
        pthread_detach(thread);
    return is_started;
}

/* The effect is visible only on the connection. */
static void *thread_run(void *arg)
{
    struct db_cancel *cancel = arg;
    char error[256];
    (void)PQcancel(cancel->request, error, sizeof(error));
    atomic_store(&cancel->is_done, true);
    cancel_release(cancel);
    atomic_fetch_sub(&threads, 1);
    return NULL;
}

static void cancel_release(struct db_cancel *cancel)
{
    assert(atomic_load(&cancel->holders) > 0);
    if (atomic_fetch_sub(&cancel->holders, 1) > 1)
        return;
    PQfreeCancel(cancel->request);
    free(cancel);
}

void cancel_take_end(struct db *db)
{
    if (db->cancel == NULL)
        return;
    bool is_late = clock_now_us() - db->cancel->sent_us > CANCEL_LATE_US;
    assert(db->cancel->connection != NULL);
    if (!atomic_load(&db->cancel->is_done) && !is_late)
        return;
    db->cancel->connection->cancel_ended_us = clock_now_us();
    cancel_release(db->cancel);
    db->cancel = NULL;
}
