/*
 * The duplicate scan without its database: articles of about 900 words, put together from a library
 * of fragments whose words differ by spintax, from HTML to the pairs that are flagged. Prints a
 * line for each of four sizes and then the numbers that README.md asks for. One thread.
 *
 *   duplicates [articles = 100000] [threshold = 0.5]
 *
 * One article in fifty is a rewritten copy of the one before it: those are what must be found.
 */
#include "base/crypto/random.h"
#include "base/system/clock.h"
#include "factory/duplicates/near_pairs.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum {
    SLOTS = 25,
    FRAGMENTS = 6, /* a slot: two articles are alike by 0.08, as those of a real library are */
    FRAGMENT_WORDS = 36,
    VOCABULARY = 6000,
    COPY_EVERY = 50,
    CITIES = 400,
};

struct library {
    uint16_t words[SLOTS][FRAGMENTS][FRAGMENT_WORDS];
};

static void put_word(char *out, size_t *len, uint32_t word)
{
    static const char SYLLABLES[][4] = {"ba",  "ke",  "lin", "mo",  "ru", "ta", "ves", "po",
                                        "sha", "del", "ni",  "gor", "fe", "wi", "zu",  "cla"};
    for (int i = 0; i < 3; i++, word /= 16)
        for (const char *c = SYLLABLES[word % 16]; *c != 0; c++)
            out[(*len)++] = *c;
    out[(*len)++] = ' ';
}

/* One word is chosen anew for each article, as spintax does, and one is its city. */
static void put_fragment(char *out, size_t *len, const uint16_t *words, Random *random,
                         uint32_t city)
{
    memcpy(out + *len, "<p>", 3);
    *len += 3;
    for (uint32_t i = 0; i < FRAGMENT_WORDS; i++) {
        uint32_t word = words[i];
        if (i == 18)
            word = VOCABULARY + (uint32_t)random_below(random, 3);
        if (i == 4)
            word = 4095 - city;
        put_word(out, len, word);
    }
    memcpy(out + *len, "</p>\n", 5);
    *len += 5;
}

static Str article_make(char *out, const struct library *library, uint32_t number)
{
    size_t len = 0;
    bool is_copy = number % COPY_EVERY == COPY_EVERY - 1;
    Random choice = random_seeded(is_copy ? number - 1 : number);
    Random spin = random_seeded((uint64_t)number + (UINT64_C(1) << 40));
    uint32_t city = number % CITIES;
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        uint32_t fragment = (uint32_t)random_below(&choice, FRAGMENTS);
        if (is_copy && slot % 8 == 3)
            fragment = (fragment + 1) % FRAGMENTS;
        put_fragment(out, &len, library->words[slot][fragment], &spin, city);
    }
    return str_of(out, len);
}

static struct library *library_make(void)
{
    struct library *library = malloc(sizeof *library);
    Random random = random_seeded(7);
    uint16_t *words = &library->words[0][0][0];
    for (size_t i = 0; i < sizeof *library / sizeof(uint16_t); i++)
        words[i] = (uint16_t)random_below(&random, VOCABULARY);
    return library;
}

struct sums {
    uint64_t bytes;
    uint64_t words;
    int64_t made_us;
    int64_t signed_us;
    int64_t searched_us;
    int64_t compared_us;
    uint32_t candidates;
    uint32_t flagged;
    uint32_t copies_found;
};

static struct shingle_set set_of(struct arena *arena, const struct library *library,
                                 uint32_t number, struct sums *sums)
{
    int64_t start_us = clock_now_us();
    char *out = arena_alloc_raw(arena, SLOTS * FRAGMENT_WORDS * 12);
    Str html = article_make(out, library, number);
    sums->bytes += html.len;
    sums->made_us += clock_now_us() - start_us;
    struct shingle_masks *masks = shingle_masks_make(arena, NULL);
    char city[16];
    size_t len = 0;
    put_word(city, &len, 4095 - number % CITIES);
    shingle_masks_add(masks, str_of(city, len - 1));
    struct shingle_set set = shingle_set_make(arena, html, masks, SHINGLE_WORDS);
    sums->words += set.word_count;
    return set;
}

