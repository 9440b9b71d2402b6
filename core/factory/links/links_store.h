/*
 * Links of stored articles: the targets of the site in scope, an article's text, and the records
 * that an undo needs. Text, records and work log entry are written together, and only if the text
 * has not changed since it was read.
 */
#pragma once

#include "factory/links/links.h"
#include "io/fiber/fiber.h"
#include "jobs/queue/job_kind.h"

enum {
    LINK_TRIES_MAX = 3, /* attempts if the article is edited meanwhile */
    LINK_ARTICLES_MAX = 1000,
    LINK_ANCHOR_BYTES_MAX = 65536,
};
extern const struct job_kind JOB_INSERT_LINKS;

struct link_order {
    struct link_limits limits;
    bool is_dry_run; /* only reports the links */
};

/* The site's current targets, in ctx->arena. */
fiber_fn Err links_index_of_site(struct ctx *ctx, const struct link_index **ret);

/* ERR_NOT_FOUND. ERR_CONFLICT: edited during every attempt. ERR_TOO_LARGE. */
struct links_stored {
    struct links_result links;
    Uuid batch; /* nil: nothing was written */
};
fiber_fn Err links_insert_article(struct ctx *ctx, const struct link_index *index, Uuid article,
                                  const struct link_order *order, struct links_stored *ret);

/* The changes to one article, as links.sql stores them. */
struct link_change {
    Uuid article;
    struct links_result links;
    Str old_hash; /* SHA-256 of the text that was read, in hex */
    bool is_stored;
};
enum { LINK_CHANGES_MAX = 50 };
void link_change_hash(struct arena *arena, Str old, struct link_change *change);
/* Stores them in one statement and one transaction. Skips articles whose text has changed. */
fiber_fn Err links_store(struct ctx *ctx, Uuid batch, struct link_change *changes, uint32_t count);
/* Reads a row of link_article or of a page. */
struct rows;
struct link_article link_article_of(const struct rows *rows, uint32_t row);

/* `batch` nil: all batches. *ret_missing: links that an editor has changed or removed; their
 * records are deleted as well. */
fiber_fn Err links_remove_article(struct ctx *ctx, Uuid article, Uuid batch, uint32_t *ret_removed,
                                  uint32_t *ret_missing);

/* Several articles, or all articles of a campaign, processed by a job. */
struct links_bulk {
    Uuid campaign; /* nil: use `articles` */
    const Uuid *articles;
    uint32_t count;
    struct link_limits limits;
};
/* ERR_NOT_FOUND: no such campaign, or none of the articles exists. Drops articles that do not
 * exist. */
fiber_fn Err links_enqueue(struct ctx *ctx, struct links_bulk *bulk, int64_t *ret_job);
/* Processes pages, each in its own transaction. */
struct links_total {
    int64_t articles;
    int64_t links;
    int64_t skipped; /* deleted, too large, or edited all the time */
};
fiber_fn Err links_bulk_insert(struct ctx *ctx, struct job *job, const struct link_index *index,
                               const struct links_bulk *bulk, struct links_total *ret);
/* The handler of the job; it finishes the job. Idempotent: a job that was interrupted can start
 * again, because no article gets its links twice. */
fiber_fn Err links_run(struct ctx *ctx, struct job *job);
