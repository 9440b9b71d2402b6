#include "base/system/clock.h"
#include "base/system/log.h"
#include "io/pg/db_internal.h"
#include "io/pg/session/db_connect.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { CONNECT_AGAIN_US = 2000 };

static void try_connect(void *arg);
static struct connect_target target_of(const struct lane *lane, char *options, size_t size);
static void on_connected(void *owner, PGconn *pg, const char *error);
static void on_failed(struct db_connection *connection, const char *error);
static void wait_to_retry(struct db_connection *connection);
static void on_spare(void *arg);
static void on_readable(void *arg);
static void drain(struct db_connection *connection);
static void after_answers(struct db_connection *connection);
static void close_session(struct db_connection *connection);
static const char *lane_name(const struct lane *lane);

void connection_init(struct db_connection *connection, struct lane *lane)
{
    *connection = (struct db_connection){
        .lane = lane,
        .retry = {.on_time = try_connect, .arg = connection},
        .spare = {.on_time = on_spare, .arg = connection},
        .silence = {.on_time = connection_on_silence, .arg = connection},
    };
}

void connection_open(struct db_connection *connection)
{
    assert(connection->state == CONNECTION_UNUSED);
    connection->state = CONNECTION_WAITING;
    lane_note_down(connection->lane);
    try_connect(connection);
}

/* Few at a time: an unreachable server must not occupy all offload threads. */
static void try_connect(void *arg)
{
    struct db_connection *connection = arg;
    struct db *db = connection->lane->db;
    assert(connection->state == CONNECTION_WAITING);
    assert(connection->task == NULL && connection->pg == NULL);
    if (db->connecting >= CONNECTING_MAX) {
        timer_start(db->loop, &connection->retry, clock_now_us() + CONNECT_AGAIN_US);
        return;
    }
    char options[512];
    struct connect_target target = target_of(connection->lane, options, sizeof(options));
    db->connecting++;
    connection->state = CONNECTION_CONNECTING;
    connection->task = connect_start(db->loop, &target, on_connected, connection);
}

static struct connect_target target_of(const struct lane *lane, char *options, size_t size)
{
    const struct settings *settings = lane->db->settings;
    bool is_tenant = lane->role == ROLE_TENANT;
    Str login = lane_login(lane);
    bool is_long =
        lane->kind == LANE_SLOW || lane->kind == LANE_LONG || lane->kind == LANE_EXCLUSIVE;
    struct connect_target target = {
        .url = login.len > 0 ? login : settings->database_url,
        .application = lane->db->application,
        .is_pipeline = true,
    };
    if (lane_has_own_options(lane))
        return target;

    /* pg_temp last: a temporary table must not shadow a collection. */
    const char *role = "";
    if (login.len == 0)
        role = is_tenant ? "-c role=spark_tenant " : "-c role=spark_platform ";
    int len = snprintf(
        options, size,
        "%s-c search_path=public,pg_temp -c standard_conforming_strings=on "
        "-c statement_timeout=%lld -c jit=off -c timezone=UTC -c datestyle=ISO "
        "-c intervalstyle=postgres%s%s",
        role, (long long)lane_timeout_ms(lane),
        is_long ? " -c client_connection_check_interval=1000" : "",
        lane->kind == LANE_EXCLUSIVE ? " -c idle_in_transaction_session_timeout=60000" : "");
    assert(len > 0 && (size_t)len < size);
    target.options = str_of(options, (size_t)len);
    return target;
}

