#include "runtime/lines.h"

#include "base/json/json_writer.h"
#include "base/memory/list.h"
#include "gen/sql.h"
#include "io/reactor/reactor.h"

#include <assert.h>

/* An entry has at most about 20 KiB. */
enum { LINES_MAX = 500, BATCH_MAX = 16 * 1024 * 1024, WRITE_US = 10 * 1000 * 1000 };

/* In the frame of a caller that waits for its entry. */
struct waiter {
    struct waiter *next;
    struct waiter **slot; /* the pointer to this waiter */
    struct wait wait;
};

/* Allocated in its own arena: an entry is written even if its caller has left. */
struct batch {
    struct batch *next;
    struct arena *arena;
    struct json_writer json;
    struct waiter *waiters;
    uint32_t count;
};

/* All of one thread. */
struct lines {
    struct reactor *reactor;
    struct batch *first; /* the next to be written */
    struct batch *last;
    bool is_writing;
};

static void lines_init(void *object, struct reactor *reactor)
{
    struct lines *lines = object;
    lines->reactor = reactor;
}

static struct reactor_slot slot = {.size = sizeof(struct lines), .init = lines_init};

static struct batch *batch_open(struct lines *lines)
{
    if (lines->last != NULL && lines->last->count < LINES_MAX)
        return lines->last;
    struct arena *arena = arena_create();
    struct batch *batch = arena_new(arena, struct batch);
    *batch = (struct batch){.arena = arena, .json = json_writer(buf_in_arena(arena, BATCH_MAX))};
    json_array_begin(&batch->json);
    LIST_APPEND(lines->first, lines->last, batch);
    return batch;
}

static void put_uuid(struct json_writer *w, const char *key, Uuid value)
{
    if (!uuid_is_nil(value))
        json_field_uuid(w, key, value);
}

static void batch_add(struct batch *batch, const struct ctx *ctx, const struct audit *line)
{
    struct json_writer *w = &batch->json;
    const struct actor *actor = audit_doer(ctx);
    json_object_begin(w);
    put_uuid(w, "site", line->site);
    json_field_str_unless_empty(w, "action", line->action);
    json_field_str_unless_empty(w, "entity_type", line->entity_type);
    json_field_str_unless_empty(w, "entity_id", line->entity_id);
    if (line->details.len > 0)
        json_field_raw(w, "details", line->details);
    json_field_str(w, "level", str_from_z(line->level));
    put_uuid(w, "user_id", actor != NULL ? actor->user : (Uuid){0});
    json_field_str(w, "actor", str_from_z(audit_actor_name(actor)));
    json_field_str_unless_empty(w, "ip", actor != NULL ? actor->ip : STR_NONE);
    json_object_end(w);
    batch->count++;
}

static fiber_fn void batch_write(struct reactor *reactor, struct batch *batch)
{
    struct ctx ctx = reactor_ctx(reactor, batch->arena, WRITE_US);
    json_array_end(&batch->json);
    Err err = buf_check(&ctx, batch->json.out, "the work log");
    if (err == OK)
        err = db_query_platform(reactor_platform(&ctx), &SQL_AUDIT_MANY,
                                ARGS(db_text(buf_str(batch->json.out))), NULL);
    while (batch->waiters != NULL) {
        struct waiter *waiter = batch->waiters;
        batch->waiters = waiter->next;
        waiter->slot = NULL;
        wait_end(&waiter->wait, err);
    }
    arena_destroy(batch->arena);
}

static void write_all(void *arg)
{
    struct lines *lines = arg;
    lines->is_writing = true;
    for (struct batch *batch; (batch = LIST_TAKE(lines->first, lines->last)) != NULL;)
        batch_write(lines->reactor, batch);
    lines->is_writing = false;
}

static void waiter_add(struct batch *batch, struct waiter *waiter)
{
    waiter->next = batch->waiters;
    waiter->slot = &batch->waiters;
    if (waiter->next != NULL)
        waiter->next->slot = &waiter->next;
    batch->waiters = waiter;
}

static void waiter_remove(struct waiter *waiter)
{
    if (waiter->slot == NULL)
        return;
    *waiter->slot = waiter->next;
    if (waiter->next != NULL)
        waiter->next->slot = waiter->slot;
}

fiber_fn Err line_write(struct ctx *ctx, const struct audit *line)
{
    assert(line->action.len > 0 && line->level != NULL);
    TRY(fiber_check(ctx));
    struct lines *lines = reactor_slot(ctx->reactor, &slot);
    struct batch *batch = batch_open(lines);
    struct waiter waiter = {.wait = wait_begin()};
    batch_add(batch, ctx, line);
    waiter_add(batch, &waiter);
    if (!lines->is_writing)
        fiber_spawn(ctx->reactor->loop, "lines", write_all, lines);
    Err err = fiber_wait(ctx, &waiter.wait);
    waiter_remove(&waiter);
    if (err == OK || err == ERR_TIMEOUT || err == ERR_CANCELLED)
        return err;
    return fail(ctx, err, "The work log could not be written.");
}
