/* What the files of links_*.c share. */
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
    PLACE_RAW, /* script, style, textarea, title: their text never comes as text */
    PLACE_FORM_CHOICE,
    PLACE_FOREIGN, /* svg, math: other rules for tags */
    PLACE_OTHER,
    PLACE_KINDS,
};

/*
 * Where in a document the scanner is, as far as links care. Errs on the safe side: what browsers
 * close by rules that are not followed here stays closed to links.
 */
struct link_place {
    uint32_t open[PLACE_KINDS];
    uint32_t open_all;
    uint32_t tables;
    uint32_t at_tables[PLACE_KINDS]; /* `tables` when the outermost one was opened */
    bool is_lost;                    /* no telling any more: no links from here on */
};
/* After html_next gave a tag. Moves the scan past elements whose text is no HTML. */
void link_place_tag(struct link_place *place, struct html_scan *scan, struct html_piece tag);
static inline bool link_place_is_free(const struct link_place *place)
{
    return place->open_all == 0 && !place->is_lost;
}

/* Tokens */

enum link_token_kind { TOKEN_WORD, TOKEN_SPACE, TOKEN_MARK, TOKEN_TAG };

struct link_token {
    uint32_t from; /* bytes of the source */
    uint32_t to;
    uint32_t id;    /* in the vocabulary; 0: in no anchor */
    uint32_t words; /* before it */
    enum link_token_kind kind : 8;
    bool is_free;    /* a link may stand here */
    bool is_raw_amp; /* "&" itself: what follows it may be a reference without ';' */
    bool is_part;    /* of a word that goes on behind a tag */
};

/* An <a href> of the article, to its end or the next one. */
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

/* Words and marks of all anchors, folded, → 1, 2, 3 … */
struct link_vocabulary {
    struct arena *arena;
    struct map *ids;
    uint32_t count;
    bool is_growing;
};

struct link_text link_text_cut(struct arena *arena, const struct link_vocabulary *vocabulary,
                               Str html);
/* Plain text, with new ids while the vocabulary grows. The tokens are the caller's to change. */
struct link_text link_anchor_cut(struct arena *arena, struct link_vocabulary *vocabulary,
                                 Str anchor);

/* Index */

struct link_owner {
    uint32_t target;
    uint32_t ordinal; /* which of its anchors */
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
    uint32_t dict;    /* the longest proper suffix that is an anchor; 0: none */
};

struct link_edge {
    uint64_t key; /* node << 32 | token; 0: free, for no token is 0 */
    uint32_t to;
};

struct link_index {
    struct arena *arena;
    Str host;
    struct link_target *targets; /* by importance */
    uint32_t *groups;            /* of targets: one a distinct address */
    uint32_t target_count;
    struct map *addresses; /* key → &group numbers, which begin at 1 */
    uint32_t group_count;
    struct link_vocabulary vocabulary;
    struct link_node *nodes;
    uint32_t node_count;
    struct link_edge *edges;
    uint64_t edge_mask;
    uint32_t *roots; /* children of the root by token: most steps begin there */
    struct link_pattern *patterns;
    uint32_t pattern_count;
    struct link_owner *owners;
    uint32_t owner_count;
};

/* The child of a node; 0: none. */
uint32_t link_index_step(const struct link_index *index, uint32_t node, uint32_t token);
/* The automaton's next state. */
uint32_t link_index_next(const struct link_index *index, uint32_t node, uint32_t token);
/* 0 when no target has this address. */
uint32_t link_index_group(const struct link_index *index, struct arena *arena, Str href);

/* Addresses */

/* Equal for addresses that lead to the same page: no fragment, no last slash, host in lower case,
 * and none for the site's own. */
Str link_key(struct arena *arena, Str host, Str href);
