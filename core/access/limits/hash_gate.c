#include "access/limits/hash_gate.h"

#include "io/fiber/offload.h"
#include "io/reactor/reactor.h"

#include <assert.h>

struct hashes {
    struct gate gate;
    uint32_t waiting;
};

static void hashes_init(void *object, struct reactor *reactor)
{
    (void)reactor;
    struct hashes *hashes = object;
    gate_init(&hashes->gate, 1);
}

static struct reactor_slot slot = {.size = sizeof(struct hashes), .init = hashes_init};

fiber_fn Err hash_gate_run(struct ctx *ctx, uint32_t waiting_max, void (*work)(void *arg),
                           void *arg)
{
    assert(work != NULL);
    SCOPED_GATE struct gate *entered = NULL;
    struct hashes *hashes = reactor_slot(ctx->reactor, &slot);
    if (waiting_max > 0 && hashes->waiting >= waiting_max)
        return fail(ctx, ERR_UNAVAILABLE, "Too many hashes at once.");
    hashes->waiting++;
    Err err = gate_enter(ctx, &hashes->gate);
    assert(hashes->waiting > 0);
    hashes->waiting--;
    TRY(err);
    entered = &hashes->gate;
    return offload_run(ctx, ctx->reactor->offload, work, arg);
}
