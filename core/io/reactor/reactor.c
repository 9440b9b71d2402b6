#include "io/reactor/reactor.h"

#include "base/system/clock.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Of every place that was handed out, whose it is; place 0 is nobody's. */
static struct reactor_slot *_Atomic owners[REACTOR_SLOTS_MAX];

/* Threads may come to a slot at the same time: each slot gets one place, so that they last. */
static uint32_t place_of(struct reactor_slot *slot)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static uint32_t places_taken = 1; /* under the lock */
    uint32_t place = atomic_load(&slot->place);
    if (place != 0)
        return place;
    pthread_mutex_lock(&lock);
    place = atomic_load(&slot->place);
    if (place == 0) {
        assert(places_taken < REACTOR_SLOTS_MAX);
        place = places_taken++;
        atomic_store(&owners[place], slot);
        atomic_store(&slot->place, place);
    }
    pthread_mutex_unlock(&lock);
    return place;
}

void *reactor_slot(struct reactor *reactor, struct reactor_slot *slot)
{
    assert(reactor != NULL && slot->size > 0);
    uint32_t place = place_of(slot);
    if (reactor->slots[place] != NULL)
        return reactor->slots[place];
    void *object = calloc(1, slot->size);
    if (object == NULL)
        abort();
    if (slot->init != NULL)
        slot->init(object, reactor);
    reactor->slots[place] = object;
    return object;
}

void *reactor_slot_find(const struct reactor *reactor, const struct reactor_slot *slot)
{
    assert(reactor != NULL);
    uint32_t place = atomic_load(&slot->place);
    return place == 0 ? NULL : reactor->slots[place];
}

void reactor_slot_set(struct reactor *reactor, struct reactor_slot *slot, void *object)
{
    assert(reactor != NULL && slot->size == 0);
    reactor->slots[place_of(slot)] = object;
}

void reactor_release(struct reactor *reactor)
{
    for (uint32_t place = REACTOR_SLOTS_MAX; place-- > 1;) {
        void *object = reactor->slots[place];
        reactor->slots[place] = NULL;
        const struct reactor_slot *slot = object == NULL ? NULL : atomic_load(&owners[place]);
        if (slot == NULL || slot->size == 0)
            continue;
        if (slot->release != NULL)
            slot->release(object);
        else
            free(object);
    }
}

struct ctx reactor_ctx(struct reactor *reactor, struct arena *arena, int64_t timeout_us)
{
    return reactor_ctx_for(reactor, arena, timeout_us, (Scope){.kind = SCOPE_NONE}, NULL);
}

struct ctx reactor_ctx_for(struct reactor *reactor, struct arena *arena, int64_t timeout_us,
                           Scope scope, const struct actor *actor)
{
    assert(reactor != NULL && arena != NULL && timeout_us > 0);
    return (struct ctx){
        .arena = arena,
        .reactor = reactor,
        .actor = actor,
        .scope = scope,
        .deadline_us = clock_now_us() + timeout_us,
    };
}

struct platform reactor_platform(struct ctx *ctx)
{
    assert(ctx != NULL && ctx->actor == NULL);
    return (struct platform){ctx};
}
