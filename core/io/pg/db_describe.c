#include "base/json/json_writer.h"
#include "io/pg/db_internal.h"

enum { DESCRIPTION_MAX = 1 << 20 };

static void describe(struct json_writer *w, const struct db_connection *connection);
static const char *state_name(const struct db_connection *connection);

static const char *const ROLE_NAMES[ROLE_COUNT] = {"tenant", "platform"};
static const char *const LANE_NAMES[LANE_KINDS] = {"read", "probation", "slow",
                                                   "long", "write",     "exclusive"};

bool db_is_up(const struct db *db)
{
    for (uint32_t role = 0; role < ROLE_COUNT; role++) {
        for (uint32_t kind = 0; kind < LANE_KINDS; kind++) {
            const struct lane *lane = &db->lanes[role][kind];
            for (uint32_t i = 0; i < lane->max; i++)
                if (lane->connections[i].last_error[0] != '\0')
                    return false;
            if (lane->warm > 0 && !lane_is_up(lane))
                return false;
        }
    }
    return true;
}

Str db_describe(struct arena *arena, const struct db *db)
{
    struct buf *out = buf_in_arena(arena, DESCRIPTION_MAX);
    struct json_writer w = json_writer(out);
    json_array_begin(&w);
    for (uint32_t role = 0; role < ROLE_COUNT; role++)
        for (uint32_t kind = 0; kind < LANE_KINDS; kind++)
            for (uint32_t i = 0; i < db->lanes[role][kind].max; i++)
                describe(&w, &db->lanes[role][kind].connections[i]);
    json_array_end(&w);
    return buf_str(out);
}

static void describe(struct json_writer *w, const struct db_connection *connection)
{
    const struct lane *lane = connection->lane;
    if (connection->state == CONNECTION_UNUSED && connection->total_connects == 0)
        return;
    json_object_begin(w);
    json_field_str(w, "role", str_from_z(ROLE_NAMES[lane->role]));
    json_field_str(w, "lane", str_from_z(LANE_NAMES[lane->kind]));
    json_field_str(w, "state", str_from_z(state_name(connection)));
    json_field_int(w, "pid", connection->pg != NULL ? PQbackendPID(connection->pg) : 0);
    json_field_int(w, "in_flight", connection->statements);
    json_field_int(w, "queued", lane->statements);
    json_field_int(w, "waiting_sites", lane->flows);
    json_field_int(w, "groups", (int64_t)connection->total_groups);
    json_field_int(w, "statements", (int64_t)connection->total_statements);
    json_field_int(w, "prepared", connection->cache.names);
    json_field_int(w, "connects", (int64_t)connection->total_connects);
    json_field_str(w, "last_error", str_from_z(connection->last_error));
    json_object_end(w);
}

static const char *state_name(const struct db_connection *connection)
{
    switch (connection->state) {
    case CONNECTION_UNUSED:
        return connection->is_broken ? "broken" : "unused";
    case CONNECTION_CONNECTING:
        return "connecting";
    case CONNECTION_WAITING:
        return "waiting";
    case CONNECTION_UP:
        break;
    }
    if (connection->is_taken)
        return "taken";
    return connection->slots.count > 0 ? "busy" : "idle";
}
