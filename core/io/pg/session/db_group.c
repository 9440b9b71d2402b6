#include "base/memory/list.h"
#include "base/system/clock.h"
#include "base/system/counters.h"
#include "gen/sql.h"
#include "io/pg/db_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Entering a scope without checking an epoch, and changing it in the middle of a group. With an
 * epoch: SQL_DB_ENTER_SITE or SQL_DB_ENTER_PLATFORM; with stamps of sites: …_OF_READS once per
 * group, or …_STAMPED for each site that writes. */
static const struct statement SET_SITE = {
    .name = "db_set_site",
    .sql = "select set_config('spark.site', $1, true)",
};
static const struct statement SET_PLATFORM = {
    .name = "db_set_platform",
    .sql = "select set_config('spark.scope', $1, true)",
};
static const struct statement SET_LIMIT = {
    .name = "db_set_limit",
    .sql = "select set_config('statement_timeout', $1, true)",
};
/* The settings that our own sessions get at connect, for sessions behind a pooler (target_of in
 * db_connection.c). */
static const struct statement SET_SESSION = {
    .name = "db_set_session",
    .sql = "select set_config('statement_timeout', $1, true), "
           "set_config('search_path', 'public,pg_temp', true), "
           "set_config('standard_conforming_strings', 'on', true), set_config('jit', 'off', true), "
           "set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO', true), "
           "set_config('intervalstyle', 'postgres', true)",
};
static const struct statement BEGIN = {.name = "db_begin", .sql = "begin"};

static struct db_group *group_open(struct db_connection *connection, struct request_list *members);
static uint64_t flow_of(const struct db_request *request);
static void note_waited(const struct lane *lane, const struct db_request *request);
static bool send_begin(struct db_connection *connection, struct db_group *group);
static bool send_limit(struct db_connection *connection, const struct statement *statement,
                       int64_t limit_ms);
static bool send_members(struct db_connection *connection, struct db_group *group);
static bool send_request(struct db_connection *connection, struct db_request *request);
static bool send_entry(struct db_connection *connection, const struct db_group *group);
static bool is_entered(const struct db_group *group, const struct db_request *entered,
                       const struct db_request *request);
static bool send_scope(struct db_connection *connection, struct db_request *first, bool is_checked);
static uint32_t stamped_sites(const struct db_group *group, Uuid *ret_sites, uint32_t max);
static bool send_of_reads(struct db_connection *connection, const struct db_request *first,
                          const Uuid *sites, uint32_t count);
static bool send_stamped(struct db_connection *connection, struct db_request *first);
static Str scope_value(const struct db_request *request, char site[UUID_TEXT_LEN]);
static bool send_sync(struct db_connection *connection);
static bool send_message(struct db_connection *connection, struct slot slot,
                         const struct statement *statement, struct db_args args, bool is_unnamed);
static bool send_named(struct db_connection *connection, struct slot slot, const char *sql,
                       uint32_t count);

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
    if (group->kind == REQUEST_READ)
        stall_watch_later(connection->lane->db);
    silence_expect(connection);
    connection_flush(connection);
}

static struct db_group *group_open(struct db_connection *connection, struct request_list *members)
{
    assert(members->requests > 0 && connection->state == CONNECTION_UP);
    struct db_group *group = calloc(1, sizeof(*group));
    if (group == NULL)
        abort();
    group->members = *members;
    group->kind = members->first->kind;
    group->statements = members->statements;
    for (struct db_request *request = members->first; request != NULL; request = request->next) {
        request->state = REQUEST_SENT;
        request->connection = connection;
        note_waited(connection->lane, request);
    }
    group->requests = members->requests;
    group->flow_id = flow_of(members->first);
    group->is_back_to_back = connection->groups > 0;
    group->started_us = group->is_back_to_back ? 0 : clock_now_us();
    LIST_APPEND(connection->first_group, connection->last_group, group);
    if (connection->groups == 0)
        connection->answered_us = connection->awaited_us = loop_now_us(connection->lane->db->loop);
    connection->groups++;
    if (group->kind == REQUEST_SHARED)
        connection->lane->shared_groups++;
    return group;
}

