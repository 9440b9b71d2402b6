/*
 * What a thread keeps to make a campaign's articles from: the compiled library, the variables, the
 * avatar, how often each fragment was used. Kept under a version that the database computes from
 * the rows themselves, so that an editor's change counts for the very next article.
 *
 * Which way a campaign's articles go: with an article template, by its structure, whose slots name
 * types of fragments and ids of offer blocks. Without one, by its recipe, when the site has active
 * modules of its types; else by the default structure.
 *
 * Usage of fragments is counted here and not in the table: a counter on a row that every article of
 * every worker must lock would put them all in one queue. A plan starts from what the provenance
 * of the campaign's newest articles says, and then counts its own; each thread balances its own
 * articles, which balances the sum. Modules are counted in the table, once a transaction.
 */
#pragma once

#include "factory/articles/assemble.h"
#include "factory/articles/campaign.h"
#include "factory/articles/seo.h"
#include "factory/library/library.h"

enum {
    ARTICLE_PLANS_MAX = 16, /* a thread; the least recently used goes */
    /* Whose fragments count as used. Few, so that a new fragment catches up within as many
     * articles and does not stand in each of the next thousand. */
    PLAN_USAGE_ARTICLES = 100,
};

struct article_plan {
    struct campaign campaign;
    enum assembly_path path;
    const struct spin_vars *vars; /* avatar over niche over site over dictionaries */
    const struct avatar *avatar;  /* NULL: none, neutral words */
    const struct library *library;
    const struct svg_template *picture; /* NULL: the built-in one */
    uint32_t *usage;                    /* by fragment index */
    Str version;                        /* of all that it was made from */
};

/* Other than the campaign itself says. */
struct plan_choice {
    const struct avatar_choice *avatar; /* NULL: the campaign's */
    bool is_modules;                    /* by the recipe, whatever the template */
};

/* The plan for ctx's site, loaded when it is new or outdated; it stays until ctx->arena lets go.
 * `choice` may be NULL. ERR_NOT_FOUND: no such campaign or avatar. */
fiber_fn Err article_plan_choose(struct ctx *ctx, Uuid campaign, const struct plan_choice *choice,
                                 const struct article_plan **ret);
fiber_fn Err article_plan_get(struct ctx *ctx, Uuid campaign, const struct article_plan **ret);

/* article_plan_repo.c: what a plan holds, kept in `arena`; its library is the caller's reference.
 */
fiber_fn Err article_plan_fill(struct ctx *ctx, struct arena *arena, Uuid campaign,
                               const struct plan_choice *choice, struct article_plan *ret);
/* The version without the plan. */
fiber_fn Err article_plan_version(struct ctx *ctx, Uuid campaign, const struct plan_choice *choice,
                                  Str *ret);
