#include "base/system/clock.h"
#include "factory/links/links_inserter.h"

#include <stdlib.h>

enum { FRESH_DAYS = 30 };
#define DAY_US (24 * INT64_C(3600) * SECOND_US)

/* Which targets */

static bool is_younger(const struct link_target *target, const struct link_article *article)
{
    if (target->is_hub || uuid_is_nil(target->post) || target->post_us == 0)
        return false;
    if (article->modified_us != 0 && article->modified_us >= article->now_us - FRESH_DAYS * DAY_US)
        return false;
    int64_t own = article->published_us != 0 ? article->published_us : article->now_us;
    return target->post_us > own;
}

static bool may_link(const struct inserter *in, uint32_t target)
{
    const struct link_target *to = &in->index->targets[target];
    uint32_t group = in->index->groups[target];
    if (group == in->own_groups[0] || group == in->own_groups[1])
        return false;
    if (!uuid_is_nil(to->post) && uuid_eq(to->post, in->article->post))
        return false;
    return !is_younger(to, in->article);
}

static void find_own_groups(struct inserter *in)
{
    if (in->article->url.len > 0)
        in->own_groups[0] = link_index_group(in->index, in->arena, in->article->url);
    if (uuid_is_nil(in->article->post))
        return;
    Str post = uuid_text(in->arena, in->article->post);
    in->own_groups[1] =
        link_index_group(in->index, in->arena, str_printf(in->arena, "/posts/%.*s", STR_FMT(post)));
}

/* Matches */

/* Browsers may accept a reference without ';': no tag may be inserted between "&" and its name. */
static bool cuts_reference(const struct inserter *in, uint32_t first, uint32_t end)
{
    const struct link_token *t = in->tokens;
    bool after_amp = first > 0 && t[first - 1].is_raw_amp && t[first - 1].to == t[first].from;
    bool after_number = first > 1 && t[first - 2].is_raw_amp && t[first - 1].kind == TOKEN_MARK &&
                        t[first - 1].to == t[first].from;
    if (after_amp || after_number)
        return true;
    if (end >= in->text.count || t[end].from != t[end - 1].to || t[end].kind == TOKEN_TAG)
        return false;
    char next = in->article->html.data[t[end].from];
    if (t[end - 1].is_raw_amp)
        return t[end].kind == TOKEN_WORD || next == '#';
    return end - first > 1 && t[end - 2].is_raw_amp &&
           (t[end - 1].kind == TOKEN_MARK || next == ';');
}

static bool find_owners(struct inserter *in, struct match *match)
{
    const struct link_pattern *pattern = &in->index->patterns[match->pattern - 1];
    for (uint32_t i = pattern->first; i != 0; i = in->index->owners[i - 1].next) {
        uint32_t target = in->index->owners[i - 1].target;
        if (!may_link(in, target))
            continue;
        match->priority = in->index->targets[target].priority;
        return true;
    }
    return false;
}

static void add_match(struct inserter *in, struct buf *found, uint32_t node, uint32_t end)
{
    uint32_t pattern = in->index->nodes[node].pattern;
    uint32_t first = end - in->index->nodes[node].depth;
    if (in->match_count == LINK_MATCHES_MAX || in->is_unwanted[pattern - 1] ||
        cuts_reference(in, first, end))
        return;
    struct match match = {.first = first, .end = end, .pattern = pattern};
    match.is_wanted = find_owners(in, &match);
    if (!match.is_wanted) {
        in->is_unwanted[pattern - 1] = true; /* an article may repeat it many times */
        return;
    }
    buf_put(found, str_of((const char *)&match, sizeof match));
    in->match_count++;
}

int links_compare_matches(const void *left, const void *right)
{
    const struct match *a = left;
    const struct match *b = right;
    if (a->first != b->first)
        return a->first < b->first ? -1 : 1;
    return a->end < b->end ? -1 : a->end > b->end ? 1 : 0;
}

void links_find_matches(struct inserter *in)
{
    find_own_groups(in);
    const struct link_index *index = in->index;
    in->is_unwanted = arena_array(in->arena, bool, (size_t)index->pattern_count + 1);
    enum { MATCHES_FIRST = 1024 };
    struct buf *found = buf_in_arena_from(in->arena, MATCHES_FIRST * sizeof(struct match),
                                          LINK_MATCHES_MAX * sizeof(struct match));
    uint32_t state = 0;
    for (uint32_t i = 0; i < in->text.count; i++) {
        const struct link_token *token = &in->tokens[i];
        state = token->id == 0 || !token->is_free ? 0 : link_index_next(index, state, token->id);
        uint32_t node = index->nodes[state].pattern != 0 ? state : index->nodes[state].dict;
        for (; node != 0; node = index->nodes[node].dict)
            add_match(in, found, node, i + 1);
    }
    in->matches = (struct match *)(void *)found->data;
    if (in->match_count > 1)
        qsort(in->matches, in->match_count, sizeof *in->matches, links_compare_matches);
}

/* Candidates */

static int compare_candidates(const void *left, const void *right)
{
    const struct candidate *a = left;
    const struct candidate *b = right;
    if (a->target != b->target)
        return a->target < b->target ? -1 : 1;
    if (a->ordinal != b->ordinal)
        return a->ordinal < b->ordinal ? -1 : 1;
    return a->match < b->match ? -1 : a->match > b->match ? 1 : 0;
}

static uint32_t count_owners(const struct inserter *in)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < in->match_count; i++)
        count += in->index->patterns[in->matches[i].pattern - 1].owners;
    return count;
}

void links_list_candidates(struct inserter *in)
{
    in->candidates = arena_array(in->arena, struct candidate, count_owners(in));
    for (uint32_t m = 0; m < in->match_count; m++) {
        const struct link_pattern *pattern = &in->index->patterns[in->matches[m].pattern - 1];
        for (uint32_t i = pattern->first; i != 0; i = in->index->owners[i - 1].next) {
            const struct link_owner *owner = &in->index->owners[i - 1];
            if (may_link(in, owner->target))
                in->candidates[in->candidate_count++] =
                    (struct candidate){owner->target, owner->ordinal, m};
        }
    }
    if (in->candidate_count > 1)
        qsort(in->candidates, in->candidate_count, sizeof *in->candidates, compare_candidates);
}
