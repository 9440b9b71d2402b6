#include "base/memory/list.h"
#include "io/fiber/fiber.h"

#include <assert.h>
#include <stdlib.h>

struct gate_waiter {
    struct gate_waiter *next;
    struct wait *wait;
};

static void gate_forget(struct gate *gate, const struct gate_waiter *waiter);

void gate_init(struct gate *gate, uint32_t permits)
{
    assert(permits > 0);
    *gate = (struct gate){.free = permits};
}

fiber_fn Err gate_enter(struct ctx *ctx, struct gate *gate)
{
    TRY(fiber_check(ctx));
    if (gate->free > 0) {
        assert(gate->first == NULL);
        gate->free--;
        fiber_hold(1);
        return OK;
    }
    struct wait wait = wait_begin();
    struct gate_waiter waiter = {.wait = &wait};
    LIST_APPEND(gate->first, gate->last, &waiter);

    Err err = fiber_wait(ctx, &wait);
    if (err != OK) {
        gate_forget(gate, &waiter);
        return err;
    }
    fiber_hold(1);
    return OK;
}

/* The permit is passed to the first waiter, so that no other fiber can overtake it. */
void gate_leave(struct gate *gate)
{
    fiber_hold(-1);
    struct gate_waiter *next = LIST_TAKE(gate->first, gate->last);
    if (next == NULL) {
        gate->free++;
        return;
    }
    assert(gate->free == 0);
    wait_end(next->wait, OK);
}

void gate_scope_end(struct gate **gate)
{
    if (*gate != NULL)
        gate_leave(*gate);
    *gate = NULL;
}

static void gate_forget(struct gate *gate, const struct gate_waiter *waiter)
{
    struct gate_waiter *before = NULL;
    for (struct gate_waiter *w = gate->first; w != NULL; before = w, w = w->next) {
        if (w != waiter)
            continue;
        if (before == NULL)
            gate->first = w->next;
        else
            before->next = w->next;
        if (gate->last == w)
            gate->last = before;
        return;
    }
    abort(); /* a waiter without a result must still be in the queue */
}
