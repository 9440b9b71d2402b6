/*
 * Fibers: stackful coroutines, so that handlers and jobs are straight-line code.
 *
 * A fiber runs on one thread, has a name and a small stack with a guard page, and ends by
 * returning. Every wait ends in one of three ways: OK (or the waker's Err), ERR_TIMEOUT at the
 * ctx's deadline, ERR_CANCELLED after fiber_cancel. A stack is never discarded before its fiber has
 * returned.
 *
 * fiber_fn marks every function that may wait; tests/arch/fibers.py follows the mark through the
 * call graph. It expands to nothing.
 */
#pragma once

#include "base/crypto/uuid.h"
#include "base/system/ctx.h"
#include "base/system/err.h"

#define fiber_fn

struct loop;
struct fiber;

enum { FIBER_STACK_SIZE = 64 * 1024, FIBER_STACK_SIZE_SANITIZED = 512 * 1024 };

/* The maximum of live fibers per loop: each takes two of the kernel's 65,530 mappings. The front
 * ends refuse work earlier (fiber_count); exceeding the maximum is a bug and aborts. */
enum { FIBER_LIVE_MAX = 20000 };

/* Starts run(arg) at once, on a pooled stack, until its first wait. `name` must be static.
 * Returns NULL when it has already ended. */
struct fiber *fiber_spawn(struct loop *loop, const char *name, void (*run)(void *arg), void *arg);

struct fiber *fiber_self(void); /* NULL outside fibers */
struct loop *fiber_loop(const struct fiber *fiber);
const char *fiber_name(const struct fiber *fiber);
uint32_t fiber_count(const struct loop *loop); /* live fibers; a drain waits for 0 */

/* Its current wait, or its next one, returns ERR_CANCELLED. The fiber must not have ended. */
void fiber_cancel(struct fiber *fiber);
/* fiber_cancel for all fibers of the loop: the end of a drain. */
void fiber_cancel_all(struct loop *loop);

/*
 * An event that a fiber waits for. Allocated in the frame of the waiting fiber:
 *
 *     struct wait wait = wait_begin();
 *     start_something(&wait);            // keeps the pointer
 *     Err err = fiber_wait(ctx, &wait);  // parks
 *     if (err is TIMEOUT or CANCELLED)   // the waker may still hold the pointer:
 *         stop_something(&wait);         // stop it before the frame ends
 */
struct wait {
    struct fiber *fiber;
    bool is_done;
    Err result;
};
struct wait wait_begin(void);
fiber_fn Err fiber_wait(struct ctx *ctx, struct wait *wait);
void wait_end(struct wait *wait, Err result); /* from a callback or another fiber; call once */

/* What the next wait would return: ERR_CANCELLED after fiber_cancel, ERR_TIMEOUT after the
 * deadline, else OK. For functions that start something before they wait. */
Err fiber_check(struct ctx *ctx);

/*
 * For a clean-up that must wait (rollback) and for work that cannot be interrupted: until the end
 * of the shield, ctx has this deadline (0: none) and cancellation has no effect. At the end,
 * ctx->diag is restored. Use it as SCOPED_SHIELD.
 */
struct fiber_shield {
    struct ctx *ctx;
    int64_t deadline_us;
    struct diag diag;
};
struct fiber_shield fiber_shield_begin(struct ctx *ctx, int64_t deadline_us);
void fiber_shield_end(struct fiber_shield *shield);
#define SCOPED_SHIELD __attribute__((cleanup(fiber_shield_end), unused))

/* A tighter deadline for a part of the work: until its end, ctx's deadline is at most `timeout_us`
 * away. Use it as SCOPED_DEADLINE. */
struct fiber_deadline {
    struct ctx *ctx;
    int64_t deadline_us;
};
struct fiber_deadline fiber_deadline_begin(struct ctx *ctx, int64_t timeout_us);
void fiber_deadline_end(struct fiber_deadline *deadline);
#define SCOPED_DEADLINE __attribute__((cleanup(fiber_deadline_end), unused))

