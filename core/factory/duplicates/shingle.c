#include "factory/duplicates/shingle.h"

#include "base/text/buf.h"
#include "factory/duplicates/shingle_words.h"

#include <assert.h>

/* Zero marks an empty entry of the table. */
static uint64_t never_zero(uint64_t hash)
{
    return hash != 0 ? hash : 1;
}

static uint64_t table_size(uint32_t count)
{
    uint64_t size = 16;
    while (size < (uint64_t)count * 2)
        size *= 2;
    return size;
}

/* The entry of the hash, or the empty entry where it belongs. The table is never more than half
 * full. */
static uint64_t place_of(const uint64_t *table, uint64_t mask, uint64_t hash)
{
    uint64_t at = hash & mask;
    while (table[at] != 0 && table[at] != hash)
        at = (at + 1) & mask;
    return at;
}

struct collector {
    uint64_t *hashes;
    uint32_t *firsts;
    uint64_t *table;
    uint64_t mask;
    uint32_t count;
};

static struct collector collector_make(struct arena *arena, uint32_t max)
{
    uint64_t size = table_size(max);
    return (struct collector){
        .hashes = arena_alloc_raw(arena, max * sizeof(uint64_t) + 1),
        .firsts = arena_alloc_raw(arena, max * sizeof(uint32_t) + 1),
        .table = arena_array(arena, uint64_t, size),
        .mask = size - 1,
    };
}

static void collect(struct collector *to, uint64_t sum, uint32_t first)
{
    uint64_t hash = never_zero(shingle_mix(sum));
    uint64_t at = place_of(to->table, to->mask, hash);
    if (to->table[at] == hash)
        return;
    to->table[at] = hash;
    to->hashes[to->count] = hash;
    to->firsts[to->count++] = first;
}

/* Rolling polynomial hash: moves on by one word with two multiplications. */
static void collect_all(struct collector *to, const struct shingle_word *words, uint32_t count,
                        uint32_t size)
{
    const uint64_t base = UINT64_C(0x9E3779B97F4A7C15);
    uint64_t leaving = 1; /* base^(size - 1) */
    uint64_t sum = 0;
    for (uint32_t i = 1; i < size; i++)
        leaving *= base;
    for (uint32_t i = 0; i < count; i++) {
        if (i >= size)
            sum -= words[i - size].hash * leaving;
        sum = sum * base + words[i].hash;
        if (i + 1 >= size)
            collect(to, sum, i + 1 - size);
    }
    if (count > 0 && count < size)
        collect(to, sum, 0);
}

struct shingle_set shingle_set_make(struct arena *arena, Str html,
                                    const struct shingle_masks *masks, uint32_t size)
{
    assert(size >= SHINGLE_WORDS_MIN && size <= SHINGLE_WORDS_MAX);
    struct shingle_words words = shingle_words_read(arena, html, masks);
    uint32_t max = words.count >= size ? words.count - size + 1 : 1;
    struct collector to = collector_make(arena, max);
    collect_all(&to, words.list, words.count, size);
    assert(to.count <= max);
    return (struct shingle_set){
        .hashes = to.hashes,
        .firsts = to.firsts,
        .count = to.count,
        .size = size,
        .table = to.table,
        .table_mask = to.mask,
        .text = words.text,
        .words = words.list,
        .word_count = words.count,
    };
}

bool shingle_set_has(const struct shingle_set *set, uint64_t hash)
{
    return set->table[place_of(set->table, set->table_mask, hash)] == hash;
}

struct shingle_match shingle_sets_match(const struct shingle_set *a, const struct shingle_set *b)
{
    const struct shingle_set *small = a->count <= b->count ? a : b;
    const struct shingle_set *large = a->count <= b->count ? b : a;
    struct shingle_match match = {0};
    for (uint32_t i = 0; i < small->count; i++)
        match.shared += shingle_set_has(large, small->hashes[i]) ? 1 : 0;
    if (match.shared > 0) {
        match.jaccard = (double)match.shared / (double)(a->count + b->count - match.shared);
        match.containment = (double)match.shared / (double)small->count;
    }
    return match;
}

/* Examples */

enum { EXAMPLES_MAX = 10, EXAMPLE_WORDS_MAX = 20, EXAMPLE_BYTES_MAX = 400 };

struct passage {
    uint32_t first; /* word */
    uint32_t shingles;
};

/* Keeps the longest passages, longest first; of equally long ones the earlier. */
static void keep_passage(struct passage *best, uint32_t *count, uint32_t max, struct passage found)
{
    uint32_t at = *count;
    while (at > 0 && best[at - 1].shingles < found.shingles)
        at--;
    if (at >= max)
        return;
    uint32_t last = *count < max ? (*count)++ : max - 1;
    for (uint32_t i = last; i > at; i--)
        best[i] = best[i - 1];
    best[at] = found;
}

static uint32_t find_passages(const struct shingle_set *a, const struct shingle_set *b,
                              struct passage *best, uint32_t max)
{
    uint32_t count = 0;
    struct passage open = {0};
    for (uint32_t i = 0; i < a->count; i++) {
        bool is_shared = shingle_set_has(b, a->hashes[i]);
        bool goes_on = open.shingles > 0 && a->firsts[i] == open.first + open.shingles;
        if (open.shingles > 0 && (!is_shared || !goes_on)) {
            keep_passage(best, &count, max, open);
            open.shingles = 0;
        }
        if (is_shared && open.shingles == 0)
            open.first = a->firsts[i];
        open.shingles += is_shared ? 1 : 0;
    }
    if (open.shingles > 0)
        keep_passage(best, &count, max, open);
    return count;
}

static Str passage_text(const struct shingle_set *set, struct passage passage)
{
    uint32_t words = passage.shingles + set->size - 1;
    if (words > EXAMPLE_WORDS_MAX)
        words = EXAMPLE_WORDS_MAX;
    uint32_t last = passage.first + words - 1;
    if (last >= set->word_count)
        last = set->word_count - 1;
    const struct shingle_word *end = &set->words[last];
    Str text = str_slice(set->text, set->words[passage.first].start, end->start + end->len);
    return str_cut(text, EXAMPLE_BYTES_MAX);
}

Str shingle_examples(struct arena *arena, const struct shingle_set *a, const struct shingle_set *b,
                     uint32_t max)
{
    assert(max > 0 && max <= EXAMPLES_MAX);
    struct passage best[EXAMPLES_MAX];
    uint32_t count = find_passages(a, b, best, max);
    struct buf *out = buf_in_arena(arena, EXAMPLES_MAX * (EXAMPLE_BYTES_MAX + 3));
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            buf_put(out, STR(" | "));
        buf_put(out, passage_text(a, best[i]));
    }
    return buf_str(out);
}
