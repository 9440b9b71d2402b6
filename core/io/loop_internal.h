/*
 * What fiber.c and offload.c keep in each loop. Only they and loop.c include this.
 */
#pragma once

#include "io/fiber_stack.h"
#include "base/fiber_switch.h"

#include <stdbool.h>
#include <stdint.h>

struct fiber;
struct loop;

struct fiber_queue {
    struct fiber *first;
    struct fiber *last;
};

struct loop_fibers {
    struct fiber_queue ready; /* woken: they run before the turn goes on */
    struct fiber_queue later; /* breathing: they run in the next turn */
    struct fiber *live;       /* all that have not ended */
    uint32_t count;
    uint64_t resumes; /* grows with every switch to a fiber: "something happened" */
    struct fiber_context thread;
    struct fiber_stack_pool stacks;
};

struct loop_fibers *loop_fibers(struct loop *loop);
const struct loop_fibers *loop_fibers_const(const struct loop *loop);

bool fibers_have_work(const struct loop_fibers *fibers);
/* The start of a turn: who breathed in the last one is ready. */
void fibers_begin_turn(struct loop_fibers *fibers);
void fibers_finish(struct loop_fibers *fibers);

/* +1: a call went to an offload thread, -1: its answer is here. loop_free waits for all. */
void loop_count_offloaded(struct loop *loop, int change);
