/*
 * Detects a server that hangs while its sockets stay open: a stopped process, a paused machine, the
 * old primary of a failover. TCP keeps acknowledging, and PostgreSQL's own timeouts have no effect
 * there. So a connection with something in flight is dropped if no byte arrives within PostgreSQL's
 * timeout plus a margin. Idle connections to the same server that have been silent since then are
 * reconnected, before a request has to wait for the same time.
 */
#include "base/system/clock.h"
#include "base/system/counters.h"
#include "base/system/range.h"
#include "io/pg/db_internal.h"

#include <poll.h>
#include <stdio.h>

enum {
    /* What a running server may need beyond its timeout, which does not cover a disk stall, a
     * commit or a retransmitted packet: TCP's fourth retransmission is over after three seconds. */
    MARGIN_US = 5 * 1000 * 1000,
    /* A commit that waits for a standby may legitimately be silent indefinitely, and still occupies
     * one of max_connections after its connection is dropped. So the limit is multiplied by four
     * for each consecutive silence. */
    FOURFOLD_MAX = 3,
    LATE_US = 1000 * 1000, /* a timer this late means that our own process hung */
};

static bool is_awaited(const struct db_connection *connection);
static int64_t limit_us(const struct db_connection *connection, const struct db_group *group);
static bool has_unread(const struct db_connection *connection);
static void give_up(struct db_connection *connection);
static void reconnect_silent(struct db *db);

void silence_heard(struct db_connection *connection)
{
    bool was_doubtful = connection_is_doubtful(connection);
    connection->heard_us = loop_now_us(connection->lane->db->loop);
    connection->awaited_us = connection->heard_us;
    connection->silences = 0;
    if (was_doubtful)
        lane_note_up(connection->lane);
}

bool connection_is_doubtful(const struct db_connection *connection)
{
    return connection->heard_us <= connection->lane->db->silent_us && is_awaited(connection);
}

/* The timer may expire early when other groups are in front, and is re-armed then: re-arming it for
 * each group would be expensive. */
void silence_expect(struct db_connection *connection)
{
    struct loop *loop = connection->lane->db->loop;
    struct timer *timer = &connection->silence;
    int64_t at_us = loop_now_us(loop) + limit_us(connection, connection->last_group);
    if (timer->heap_index == 0 || timer->at_us > at_us)
        timer_start(loop, timer, at_us);
}

void connection_on_silence(void *arg)
{
    struct db_connection *connection = arg;
    if (!is_awaited(connection))
        return;
    int64_t now_us = clock_now_us();
    if (now_us - connection->silence.at_us > LATE_US || has_unread(connection))
        connection->awaited_us = now_us;
    int64_t at_us = connection->awaited_us + limit_us(connection, connection->first_group);
    if (now_us < at_us)
        timer_start(connection->lane->db->loop, &connection->silence, at_us);
    else
        give_up(connection);
}

static bool is_awaited(const struct db_connection *connection)
{
    return connection->slots.count > 0 || connection->copy != NULL;
}

/* PostgreSQL's timeout applies to each statement, and it buffers its answers until the Sync.
 * Entering the scope is one more statement. If a pooler accepts none of our options, only the
 * longest timeout applies. */
static int64_t limit_us(const struct db_connection *connection, const struct db_group *group)
{
    const struct lane *lane = connection->lane;
    int64_t longest_ms = lane->db->settings->statement_timeout_ms * LONG_FACTOR;
    int64_t ms = longest_ms;
    if (group != NULL && !lane_has_own_options(lane))
        ms = lane_timeout_ms(lane) * ((int64_t)group->statements + 1);
    if (ms > longest_ms)
        ms = longest_ms;
    uint32_t fourfold = min_u32(connection->silences, FOURFOLD_MAX);
    return (ms * MS_US + MARGIN_US) << (2 * fourfold);
}

/* Arrived while the loop was busy; will be read in this turn. */
static bool has_unread(const struct db_connection *connection)
{
    struct pollfd socket = {.fd = PQsocket(connection->pg), .events = POLLIN};
    return poll(&socket, 1, 0) > 0;
}

static void give_up(struct db_connection *connection)
{
    struct db *db = connection->lane->db;
    int64_t since_us = connection->awaited_us;
    char why[CONNECTION_ERROR_MAX];
    snprintf(why, sizeof(why), "PostgreSQL has not answered for %lld ms",
             (long long)((clock_now_us() - since_us) / MS_US));
    counter_inc(db_silences);
    connection->silences++;
    if (since_us > db->silent_us)
        db->silent_us = since_us;
    connection_lose(connection, why);
    reconnect_silent(db);
}

/* Connections with expected answers, or owned by a transaction, have their own deadline. */
static void reconnect_silent(struct db *db)
{
    for (uint32_t role = 0; role < ROLE_COUNT; role++) {
        for (uint32_t kind = 0; kind < LANE_KINDS; kind++) {
            struct lane *lane = &db->lanes[role][kind];
            for (uint32_t i = 0; i < lane->max; i++) {
                struct db_connection *connection = &lane->connections[i];
                if (connection->state == CONNECTION_UP && !connection->is_taken &&
                    !is_awaited(connection) && connection->heard_us <= db->silent_us)
                    connection_recycle(connection);
                else if (connection_is_doubtful(connection))
                    lane_note_down(lane);
            }
        }
    }
}