/* Shared groups have no single flow, and a statement of a transaction counts with its
 * connection. */
static uint64_t flow_of(const struct db_request *request)
{
    return request->flow != NULL && request->kind != REQUEST_SHARED ? request->flow->id : 0;
}

static void note_waited(const struct lane *lane, const struct db_request *request)
{
    assert(lane->kind < LANE_KINDS);
    static const enum counter COUNTERS[LANE_KINDS] = {
        [LANE_READ] = COUNTER_db_waited_read_us,
        [LANE_PROBATION] = COUNTER_db_waited_probation_us,
        [LANE_SLOW] = COUNTER_db_waited_slow_us,
        [LANE_LONG] = COUNTER_db_waited_long_us,
        [LANE_WRITE] = COUNTER_db_waited_write_us,
        [LANE_EXCLUSIVE] = COUNTER_db_waited_exclusive_us,
    };
    int64_t waited_us = loop_now_us(lane->db->loop) - request->queued_us;
    if (request->queued_us > 0 && waited_us > 0)
        counter_add(COUNTERS[lane->kind], waited_us);
}

static bool send_begin(struct db_connection *connection, struct db_group *group)
{
    assert(group->members.first != NULL);
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
    const struct lane *lane = connection->lane;
    if (db_is_pooled(lane->db) && !send_limit(connection, &SET_SESSION, lane_timeout_ms(lane)))
        return false;
    /* The lane's own timeout is for statements that were declared slow. */
    bool is_limited = first->is_short && lane->kind == LANE_LONG;
    return send_entry(connection, group) &&
           (!is_limited ||
            send_limit(connection, &SET_LIMIT, lane->db->settings->statement_timeout_ms));
}

static bool send_limit(struct db_connection *connection, const struct statement *statement,
                       int64_t limit_ms)
{
    char limit[24];
    int len = snprintf(limit, sizeof(limit), "%lld", (long long)limit_ms);
    assert(len > 0 && (size_t)len < sizeof(limit));
    return send_message(connection, (struct slot){.kind = SLOT_ENTER}, statement,
                        ARGS(db_text(str_of(limit, (size_t)len))), false);
}

static bool send_members(struct db_connection *connection, struct db_group *group)
{
    const struct db_request *entered = group->members.first;
    for (struct db_request *request = group->members.first; request != NULL;
         request = request->next) {
        if (!is_entered(group, entered, request)) {
            entered = request;
            if (!send_scope(connection, request, false))
                return false;
        }
        if (!send_request(connection, request))
            return false;
    }
    return true;
}

/* For reads, all stamps were requested with the first one. */
static bool is_entered(const struct db_group *group, const struct db_request *entered,
                       const struct db_request *request)
{
    return group->kind == REQUEST_READ ? request_has_scope_of(entered, request)
                                       : request_is_like(entered, request);
}

/* In a transaction with logic in between a statement cannot be resubmitted. One that is compiled from
 * the schema snapshot has the whole request repeated if the schema has changed (db_error.c); others
 * stay unnamed. */
static bool send_request(struct db_connection *connection, struct db_request *request)
{
    assert(request->state == REQUEST_SENT);
    bool is_exclusive = connection->lane->kind == LANE_EXCLUSIVE;
    for (uint32_t i = 0; i < request->count; i++) {
        const struct db_command *command = &request->commands[i];
        struct slot slot = {.kind = SLOT_COMMAND, .command = i, .request = request};
        bool may_repeat = command->statement->name != NULL || command->statement->is_of_schema;
        bool is_unnamed = request->again != 0 || (is_exclusive && !may_repeat);
        if (!send_message(connection, slot, command->statement, command->args, is_unnamed))
            return false;
    }
    return true;
}

/* Enters the scope of a group's first member; compares the epoch, and for reads the stamps. */
static bool send_entry(struct db_connection *connection, const struct db_group *group)
{
    Uuid sites[READ_GROUP_MAX];
    uint32_t count = 0;
    if (group->kind == REQUEST_READ)
        count = stamped_sites(group, sites, READ_GROUP_MAX);
    if (count > 0)
        return send_of_reads(connection, group->members.first, sites, count);
    return send_scope(connection, group->members.first, true);
}