static void on_connected(void *owner, PGconn *pg, const char *error)
{
    struct db_connection *connection = owner;
    struct db *db = connection->lane->db;
    assert(connection->state == CONNECTION_CONNECTING && db->connecting > 0);
    assert(connection->pg == NULL && connection->slots.count == 0);
    db->connecting--;
    connection->task = NULL;
    if (pg == NULL) {
        on_failed(connection, error);
        return;
    }
    bool was_away = connection->attempts > 0;
    if (was_away)
        log_event(LOG_INFO, "db_connected", LOG_Z("lane", lane_name(connection->lane)));
    connection->pg = pg;
    connection->state = CONNECTION_UP;
    connection->attempts = 0;
    connection->is_broken = false;
    connection->is_retiring = false;
    connection->last_error[0] = '\0';
    connection->total_connects++;
    statement_cache_init(&connection->cache);
    connection->watch = watch_new(db->loop, PQsocket(pg), on_readable, connection);
    lane_note_up(connection->lane);
    connection->answered_us = connection->heard_us = loop_now_us(db->loop);
    if (lane_is_spare(connection))
        timer_start(db->loop, &connection->spare, clock_now_us() + SPARE_IDLE_US);
    if (was_away)
        lanes_hurry(db);
}

void connection_hurry(struct db_connection *connection)
{
    struct loop *loop = connection->lane->db->loop;
    if (connection->state != CONNECTION_WAITING || connection->attempts == 0)
        return;
    timer_stop(loop, &connection->retry);
    timer_start(loop, &connection->retry, clock_now_us());
}

/* The other connections have carried the load without this one for a while. */
static void on_spare(void *arg)
{
    struct db_connection *connection = arg;
    struct db *db = connection->lane->db;
    assert(connection->state == CONNECTION_UP && lane_is_spare(connection));
    int64_t idle_since_us = connection->slots.count > 0 ? clock_now_us() : connection->answered_us;
    if (clock_now_us() - idle_since_us < SPARE_IDLE_US) {
        timer_start(db->loop, &connection->spare, idle_since_us + SPARE_IDLE_US);
        return;
    }
    close_session(connection);
    connection->state = CONNECTION_UNUSED;
    lane_note_down(connection->lane);
}

static void on_failed(struct db_connection *connection, const char *error)
{
    assert(connection->state == CONNECTION_CONNECTING);
    db_copy_z(connection->last_error, sizeof(connection->last_error), error);
    if (connection->attempts == 0)
        log_event(LOG_WARN, "db_unreachable", LOG_Z("lane", lane_name(connection->lane)),
                  LOG_Z("reason", connection->last_error));
    connection->attempts++;
    wait_to_retry(connection);
}

static void wait_to_retry(struct db_connection *connection)
{
    assert(connection->pg == NULL);
    struct db *db = connection->lane->db;
    connection->state = CONNECTION_WAITING;
    int64_t delay = connect_backoff_us(connection->attempts, random_next(&db->random));
    timer_start(db->loop, &connection->retry, clock_now_us() + delay);
}

void connection_lose(struct db_connection *connection, const char *why)
{
    assert(why != NULL);
    if (connection->state == CONNECTION_UP)
        connection->lane->db->losses++;
    connection_drop(connection, why);
}

void connection_drop(struct db_connection *connection, const char *why)
{
    if (connection->state != CONNECTION_UP)
        return;
    struct db *db = connection->lane->db;
    db_copy_z(connection->last_error, sizeof(connection->last_error), why);
    connection->state = CONNECTION_UNUSED;
    if (!db->is_closing)
        log_event(LOG_WARN, "db_connection_lost", LOG_Z("lane", lane_name(connection->lane)),
                  LOG_Z("reason", connection->last_error));
    close_session(connection);
    groups_lose(connection);
    if (connection->copy != NULL) {
        struct db_request *copy = connection->copy;
        connection->copy = NULL;
        request_finish(copy, OUTCOME_LOST);
    }
    /* A transaction cannot continue in another session: the connection stays down until its owner
     * releases it. */
    connection->is_broken = connection->is_taken;
    if (!connection->is_broken && !db->is_closing)
        wait_to_retry(connection);
    lane_note_down(connection->lane);
}

void connection_recycle(struct db_connection *connection)
{
    assert(connection->state == CONNECTION_UP && connection->slots.count == 0);
    assert(!connection->is_taken);
    close_session(connection);
    wait_to_retry(connection);
    lane_note_down(connection->lane);
}

