/*
 * Aho-Corasick automaton over tokens instead of bytes. All edges are in one hash table: a state has
 * few of them, and a table of all words per state would be a thousand times as large.
 */
#include "factory/links/links_internal.h"

#include <assert.h>
#include <stdlib.h>

/* Targets by importance */

struct ranked {
    const struct link_target *target;
};

static int compare_ranked(const void *left, const void *right)
{
    const struct link_target *a = ((const struct ranked *)left)->target;
    const struct link_target *b = ((const struct ranked *)right)->target;
    if (a->priority != b->priority)
        return a->priority > b->priority ? -1 : 1;
    return a < b ? -1 : a > b ? 1 : 0; /* both point into the caller's list */
}

static void rank_targets(struct link_index *index, const struct link_target *targets,
                         uint32_t count)
{
    struct ranked *ranked = arena_array(index->arena, struct ranked, count);
    for (uint32_t i = 0; i < count; i++)
        ranked[i].target = &targets[i];
    if (count > 1)
        qsort(ranked, count, sizeof *ranked, compare_ranked);
    index->targets = arena_array(index->arena, struct link_target, count);
    index->target_count = count;
    for (uint32_t i = 0; i < count; i++)
        index->targets[i] = *ranked[i].target;
}

static void group_targets(struct link_index *index)
{
    index->addresses = map_in_arena(index->arena);
    index->groups = arena_array(index->arena, uint32_t, index->target_count);
    for (uint32_t i = 0; i < index->target_count; i++) {
        Str key = link_key(index->arena, index->host, index->targets[i].href);
        uint32_t *group = map_get(index->addresses, key);
        if (group == NULL) {
            group = arena_new(index->arena, uint32_t);
            *group = ++index->group_count;
            map_put(index->addresses, key, group);
        }
        index->groups[i] = *group;
    }
}

uint32_t link_index_group(const struct link_index *index, struct arena *arena, Str href)
{
    const uint32_t *group = map_get(index->addresses, link_key(arena, index->host, href));
    return group == NULL ? 0 : *group;
}

/* Nodes */

static uint64_t mix(uint64_t key)
{
    key ^= key >> 31;
    key *= UINT64_C(0x9E3779B97F4A7C15);
    return key ^ (key >> 29);
}

static struct link_edge *edge_slot(const struct link_index *index, uint32_t node, uint32_t token)
{
    uint64_t key = (uint64_t)node << 32 | token;
    uint64_t at = mix(key) & index->edge_mask;
    while (index->edges[at].key != 0 && index->edges[at].key != key)
        at = (at + 1) & index->edge_mask;
    return &index->edges[at];
}

uint32_t link_index_step(const struct link_index *index, uint32_t node, uint32_t token)
{
    if (node == 0)
        return index->roots[token];
    const struct link_edge *edge = edge_slot(index, node, token);
    return edge->key == 0 ? 0 : edge->to;
}

uint32_t link_index_next(const struct link_index *index, uint32_t node, uint32_t token)
{
    for (;;) {
        uint32_t next = link_index_step(index, node, token);
        if (next != 0 || node == 0)
            return next;
        node = index->nodes[node].fail;
    }
}

static void add_owner(struct link_index *index, uint32_t node, uint32_t target, uint32_t ordinal)
{
    if (index->nodes[node].pattern == 0) {
        index->patterns[index->pattern_count] =
            (struct link_pattern){.tokens = index->nodes[node].depth};
        index->nodes[node].pattern = ++index->pattern_count;
    }
    struct link_pattern *pattern = &index->patterns[index->nodes[node].pattern - 1];
    if (pattern->owners == LINK_OWNERS_MAX)
        return;
    index->owners[index->owner_count] = (struct link_owner){.target = target, .ordinal = ordinal};
    uint32_t number = ++index->owner_count;
    if (pattern->owners++ == 0)
        pattern->first = number;
    else
        index->owners[pattern->last - 1].next = number;
    pattern->last = number;
}

static void add_anchor(struct link_index *index, const uint32_t *ids, uint32_t count,
                       uint32_t target, uint32_t ordinal)
{
    uint32_t node = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct link_edge *edge = edge_slot(index, node, ids[i]);
        if (edge->key == 0) {
            *edge =
                (struct link_edge){.key = (uint64_t)node << 32 | ids[i], .to = index->node_count};
            index->nodes[index->node_count++] =
                (struct link_node){.parent = node, .token = ids[i], .depth = i + 1};
            if (node == 0)
                index->roots[ids[i]] = edge->to;
        }
        node = edge->to;
    }
    add_owner(index, node, target, ordinal);
}

