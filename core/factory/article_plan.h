/*
 * What a thread keeps to make a campaign's articles from: the compiled library, the variables, how
 * often each fragment was used. Kept under a version that the database computes from the rows
 * themselves, so that an editor's change counts for the very next article.
 *
 * Usage is counted here and not in the table: a counter on a row that every article of every
 * worker has to lock would put them all in one queue. Each thread balances its own articles, which
 * balances the sum. Which fragments an article has stands in its provenance.
 */
#pragma once

#include "factory/campaign.h"
#include "factory/library.h"

enum { ARTICLE_PLANS_MAX = 16 /* a thread; the least recently used goes */ };

struct article_plan {
    struct campaign campaign;
    const struct spin_vars *vars; /* niche over site over dictionaries */
    const struct library *library;
    uint32_t *usage; /* by fragment index */
};

/* The plan for ctx's site, loaded when it is new or outdated; it stays until ctx->arena lets go.
 * ERR_NOT_FOUND: no such campaign. */
fiber_fn Err article_plan_get(struct ctx *ctx, Uuid campaign, const struct article_plan **ret);
