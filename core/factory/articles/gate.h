/*
 * The quality gate: what an article must be before the world reads it. spark.quality_gate (see
 * schema/pack/2_walls/09_quality_gate.sql) decides, and triggers hold every path to it; here it is
 * asked beforehand, and plans publish through it.
 */
#pragma once

#include "io/pg/db.h"
#include "jobs/queue/job.h"

#define PUBLISH_DUE_KIND "publish-due"
enum { PUBLISH_DUE_MAX = 500 /* slots that one job looks at */ };

struct gate_refusal {
    Str conditions; /* a JSON array of not_approved, under_word_target, duplicate, publish_ramp */
    Str sentence;
    bool has_opening;
    int64_t opens_us; /* when the ramp goes on */
};

/* *ret_is_open: nothing is in the way; else *ret says what is. */
fiber_fn Err gate_ask(struct db_tx *tx, Uuid article, bool *ret_is_open, struct gate_refusal *ret);

/* ERR_QUALITY_GATE with notes "conditions" and "opens_at". */
fiber_fn Err gate_require(struct db_tx *tx, Uuid article);

/*
 * A job of kind publish-due: articles of the site whose slots have come, each in a transaction of
 * its own that locks its slot; so each goes out once, whatever dies in between. What the gate
 * refuses waits, and the work log says so once.
 */
fiber_fn Err publish_due(struct ctx *ctx, struct job *job);
