/*
 * Timeouts of connections, and which one to close when a limit is reached.
 *
 * Ten times a second the oldest of each phase are checked; once a second, those that libh2o works
 * on: an answer or a large body must progress by PROGRESS_STEP within SEND_TIMEOUT or BODY_TIMEOUT.
 * The progress of an answer is read from the kernel, because bytes that we have written may still
 * be in its buffers.
 */
#include "base/system/clock.h"
#include "base/system/counters.h"
#include "base/system/log.h"
#include "io/fiber/offload.h"
#include "server/http/exchange.h"
#include "server/http/sent_bytes.h"

#include <assert.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SWEEP_US = 100 * 1000, SWEEPS_A_SECOND = 10 };
/* A connection that progresses by a step in this time is never closed to make room for others. */
enum { STALL_US = 3 * 1000 * 1000 };
enum { ROOM_ROUNDS = 16 };
/* A new connection may replace one that has not sent its head for this long. */
enum { HEAD_GRACE_US = 1000 * 1000 };
enum { TRIM_BYTES = 4 * 1024 * 1024 };

static void on_sweep(void *arg);

void sweep_start(struct server *server)
{
    server->sweep.on_time = on_sweep;
    server->sweep.arg = server;
    timer_start(server->reactor->loop, &server->sweep, clock_now_us() + SWEEP_US);
}

/* An address with too many incomplete heads loses its oldest ones. A burst of new connections gets
 * time to send them. */
static void end_surplus_heads(struct server *server)
{
    int64_t max = server->reactor->settings->heads_per_address;
    int64_t until_us = clock_now_us() - HEAD_GRACE_US;
    struct conn *next;
    for (struct conn *conn = server->phases[CONN_HEAD].first;
         conn != NULL && conn->since_us <= until_us; conn = next) {
        next = conn->next;
        if (conn->address == NULL || conn->address->heads <= (uint64_t)max)
            continue;
        counter_inc(http_head_evicted);
        conn_close(conn);
    }
}

static struct conn *overdue(const struct server *server, enum conn_phase phase, int64_t timeout_ms)
{
    struct conn *first = server->phases[phase].first;
    bool is_late = first != NULL && first->since_us + timeout_ms * MS_US <= clock_now_us();
    return is_late ? first : NULL;
}

static void end_overdue(struct server *server)
{
    const struct settings *settings = server->reactor->settings;
    struct conn *conn;
    while ((conn = overdue(server, CONN_HEAD, settings->head_timeout_ms)) != NULL) {
        if (conn->early.len > 0) {
            conn_refuse(conn, REFUSAL_HEAD_TIMEOUT);
        } else {
            counter_inc(http_head_timeouts); /* it has not sent a request */
            conn_close(conn);
        }
    }
    while ((conn = overdue(server, CONN_BODY, settings->body_timeout_ms)) != NULL)
        conn_refuse(conn, REFUSAL_BODY_TIMEOUT);
    while ((conn = overdue(server, CONN_IDLE, settings->keepalive_timeout_ms)) != NULL)
        conn_close(conn);
}

/* Ends all transfers of this connection; libh2o gets the error and closes it. */
static void cut(struct conn *conn)
{
    if (conn->body_wait != NULL) {
        conn_refuse_late(conn, REFUSAL_BODY_TIMEOUT); /* an answer with its own timeout */
        return;
    }
    conn->is_evicted = true;
    if (conn->exchange != NULL) /* its memory is freed in the next turn */
        holding_end(&conn->server->budgets, &conn->exchange->answer_holding);
    holding_end(&conn->server->budgets, &conn->head_holding);
    shutdown(h2o_socket_get_fd(conn->socket), SHUT_RDWR);
}

static uint64_t moved(const struct conn *conn)
{
    return conn->body_wait != NULL ? conn->body.len : sent_bytes(h2o_socket_get_fd(conn->socket));
}

