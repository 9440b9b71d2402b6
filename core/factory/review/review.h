/*
 * From "qc" to a post: approving articles and test batches, publishing. The moves that an article
 * may make are those of its state machine; every other is ERR_CONFLICT.
 */
#pragma once

#include "io/pg/db.h"

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
