/*
 * Internal links: inserts links from an article's text to the targets of its site.
 *
 * The article is parsed as browsers do (factory/text/text.h) and split into tokens: words, spaces,
 * marks. Anchors are matched by tokens, so only whole words match, in any case (Unicode simple case
 * folding), however the source writes character references and white space. The targets of a site
 * form one automaton over tokens, built once per batch; matching takes time linear in the article's
 * length, independent of the number of targets.
 *
 * Memory: an index takes about 100 bytes for each distinct prefix of an anchor: less than 20 MB for
 * 10,000 targets with three anchors of three words. An article takes 24 bytes per token while it is
 * processed. Pure.
 */
#pragma once

#include "base/crypto/uuid.h"
#include "base/memory/arena.h"
#include "base/text/str.h"

enum {
    LINKS_TARGETS_MAX = 20000,
    LINK_ANCHORS_MAX = 21,         /* per target: anchor_text and its variations */
    LINK_ANCHOR_TOKENS_MAX = 64,   /* a longer anchor never matches */
    LINK_WORD_MAX = 128,           /* bytes; nor does an anchor with a longer word */
    LINK_OWNERS_MAX = 64,          /* targets that share an anchor: keeps the most important ones */
    LINK_MATCHES_MAX = 16384,      /* matches considered in one article, from its start */
    LINKS_PER_ARTICLE_MAX = 50,    /* maximum in a request */
    LINKS_PER_ARTICLE_DEFAULT = 5, /* including existing links */
    LINK_DISTANCE_MAX = 10000,
    LINK_DISTANCE_DEFAULT = 50,
    LINK_HTML_MAX = 2 * 1024 * 1024,
};

struct link_target {
    Uuid id;
    Str href; /* link_href_is_safe */
    const Str *anchors;
    uint32_t anchor_count; /* tried in this order */
    int32_t priority;      /* highest first; equal ones in the order of the list */
    uint32_t max_per_article;
    bool is_hub;
    Uuid post;       /* nil: none */
    int64_t post_us; /* time of publication; 0: unknown */
};

/* Allows "http:", "https:" and paths of the same host, and nothing that a browser could interpret
 * differently. */
bool link_href_is_safe(Str href);

/* `host` is the site's: "https://host/x" and "/x" are the same address. Texts are not copied. */
struct link_index;
struct link_index *link_index_build(struct arena *arena, Str host,
                                    const struct link_target *targets, uint32_t count);

uint32_t link_index_targets(const struct link_index *index);

struct link_article {
    Str html;
    Uuid post;            /* its post; nil: none */
    Str url;              /* its own path; may be empty */
    int64_t published_us; /* 0: not published, counts as now */
    int64_t modified_us;  /* 0: never */
    int64_t now_us;
};

struct link_limits {
    uint32_t max_links;    /* links to targets per article, including existing ones */
    uint32_t min_distance; /* words between any two links */
};

struct link_made {
    const struct link_target *target;
    Str anchor;    /* as written in the article */
    uint32_t word; /* number of words before it: other links do not change it */
};

struct links_result {
    Str html; /* the original if nothing was inserted */
    const struct link_made *made;
    uint32_t count;
    uint32_t present; /* links to targets that existed before */
};

/*
 * Inserts each anchor at its first free position that keeps the distance, the most important target
 * first. Words of a longer anchor are reserved for it if its target is as important. The result
 * depends only on the text and its links, so a second run inserts nothing.
 *
 * A target whose post is newer than the article is skipped, unless it is a hub or the article was
 * modified within the last 30 days; an unknown date excludes nothing.
 */
struct links_result links_insert(struct arena *arena, const struct link_index *index,
                                 const struct link_article *article, struct link_limits limits);

/* Removes inserted links, even if an editor has moved them; `ret_removed[i]` says whether the i-th
 * was found. Without edits this restores the original text. */
struct link_record {
    Str href;
    Str anchor;
};
Str links_remove(struct arena *arena, Str html, const struct link_record *records, uint32_t count,
                 bool *ret_removed);

/* The opening tag of an inserted link. */
struct buf;
void link_put_tag(struct buf *out, Str href);
