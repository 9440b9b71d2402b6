/*
 * Finding things in a snapshot, and the snapshot of the current epoch itself.
 */
#include "access/actor.h"
#include "content/schema.h"
#include "content/schema_build.h"
#include "content/thread.h"
#include "io/reactor.h"

#include <assert.h>

const struct collection *schema_find(const struct schema *schema, Str name)
{
    return map_get(schema->collections, name);
}

const struct field *collection_field(const struct collection *collection, Str name)
{
    return map_get(collection->fields_by_name, name);
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

static fiber_fn Err load_once(struct ctx *ctx, struct content_thread *thread)
{
    struct gate *held SCOPED_GATE = NULL;
    TRY(gate_enter(ctx, &thread->load_gate));
    held = &thread->load_gate;
    if (thread->schema != NULL && !thread->is_stale)
        return OK; /* another fiber has just loaded it */
    struct schema *schema;
    thread->is_stale = false; /* an epoch that moves during the load makes it stale again */
    Err err = schema_load(ctx, &schema);
    if (err != OK) {
        thread->is_stale = true;
        return err;
    }
    content_thread_set_schema(thread, schema);
    return OK;
}

static void pin(struct ctx *ctx, struct schema *schema)
{
    schema->references++;
    arena_defer(ctx->arena, schema_unref, schema);
}

Err schema_current(struct ctx *ctx, const struct schema **ret)
{
    assert(ctx->reactor != NULL);
    struct content_thread *thread = content_thread(ctx->reactor);
    if (thread->schema != NULL && ctx->epoch > thread->schema->epoch)
        thread->is_stale = true;
    if (thread->schema == NULL || thread->is_stale)
        TRY(load_once(ctx, thread));
    struct schema *schema = thread->schema;
    if (ctx->epoch != 0 && ctx->epoch != schema->epoch && !ctx->has_committed)
        return fail(ctx, ERR_STALE_EPOCH, "rights of epoch %jd, schema of epoch %jd",
                    (intmax_t)ctx->epoch, (intmax_t)schema->epoch);
    ctx->epoch = schema->epoch;
    pin(ctx, schema);
    *ret = schema;
    return OK;
}

void schema_invalidate(struct ctx *ctx)
{
    content_thread(ctx->reactor)->is_stale = true;
}