/* Checks whether it has made no progress for too long. */
static void check_progress(struct conn *conn, int64_t now_us)
{
    const struct settings *settings = conn->server->reactor->settings;
    bool is_receiving = conn->body_wait != NULL;
    if (conn->is_evicted)
        return;
    if (!is_receiving && !h2o_socket_is_writing(conn->socket)) {
        conn->progress_us = 0;
        return;
    }
    uint64_t now = moved(conn);
    if (conn->progress_us == 0 || now >= conn->progress + PROGRESS_STEP || now < conn->progress) {
        conn->progress_us = now_us;
        conn->progress = now;
        return;
    }
    int64_t timeout_ms = is_receiving ? settings->body_timeout_ms : settings->send_timeout_ms;
    if (now_us - conn->progress_us >= timeout_ms * MS_US) {
        if (is_receiving)
            counter_inc(http_body_timeouts);
        else
            counter_inc(http_send_timeouts);
        cut(conn);
    } else if (!is_receiving && conn->exchange != NULL && !exchange_count_answer(conn->exchange)) {
        counter_inc(http_answers_evicted);
        cut(conn);
    }
}

/*
 * Freed rows and answers fragment the heap, and malloc would keep the memory. Trimming runs on a
 * thread, because malloc checks each free chunk. Trimmed memory still counts as free in malloc's
 * figures, so they do not show how much could be returned; but if neither figure has changed since
 * the last time, there is nothing to return.
 */
struct trimming {
    size_t free_bytes; /* after the last trim */
    size_t resident;
};

static atomic_bool is_trimming;

static size_t resident_bytes(void)
{
    size_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL || fscanf(file, "%*u %zu", &pages) != 1)
        pages = 0;
    if (file != NULL)
        (void)fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static bool has_moved(size_t before, size_t now)
{
    return now > before + TRIM_BYTES || now + TRIM_BYTES < before;
}

static void trim(void *arg)
{
    struct trimming *last = arg;
    size_t free_bytes = mallinfo2().fordblks;
    if (free_bytes > TRIM_BYTES &&
        (has_moved(last->free_bytes, free_bytes) || has_moved(last->resident, resident_bytes()))) {
        malloc_trim(0);
        *last = (struct trimming){mallinfo2().fordblks, resident_bytes()};
    }
    atomic_store(&is_trimming, false);
}

static void after_trim(void *arg)
{
    (void)arg;
}

static void start_trim(struct reactor *reactor)
{
    static struct trimming last;
    if (reactor->index > 0 || atomic_exchange(&is_trimming, true))
        return;
    if (!offload_submit(reactor->offload, reactor->loop, trim, after_trim, &last))
        atomic_store(&is_trimming, false);
}

static void on_sweep(void *arg)
{
    struct server *server = arg;
    int64_t now_us = clock_now_us();
    end_overdue(server);
    end_surplus_heads(server);
    if (++server->sweeps % SWEEPS_A_SECOND == 0) {
        struct conn *next;
        for (struct conn *conn = server->phases[CONN_BUSY].first; conn != NULL; conn = next) {
            next = conn->next; /* cutting one closes only this one, and in the next turn */
            check_progress(conn, now_us);
        }
        start_trim(server->reactor);
    }
    linger_end_late(server, now_us);
    timer_start(server->reactor->loop, &server->sweep, clock_now_us() + SWEEP_US);
}

static bool is_older(const struct conn *conn, int64_t age_us)
{
    return conn != NULL && conn->since_us + age_us <= clock_now_us();
}

/* No progress in receiving its head or body, or in sending its answer. */
static bool is_stalled(const struct conn *conn)
{
    if (conn->phase == CONN_HEAD || conn->phase == CONN_BODY)
        return is_older(conn, STALL_US);
    bool is_moved = conn->body_wait != NULL || h2o_socket_is_writing(conn->socket);
    return conn->phase == CONN_BUSY && is_moved && !conn->is_evicted && conn->progress_us != 0 &&
           conn->progress_us + STALL_US <= clock_now_us();
}

/* The connection that a new one may replace immediately. */
static struct conn *find_idlest(const struct server *server)
{
    struct conn *head = server->phases[CONN_HEAD].first;
    struct conn *body = server->phases[CONN_BODY].first;
    struct conn *idle = server->phases[CONN_IDLE].first;
    if (is_older(head, HEAD_GRACE_US))
        return head;
    if (is_older(body, STALL_US))
        return body;
    return idle != NULL ? idle : head;
}

