#include "base/memory/list.h"
#include "base/system/counters.h"
#include "gen/sql.h"
#include "io/pg/db_internal.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#define STALE_SITE "SPE02"
static_assert((int)DB_ENTER_SITE_OF_READS_STAMPED_SITE ==
                      (int)DB_ENTER_PLATFORM_OF_READS_STAMPED_SITE &&
                  (int)DB_ENTER_SITE_OF_READS_STAMP == (int)DB_ENTER_PLATFORM_OF_READS_STAMP,
              "read as one");

static void take_answer(struct db_connection *connection, PGresult *result);
static void take_stamps(struct db_group *group, const PGresult *result);
static bool has_stamp(const PGresult *result, const SiteStamp *stamp);
static void take_error(struct db_connection *connection, PGresult *result);
static void note_error(struct db_group *group, const struct slot *slot, PGresult *result);
static void mark_stale(struct db_group *group, const struct db_request *entered);
static bool is_fatal(struct db_connection *connection, const PGresult *result);
static void take_abort(struct db_connection *connection);
static void group_end(struct db_connection *connection);
static void note_pace(struct db_connection *connection, const struct db_group *group);
static void settle(struct db_connection *connection, struct db_group *group,
                   struct db_request *request);
static void settle_exclusive(struct db_connection *connection, struct db_group *group,
                             struct db_request *request);
static uint8_t reason_to_repeat(const struct db_group *group, const struct db_request *request);
static struct db_group *group_shift(struct db_connection *connection);
static void lose_member(struct db_connection *connection, struct db_request *request);

void group_take_result(struct db_connection *connection, PGresult *result)
{
    assert(connection->slots.count > 0 && connection->first_group != NULL);
    connection->answers++;
    connection->answered_us = loop_now_us(connection->lane->db->loop);
    switch (PQresultStatus(result)) {
    case PGRES_PIPELINE_SYNC:
        PQclear(result);
        assert(slot_front(connection)->kind == SLOT_SYNC);
        slot_pop(connection);
        group_end(connection);
        return;
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
        take_answer(connection, result);
        return;
    case PGRES_PIPELINE_ABORTED:
        PQclear(result);
        take_abort(connection);
        return;
    case PGRES_FATAL_ERROR:
        take_error(connection, result);
        return;
    default:
        PQclear(result);
        connection_lose(connection, "a statement left the extended protocol");
    }
}

static void take_answer(struct db_connection *connection, PGresult *result)
{
    struct slot slot = slot_pop(connection);
    struct db_request *request = slot.request;
    assert(slot.kind != SLOT_SYNC);
    if (slot.kind != SLOT_COMMAND) {
        if (slot.kind == SLOT_STAMPS)
            take_stamps(connection->first_group, result);
        PQclear(result);
        return;
    }
    assert(slot.command == request->received);
    assert(request->received < request->count);
    request->results[request->received++] = result;
    bool is_read = request->kind == REQUEST_READ || request->kind == REQUEST_SLOW;
    if (is_read && request->received == request->count) {
        read_answered(connection->first_group, request);
        list_remove(&connection->first_group->members, request);
        request_finish(request, request->sqlstate[0] == '\0' ? OUTCOME_OK : OUTCOME_ERROR);
    }
}

/* A read group continues even if the stamp of one site is stale: the reads of that site get SPE02
 * instead of their rows. */
static void take_stamps(struct db_group *group, const PGresult *result)
{
    assert(group->kind == REQUEST_READ);
    for (struct db_request *request = group->members.first; request != NULL;
         request = request->next) {
        if (request->stamp.epoch == 0 || has_stamp(result, &request->stamp))
            continue;
        db_copy_z(request->sqlstate, sizeof(request->sqlstate), STALE_SITE);
        counter_inc(db_stale_sites);
    }
}

/* A site without a row has the stamp 1. */
static bool has_stamp(const PGresult *result, const SiteStamp *stamp)
{
    assert(stamp->epoch != 0);
    for (int row = 0; row < PQntuples(result); row++) {
        if (PQgetisnull(result, row, DB_ENTER_SITE_OF_READS_STAMPED_SITE))
            continue;
        const char *site = PQgetvalue(result, row, DB_ENTER_SITE_OF_READS_STAMPED_SITE);
        if (memcmp(site, stamp->site.bytes, sizeof(stamp->site.bytes)) != 0)
            continue;
        uint64_t wire;
        memcpy(&wire, PQgetvalue(result, row, DB_ENTER_SITE_OF_READS_STAMP), sizeof(wire));
        return (int64_t)be64toh(wire) == stamp->epoch;
    }
    return stamp->epoch == 1;
}

