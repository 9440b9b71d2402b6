/* What production*.c share. Private to them. */
#pragma once

#include "factory/production/production.h"

/* One turn: slots that a transaction has claimed, and what became of them. `job` is 0 for slots of
 * a request. */
struct production_turn {
    struct article_batch batch;
    Uuid queue;
    int64_t job;
    Uuid slots[ARTICLE_BATCH_MAX];
    int64_t publish_us[ARTICLE_BATCH_MAX];
    uint32_t slot_count;
    struct article_draft *drafts;
    uint32_t made;
    Str why; /* the others failed */
};

/* The next `limit` slots are for this job; `job` is 0 for a request's own. */
fiber_fn Err production_claim(struct db_tx *tx, Uuid queue, int64_t job, uint32_t limit);
/* Articles, slots, queue: all of a turn, in the transaction of whoever has claimed the slots. */
fiber_fn Err production_turn_run(struct db_tx *tx, struct production_turn *turn);
/* After the commit. */
fiber_fn void production_turn_committed(struct ctx *ctx, const struct production_turn *turn);

/* The next `slots`, in jobs of at most ARTICLE_BATCH_MAX. */
fiber_fn Err production_hand_out(struct db_tx *tx, Uuid queue, uint32_t slots,
                                 enum job_priority priority, uint32_t *ret_jobs);