/* The distinct sites: equal ones are adjacent. */
static uint32_t stamped_sites(const struct db_group *group, Uuid *ret_sites, uint32_t max)
{
    assert(group->kind == REQUEST_READ);
    uint32_t count = 0;
    for (const struct db_request *request = group->members.first; request != NULL;
         request = request->next) {
        if (request->epoch == 0 || request->stamp.epoch == 0 ||
            (count > 0 && uuid_eq(ret_sites[count - 1], request->stamp.site)))
            continue;
        assert(count < max);
        ret_sites[count++] = request->stamp.site;
    }
    return count;
}

static bool send_of_reads(struct db_connection *connection, const struct db_request *first,
                          const Uuid *sites, uint32_t count)
{
    assert(count > 0 && count <= READ_GROUP_MAX);
    bool is_tenant = connection->lane->role == ROLE_TENANT;
    struct arena *scratch = connection->lane->db->scratch;
    char site[UUID_TEXT_LEN];
    arena_reset(scratch);
    return send_message(connection, (struct slot){.kind = SLOT_STAMPS},
                        is_tenant ? &SQL_DB_ENTER_SITE_OF_READS : &SQL_DB_ENTER_PLATFORM_OF_READS,
                        ARGS(db_text(scope_value(first, site)), db_int(first->epoch),
                             db_uuid_array(scratch, sites, count)),
                        false);
}

/* For `first` and the adjacent members with the same scope. The epoch is compared once per group,
 * the stamp of a writing site whenever it is entered. */
static bool send_scope(struct db_connection *connection, struct db_request *first, bool is_checked)
{
    bool is_tenant = connection->lane->role == ROLE_TENANT;
    assert(is_tenant == (first->scope.kind == SCOPE_SITE));
    struct slot slot = {.kind = SLOT_ENTER};
    if (first->epoch != 0 && first->stamp.epoch != 0 && first->kind != REQUEST_READ)
        return send_stamped(connection, first);
    char site[UUID_TEXT_LEN];
    Str value = scope_value(first, site);
    if (first->epoch == 0 || !is_checked)
        return send_message(connection, slot, is_tenant ? &SET_SITE : &SET_PLATFORM,
                            ARGS(db_text(value)), false);
    return send_message(connection, slot, is_tenant ? &SQL_DB_ENTER_SITE : &SQL_DB_ENTER_PLATFORM,
                        ARGS(db_text(value), db_int(first->epoch)), false);
}

static bool send_stamped(struct db_connection *connection, struct db_request *first)
{
    assert(first->epoch != 0 && first->stamp.epoch != 0);
    char site[UUID_TEXT_LEN];
    bool is_tenant = connection->lane->role == ROLE_TENANT;
    struct slot slot = {.kind = SLOT_ENTER, .request = first};
    return send_message(connection, slot,
                        is_tenant ? &SQL_DB_ENTER_SITE_STAMPED : &SQL_DB_ENTER_PLATFORM_STAMPED,
                        ARGS(db_text(scope_value(first, site)), db_int(first->epoch),
                             db_uuid(first->stamp.site), db_int(first->stamp.epoch)),
                        false);
}

static Str scope_value(const struct db_request *request, char site[UUID_TEXT_LEN])
{
    switch (request->scope.kind) {
    case SCOPE_SITE:
        uuid_write(request->scope.site, site);
        return str_of(site, UUID_TEXT_LEN);
    case SCOPE_PLATFORM:
        return STR("platform");
    default:
        return STR("");
    }
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
    assert(statement->sql != NULL && args.count <= DB_ARGS_MAX);
    struct db_params *params = &connection->lane->db->params;
    db_params_set(params, args);
    slot.statement = is_unnamed || db_is_pooled(connection->lane->db)
                         ? NULL
                         : statement_find(&connection->cache, statement, args);
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
    assert(slot.statement != NULL);
    struct db_params *params = &connection->lane->db->params;
    const char *name = slot.statement->name;
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
