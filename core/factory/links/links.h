/*
 * Internal links: an article's prose becomes links to the targets of its site.
 *
 * The article is read as browsers read it (factory/text/text.h) and cut into tokens: words, gaps,
 * marks. An anchor is found by its tokens, so words are whole by construction, in any case
 * (Unicode's simple folding), whatever references and white space the source spells them with. The
 * targets of a site are one automaton over tokens, built once a batch; reading an article takes
 * time in its length, however many targets there are.
 *
 * Memory: an index takes about 100 bytes for each distinct beginning of an anchor, token by token:
 * 10,000 targets with three anchors of three words are below 20 MB. An article takes 24 bytes a
 * token while it is read. Pure: nothing here waits.
 */
#pragma once

#include "base/crypto/uuid.h"
#include "base/memory/arena.h"
#include "base/text/str.h"

enum {
    LINKS_TARGETS_MAX = 20000,
    LINK_ANCHORS_MAX = 21,         /* a target: anchor_text and its variations */
    LINK_ANCHOR_TOKENS_MAX = 64,   /* a longer anchor is found nowhere */
    LINK_WORD_MAX = 128,           /* bytes; so is one with a longer word */
    LINK_OWNERS_MAX = 64,          /* targets that share an anchor: the most important ones */
    LINK_MATCHES_MAX = 16384,      /* places looked at in one article, from its beginning */
    LINKS_PER_ARTICLE_MAX = 50,    /* what a caller may ask for */
    LINKS_PER_ARTICLE_DEFAULT = 5, /* those that are there already included */
    LINK_DISTANCE_MAX = 10000,
    LINK_DISTANCE_DEFAULT = 50,
    LINK_HTML_MAX = 2 * 1024 * 1024,
};

struct link_target {
    Uuid id;
    Str href; /* link_href_is_safe */
    const Str *anchors;
    uint32_t anchor_count; /* tried in this order */
    int32_t priority;      /* the highest first; among equals the order of the list */
    uint32_t max_per_article;
    bool is_hub;
    Uuid post;       /* nil: none */
    int64_t post_us; /* when it was published; 0: not known */
};

/* "http:", "https:" or a path of the same host, and nothing a browser would read otherwise. */
bool link_href_is_safe(Str href);

/* `host` of the site: "https://host/x" and "/x" are one address. Texts are not copied. */
struct link_index;
struct link_index *link_index_build(struct arena *arena, Str host,
                                    const struct link_target *targets, uint32_t count);

uint32_t link_index_targets(const struct link_index *index);

struct link_article {
    Str html;
    Uuid post;            /* what it was published as; nil: nothing */
    Str url;              /* its own address, as a path; may be empty */
    int64_t published_us; /* 0: not yet, so now */
    int64_t modified_us;  /* 0: never */
    int64_t now_us;
};

struct link_limits {
    uint32_t max_links;    /* in the article, links to targets that it had included */
    uint32_t min_distance; /* words between two links, of whatever kind */
};

struct link_made {
    const struct link_target *target;
    Str anchor;    /* as the article spells it */
    uint32_t word; /* words before it: stays true when other links come or go */
};

struct links_result {
    Str html; /* the article's own when nothing was inserted */
    const struct link_made *made;
    uint32_t count;
    uint32_t present; /* links to targets that were there before */
};

/*
 * Each anchor at its first free place that keeps the distance, the most important target first.
 * A longer anchor of a target as important keeps its words to itself. What is inserted depends on
 * the text and the links in it alone, so a second run inserts nothing.
 *
 * A target whose post is younger than the article is left out, unless it is a hub or the article
 * was modified within 30 days; a date that is missing forbids nothing.
 */
struct links_result links_insert(struct arena *arena, const struct link_index *index,
                                 const struct link_article *article, struct link_limits limits);

/* Takes inserted links out again, wherever an editor has moved them; `ret_removed[i]` says whether
 * the i-th was found. Without edits the text is what it was before. */
struct link_record {
    Str href;
    Str anchor;
};
Str links_remove(struct arena *arena, Str html, const struct link_record *records, uint32_t count,
                 bool *ret_removed);

/* The opening tag of an inserted link. */
struct buf;
void link_put_tag(struct buf *out, Str href);
