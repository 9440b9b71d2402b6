/*
 * Per-thread cache of what a campaign's articles are made from: the compiled library, the
 * variables, the avatar and the usage counts. Its key includes a version that PostgreSQL computes
 * from the rows, so an editor's change applies to the next article.
 *
 * How a campaign's articles are assembled: if the campaign has an article template, by the
 * template's structure, whose slots name fragment types and ids of offer blocks. Otherwise by the
 * campaign's recipe, if the site has active modules of its types; else by the default structure.
 *
 * Usage of fragments is counted in memory and not in a table: a counter in a row that every article
 * of every worker must lock would serialise them all. A plan starts with the counts from the
 * provenance of the campaign's newest articles, then adds its own; each thread balances its own
 * articles, which balances the total. Usage of modules is counted in their table, once per
 * transaction.
 */
#pragma once

#include "factory/articles/assemble.h"
#include "factory/articles/campaign.h"
#include "factory/articles/seo.h"
#include "factory/library/library.h"

enum {
    ARTICLE_PLANS_MAX = 16, /* per thread; evicts the least recently used */
    /* The number of newest articles whose fragments count as used. A small number, so that a new
     * fragment is not used in every one of the next articles until it has caught up. */
    PLAN_USAGE_ARTICLES = 100,
};

struct article_plan {
    struct campaign campaign;
    enum assembly_path path;
    const struct spin_vars *vars; /* precedence: avatar, niche, site, dictionaries */
    const struct avatar *avatar;  /* NULL: none, neutral pronouns */
    const struct library *library;
    const struct svg_template *picture; /* NULL: the built-in one */
    uint32_t *usage;                    /* by fragment index */
    Str version;                        /* of everything that the plan was made from */
};

/* Overrides of the campaign's own settings. */
struct plan_choice {
    const struct avatar_choice *avatar; /* NULL: the campaign's */
    bool is_modules; /* assemble by the recipe, even if the campaign has a template */
};

/* The plan for ctx's site, loaded if it is missing or outdated; valid as long as ctx->arena.
 * `choice` may be NULL. ERR_NOT_FOUND: no such campaign or avatar. */
fiber_fn Err article_plan_choose(struct ctx *ctx, Uuid campaign, const struct plan_choice *choice,
                                 const struct article_plan **ret);
fiber_fn Err article_plan_get(struct ctx *ctx, Uuid campaign, const struct article_plan **ret);

/* article_plan_repo.c: fills a plan; its data lives in `arena`, and the caller owns a reference to
 * its library. */
fiber_fn Err article_plan_fill(struct ctx *ctx, struct arena *arena, Uuid campaign,
                               const struct plan_choice *choice, struct article_plan *ret);
/* Reads only the version. */
fiber_fn Err article_plan_version(struct ctx *ctx, Uuid campaign, const struct plan_choice *choice,
                                  Str *ret);
