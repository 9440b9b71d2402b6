/*
 * Headlines become articles, in the caller's transaction: claimed, assembled, stored in state "qc",
 * used up. A crash before the commit leaves every headline as it was.
 *
 * Within a transaction every article counts what it is made of before the next one chooses. Modules
 * are counted in their table too, by one statement behind the articles, in the order of their ids:
 * no count is lost, and nobody waits for a module longer than a commit takes.
 */
#pragma once

#include "factory/articles/article_draft.h"
#include "io/pg/db.h"

enum { ARTICLE_BATCH_MAX = 50 /* articles of one transaction */ };

struct article_batch {
    const struct article_plan *plan;
    Uuid generation; /* row of generation_jobs; nil: none */
    const int64_t
        *publish_us; /* of each article, by place: the day its text speaks of. NULL: now */
    const struct assembled *assembled; /* one without a headline; NULL otherwise */
};

/* What an article has that is not made of a headline. */
struct assembled {
    int64_t publish_us;
    int64_t modified_us;
    uint64_t seed;
};

/* At most `count` articles from the campaign's free headlines; fewer when there are no more. Their
 * drafts stand in ret_drafts, which has room for `count`; each says its place, from 0 to count - 1,
 * that no other has. */
fiber_fn Err articles_make(struct ctx *ctx, struct db_tx *tx, const struct article_batch *batch,
                           uint32_t count, struct article_draft *ret_drafts, uint32_t *ret_count);

/* One from a headline that the caller has claimed. *ret_made is false, and the headline retired,
 * when there is an article of it already. */
fiber_fn Err article_make_from(struct ctx *ctx, struct db_tx *tx, const struct article_batch *batch,
                               const struct claimed_headline *headline,
                               struct article_draft *ret_draft, bool *ret_made);

/* One with a title, a place and days of its own, as a draft: batch->assembled. */
fiber_fn Err article_make_draft(struct ctx *ctx, struct db_tx *tx,
                                const struct article_batch *batch,
                                const struct claimed_headline *title,
                                struct article_draft *ret_draft);

/* After the commit: what the articles were made of counts as used. */
void articles_count_usage(const struct article_plan *plan, const struct article_draft *drafts,
                          uint32_t count);
