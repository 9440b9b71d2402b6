/*
 * State of fiber.c and offload.c in each loop. Only they and loop.c include this.
 */
#pragma once

#include "base/memory/fiber_switch.h"
#include "io/fiber/fiber_queue.h"
#include "io/fiber/fiber_stack.h"
#include "io/fiber/turn_meter.h"

#include <stdbool.h>
#include <stdint.h>

struct fiber;
struct loop;

struct loop_fibers {
    struct fiber_queue ready; /* woken: run before the turn continues, unless it is too old */
    struct fiber_queue later; /* yielded: one slice at the end of each turn */
    struct fiber *live;       /* all live fibers */
    uint32_t count;
    uint64_t resumes;      /* incremented on every switch to a fiber: detects activity */
    int64_t turn_start_us; /* when its first fiber was resumed; 0: none yet, < 0: no turn */
    int64_t now_us;        /* when the last fiber parked */
    struct turn_meter meter;
    struct fiber_context thread;
    struct fiber_stack_pool stacks;
};

struct loop_fibers *loop_fibers(struct loop *loop);
const struct loop_fibers *loop_fibers_const(const struct loop *loop);

bool fibers_have_work(const struct loop_fibers *fibers);
void fibers_begin_turn(struct loop_fibers *fibers);
void fibers_end_turn(struct loop_fibers *fibers);
/* Gives each yielded fiber a slice, round-robin over owners. */
void fibers_run_slice(struct loop *loop);
void fibers_finish(struct loop_fibers *fibers);

/* +1: a call was given to an offload thread, -1: its result arrived. loop_free waits for all. */
void loop_count_offloaded(struct loop *loop, int change);
