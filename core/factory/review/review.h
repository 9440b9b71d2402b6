/*
 * From state "qc" to a post: approval of articles and test batches, publishing. Any transition that
 * the article's state machine does not allow is ERR_CONFLICT.
 */
#pragma once

#include "io/pg/db.h"
#include "io/pg/db_error.h"
#include "jobs/queue/job_kind.h"
#include "jobs/steward/schedule.h"

enum { REVIEW_ARTICLES_MAX = 1000, PUBLISH_BULK_MAX = 100, REVIEW_REASON_MAX = 1000 };

/* qc → approved in one statement, recording user and time on each article. A waiver disables the
 * word count condition of the gate; it can also be given to an article that is already approved.
 * ret has an entry for each id, in order. */
struct approval_terms {
    bool waives_word_target;
    Str reason; /* STR_NONE: none given */
};
struct approval {
    Uuid id;
    bool is_approved;
    Str status; /* its state otherwise; STR_NONE: there is no such article */
};
fiber_fn Err articles_approve(struct ctx *ctx, const struct approval_terms *terms, const Uuid *ids,
                              uint32_t count, struct approval *ret);

/* Decides on a production schedule: approve it, or return a test batch to pending. ERR_NOT_FOUND.
 * ERR_CONFLICT: no such transition in its state. */
fiber_fn Err queue_decide(struct ctx *ctx, Uuid queue, bool is_approved);

/*
 * Publishes an approved article as a post. As "draft" the article stays approved. ERR_NOT_FOUND.
 * ERR_FAILED_VALIDATION with note "post_id": it has a post already. ERR_CONFLICT: it is not
 * approved. ERR_QUALITY_GATE: see gate_require.
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
/* Records the article's post, and writes a work log entry. */
fiber_fn Err article_posted(struct db_tx *tx, Uuid article, const struct published_post *post,
                            bool is_draft);

/*
 * The quality gate: the conditions an article must meet to be published. spark.quality_gate
 * (schema/functions/pack_quality_gate.sql) evaluates them, and triggers enforce them on every path
 * to publication; these functions check them beforehand, and publish scheduled articles.
 */

extern const struct job_kind JOB_PUBLISH_DUE;
/* Enqueues one job for each site with slots that are due. */
extern const struct schedule PUBLISH_SCHEDULE;
enum { PUBLISH_DUE_MAX = 500 /* slots per job */ };

struct gate_refusal {
    Str conditions; /* a JSON array of not_approved, under_word_target, duplicate, publish_ramp */
    Str sentence;
    bool has_opening;
    int64_t opens_us; /* when the ramp allows the next publication */
};

/* *ret_is_open: all conditions are met; otherwise *ret says which are not. */
fiber_fn Err gate_ask(struct db_tx *tx, Uuid article, bool *ret_is_open, struct gate_refusal *ret);

/* The errors that the triggers of the gate and of the state machines raise. */
extern const struct db_error_rule GATE_ERROR;
extern const struct db_error_rule MOVE_ERROR;

/* ERR_QUALITY_GATE with notes "conditions" and "opens_at". */
fiber_fn Err gate_require(struct db_tx *tx, Uuid article);

/*
 * The handler of JOB_PUBLISH_DUE: publishes the site's articles whose slots are due. Each has its
 * own transaction, which locks its slot, so each is published once even after a crash. Articles
 * that the gate refuses wait, and the work log records this once.
 */
fiber_fn Err publish_due(struct ctx *ctx, struct job *job);