static void sign_all(struct near_pairs *near, const struct library *library, uint32_t count,
                     struct sums *sums)
{
    struct arena *arena = arena_create();
    for (uint32_t i = 0; i < count; i++) {
        struct shingle_set set = set_of(arena, library, i, sums);
        struct minhash minhash;
        minhash_make(&set, &minhash);
        near_pairs_put(near, &minhash, set.count, false);
        arena_reset(arena);
    }
    arena_destroy(arena);
}

/* Texts are made again for it, as the job reads them again: both at their own cost. */
static void compare_all(struct near_pairs *near, const struct library *library, double threshold,
                        struct sums *sums)
{
    struct arena *list = arena_create();
    struct arena *arena = arena_create();
    const struct near_pair *pairs = near_pairs_found(near, list, &sums->candidates);
    struct shingle_set a = {0};
    ArenaMark mark = arena_mark(arena);
    for (uint32_t i = 0; i < sums->candidates; i++) {
        if (i == 0 || pairs[i].a != pairs[i - 1].a) {
            arena_reset(arena);
            a = set_of(arena, library, pairs[i].a, sums);
            mark = arena_mark(arena);
        }
        struct shingle_set b = set_of(arena, library, pairs[i].b, sums);
        bool is_found = shingle_sets_match(&a, &b).jaccard >= threshold;
        bool is_copy = pairs[i].b % COPY_EVERY == COPY_EVERY - 1 && pairs[i].a + 1 == pairs[i].b;
        sums->flagged += is_found ? 1 : 0;
        sums->copies_found += is_copy && is_found ? 1 : 0;
        arena_rewind(arena, mark);
    }
    arena_destroy(arena);
    arena_destroy(list);
}

static double scan(const struct library *library, uint32_t count, double threshold)
{
    struct sums sums = {0};
    struct arena *arena = arena_create();
    int64_t start_us = clock_now_us();
    struct near_pairs *near = near_pairs_make(arena, count, threshold, 0.8);
    sign_all(near, library, count, &sums);
    uint64_t words = sums.words;
    int64_t at_us = clock_now_us();
    sums.signed_us = at_us - start_us - sums.made_us;
    near_pairs_run(near, 0, NEAR_BANDS);
    sums.searched_us = clock_now_us() - at_us;
    at_us = clock_now_us();
    int64_t made_us = sums.made_us;
    compare_all(near, library, threshold, &sums);
    sums.compared_us = clock_now_us() - at_us - (sums.made_us - made_us);
    double seconds = (double)(sums.signed_us + sums.searched_us + sums.compared_us) / 1e6;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("%u articles of %u words: %.2f s (signatures %.2f, bands %.2f, exact %.2f), "
           "%.1f us an article, %u candidates, %u flagged, %u of %u copies, %ld MB\n",
           count, (unsigned)(words / count), seconds, (double)sums.signed_us / 1e6,
           (double)sums.searched_us / 1e6, (double)sums.compared_us / 1e6, seconds * 1e6 / count,
           sums.candidates, sums.flagged, sums.copies_found, count / COPY_EVERY,
           usage.ru_maxrss / 1024);
    fflush(stdout);
    arena_destroy(arena);
    return seconds;
}

int main(int argc, char **argv)
{
    uint32_t count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 100 * 1000;
    double threshold = argc > 2 ? strtod(argv[2], NULL) : 0.5;
    if (count < 800 || count > 1000 * 1000 || !(threshold >= 0.05 && threshold <= 1)) {
        fprintf(stderr, "duplicates [articles, 800 to 1000000] [threshold, 0.05 to 1]\n");
        return 2;
    }
    struct library *library = library_make();
    double first = scan(library, count / 8, threshold);
    for (uint32_t part = 4; part > 1; part /= 2)
        scan(library, count / part, threshold);
    double last = scan(library, count, threshold);
    printf("from %u to %u articles (x8) time grew x%.2f\n", count / 8, count, last / first);
    free(library);
    return 0;
}
