/*
 * The statements of a run, and the rows of its branches.
 */
#pragma once

#include "content/run/run.h"

/* Adds a statement to the batch, which is sent when it is full. */
fiber_fn Err run_send(struct run *run, const struct select *select, struct db_batch *batch,
                      struct rows *ret);
/* Sends the batch; a single statement is sent without one. */
fiber_fn Err run_flush(struct run *run, struct db_batch *batch);

struct branch_span {
    const struct rows *rows;
    uint32_t first;
    uint32_t count; /* 0: there are none */
};

/* To-many: the rows that refer to this one. */
struct branch_span branch_children(const struct run *run, const struct branch *branch,
                                   const struct rows *rows, uint32_t row);
/* To-any: the row that this one refers to, if it is in the branch's collection. */
struct branch_span branch_target(const struct run *run, const struct branch *branch,
                                 const struct rows *rows, uint32_t row);