static void mark_stale(struct db_group *group, const struct db_request *entered)
{
    assert(entered != NULL);
    for (struct db_request *request = group->members.first; request != NULL;
         request = request->next) {
        if (!request_is_like(entered, request))
            continue;
        db_copy_z(request->sqlstate, sizeof(request->sqlstate), STALE_SITE);
        counter_inc(db_stale_sites);
    }
}

static void take_error(struct db_connection *connection, PGresult *result)
{
    if (is_fatal(connection, result)) {
        char why[CONNECTION_ERROR_MAX];
        db_copy_z(why, sizeof(why), PQresultErrorMessage(result));
        PQclear(result);
        connection_lose(connection, why);
        return;
    }
    struct db_group *group = connection->first_group;
    assert(group != NULL);
    struct slot slot = {.kind = SLOT_SYNC};
    /* An error at the Sync (a deferred constraint) precedes its answer, which still follows. */
    if (slot_front(connection)->kind != SLOT_SYNC)
        slot = slot_pop(connection);

    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    bool is_forgotten = strcmp(sqlstate, "26000") == 0 || strcmp(sqlstate, "0A000") == 0;
    if (slot.statement != NULL && (is_forgotten || slot.kind == SLOT_PREPARE))
        statement_forget(slot.statement, slot.statement_number);

    assert(!group->has_failed);
    group->has_failed = true;
    group->was_cancelled = strcmp(sqlstate, "57014") == 0 && cancel_may_hit(connection);
    note_error(group, &slot, result);
}

/* Assigns an error to one request, to all requests of a site with a stale stamp, or to the whole
 * group. */
static void note_error(struct db_group *group, const struct slot *slot, PGresult *result)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    assert(sqlstate != NULL);
    struct db_request *request = slot->request;
    bool is_of_site = slot->kind == SLOT_ENTER && strcmp(sqlstate, STALE_SITE) == 0;
    if (is_of_site && request != NULL) {
        mark_stale(group, request);
        PQclear(result);
    } else if (slot->kind == SLOT_COMMAND && request != NULL && request->sqlstate[0] != '\0') {
        PQclear(result); /* stale takes precedence over other errors */
    } else if (slot->kind != SLOT_ENTER && request != NULL) {
        db_copy_z(request->sqlstate, sizeof(request->sqlstate), sqlstate);
        request->error = result;
    } else {
        db_copy_z(group->sqlstate, sizeof(group->sqlstate), sqlstate);
        group->error = result;
    }
}

/* FATAL ends the session; an error without SQLSTATE comes from libpq because the session has
 * ended. */
static bool is_fatal(struct db_connection *connection, const PGresult *result)
{
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    return PQstatus(connection->pg) != CONNECTION_OK || severity == NULL ||
           PQresultErrorField(result, PG_DIAG_SQLSTATE) == NULL || strcmp(severity, "ERROR") != 0;
}

/* The server skipped the message: a skipped Parse has not created its statement. */
static void take_abort(struct db_connection *connection)
{
    struct slot slot = slot_pop(connection);
    assert(slot.kind != SLOT_SYNC && connection->first_group->has_failed);
    if (slot.kind == SLOT_PREPARE)
        statement_forget(slot.statement, slot.statement_number);
}

/* ReadyForQuery: the group has committed or rolled back. */
static void group_end(struct db_connection *connection)
{
    struct db_group *group = group_shift(connection);
    note_pace(connection, group);
    if (strcmp(group->sqlstate, "SPE01") == 0)
        counter_inc(db_stale_epochs);
    /* From last to first, so that requests which return to the queue keep their order. */
    while (group->members.last != NULL) {
        struct db_request *request = group->members.last;
        list_remove(&group->members, request);
        settle(connection, group, request);
    }
    PQclear(group->error);
    free(group);
}

/* Measures the pace of the connection: only from groups that were sent before the previous one
 * ended, so that network time is excluded. */
static void note_pace(struct db_connection *connection, const struct db_group *group)
{
    int64_t now_us = loop_now_us(connection->lane->db->loop);
    if (connection->first_group != NULL)
        connection->first_group->started_us = now_us;
    if (!group->is_back_to_back || group->has_failed || group->kind != REQUEST_READ)
        return;
    assert(group->statements > 0);
    int64_t took_ns = (now_us - group->started_us) * 1000 / group->statements;
    connection->statement_ns += (took_ns - connection->statement_ns) / 4;
}

