/* Shared declarations of links_*.c. */
#pragma once

#include "base/memory/map.h"
#include "base/text/buf.h"
#include "factory/links/links.h"
#include "factory/text/text.h"

/* Places */

enum link_place_kind {
    PLACE_LINK,
    PLACE_HEADING,
    PLACE_CODE,
    PLACE_PRE,
    PLACE_BUTTON,
    PLACE_RAW, /* script, style, textarea, title: raw text, not scanned as text */
    PLACE_FORM_CHOICE,
    PLACE_FOREIGN, /* svg, math: other parsing rules */
    PLACE_OTHER,
    PLACE_KINDS,
};

/*
 * Tracks which elements are open, as far as links are concerned. An element that browsers close
 * without an end tag counts as open until the next end tag of its kind; links stay forbidden there.
 */
struct link_place {
    uint32_t open[PLACE_KINDS];
    uint32_t open_all;
    uint32_t tables;
    uint32_t at_tables[PLACE_KINDS]; /* value of `tables` when the outermost one was opened */
    bool is_lost;                    /* state unknown: no links from here on */
};
/* Call after html_next returned a tag. Skips elements whose content is not HTML. */
void link_place_tag(struct link_place *place, struct html_scan *scan, struct html_piece tag);
static inline bool link_place_is_free(const struct link_place *place)
{
    return place->open_all == 0 && !place->is_lost;
}

/* Tokens */

enum link_token_kind { TOKEN_WORD, TOKEN_SPACE, TOKEN_MARK, TOKEN_TAG };

struct link_token {
    uint32_t from; /* byte offsets in the source */
    uint32_t to;
    uint32_t id;    /* in the vocabulary; 0: not part of any anchor */
    uint32_t words; /* number of words before it */
    enum link_token_kind kind : 8;
    bool is_free;    /* a link is allowed here */
    bool is_raw_amp; /* a literal "&": the text after it may form a reference without ';' */
    bool is_part;    /* part of a word that continues after a tag */
};

/* An <a href> in the article, up to its end tag or the next link. */
struct link_element {
    Str href; /* decoded */
    uint32_t first;
    uint32_t end; /* tokens */
};

struct link_text {
    const struct link_token *tokens;
    uint32_t count;
    uint32_t words;
    const struct link_element *links;
    uint32_t link_count;
};

/* Words and marks of all anchors, case-folded → 1, 2, 3 … */
struct link_vocabulary {
    struct arena *arena;
    struct map *ids;
    uint32_t count;
    bool is_growing;
};

struct link_text link_text_cut(struct arena *arena, const struct link_vocabulary *vocabulary,
                               Str html);
/* Splits an anchor's plain text; assigns ids to new words. The caller may modify the tokens. */
struct link_text link_anchor_cut(struct arena *arena, struct link_vocabulary *vocabulary,
                                 Str anchor);

/* Index */

struct link_owner {
    uint32_t target;
    uint32_t ordinal; /* index of the anchor */
    uint32_t next;    /* + 1; 0: none */
};

struct link_pattern {
    uint32_t first; /* owner + 1, the most important first */
    uint32_t last;
    uint32_t owners;
    uint32_t tokens;
};

struct link_node {
    uint32_t parent;
    uint32_t token;
    uint32_t depth;
    uint32_t fail;
    uint32_t pattern; /* + 1; 0: no anchor ends here */
    uint32_t dict;    /* longest proper suffix that is an anchor; 0: none */
};

struct link_edge {
    uint64_t key; /* node << 32 | token; 0: empty, because token ids start at 1 */
    uint32_t to;
};

struct link_index {
    struct arena *arena;
    Str host;
    struct link_target *targets; /* by importance */
    uint32_t *groups;            /* group of each target: one per distinct address */
    uint32_t target_count;
    struct map *addresses; /* address key → group number, from 1 */
    uint32_t group_count;
    struct link_vocabulary vocabulary;
    struct link_node *nodes;
    uint32_t node_count;
    struct link_edge *edges;
    uint64_t edge_mask;
    uint32_t *roots; /* children of the root by token, for the most frequent step */
    struct link_pattern *patterns;
    uint32_t pattern_count;
    struct link_owner *owners;
    uint32_t owner_count;
};

/* The child of a node; 0: none. */
uint32_t link_index_step(const struct link_index *index, uint32_t node, uint32_t token);
/* The next state of the automaton. */
uint32_t link_index_next(const struct link_index *index, uint32_t node, uint32_t token);
/* The group of an address; 0: no target has it. */
uint32_t link_index_group(const struct link_index *index, struct arena *arena, Str href);

/* Addresses */

/* A key that is equal for addresses of the same page: without fragment and trailing slash, host in
 * lower case, and omitted for the site's own host. */
Str link_key(struct arena *arena, Str host, Str href);
