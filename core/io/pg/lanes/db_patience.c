/*
 * PostgreSQL away: whoever waits for a lane that has no connection gets an answer after
 * DATABASE_PATIENCE, and whoever comes later gets it at once, until there is a connection again.
 * The first connection after an outage calls the others, and patience begins anew.
 */
#include "base/system/clock.h"
#include "io/pg/db_internal.h"

#include <assert.h>

static int64_t given_up_us(const struct lane *lane);
static void on_patience(void *arg);

void lane_note_up(struct lane *lane)
{
    lane->down_since_us = 0;
    timer_stop(lane->db->loop, &lane->patience);
}

void lane_note_down(struct lane *lane)
{
    if (lane->db->is_closing || lane->down_since_us != 0 || lane_is_up(lane))
        return;
    lane->down_since_us = clock_now_us();
    lane->patience = (struct timer){.on_time = on_patience, .arg = lane};
    timer_start(lane->db->loop, &lane->patience, given_up_us(lane));
}

/* What backs off would refuse people for up to two seconds of a server that answers. */
void lanes_hurry(struct db *db)
{
    for (int role = 0; role < ROLE_COUNT; role++) {
        for (int kind = 0; kind < LANE_KINDS; kind++) {
            struct lane *lane = &db->lanes[role][kind];
            for (uint32_t i = 0; i < lane->max; i++)
                connection_hurry(&lane->connections[i]);
            if (lane->down_since_us == 0)
                continue;
            timer_stop(db->loop, &lane->patience);
            lane->down_since_us = 0;
            lane_note_down(lane);
        }
    }
}

bool lane_is_given_up(const struct lane *lane)
{
    return lane->down_since_us != 0 && clock_now_us() >= given_up_us(lane);
}

static int64_t given_up_us(const struct lane *lane)
{
    assert(lane->down_since_us != 0);
    return lane->down_since_us + lane->db->settings->database_patience_ms * 1000;
}

/* What belongs to a transaction stays: its own connection says what became of it. */
static void on_patience(void *arg)
{
    struct lane *lane = arg;
    while (lane->ring != NULL) {
        struct db_request *request = lane->ring->requests.first;
        assert(request->wait != NULL && request->connection == NULL);
        queue_take(request);
        request_finish(request, OUTCOME_REFUSED);
    }
}
