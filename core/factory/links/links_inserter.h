/* The matches that links_match.c finds and links_insert.c places. */
#pragma once

#include "factory/links/links_internal.h"

struct match {
    uint32_t first; /* tokens */
    uint32_t end;
    uint32_t pattern; /* + 1 */
    int32_t priority; /* of the most important target that may get it */
    bool is_wanted;   /* there is such a target */
};

struct candidate {
    uint32_t target; /* index by importance */
    uint32_t ordinal;
    uint32_t match;
};

/* An anchor that is already linked to an address. */
struct used_anchor {
    uint32_t group;
    uint32_t pattern;
};

struct inserter {
    struct arena *arena;
    const struct link_index *index;
    const struct link_article *article;
    struct link_limits limits;
    struct link_text text;
    struct link_token *tokens; /* the tokens of `text` */
    struct match *matches;     /* sorted by their first token */
    uint32_t match_count;
    bool *is_unwanted; /* patterns without a target for this article */
    struct candidate *candidates;
    uint32_t candidate_count;
    uint32_t own_groups[2]; /* groups of the article's own addresses; 0: not a target */
    uint16_t *group_links;  /* number of links to each group */
    bool *is_near;          /* words too close to a link */
    struct used_anchor used[LINKS_PER_ARTICLE_MAX];
    uint32_t present;
    uint32_t placed[LINKS_PER_ARTICLE_MAX]; /* indexes of candidates */
    uint32_t placed_count;
};

static inline uint32_t words_before(const struct inserter *in, uint32_t token)
{
    return token < in->text.count ? in->tokens[token].words : in->text.words;
}

/* Finds the anchors whose targets may be linked from this article, in the order of their first
 * tokens. */
void links_find_matches(struct inserter *in);
/* Lists each match with each of its targets, in the order of placement. */
void links_list_candidates(struct inserter *in);
int links_compare_matches(const void *left, const void *right);