bool conn_may_evict(const struct server *server)
{
    return find_idlest(server) != NULL;
}

bool conn_evict_one(struct server *server)
{
    struct conn *victim = find_idlest(server);
    if (victim == NULL)
        return false;
    counter_inc(http_connections_evicted);
    conn_close(victim);
    return true;
}

void conn_cut_one(struct server *server)
{
    for (struct conn *conn = server->phases[CONN_BUSY].first; conn != NULL; conn = conn->next) {
        if (!is_stalled(conn))
            continue;
        counter_inc(http_connections_evicted);
        cut(conn);
        return;
    }
}

/* Room */

/* The owner that has reached its share; NULL: the budget is exhausted. */
static const struct account *owner_at_limit(const struct budgets *budgets,
                                            const struct holding *holding, uint64_t bytes)
{
    for (int i = 0; i < OWNERS_MAX; i++)
        if (holding->owners[i] != NULL && holding->owners[i]->used[holding->budget] + bytes >
                                              budget_share(budgets, holding->budget))
            return holding->owners[i];
    return NULL;
}

/* The memory that closing the connection would free. */
static uint64_t held(const struct conn *conn, enum budget budget)
{
    if (budget == BUDGET_BODIES)
        return conn->body_holding.bytes + conn->head_holding.bytes;
    return conn->exchange != NULL ? conn->exchange->answer_holding.bytes : 0;
}

static bool is_owned(const struct holding *holding, const struct account *owner)
{
    return holding->owners[0] == owner || holding->owners[1] == owner;
}

static bool is_of(const struct conn *conn, enum budget budget, const struct account *owner)
{
    if (owner == NULL)
        return true;
    if (budget == BUDGET_BODIES)
        return is_owned(&conn->body_holding, owner) || is_owned(&conn->head_holding, owner);
    return is_owned(&conn->exchange->answer_holding, owner);
}

static bool is_own_holding(const struct conn *conn, const struct holding *needy)
{
    return needy == &conn->body_holding || needy == &conn->head_holding ||
           (conn->exchange != NULL && needy == &conn->exchange->answer_holding);
}

static void find_victim(const struct conn_list *list, const struct holding *needy,
                        const struct account *owner, struct conn **ret)
{
    enum budget budget = needy->budget;
    for (struct conn *conn = list->first; conn != NULL; conn = conn->next) {
        uint64_t bytes = held(conn, budget);
        if (bytes == 0 || is_own_holding(conn, needy) || !is_stalled(conn) ||
            !is_of(conn, budget, owner))
            continue;
        if (*ret == NULL || bytes > held(*ret, budget))
            *ret = conn;
    }
}

static void end_victim(struct conn *victim)
{
    if (victim->phase == CONN_BODY)
        conn_refuse(victim, REFUSAL_BODY_TIMEOUT);
    else if (victim->phase == CONN_HEAD)
        conn_refuse(victim, REFUSAL_HEAD_TIMEOUT);
    else
        cut(victim);
}

bool conn_make_room(struct server *server, struct holding *holding, uint64_t bytes)
{
    enum budget budget = holding->budget;
    for (int i = 0; i < ROOM_ROUNDS; i++) {
        const struct account *owner = owner_at_limit(&server->budgets, holding, bytes);
        struct conn *victim = NULL;
        find_victim(&server->phases[CONN_BUSY], holding, owner, &victim);
        if (budget == BUDGET_BODIES) {
            find_victim(&server->phases[CONN_BODY], holding, owner, &victim);
            find_victim(&server->phases[CONN_HEAD], holding, owner, &victim);
        }
        if (victim == NULL)
            return false;
        if (budget == BUDGET_BODIES)
            counter_inc(http_bodies_evicted);
        else
            counter_inc(http_answers_evicted);
        end_victim(victim);
        if (holding_grow(&server->budgets, holding, bytes))
            return true;
    }
    return false;
}
