/*
 * Lookups in a snapshot, and the snapshot of the current epoch.
 */
#include "access/grants/actor.h"
#include "access/identity/current.h"
#include "base/system/clock.h"
#include "content/schema/schema.h"
#include "content/schema/schema_build.h"
#include "gen/system_meta.h"
#include "io/reactor/reactor.h"

#include <assert.h>

const struct collection *schema_find(const struct schema *schema, Str name)
{
    assert(schema->collections != NULL);
    return map_get(schema->collections, name);
}

const struct field *collection_field(const struct collection *collection, Str name)
{
    assert(collection->fields_by_name != NULL);
    return map_get(collection->fields_by_name, name);
}

bool schema_is_system(Str collection)
{
    for (uint32_t i = 0; i < SYSTEM_COLLECTION_META_COUNT; i++)
        if (str_eq(SYSTEM_COLLECTION_METAS[i].collection, collection))
            return true;
    return false;
}

bool schema_is_system_field(Str collection, Str field)
{
    for (uint32_t i = 0; i < SYSTEM_FIELD_META_COUNT; i++)
        if (str_eq(SYSTEM_FIELD_METAS[i].field, field) &&
            str_eq(SYSTEM_FIELD_METAS[i].collection, collection))
            return true;
    return false;
}

uint32_t schema_role_chain(const struct schema *schema, Uuid role, Uuid out[ROLE_CHAIN_MAX])
{
    uint32_t count = 0;
    while (!uuid_is_nil(role) && count < ROLE_CHAIN_MAX) {
        out[count++] = role;
        char text[UUID_TEXT_LEN];
        uuid_write(role, text);
        const Uuid *parent = map_get(schema->role_parents, str_of(text, sizeof text));
        if (parent == NULL)
            break;
        role = *parent;
        for (uint32_t i = 0; i < count; i++) {
            if (uuid_eq(out[i], role))
                return count; /* a cycle */
        }
    }
    return count;
}

Err schema_forbidden_collection(struct ctx *ctx, Str name, Str queried_in)
{
    if (queried_in.len == 0)
        return fail(ctx, ERR_FORBIDDEN,
                    "You don't have permission to access collection \"%.*s\" or it does not "
                    "exist. Queried in root.",
                    STR_FMT(name));
    return fail(ctx, ERR_FORBIDDEN,
                "You don't have permission to access collection \"%.*s\" or it does not exist. "
                "Queried in \"%.*s\".",
                STR_FMT(name), STR_FMT(queried_in));
}

/* Not after PostgreSQL was lost, nor when the caller's rights and the last revalidation both have a
 * different epoch. Stamps have no order: only the database knows which of two is newer. */
static bool is_usable(struct ctx *ctx, const struct content_thread *thread)
{
    assert(ctx->reactor != NULL);
    const struct schema *schema = thread->schema;
    if (schema == NULL || thread->is_stale || thread->losses != db_losses(ctx->reactor->db))
        return false;
    bool is_unbound = ctx->epoch == 0 && ctx->has_committed;
    return is_unbound || ctx->epoch == schema->epoch || access_epoch(ctx->reactor) == schema->epoch;
}

static fiber_fn Err load_once(struct ctx *ctx, struct content_thread *thread)
{
    struct gate *held SCOPED_GATE = NULL;
    TRY(gate_enter(ctx, &thread->load_gate));
    held = &thread->load_gate;
    if (is_usable(ctx, thread))
        return OK; /* another fiber has loaded it meanwhile */
    uint64_t losses = db_losses(ctx->reactor->db);
    struct schema *schema;
    thread->is_stale = false; /* if the epoch changes during the load, it becomes stale again */
    Err err = schema_load(ctx, &schema);
    if (err != OK) {
        thread->is_stale = true;
        return err;
    }
    content_thread_set_schema(thread, schema);
    thread->losses = losses;
    if (schema->epoch != access_epoch(ctx->reactor))
        return access_revalidate(ctx, clock_now_us(), NULL, false);
    return OK;
}

/* Where change follows change, they wait for the second try. The pause comes before the gate: a
 * fiber that has it may need the gate. */
static fiber_fn Err load(struct ctx *ctx, struct content_thread *thread)
{
    Err err = load_once(ctx, thread);
    if (err != ERR_STALE_EPOCH)
        return err;
    diag_clear(ctx);
    struct access_pause SCOPED_ACCESS_PAUSE pause = {0};
    access_pause_begin(ctx, true, &pause);
    return load_once(ctx, thread);
}

static void pin(struct ctx *ctx, struct schema *schema)
{
    assert(schema->references > 0);
    schema->references++;
    arena_defer(ctx->arena, schema_unref, schema);
}

fiber_fn Err schema_current(struct ctx *ctx, const struct schema **ret)
{
    assert(ctx->reactor != NULL);
    struct content_thread *thread = content_thread(ctx->reactor);
    bool is_bound = ctx->epoch != 0;
    /* Without authentication (a job, the server itself) nothing has been compared yet. */
    if (!is_bound && !ctx->has_committed)
        TRY(access_revalidate(ctx, clock_now_us() - ACCESS_AGE_US, NULL, false));
    if (!is_usable(ctx, thread))
        TRY(load(ctx, thread));
    struct schema *schema = thread->schema;
    assert(schema != NULL);
    if (is_bound && ctx->epoch != schema->epoch && !ctx->has_committed)
        return fail(ctx, ERR_STALE_EPOCH, "rights and schema have different epochs");
    ctx->epoch = schema->epoch;
    pin(ctx, schema);
    *ret = schema;
    return OK;
}

fiber_fn Err schema_again(struct ctx *ctx, const struct schema **ret)
{
    assert(ctx->has_committed);
    bool of_all;
    TRY(access_catch_up(ctx, &of_all));
    ctx->epoch = access_epoch(ctx->reactor);
    return schema_current(ctx, ret);
}

void schema_invalidate(struct ctx *ctx)
{
    assert(ctx->reactor != NULL);
    content_thread(ctx->reactor)->is_stale = true;
}
