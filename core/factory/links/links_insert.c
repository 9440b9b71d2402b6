#include "factory/links/links_inserter.h"

#include <assert.h>
#include <stdlib.h>

/* Words near links */

/* Marks words as too close to a link. `first` and `end` are word numbers; words before `closed` are
 * already marked. Returns the new `closed`. There are at least min_distance words between two
 * links. */
static uint32_t close_words(struct inserter *in, uint32_t first, uint32_t end, uint32_t closed)
{
    uint32_t distance = in->limits.min_distance;
    uint32_t from = first > distance ? first - distance : 0;
    uint32_t to = end + distance < in->text.words ? end + distance : in->text.words;
    if (from < closed)
        from = closed;
    if (from >= to)
        return closed;
    memset(in->is_near + from, true, to - from);
    return to;
}

static bool is_near_link(const struct inserter *in, const struct match *match)
{
    for (uint32_t word = words_before(in, match->first); word < words_before(in, match->end);
         word++)
        if (in->is_near[word])
            return true;
    return false;
}

/* What is there already */

static bool is_text(const struct link_token *token)
{
    return token->kind == TOKEN_WORD || token->kind == TOKEN_MARK;
}

/* The anchor that consists of exactly these tokens; 0: none. */
static uint32_t walk(const struct link_index *index, const struct link_token *tokens,
                     uint32_t count)
{
    uint32_t node = 0;
    for (uint32_t i = 0; i < count; i++) {
        node = tokens[i].id == 0 ? 0 : link_index_step(index, node, tokens[i].id);
        if (node == 0)
            return 0;
    }
    return index->nodes[node].pattern;
}

/* The anchor that equals a link's text. The text is matched separately, because in the article a
 * word may continue after the closing tag. */
static uint32_t pattern_of(const struct inserter *in, uint32_t first, uint32_t end)
{
    while (first < end && !is_text(&in->tokens[first]))
        first++;
    while (end > first && !is_text(&in->tokens[end - 1]))
        end--;
    if (first == end)
        return 0;
    if (!in->tokens[first].is_part && !in->tokens[end - 1].is_part)
        return walk(in->index, in->tokens + first, end - first);
    Str alone = str_slice(in->article->html, in->tokens[first].from, in->tokens[end - 1].to);
    struct link_text text = link_text_cut(in->arena, &in->index->vocabulary, alone);
    return walk(in->index, text.tokens, text.count);
}

static void note_link(struct inserter *in, uint32_t group, uint32_t pattern)
{
    if (in->present < LINKS_PER_ARTICLE_MAX)
        in->used[in->present] = (struct used_anchor){group, pattern};
    in->present++;
    if (in->group_links[group] < UINT16_MAX)
        in->group_links[group]++;
}

static void read_links(struct inserter *in)
{
    uint32_t closed = 0; /* in words: each is marked once, however many links there are */
    for (uint32_t i = 0; i < in->text.link_count; i++) {
        const struct link_element *link = &in->text.links[i];
        closed =
            close_words(in, words_before(in, link->first), words_before(in, link->end), closed);
        uint32_t group = link_index_group(in->index, in->arena, link->href);
        if (group != 0)
            note_link(in, group, pattern_of(in, link->first, link->end));
    }
}

/* Placing */

static bool is_untouched(const struct inserter *in, const struct match *match)
{
    for (uint32_t i = match->first; i < match->end; i++)
        if (!in->tokens[i].is_free)
            return false;
    return true;
}