static void settle(struct db_connection *connection, struct db_group *group,
                   struct db_request *request)
{
    if (connection->lane->kind == LANE_EXCLUSIVE) {
        settle_exclusive(connection, group, request);
        return;
    }
    if (!group->has_failed) {
        request_finish(request, OUTCOME_OK);
        return;
    }
    uint8_t reason = reason_to_repeat(group, request);
    if (reason != 0 && request->wait != NULL) {
        request->hits += reason == AGAIN_CANCELLED;
        if (reason == AGAIN_OUTRAN)
            request_go_on(request);
        request_submit_again(request, reason);
        return;
    }
    if (request->wait == NULL && request->flow != NULL)
        read_given_up(group, request);
    if (request->sqlstate[0] == '\0') {
        memcpy(request->sqlstate, group->sqlstate, sizeof(request->sqlstate));
        request->error = group->error;
        group->error = NULL;
    }
    request_finish(request, OUTCOME_ERROR);
}

static void settle_exclusive(struct db_connection *connection, struct db_group *group,
                             struct db_request *request)
{
    assert(connection->lane->kind == LANE_EXCLUSIVE);
    bool is_unwanted =
        request->kind == REQUEST_BEGIN && (group->has_failed || request->wait == NULL);
    bool is_rollback = request->kind == REQUEST_ROLLBACK;
    if (request->sqlstate[0] == '\0' && group->has_failed) {
        memcpy(request->sqlstate, group->sqlstate, sizeof(request->sqlstate));
        request->error = group->error;
        group->error = NULL;
    }
    request_finish(request, group->has_failed ? OUTCOME_ERROR : OUTCOME_OK);
    if (is_unwanted)
        connection_give_back(connection);
    else if (is_rollback)
        connection_rolled_back(connection);
}

/* 0: the error is the request's own. */
static uint8_t reason_to_repeat(const struct db_group *group, const struct db_request *request)
{
    assert(group->has_failed);
    const char *sqlstate = request->sqlstate[0] != '\0' ? request->sqlstate : group->sqlstate;
    uint8_t reason = 0;
    /* If a commit of several members failed, the cause cannot be attributed to one. */
    bool is_commit = request->sqlstate[0] == '\0' && request->received == request->count;
    if (sqlstate[0] == '\0' || (is_commit && group->statements > request->count))
        reason = AGAIN_ABORTED;
    else if (strcmp(sqlstate, "26000") == 0 || strcmp(sqlstate, "0A000") == 0)
        reason = AGAIN_STATEMENT;
    else if (strcmp(sqlstate, "40001") == 0 || strcmp(sqlstate, "40P01") == 0)
        reason = AGAIN_SERIALIZATION;
    else if (group->was_cancelled && strcmp(sqlstate, "57014") == 0)
        reason = AGAIN_CANCELLED;
    else if (strcmp(sqlstate, "57014") == 0 && request_may_go_on(request))
        return AGAIN_OUTRAN; /* bounded: each time the lane is slower */
    if (reason == AGAIN_CANCELLED)
        return request->hits < HITS_MAX ? reason : 0;
    return reason & (uint8_t)~request->again;
}

static struct db_group *group_shift(struct db_connection *connection)
{
    struct db_group *group = LIST_TAKE(connection->first_group, connection->last_group);
    assert(group != NULL && connection->groups > 0);
    connection->groups--;
    if (group->kind == REQUEST_SHARED)
        connection->lane->shared_groups--;
    return group;
}

void groups_lose(struct db_connection *connection)
{
    struct request_list lost = {0};
    while (connection->first_group != NULL) {
        struct db_group *group = group_shift(connection);
        struct db_request *request;
        while ((request = group->members.first) != NULL) {
            list_remove(&group->members, request);
            list_append(&lost, request);
        }
        PQclear(group->error);
        free(group);
    }
    while (lost.last != NULL) {
        struct db_request *request = lost.last;
        list_remove(&lost, request);
        lose_member(connection, request);
    }
}

/* A lost read may run again on another connection, alone in case it crashed the backend; as often
 * as there may be other dead connections. A lost write is not repeated: it may have happened. */
static void lose_member(struct db_connection *connection, struct db_request *request)
{
    const struct lane *lane = connection->lane;
    bool is_read = request->kind == REQUEST_READ || request->kind == REQUEST_SLOW;
    /* The connection has no owner yet, or no longer. */
    if (request->kind == REQUEST_BEGIN || request->kind == REQUEST_ROLLBACK)
        connection->is_taken = false;
    if (is_read && request->wait != NULL && request->losses++ < lane->max)
        request_submit_again(request, AGAIN_LOST);
    else
        request_finish(request, OUTCOME_LOST);
}
