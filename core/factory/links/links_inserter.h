/* What links_match.c finds and links_insert.c places. */
#pragma once

#include "factory/links/links_internal.h"

struct match {
    uint32_t first; /* tokens */
    uint32_t end;
    uint32_t pattern; /* + 1 */
    int32_t priority; /* of the most important target that may have it */
    bool is_wanted;   /* there is one */
};

struct candidate {
    uint32_t target; /* by importance */
    uint32_t ordinal;
    uint32_t match;
};

/* An anchor that leads to an address already. */
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
    struct link_token *tokens; /* those of the text */
    struct match *matches;     /* by their first token */
    uint32_t match_count;
    bool *is_unwanted; /* patterns that were found to have no target for this article */
    struct candidate *candidates;
    uint32_t candidate_count;
    uint32_t own_groups[2]; /* the article's own addresses; 0: not among the targets */
    uint16_t *group_links;  /* links that lead there */
    bool *is_near;          /* words too close to a link */
    struct used_anchor used[LINKS_PER_ARTICLE_MAX];
    uint32_t present;
    uint32_t placed[LINKS_PER_ARTICLE_MAX]; /* candidates */
    uint32_t placed_count;
};

static inline uint32_t words_before(const struct inserter *in, uint32_t token)
{
    return token < in->text.count ? in->tokens[token].words : in->text.words;
}

/* Places of anchors whose target may be linked from this article, by their first token. */
void links_find_matches(struct inserter *in);
/* Each of them with each of its targets, in the order they are to be placed. */
void links_list_candidates(struct inserter *in);
int links_compare_matches(const void *left, const void *right);
