/*
 * Link insertion without a database: 10,000 targets, 10,000 articles of 900 words.
 *
 *   bench_links [targets [articles]]
 *
 * Words come from a vocabulary of 20,000 by a skewed law, as in prose; anchors are runs of one to
 * three of them. Prints one line of JSON.
 */
#include "factory/links/links.h"

#include "base/system/clock.h"
#include "base/text/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { VOCABULARY = 20000, WORDS = 900, ANCHORS = 3, POOL = 500 };

static uint64_t state = 42;

static uint32_t roll(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)((state >> 32) % below);
}

/* The product of two is small more often than not. */
static void put_word(struct buf *out)
{
    uint32_t n = (uint32_t)((uint64_t)roll(VOCABULARY) * roll(VOCABULARY) / VOCABULARY);
    for (uint32_t i = 0; i < 3 || n > 0; i++, n /= 20)
        buf_put_char(out, "bcdfghjklmnprstvwxyz"[n % 20]);
}

static Str make_words(struct arena *arena, uint32_t count)
{
    struct buf *out = buf_in_arena(arena, 64 * count);
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            buf_put_char(out, ' ');
        put_word(out);
    }
    return buf_str(out);
}

static Str make_article(struct arena *arena)
{
    struct buf *out = buf_in_arena(arena, 64 * WORDS);
    for (uint32_t words = 0; words < WORDS; words += 75) {
        buf_put_z(out, "<h2>Part &amp; parcel</h2>\n<p class=\"x\">");
        buf_put(out, make_words(arena, 60));
        buf_put_z(out, ", <b>and</b> ");
        buf_put(out, make_words(arena, 14));
        buf_put_z(out, ".</p>\n");
    }
    return buf_str(out);
}

static struct link_target *make_targets(struct arena *arena, uint32_t count)
{
    struct link_target *targets = arena_array(arena, struct link_target, count);
    for (uint32_t i = 0; i < count; i++) {
        Str *anchors = arena_array(arena, Str, ANCHORS);
        for (uint32_t a = 0; a < ANCHORS; a++)
            anchors[a] = make_words(arena, a + 1);
        targets[i] = (struct link_target){.href = str_printf(arena, "/target-%u", i),
                                          .anchors = anchors,
                                          .anchor_count = ANCHORS,
                                          .priority = (int32_t)roll(10),
                                          .max_per_article = 2};
    }
    return targets;
}

int main(int argc, char **argv)
{
    uint32_t target_count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 10000;
    uint32_t articles = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 10000;
    struct arena *arena = arena_create();
    struct link_target *targets = make_targets(arena, target_count);
    Str pool[POOL];
    for (int i = 0; i < POOL; i++)
        pool[i] = make_article(arena);

    struct rusage before;
    struct rusage after;
    (void)getrusage(RUSAGE_SELF, &before);
    int64_t start = clock_now_us();
    const struct link_index *index =
        link_index_build(arena, STR("x.example"), targets, target_count);
    int64_t built = clock_now_us();
    (void)getrusage(RUSAGE_SELF, &after);
    uint64_t links = 0;
    for (uint32_t i = 0; i < articles; i++) {
        ArenaMark mark = arena_mark(arena);
        struct link_article article = {.html = pool[i % POOL]};
        links +=
            links_insert(arena, index, &article,
                         (struct link_limits){LINKS_PER_ARTICLE_DEFAULT, LINK_DISTANCE_DEFAULT})
                .count;
        arena_rewind(arena, mark);
    }
    int64_t done = clock_now_us();
    (void)printf("{\"targets\":%u,\"articles\":%u,\"build_ms\":%.1f,\"index_mb\":%.1f,"
                 "\"articles_per_s\":%.0f,\"links\":%llu}\n",
                 target_count, articles, (double)(built - start) / 1000,
                 (double)(after.ru_maxrss - before.ru_maxrss) / 1024,
                 articles / ((double)(done - built) / 1e6), (unsigned long long)links);
    arena_destroy(arena);
    return 0;
}
