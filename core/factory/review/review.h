/*
 * From "qc" to a post: approving articles and test batches, publishing. The moves that an article
 * may make are those of its state machine; every other is ERR_CONFLICT.
 */
#pragma once

#include "io/pg/db.h"
#include "io/pg/db_error.h"
#include "jobs/queue/job_kind.h"
#include "jobs/steward/schedule.h"

enum { REVIEW_ARTICLES_MAX = 1000, PUBLISH_BULK_MAX = 100, REVIEW_REASON_MAX = 1000 };

/* qc → approved in one statement, with a record of who and when on each article. With a waiver the
 * gate asks for no number of words; it may come later, for what is approved already. ret has an
 * entry for each id, in order. */
struct approval_terms {
    bool waives_word_target;
    Str reason; /* STR_NONE: none given */
};
struct approval {
    Uuid id;
    bool is_approved;
    Str status; /* what it is instead; STR_NONE: there is no such article */
};
fiber_fn Err articles_approve(struct ctx *ctx, const struct approval_terms *terms, const Uuid *ids,
                              uint32_t count, struct approval *ret);

/* A production queue: on to approved, or a test batch back to pending. ERR_NOT_FOUND, ERR_CONFLICT
 * in a state that has no such move. */
fiber_fn Err queue_decide(struct ctx *ctx, Uuid queue, bool is_approved);

/*
 * An approved article becomes a post. As "draft" the article stays approved and ready.
 * ERR_NOT_FOUND; ERR_FAILED_VALIDATION with note "post_id" when it has a post already; ERR_CONFLICT
 * when it is not approved; ERR_QUALITY_GATE (factory/articles/gate.h).
 */
struct published_post {
    Uuid id;
    Str slug;
};
fiber_fn Err article_publish(struct ctx *ctx, Uuid article, bool is_draft,
                             struct published_post *ret);
/* The same in the caller's transaction. */
fiber_fn Err article_publish_in(struct db_tx *tx, Uuid article, bool is_draft,
                                struct published_post *ret);
/* What the article became, and a line of the work log. */
fiber_fn Err article_posted(struct db_tx *tx, Uuid article, const struct published_post *post,
                            bool is_draft);

/*
 * The quality gate: what an article must be before the world reads it. spark.quality_gate (see
 * schema/functions/pack_quality_gate.sql) decides, and triggers hold every path to it; here it is
 * asked beforehand, and plans publish through it.
 */

extern const struct job_kind JOB_PUBLISH_DUE;
/* Enqueues one for each site with slots that have come. */
extern const struct schedule PUBLISH_SCHEDULE;
enum { PUBLISH_DUE_MAX = 500 /* slots that one job looks at */ };

struct gate_refusal {
    Str conditions; /* a JSON array of not_approved, under_word_target, duplicate, publish_ramp */
    Str sentence;
    bool has_opening;
    int64_t opens_us; /* when the ramp goes on */
};

/* *ret_is_open: nothing is in the way; else *ret says what is. */
fiber_fn Err gate_ask(struct db_tx *tx, Uuid article, bool *ret_is_open, struct gate_refusal *ret);

/* What the triggers raise when the gate refuses, and when a state machine does. */
extern const struct db_error_rule GATE_ERROR;
extern const struct db_error_rule MOVE_ERROR;

/* ERR_QUALITY_GATE with notes "conditions" and "opens_at". */
fiber_fn Err gate_require(struct db_tx *tx, Uuid article);

/*
 * A job of JOB_PUBLISH_DUE: articles of the site whose slots have come, each in a transaction of
 * its own that locks its slot; so each goes out once, whatever dies in between. What the gate
 * refuses waits, and the work log says so once.
 */
fiber_fn Err publish_due(struct ctx *ctx, struct job *job);
