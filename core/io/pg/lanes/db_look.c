/*
 * Looks at the connections of reads now and then: whose answers nobody waits for is cancelled, who
 * stands behind a slow one in a pipeline is taken elsewhere. Nothing is looked at while no pipeline
 * has anything in flight and nobody has left.
 */
#include "base/memory/array.h"
#include "base/system/clock.h"
#include "io/pg/db_internal.h"

enum {
    LOOK_SOON_US = 20 * 1000,
    LOOK_LATER_US = 100 * 1000,
    RESCUE_US = 500 * 1000, /* without an answer */
};

static void look_at_us(struct db *db, int64_t at_us);
static bool look_at(struct lane *lane, bool *is_soon);
static void on_look(void *arg);

void look_later(struct db *db)
{
    if (db->look.heap_index == 0)
        look_at_us(db, loop_now_us(db->loop) + LOOK_LATER_US);
}

void look_soon(struct db *db)
{
    int64_t at_us = clock_now_us() + LOOK_SOON_US;
    if (db->look.heap_index == 0 || db->look.at_us > at_us)
        look_at_us(db, at_us);
}

static void look_at_us(struct db *db, int64_t at_us)
{
    if (db->is_closing)
        return;
    timer_stop(db->loop, &db->look);
    db->look = (struct timer){.on_time = on_look, .arg = db};
    timer_start(db->loop, &db->look, at_us);
}

/* Whether something is in flight; *is_soon: and nobody waits for it. */
static bool look_at(struct lane *lane, bool *is_soon)
{
    bool is_busy = false;
    for (uint32_t i = 0; i < lane->max; i++) {
        struct db_connection *connection = &lane->connections[i];
        if (connection->state != CONNECTION_UP || connection->slots.count == 0)
            continue;
        is_busy = true;
        *is_soon = cancel_head_if_abandoned(connection) || *is_soon;
        if (lane->kind == LANE_READ &&
            loop_now_us(lane->db->loop) - connection->answered_us > RESCUE_US)
            rescue_from(connection);
    }
    return is_busy;
}

static void on_look(void *arg)
{
    static const enum lane_kind ALONE[] = {LANE_PROBATION, LANE_SLOW, LANE_LONG};
    struct db *db = arg;
    cancel_take_end(db);
    bool is_soon = db->cancel != NULL;
    bool is_busy = false;
    /* Pipelines first: others stand behind what is left there. */
    for (uint32_t role = 0; role < ROLE_COUNT; role++)
        is_busy = look_at(&db->lanes[role][LANE_READ], &is_soon) || is_busy;
    for (uint32_t role = 0; role < ROLE_COUNT; role++)
        for (uint32_t i = 0; i < COUNT_OF(ALONE); i++)
            (void)look_at(&db->lanes[role][ALONE[i]], &is_soon);
    if (is_soon)
        look_soon(db);
    else if (is_busy)
        look_later(db);
}
