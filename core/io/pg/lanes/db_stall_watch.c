/*
 * Checks the connections of reads periodically. It cancels reads whose callers have left, and
 * resubmits reads that wait in a pipeline behind a slow one. The timer runs only while a pipeline
 * has something in flight or a caller has left.
 */
#include "base/memory/array.h"
#include "base/system/clock.h"
#include "io/pg/db_internal.h"

enum {
    WATCH_SOON_US = 20 * 1000,
    WATCH_LATER_US = 100 * 1000,
    STALLED_US = 500 * 1000, /* without an answer */
};

static void stall_watch_at(struct db *db, int64_t at_us);
static bool watch_lane(struct lane *lane, bool *is_soon);
static void on_stall_watch(void *arg);

void stall_watch_later(struct db *db)
{
    if (db->stall_watch.heap_index == 0)
        stall_watch_at(db, loop_now_us(db->loop) + WATCH_LATER_US);
}

void stall_watch_soon(struct db *db)
{
    int64_t at_us = clock_now_us() + WATCH_SOON_US;
    if (db->stall_watch.heap_index == 0 || db->stall_watch.at_us > at_us)
        stall_watch_at(db, at_us);
}

static void stall_watch_at(struct db *db, int64_t at_us)
{
    if (db->is_closing)
        return;
    timer_stop(db->loop, &db->stall_watch);
    db->stall_watch = (struct timer){.on_time = on_stall_watch, .arg = db};
    timer_start(db->loop, &db->stall_watch, at_us);
}

/* Returns whether something is in flight. *is_soon: and its caller has left. */
static bool watch_lane(struct lane *lane, bool *is_soon)
{
    bool is_busy = false;
    for (uint32_t i = 0; i < lane->max; i++) {
        struct db_connection *connection = &lane->connections[i];
        if (connection->state != CONNECTION_UP || connection->slots.count == 0)
            continue;
        is_busy = true;
        *is_soon = cancel_head_if_abandoned(connection) || *is_soon;
        if (lane->kind == LANE_READ &&
            loop_now_us(lane->db->loop) - connection->answered_us > STALLED_US)
            resubmit_behind(connection);
    }
    return is_busy;
}

static void on_stall_watch(void *arg)
{
    static const enum lane_kind ALONE[] = {LANE_PROBATION, LANE_SLOW, LANE_LONG};
    struct db *db = arg;
    cancel_take_end(db);
    bool is_soon = db->cancel != NULL;
    bool is_busy = false;
    /* Pipelines first: other reads wait behind an abandoned one. */
    for (uint32_t role = 0; role < ROLE_COUNT; role++)
        is_busy = watch_lane(&db->lanes[role][LANE_READ], &is_soon) || is_busy;
    for (uint32_t role = 0; role < ROLE_COUNT; role++)
        for (uint32_t i = 0; i < COUNT_OF(ALONE); i++)
            (void)watch_lane(&db->lanes[role][ALONE[i]], &is_soon);
    if (is_soon)
        stall_watch_soon(db);
    else if (is_busy)
        stall_watch_later(db);
}