/* +1 when this fiber acquires what it must release before it ends (a gate, a transaction), -1 when
 * it releases it. The end of a fiber asserts 0. */
void fiber_hold(int change);

fiber_fn Err fiber_sleep(struct ctx *ctx, int64_t duration_us);
/* Cooperative yield, for the top of loops over input: yields when this fiber has used the CPU for 2
 * ms, or when the current turn is too old. Fibers that yielded get one slice per turn, round-robin
 * over their owners. */
fiber_fn Err fiber_breathe(struct ctx *ctx);
/* The same for functions that cannot fail: the caller gets a cancellation at its next wait. A no-op
 * outside fibers, so tests and threads may call such code. */
fiber_fn void fiber_pause(void);
/* Like fiber_breathe, for loops with short steps: checks the clock once in `every` steps (a power
 * of two). */
#define FIBER_BREATHE_EVERY(ctx, i, every)                                                         \
    TRY((((uint64_t)(i)) & ((every)-1)) == 0 ? fiber_breathe(ctx) : OK)

/* Sets the owner of this fiber: a site; nil is no owner. Fibers that it starts inherit it. */
void fiber_own(Uuid owner);
/* Sets a description of its work, for the log of a long turn or a crash: a route, a kind of job.
 * Fibers that it starts inherit it. */
void fiber_work(Str verb, Str what);

/*
 * What a thread is doing, for diagnosing a process that has crashed or hangs: other threads read it
 * and, in a mapped page, other processes. Only the thread itself writes it.
 */
struct fiber_shown {
    _Atomic int64_t tag;        /* fiber_tag of the fiber that has the CPU; 0: none */
    _Atomic uint64_t turns;     /* changes on every fiber switch */
    _Atomic uint32_t extension; /* current extension of that fiber; 0: none */
};
void fiber_show(struct fiber_shown *place); /* for this thread, from now on; NULL: stop */
/* The id of what this fiber works on: the job of a worker. */
void fiber_tag(int64_t tag);
/* Sets the current extension of this fiber: the number of the extension whose code it enters, or 0.
 * Returns the number to restore afterwards. Outside fibers it is the thread's. */
uint32_t fiber_extension(uint32_t extension);

/*
 * Whether the fiber of this thread, or a deep call in it (base/memory/deep.h), has overflowed its
 * stack. `address` is the fault address of a SIGSEGV. Async-signal-safe.
 */
struct fiber_overflow {
    const char *fiber; /* its name; "none" outside fibers */
    const char *work;
    bool is_deep;
};
bool fiber_has_overflowed(const void *address, struct fiber_overflow *ret);

/* A counting gate: a semaphore with `permits`, first come, first served. Held across waits only
 * with SCOPED_GATE. */
struct gate {
    uint32_t free;
    struct gate_waiter *first;
    struct gate_waiter *last;
};
void gate_init(struct gate *gate, uint32_t permits);
fiber_fn Err gate_enter(struct ctx *ctx, struct gate *gate);
void gate_leave(struct gate *gate);
void gate_scope_end(struct gate **gate);
#define SCOPED_GATE __attribute__((cleanup(gate_scope_end)))

/* A group: children are joined before the function returns; the first error cancels the rest. */
struct group {
    struct loop *loop;
    struct group_child *children;
    struct group_child *failed; /* the first one */
    struct wait *joiner;
    uint32_t running;
};
typedef Err GroupFn(struct ctx *ctx, void *arg);
void group_init(struct group *group, struct ctx *ctx);
/* Each child gets a ctx (same scope, actor, deadline) with its own arena, which lives until
 * ctx->arena is freed or rewound to before this call: results may point into it. After an error of
 * a child no further one is started. */
void group_spawn(struct group *group, struct ctx *ctx, const char *name, GroupFn *run, void *arg);
/* Always waits for every child. Returns the first error, with its details in ctx->diag, or the
 * error of ctx itself if it was cancelled or timed out. */
fiber_fn Err group_join(struct ctx *ctx, struct group *group);

/* Runs the fibers that are ready. Only loop.c calls it, after each callback. */
void fibers_run_ready(struct loop *loop);
