/*
 * Outages of PostgreSQL: requests that wait for a lane without a connection are refused after
 * DATABASE_PATIENCE, and later ones immediately, until the lane has a connection again. The first
 * connection after an outage makes all others connect at once and restarts the timeout.
 */
#include "base/system/clock.h"
#include "io/pg/db_internal.h"

#include <assert.h>

static int64_t outage_timeout_at_us(const struct lane *lane);
static void on_outage_timeout(void *arg);

void lane_note_up(struct lane *lane)
{
    lane->down_since_us = 0;
    timer_stop(lane->db->loop, &lane->outage_timer);
}

void lane_note_down(struct lane *lane)
{
    if (lane->db->is_closing || lane->down_since_us != 0 || lane_is_up(lane))
        return;
    lane->down_since_us = clock_now_us();
    lane->outage_timer = (struct timer){.on_time = on_outage_timeout, .arg = lane};
    timer_start(lane->db->loop, &lane->outage_timer, outage_timeout_at_us(lane));
}

/* Otherwise lanes in backoff would refuse requests for up to two seconds after the server is
 * back. */
void lanes_hurry(struct db *db)
{
    for (int role = 0; role < ROLE_COUNT; role++) {
        for (int kind = 0; kind < LANE_KINDS; kind++) {
            struct lane *lane = &db->lanes[role][kind];
            for (uint32_t i = 0; i < lane->max; i++)
                connection_hurry(&lane->connections[i]);
            if (lane->down_since_us == 0)
                continue;
            timer_stop(db->loop, &lane->outage_timer);
            lane->down_since_us = 0;
            lane_note_down(lane);
        }
    }
}

bool lane_is_given_up(const struct lane *lane)
{
    return lane->down_since_us != 0 && clock_now_us() >= outage_timeout_at_us(lane);
}

static int64_t outage_timeout_at_us(const struct lane *lane)
{
    assert(lane->down_since_us != 0);
    return lane->down_since_us + lane->db->settings->database_outage_timeout_ms * 1000;
}

/* Requests of a transaction are kept: their own connection decides their outcome. */
static void on_outage_timeout(void *arg)
{
    struct lane *lane = arg;
    while (lane->ring != NULL) {
        struct db_request *request = lane->ring->requests.first;
        assert(request->wait != NULL && request->connection == NULL);
        queue_take(request);
        request_finish(request, OUTCOME_REFUSED);
    }
}
