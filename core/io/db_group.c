#include "base/counters.h"
#include "gen/sql.h"
#include "io/db_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Entering a scope without an epoch to check, and changing it in the middle of a group. With an
 * epoch it is SQL_DB_ENTER_SITE or SQL_DB_ENTER_PLATFORM. */
static const struct statement SET_SITE = {
    .name = "db_set_site",
    .sql = "select set_config('spark.site', $1, true)",
};
static const struct statement SET_PLATFORM = {
    .name = "db_set_platform",
    .sql = "select set_config('spark.scope', $1, true)",
};
static const struct statement BEGIN = {.name = "db_begin", .sql = "begin"};

static struct db_group *group_open(struct db_connection *connection, struct request_list *members);
static bool send_begin(struct db_connection *connection, struct db_group *group);
static bool send_members(struct db_connection *connection, struct db_group *group);
static bool send_request(struct db_connection *connection, struct db_request *request);
static bool send_scope(struct db_connection *connection, const Scope *scope, int64_t epoch);
static bool send_sync(struct db_connection *connection);
static bool send_message(struct db_connection *connection, struct slot slot,
                         const struct statement *statement, struct db_args args, bool is_unnamed);
static bool send_named(struct db_connection *connection, struct slot slot, const char *sql,
                       uint32_t count);
static bool is_same_scope(const Scope *a, const Scope *b);
static void take_answer(struct db_connection *connection, PGresult *result);
static void take_error(struct db_connection *connection, PGresult *result);
static bool is_fatal(struct db_connection *connection, const PGresult *result);
static void take_abort(struct db_connection *connection);
static void group_end(struct db_connection *connection);
static void settle(struct db_connection *connection, struct db_group *group,
                   struct db_request *request);
static void settle_exclusive(struct db_connection *connection, struct db_group *group,
                             struct db_request *request);
static uint8_t reason_to_repeat(const struct db_group *group, const struct db_request *request);
static struct db_group *group_shift(struct db_connection *connection);
static void lose_member(struct db_connection *connection, struct db_request *request);

void group_send(struct db_connection *connection, struct request_list *members)
{
    assert(members->first != NULL && connection->state == CONNECTION_UP);
    struct db_group *group = group_open(connection, members);
    bool is_sent =
        send_begin(connection, group) && send_members(connection, group) && send_sync(connection);
    if (!is_sent) {
        connection_lose(connection, PQerrorMessage(connection->pg));
        return;
    }
    connection->total_groups++;
    connection->total_statements += group->statements;
    counter_inc(db_groups);
    counter_add(COUNTER_db_statements, group->statements);
    connection_flush(connection);
}

static struct db_group *group_open(struct db_connection *connection, struct request_list *members)
{
    struct db_group *group = calloc(1, sizeof(*group));
    if (group == NULL)
        abort();
    group->members = *members;
    group->kind = members->first->kind;
    group->statements = members->statements;
    for (struct db_request *request = members->first; request != NULL; request = request->next) {
        request->state = REQUEST_SENT;
        request->connection = connection;
    }
    if (connection->last_group != NULL)
        connection->last_group->next = group;
    else
        connection->first_group = group;
    connection->last_group = group;
    connection->groups++;
    if (group->kind == REQUEST_SHARED)
        connection->lane->shared_groups++;
    return group;
}

static bool send_begin(struct db_connection *connection, struct db_group *group)
{
    struct db_request *first = group->members.first;
    struct slot slot = {.kind = SLOT_ENTER};
    switch (group->kind) {
    case REQUEST_TX:
    case REQUEST_ROLLBACK:
        return true;
    case REQUEST_BEGIN:
        if (!send_message(connection, slot, &BEGIN, NO_ARGS, false))
            return false;
        break;
    default:
        break;
    }
    return send_scope(connection, &first->scope, first->epoch);
}

static bool send_members(struct db_connection *connection, struct db_group *group)
{
    const Scope *scope = &group->members.first->scope;
    for (struct db_request *request = group->members.first; request != NULL;
         request = request->next) {
        if (!is_same_scope(scope, &request->scope)) {
            scope = &request->scope;
            if (!send_scope(connection, scope, 0))
                return false;
        }
        if (!send_request(connection, request))
            return false;
    }
    return true;
}

