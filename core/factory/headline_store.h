/*
 * A campaign's headlines: counted, looked at, and written into its inventory. The numbering is that
 * of factory/headlines.h; how far it got is kept with the campaign, so that the next run goes on.
 */
#pragma once

#include "factory/campaign.h"

enum {
    HEADLINES_RUN_DEFAULT = 10000,
    HEADLINES_RUN_MAX = 1000000,
    HEADLINES_CHUNK = 1000, /* rows of a statement, which is also a commit */
    HEADLINES_PAGE = 100,   /* texts that an answer shows */
    HEADLINES_PREVIEW_MAX = 1000,
    HEADLINE_TITLE_MAX = 500, /* characters of the column */
};

struct headline_numbers {
    Str template;
    uint32_t slots;        /* choices in it, dictionaries included */
    uint64_t combinations; /* of the template alone */
    uint32_t locations;
    uint64_t total;
};

struct headline_run {
    Str spintax_root; /* empty: the campaign's own */
    uint64_t max;
    bool has_offset;
    uint64_t offset; /* without one: where the last run stopped */
};

struct headline_result {
    struct headline_numbers numbers;
    uint64_t offset;
    uint64_t next_offset;
    uint64_t processed;
    uint64_t inserted;
    uint64_t existed; /* the rest of what was not inserted was too long */
    bool was_truncated;
    Str page; /* JSON array: the first that were inserted */
};

/* ERR_INVALID_SPINTAX, ERR_FAILED_VALIDATION (no template). Ends early, with what was done and
 * where to go on, when the request's time runs out. */
fiber_fn Err headlines_generate(struct ctx *ctx, const struct campaign *campaign,
                                const struct headline_run *run, struct headline_result *ret);

/* The first `count` texts, and what is stored already; writes nothing. */
fiber_fn Err headlines_preview(struct ctx *ctx, const struct campaign *campaign, uint32_t count,
                               struct headline_numbers *ret_numbers, uint64_t *ret_stored,
                               Str *ret_page);