void connection_release(struct db_connection *connection)
{
    assert(connection->is_taken);
    connection->is_taken = false;
    if (connection->is_broken) {
        connection->is_broken = false;
        if (!connection->lane->db->is_closing)
            wait_to_retry(connection);
    }
}

static void close_session(struct db_connection *connection)
{
    assert(connection->pg != NULL);
    timer_stop(connection->lane->db->loop, &connection->rollback);
    timer_stop(connection->lane->db->loop, &connection->spare);
    timer_stop(connection->lane->db->loop, &connection->silence);
    watch_free(connection->watch);
    connection->watch = NULL;
    PQfinish(connection->pg);
    connection->pg = NULL;
    connection->slots.first = connection->slots.count = 0;
    connection->statements = 0;
    statement_cache_finish(&connection->cache);
}

void connection_finish(struct db_connection *connection)
{
    struct db *db = connection->lane->db;
    assert(db->is_closing);
    connect_cancel(connection->task);
    timer_stop(db->loop, &connection->retry);
    connection_drop(connection, "closing");
    free(connection->slots.slots);
    connection->slots = (struct slot_ring){0};
}

bool connection_is_stalled(const struct db_connection *connection)
{
    return connection->slots.count > 0 &&
           loop_now_us(connection->lane->db->loop) - connection->answered_us > STALL_US;
}

void connection_flush(struct db_connection *connection)
{
    assert(connection->state == CONNECTION_UP);
    int left = PQflush(connection->pg);
    if (left < 0)
        connection_lose(connection, PQerrorMessage(connection->pg));
    else if (left > 0)
        watch_writable(connection->watch, connection_on_writable);
}

void connection_on_writable(void *arg)
{
    struct db_connection *connection = arg;
    connection->awaited_us = loop_now_us(connection->lane->db->loop); /* it reads, so it is alive */
    if (connection->copy != NULL)
        copy_writable(connection);
    else
        connection_flush(connection);
}

static void on_readable(void *arg)
{
    struct db_connection *connection = arg;
    if (!PQconsumeInput(connection->pg)) {
        /* Answers received before the end are valid. */
        drain(connection);
        if (connection->state == CONNECTION_UP)
            connection_lose(connection, PQerrorMessage(connection->pg));
        return;
    }
    silence_heard(connection);
    if (connection->copy != NULL)
        copy_readable(connection);
    else
        drain(connection);
    if (connection->state == CONNECTION_UP)
        after_answers(connection);
}

/* One result for each slot; libpq returns a NULL after each result except that of a Sync. */
static void drain(struct db_connection *connection)
{
    uint32_t nulls = 0;
    while (connection->state == CONNECTION_UP && connection->slots.count > 0 &&
           connection->copy == NULL && !PQisBusy(connection->pg)) {
        PGresult *result = PQgetResult(connection->pg);
        if (result != NULL) {
            nulls = 0;
            group_take_result(connection, result);
        } else if (++nulls > 2) {
            connection_lose(connection, "PostgreSQL sent an unexpected reply");
        }
    }
}

static void after_answers(struct db_connection *connection)
{
    assert(connection->state == CONNECTION_UP);
    connection->is_retiring = statement_cache_is_worn(&connection->cache);
    if (connection->slots.count > 0 || connection->copy != NULL)
        return;
    /* Lets libpq read unsolicited messages: the notice that the server shuts down. */
    if (PQisBusy(connection->pg) == 0 && PQstatus(connection->pg) != CONNECTION_OK) {
        connection_lose(connection, PQerrorMessage(connection->pg));
        return;
    }
    if (connection->is_retiring && !connection->is_taken)
        connection_recycle(connection);
}

static const char *lane_name(const struct lane *lane)
{
    static const char *const NAMES[ROLE_COUNT][LANE_KINDS] = {
        {"tenant read", "tenant probation", "tenant slow", "tenant long", "tenant write",
         "tenant exclusive"},
        {"platform read", "platform probation", "platform slow", "platform long", "platform write",
         "platform exclusive"},
    };
    return NAMES[lane->role][lane->kind];
}