/* Shapes go unnamed in a transaction with logic in between: it may change the schema itself, and
 * could not be submitted again. */
static bool send_request(struct db_connection *connection, struct db_request *request)
{
    bool is_exclusive = connection->lane->kind == LANE_EXCLUSIVE;
    for (uint32_t i = 0; i < request->count; i++) {
        const struct db_command *command = &request->commands[i];
        struct slot slot = {.kind = SLOT_COMMAND, .command = i, .request = request};
        bool is_unnamed = request->again != 0 || (is_exclusive && command->statement->name == NULL);
        if (!send_message(connection, slot, command->statement, command->args, is_unnamed))
            return false;
    }
    return true;
}

static bool send_scope(struct db_connection *connection, const Scope *scope, int64_t epoch)
{
    bool is_tenant = connection->lane->role == ROLE_TENANT;
    assert(is_tenant == (scope->kind == SCOPE_SITE));
    char site[UUID_TEXT_LEN];
    Str value = scope->kind == SCOPE_PLATFORM ? STR("platform") : STR("");
    if (is_tenant) {
        uuid_write(scope->site, site);
        value = str_of(site, sizeof(site));
    }
    struct slot slot = {.kind = SLOT_ENTER};
    if (epoch == 0)
        return send_message(connection, slot, is_tenant ? &SET_SITE : &SET_PLATFORM,
                            ARGS(db_text(value)), false);
    return send_message(connection, slot, is_tenant ? &SQL_DB_ENTER_SITE : &SQL_DB_ENTER_PLATFORM,
                        ARGS(db_text(value), db_int(epoch)), false);
}

static bool send_sync(struct db_connection *connection)
{
    if (!PQpipelineSync(connection->pg))
        return false;
    slot_push(connection, (struct slot){.kind = SLOT_SYNC});
    return true;
}

static bool send_message(struct db_connection *connection, struct slot slot,
                         const struct statement *statement, struct db_args args, bool is_unnamed)
{
    struct db_params *params = &connection->lane->db->params;
    db_params_set(params, args);
    slot.statement = is_unnamed ? NULL : statement_find(&connection->cache, statement, args);
    if (slot.statement != NULL)
        return send_named(connection, slot, statement->sql, args.count);

    if (!PQsendQueryParams(connection->pg, statement->sql, (int)args.count, params->types,
                           params->values, params->lengths, params->formats, 1))
        return false;
    slot_push(connection, slot);
    return true;
}

static bool send_named(struct db_connection *connection, struct slot slot, const char *sql,
                       uint32_t count)
{
    struct db_params *params = &connection->lane->db->params;
    char name[STATEMENT_NAME_SIZE];
    statement_name(slot.statement, name);
    slot.statement_number = slot.statement->number;
    if (!slot.statement->is_prepared) {
        if (!PQsendPrepare(connection->pg, name, sql, (int)count, slot.statement->oids))
            return false;
        slot.statement->is_prepared = true;
        counter_inc(db_prepares);
        struct slot prepare = slot;
        prepare.kind = SLOT_PREPARE;
        slot_push(connection, prepare);
    }
    if (!PQsendQueryPrepared(connection->pg, name, (int)count, params->values, params->lengths,
                             params->formats, 1))
        return false;
    slot_push(connection, slot);
    return true;
}

static bool is_same_scope(const Scope *a, const Scope *b)
{
    return a->kind == b->kind && (a->kind != SCOPE_SITE || uuid_eq(a->site, b->site));
}

void group_take_result(struct db_connection *connection, PGresult *result)
{
    assert(connection->slots.count > 0 && connection->first_group != NULL);
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
        PQclear(result);
        return;
    }
    assert(slot.command == request->received);
    request->results[request->received++] = result;
    bool is_read = request->kind == REQUEST_READ || request->kind == REQUEST_SLOW;
    if (is_read && request->received == request->count) {
        list_remove(&connection->first_group->members, request);
        request_finish(request, OUTCOME_OK);
    }
}