/* In breadth-first order: a suffix is always shorter than its node. */
static void link_suffixes(struct link_index *index)
{
    uint32_t first[LINK_ANCHOR_TOKENS_MAX + 2] = {0};
    for (uint32_t i = 0; i < index->node_count; i++)
        first[index->nodes[i].depth + 1]++;
    for (uint32_t depth = 1; depth < LINK_ANCHOR_TOKENS_MAX + 2; depth++)
        first[depth] += first[depth - 1];
    uint32_t *order = arena_array(index->arena, uint32_t, index->node_count);
    for (uint32_t i = 0; i < index->node_count; i++)
        order[first[index->nodes[i].depth]++] = i;

    for (uint32_t i = 0; i < index->node_count; i++) {
        struct link_node *node = &index->nodes[order[i]];
        if (node->depth > 1)
            node->fail = link_index_next(index, index->nodes[node->parent].fail, node->token);
        const struct link_node *suffix = &index->nodes[node->fail];
        node->dict = suffix->pattern != 0 ? node->fail : suffix->dict;
    }
}

/* Building */

/* Position of an anchor's tokens in the shared list. */
struct anchor_place {
    uint32_t target;
    uint32_t ordinal;
    uint32_t first;
    uint32_t count;
};

struct anchor_list {
    struct buf *places;
    struct buf *ids;
};

/* Ignores anchors that consist only of marks or exceed the limits. */
static bool is_usable(const struct link_text *anchor)
{
    if (anchor->words == 0 || anchor->count > LINK_ANCHOR_TOKENS_MAX)
        return false;
    for (uint32_t i = 0; i < anchor->count; i++)
        if (anchor->tokens[i].id == 0)
            return false;
    return true;
}

static void list_anchor(struct anchor_list *list, const struct link_text *anchor, uint32_t target,
                        uint32_t ordinal)
{
    struct anchor_place place = {target, ordinal, (uint32_t)(list->ids->len / sizeof(uint32_t)),
                                 anchor->count};
    buf_put(list->places, str_of((const char *)&place, sizeof place));
    for (uint32_t i = 0; i < anchor->count; i++)
        buf_put(list->ids, str_of((const char *)&anchor->tokens[i].id, sizeof(uint32_t)));
}

static void list_anchors(struct link_index *index, struct arena *scratch, struct anchor_list *list)
{
    ArenaMark mark = arena_mark(scratch);
    for (uint32_t t = 0; t < index->target_count; t++) {
        const struct link_target *target = &index->targets[t];
        for (uint32_t i = 0; i < target->anchor_count && i < LINK_ANCHORS_MAX; i++) {
            struct link_text text =
                link_anchor_cut(scratch, &index->vocabulary, target->anchors[i]);
            if (is_usable(&text))
                list_anchor(list, &text, t, i);
            arena_rewind(scratch, mark);
        }
    }
}

static void make_room(struct link_index *index, uint32_t anchors, uint32_t tokens)
{
    uint64_t edges = 16;
    while (edges < (uint64_t)tokens * 2)
        edges *= 2;
    index->edges = arena_array(index->arena, struct link_edge, edges);
    index->edge_mask = edges - 1;
    index->roots = arena_array(index->arena, uint32_t, (size_t)index->vocabulary.count + 1);
    index->nodes = arena_array(index->arena, struct link_node, (size_t)tokens + 1);
    index->node_count = 1;
    index->patterns = arena_array(index->arena, struct link_pattern, anchors);
    index->owners = arena_array(index->arena, struct link_owner, anchors);
}

static void fill_automaton(struct link_index *index)
{
    enum { LIST_MAX = 1 << 30 };
    struct arena *scratch = arena_create();
    struct anchor_list list = {.places = buf_in_arena(scratch, LIST_MAX),
                               .ids = buf_in_arena(scratch, LIST_MAX)};
    list_anchors(index, scratch, &list);
    index->vocabulary.is_growing = false;
    uint32_t count = (uint32_t)(list.places->len / sizeof(struct anchor_place));
    make_room(index, count, (uint32_t)(list.ids->len / sizeof(uint32_t)));
    const struct anchor_place *places = (const void *)list.places->data;
    const uint32_t *ids = (const void *)list.ids->data;
    for (uint32_t i = 0; i < count; i++)
        add_anchor(index, ids + places[i].first, places[i].count, places[i].target,
                   places[i].ordinal);
    link_suffixes(index);
    arena_destroy(scratch);
}

struct link_index *link_index_build(struct arena *arena, Str host,
                                    const struct link_target *targets, uint32_t count)
{
    assert(count <= LINKS_TARGETS_MAX);
    struct link_index *index = arena_new(arena, struct link_index);
    *index = (struct link_index){
        .arena = arena,
        .host = host,
        .vocabulary = {.arena = arena, .ids = map_in_arena(arena), .is_growing = true},
    };
    rank_targets(index, targets, count);
    group_targets(index);
    fill_automaton(index);
    return index;
}

uint32_t link_index_targets(const struct link_index *index)
{
    return index->target_count;
}