static uint32_t first_match_from(const struct inserter *in, uint32_t token)
{
    uint32_t low = 0;
    uint32_t high = in->match_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (in->matches[middle].first < token)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Part of a longer anchor with an equally important target, whose words are still free. */
static bool is_within_longer(const struct inserter *in, const struct match *match, int32_t priority)
{
    uint32_t from = match->end > LINK_ANCHOR_TOKENS_MAX ? match->end - LINK_ANCHOR_TOKENS_MAX : 0;
    for (uint32_t i = first_match_from(in, from); i < in->match_count; i++) {
        const struct match *longer = &in->matches[i];
        if (longer->first > match->first)
            return false;
        if (longer->end >= match->end && longer->end - longer->first > match->end - match->first &&
            longer->priority >= priority && is_untouched(in, longer))
            return true;
    }
    return false;
}

static bool is_used(const struct inserter *in, uint32_t group, uint32_t pattern)
{
    for (uint32_t i = 0; i < in->present && i < LINKS_PER_ARTICLE_MAX; i++)
        if (in->used[i].group == group && in->used[i].pattern == pattern)
            return true;
    return false;
}

static bool fits(const struct inserter *in, const struct candidate *candidate)
{
    const struct match *match = &in->matches[candidate->match];
    const struct link_target *target = &in->index->targets[candidate->target];
    uint32_t group = in->index->groups[candidate->target];
    return in->group_links[group] < target->max_per_article &&
           !is_used(in, group, match->pattern) && is_untouched(in, match) &&
           !is_near_link(in, match) && !is_within_longer(in, match, target->priority);
}

static void place(struct inserter *in, uint32_t number)
{
    const struct candidate *candidate = &in->candidates[number];
    const struct match *match = &in->matches[candidate->match];
    assert(in->placed_count < LINKS_PER_ARTICLE_MAX);
    in->placed[in->placed_count++] = number;
    note_link(in, in->index->groups[candidate->target], match->pattern);
    (void)close_words(in, words_before(in, match->first), words_before(in, match->end), 0);
    for (uint32_t i = match->first; i < match->end; i++)
        in->tokens[i].is_free = false;
}

/*
 * Repeats until nothing fits: a placed link may overlap a longer anchor and thereby free that
 * anchor's other words. So a second run would not find more than the first.
 */
static void place_all(struct inserter *in)
{
    bool has_placed = true;
    while (has_placed && in->present < in->limits.max_links) {
        has_placed = false;
        for (uint32_t i = 0; i < in->candidate_count && in->present < in->limits.max_links; i++)
            if (fits(in, &in->candidates[i])) {
                place(in, i);
                has_placed = true;
            }
    }
}

/* The new text */

struct placed {
    const struct match *match;
    const struct link_target *target;
};

static int compare_placed(const void *left, const void *right)
{
    return links_compare_matches(((const struct placed *)left)->match,
                                 ((const struct placed *)right)->match);
}

static struct links_result write_links(const struct inserter *in, uint32_t present)
{
    struct placed placed[LINKS_PER_ARTICLE_MAX] = {0};
    struct link_made *made = arena_array(in->arena, struct link_made, in->placed_count);
    size_t room = in->article->html.len;
    for (uint32_t i = 0; i < in->placed_count; i++) {
        const struct candidate *candidate = &in->candidates[in->placed[i]];
        placed[i] =
            (struct placed){&in->matches[candidate->match], &in->index->targets[candidate->target]};
        room += placed[i].target->href.len * 6 + 32;
    }
    qsort(placed, in->placed_count, sizeof placed[0], compare_placed);

    struct buf *out = buf_in_arena(in->arena, room);
    uint32_t at = 0;
    for (uint32_t i = 0; i < in->placed_count; i++) {
        uint32_t from = in->tokens[placed[i].match->first].from;
        uint32_t to = in->tokens[placed[i].match->end - 1].to;
        Str anchor = str_slice(in->article->html, from, to);
        made[i] =
            (struct link_made){placed[i].target, anchor, words_before(in, placed[i].match->first)};
        buf_put(out, str_slice(in->article->html, at, from));
        link_put_tag(out, placed[i].target->href);
        buf_put(out, anchor);
        buf_put_z(out, "</a>");
        at = to;
    }
    buf_put(out, str_slice(in->article->html, at, in->article->html.len));
    assert(!out->is_full);
    return (struct links_result){buf_str(out), made, in->placed_count, present};
}

struct links_result links_insert(struct arena *arena, const struct link_index *index,
                                 const struct link_article *article, struct link_limits limits)
{
    assert(limits.max_links <= LINKS_PER_ARTICLE_MAX && limits.min_distance <= LINK_DISTANCE_MAX);
    struct inserter *in = arena_new(arena, struct inserter);
    in->arena = arena;
    in->index = index;
    in->article = article;
    in->limits = limits;
    in->text = link_text_cut(arena, &index->vocabulary, article->html);
    in->tokens = (struct link_token *)(uintptr_t)in->text.tokens;
    in->is_near = arena_array(arena, bool, in->text.words + 1);
    in->group_links = arena_array(arena, uint16_t, index->group_count + 1);
    read_links(in);
    uint32_t present = in->present;
    if (present < limits.max_links) {
        links_find_matches(in);
        links_list_candidates(in);
        place_all(in);
    }
    if (in->placed_count > 0)
        return write_links(in, present);
    return (struct links_result){.html = article->html, .present = present};
}