static void take_error(struct db_connection *connection, PGresult *result)
{
    if (is_fatal(connection, result)) {
        char why[ERROR_TEXT_MAX];
        db_copy_z(why, sizeof(why), PQresultErrorMessage(result));
        PQclear(result);
        connection_lose(connection, why);
        return;
    }
    struct db_group *group = connection->first_group;
    struct slot slot = {.kind = SLOT_SYNC};
    /* An error at the sync (a deferred constraint) comes before its answer, which still follows. */
    if (slot_front(connection)->kind != SLOT_SYNC)
        slot = slot_pop(connection);

    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    bool is_forgotten = strcmp(sqlstate, "26000") == 0 || strcmp(sqlstate, "0A000") == 0;
    if (slot.statement != NULL && (is_forgotten || slot.kind == SLOT_PREPARE))
        statement_forget(slot.statement, slot.statement_number);

    assert(!group->has_failed);
    group->has_failed = true;
    if (slot.request != NULL) {
        db_copy_z(slot.request->sqlstate, sizeof(slot.request->sqlstate), sqlstate);
        slot.request->error = result;
    } else {
        db_copy_z(group->sqlstate, sizeof(group->sqlstate), sqlstate);
        group->error = result;
    }
}

/* FATAL ends the session; an error without SQLSTATE was made by libpq because it has ended. */
static bool is_fatal(struct db_connection *connection, const PGresult *result)
{
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    return PQstatus(connection->pg) != CONNECTION_OK || severity == NULL ||
           PQresultErrorField(result, PG_DIAG_SQLSTATE) == NULL || strcmp(severity, "ERROR") != 0;
}

/* The server skipped it: a Parse among the skipped never happened. */
static void take_abort(struct db_connection *connection)
{
    struct slot slot = slot_pop(connection);
    assert(slot.kind != SLOT_SYNC && connection->first_group->has_failed);
    if (slot.kind == SLOT_PREPARE)
        statement_forget(slot.statement, slot.statement_number);
}

/* ReadyForQuery: what was written is durable now, or nothing was. */
static void group_end(struct db_connection *connection)
{
    struct db_group *group = group_shift(connection);
    if (strcmp(group->sqlstate, "SPE01") == 0)
        counter_inc(db_stale_epochs);
    /* From the last to the first, so that those which go back to the queue keep their order. */
    while (group->members.last != NULL) {
        struct db_request *request = group->members.last;
        list_remove(&group->members, request);
        settle(connection, group, request);
    }
    PQclear(group->error);
    free(group);
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
        request_submit_again(request, reason);
        return;
    }
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

/* 0: its error is its own. */
static uint8_t reason_to_repeat(const struct db_group *group, const struct db_request *request)
{
    const char *sqlstate = request->sqlstate[0] != '\0' ? request->sqlstate : group->sqlstate;
    uint8_t reason = 0;
    /* Nobody can tell whose fault a failed commit of several was, or a neighbour it was. */
    bool is_commit = request->sqlstate[0] == '\0' && request->received == request->count;
    if (sqlstate[0] == '\0' || (is_commit && group->statements > request->count))
        reason = AGAIN_ABORTED;
    else if (strcmp(sqlstate, "26000") == 0 || strcmp(sqlstate, "0A000") == 0)
        reason = AGAIN_STATEMENT;
    else if (strcmp(sqlstate, "40001") == 0 || strcmp(sqlstate, "40P01") == 0)
        reason = AGAIN_SERIALIZATION;
    return reason & (uint8_t)~request->again;
}

static struct db_group *group_shift(struct db_connection *connection)
{
    struct db_group *group = connection->first_group;
    connection->first_group = group->next;
    if (group->next == NULL)
        connection->last_group = NULL;
    assert(connection->groups > 0);
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

/* A read may run again elsewhere, alone in case that it was what broke the backend; as often as
 * there are connections that may all have been dead when it came. Of a write nobody knows whether
 * it happened. */
static void lose_member(struct db_connection *connection, struct db_request *request)
{
    const struct lane *lane = connection->lane;
    bool is_read = request->kind == REQUEST_READ || request->kind == REQUEST_SLOW;
    /* Nobody owns the connection yet, or any more. */
    if (request->kind == REQUEST_BEGIN || request->kind == REQUEST_ROLLBACK)
        connection->is_taken = false;
    if (is_read && request->wait != NULL && request->losses++ < lane->max)
        request_submit_again(request, AGAIN_LOST);
    else
        request_finish(request, OUTCOME_LOST);
}
