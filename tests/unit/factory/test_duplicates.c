#include "base/crypto/random.h"
#include "base/text/buf.h"
#include "factory/duplicates/duplicates_internal.h"
#include "factory/duplicates/near_pairs.h"
#include "support/fixture.h"

#include <stdlib.h>

static struct shingle_set set_of(struct ctx *ctx, Str html, const struct shingle_masks *masks)
{
    return shingle_set_make(ctx->arena, html, masks, SHINGLE_WORDS);
}

static double likeness(struct ctx *ctx, Str a, Str b)
{
    struct shingle_set first = set_of(ctx, a, NULL);
    struct shingle_set second = set_of(ctx, b, NULL);
    return shingle_sets_match(&first, &second).jaccard;
}

/* Words */

#define SENTENCE "every rider needs brakes that stop without any noise"

static void markup_case_and_punctuation_make_no_difference(void **state)
{
    struct ctx *ctx = *state;
    assert_true(likeness(ctx, STR(SENTENCE),
                         STR("<p>Every <b>rider</b> needs&nbsp;brakes</p><p>that STOP, "
                             "without&#32;any<br>noise!</p><script>x</script>")) == 1);
    assert_true(likeness(ctx, STR("caf\u00e9 " SENTENCE), STR("CAFE\u0301 " SENTENCE)) == 1);
    assert_true(likeness(ctx, STR(SENTENCE " of an it"), STR("a to " SENTENCE)) == 1);
}

static void texts_shorter_than_a_shingle_are_one_and_empty_ones_none(void **state)
{
    struct ctx *ctx = *state;
    assert_int_equal(set_of(ctx, STR("three little words"), NULL).count, 1);
    assert_int_equal(set_of(ctx, STR("<p>a b</p> &amp; ?"), NULL).count, 0);
    assert_int_equal(set_of(ctx, STR_NONE, NULL).count, 0);
    assert_true(likeness(ctx, STR_NONE, STR_NONE) == 0);
    assert_true(likeness(ctx, STR("three little words"), STR("three little birds")) == 0);
}

static void a_text_beyond_the_limit_is_read_as_far_as_it_goes(void **state)
{
    struct ctx *ctx = *state;
    struct buf *out = buf_in_arena(ctx->arena, 4 * 1024 * 1024);
    for (int i = 0; i < SHINGLE_TEXT_WORDS_MAX + 50; i++)
        buf_printf(out, "word%d ", i);
    assert_int_equal(set_of(ctx, buf_str(out), NULL).word_count, SHINGLE_TEXT_WORDS_MAX);
}

static Str city_article(struct ctx *ctx, const char *city, const char *state)
{
    return str_printf(ctx->arena,
                      "<p>In %s, %s, winter is hard on a chain. %s\u2019s best shop cleans it, and "
                      "riders all over %s come back to St. %s Street every year.</p>",
                      city, state, city, state, city);
}

static void articles_that_differ_in_the_city_alone_are_equal(void **state)
{
    struct ctx *ctx = *state;
    static const char *const PLACES[][2] = {
        {"Austin", "Texas"},
        {"St. Louis", "Missouri"},
        {"New York", "New York"},
        {"Winston-Salem", "North Carolina"},
        {"San Jos\u00e9", "California"},
    };
    struct shingle_set first = {0};
    for (size_t i = 0; i < sizeof PLACES / sizeof PLACES[0]; i++) {
        struct shingle_masks *masks = shingle_masks_make(ctx->arena, NULL);
        shingle_masks_add(masks, str_from_z(PLACES[i][0]));
        shingle_masks_add(masks, str_from_z(PLACES[i][1]));
        struct shingle_set set = set_of(ctx, city_article(ctx, PLACES[i][0], PLACES[i][1]), masks);
        if (i == 0)
            first = set;
        assert_true(shingle_sets_match(&first, &set).jaccard == 1);
    }
    assert_true(likeness(ctx, city_article(ctx, "Austin", "Texas"),
                         city_article(ctx, "St. Louis", "Missouri")) < 0.2);
}

static void values_of_a_campaign_are_masked_below_those_of_the_place(void **state)
{
    struct ctx *ctx = *state;
    const struct json *variables;
    assert_int_equal(json_parse(ctx,
                                STR("{\"Niche\":\"e-bike care|brake service\","
                                    "\"Fear\":[\"a flat tyre\"],\"n\":5,\"none\":null}"),
                                JSON_LIMITS_DEFAULT, &variables),
                     OK);
    struct shingle_masks *campaign = shingle_masks_make(ctx->arena, NULL);
    shingle_masks_add_json(campaign, variables);
    struct shingle_masks *place = shingle_masks_make(ctx->arena, campaign);
    shingle_masks_add(place, STR("Austin"));
    struct shingle_set a = set_of(
        ctx, STR("good E-Bike care for every rider near Austin ends all fear of a flat tyre"),
        place);
    struct shingle_set b = set_of(
        ctx, STR("good Brake Service for every rider near Austin ends all fear of Austin"), place);
    assert_true(shingle_sets_match(&a, &b).jaccard == 1);
    assert_int_equal(a.count, b.count);
}

static void too_many_and_too_long_values_are_left_out(void **state)
{
    struct ctx *ctx = *state;
    struct shingle_masks *masks = shingle_masks_make(ctx->arena, NULL);
    shingle_masks_add(masks, STR("one two three four five six seven eight nine"));
    shingle_masks_add(masks, STR_NONE);
    shingle_masks_add(masks, STR("?!"));
    for (int i = 0; i < MASKS_MAX + 10; i++)
        shingle_masks_add(masks, str_printf(ctx->arena, "value%d", i));
    assert_int_equal(set_of(ctx, STR("one two three four five six seven eight nine"), masks).count,
                     3);
    struct shingle_set a = set_of(ctx, STR("value0 and all the others around here today"), masks);
    struct shingle_set b = set_of(ctx, STR("value255 and all the others around here today"), masks);
    struct shingle_set c = set_of(ctx, STR("value260 and all the others around here today"), masks);
    assert_true(shingle_sets_match(&a, &b).jaccard == 1);
    assert_true(shingle_sets_match(&a, &c).jaccard < 1);
}

static void examples_are_the_longest_common_passages(void **state)
{
    struct ctx *ctx = *state;
    struct shingle_set a = set_of(
        ctx, STR("first part one two three four five six seven END " SENTENCE " again"), NULL);
    struct shingle_set b =
        set_of(ctx, STR(SENTENCE " again and other part one two three four five six seven"), NULL);
    expect_str(shingle_examples(ctx->arena, &a, &b, 5),
               SENTENCE " again | part one two three four five six seven");
    expect_str(shingle_examples(ctx->arena, &a, &b, 1), SENTENCE " again");
}

/* Articles from a library */

enum { SLOTS = 25, FRAGMENTS = 6, FRAGMENT_WORDS = 36 };

/* Fragments by number; beyond the library's they are nobody else's. */
static void put_fragment(struct buf *out, uint32_t fragment)
{
    Random random = random_seeded(fragment);
    for (int i = 0; i < FRAGMENT_WORDS; i++)
        buf_printf(out, "w%u ", (unsigned)random_below(&random, 5000));
}

static void choose(uint32_t *fragments, Random *random)
{
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        fragments[slot] = slot * FRAGMENTS + (uint32_t)random_below(random, FRAGMENTS);
}

static struct shingle_set article(struct arena *arena, const uint32_t *fragments, uint32_t slots)
{
    struct buf *out = buf_in_arena(arena, SLOTS * FRAGMENT_WORDS * 8);
    for (uint32_t slot = 0; slot < slots; slot++)
        put_fragment(out, fragments[slot]);
    return shingle_set_make(arena, buf_str(out), NULL, SHINGLE_WORDS);
}

/* spec C.7: with three shared shingles as the measure 188 of the 190 pairs were flagged. */
static void twenty_articles_of_one_library_share_shingles_and_are_no_duplicates(void **state)
{
    struct ctx *ctx = *state;
    struct thresholds thresholds = {.review = 0.3, .containment = 0.8, .min_shared = 3};
    struct shingle_set sets[20];
    Random random = random_seeded(20);
    uint32_t fragments[SLOTS];
    for (int i = 0; i < 20; i++) {
        choose(fragments, &random);
        sets[i] = article(ctx->arena, fragments, SLOTS);
    }
    uint32_t sharing = 0;
    double sum = 0;
    for (int i = 0; i < 20; i++)
        for (int j = i + 1; j < 20; j++) {
            struct shingle_match match;
            assert_false(is_duplicate(&thresholds, &sets[i], &sets[j], &match));
            sharing += match.shared >= 3 ? 1 : 0;
            sum += match.jaccard;
        }
    assert_true(sharing >= 185);
    assert_true(sum / 190 > 0.05 && sum / 190 < 0.12);
    struct shingle_match match;
    assert_true(is_duplicate(&thresholds, &sets[3], &sets[3], &match));
    assert_true(match.jaccard == 1 && match.containment == 1);
}

static void put_set(struct near_pairs *near, const struct shingle_set *set, bool is_old)
{
    struct minhash minhash;
    minhash_make(set, &minhash);
    near_pairs_put(near, &minhash, set->count, is_old);
}

/* Recall */

enum { ARTICLES = 2000 };

struct holder {
    uint64_t hash;
    uint32_t article;
};

static int compare_holders(const void *x, const void *y)
{
    const struct holder *a = x;
    const struct holder *b = y;
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return (a->article > b->article) - (a->article < b->article);
}

/* The exact scan: shared[a * ARTICLES + b] for all a < b, from who holds which shingle. */
static uint16_t *count_shared(struct arena *arena, const struct shingle_set *sets)
{
    struct holder *holders = arena_alloc_raw(arena, (size_t)ARTICLES * 1000 * sizeof *holders);
    size_t count = 0;
    for (uint32_t i = 0; i < ARTICLES; i++)
        for (uint32_t j = 0; j < sets[i].count; j++)
            holders[count++] = (struct holder){sets[i].hashes[j], i};
    qsort(holders, count, sizeof *holders, compare_holders);
    uint16_t *shared = arena_array(arena, uint16_t, (size_t)ARTICLES * ARTICLES);
    for (size_t from = 0, to; from < count; from = to)
        for (to = from; to < count && holders[to].hash == holders[from].hash; to++)
            for (size_t i = from; i < to; i++)
                shared[holders[i].article * ARTICLES + holders[to].article]++;
    return shared;
}

/* A half of the articles, and of each another one in which some slots after another are new. */
static void make_pairs(struct ctx *ctx, struct shingle_set *sets)
{
    Random random = random_seeded(2000);
    uint32_t fresh = SLOTS * FRAGMENTS;
    for (uint32_t i = 0; i < ARTICLES; i += 2) {
        uint32_t fragments[SLOTS];
        choose(fragments, &random);
        sets[i] = article(ctx->arena, fragments, SLOTS);
        uint32_t changed = 7 + (uint32_t)random_below(&random, 3);
        uint32_t from = (uint32_t)random_below(&random, SLOTS - changed);
        for (uint32_t slot = from; slot < from + changed; slot++)
            fragments[slot] = fresh++;
        sets[i + 1] = article(ctx->arena, fragments, SLOTS);
    }
}

static void expect_recall(struct ctx *ctx, const struct shingle_set *sets, const uint16_t *shared,
                          double threshold)
{
    struct near_pairs *near = near_pairs_make(ctx->arena, ARTICLES, threshold, 1);
    for (uint32_t i = 0; i < ARTICLES; i++)
        put_set(near, &sets[i], false);
    near_pairs_run(near, 0, NEAR_BANDS);
    uint32_t candidates;
    const struct near_pair *pairs = near_pairs_found(near, ctx->arena, &candidates);
    uint32_t found = 0;
    uint32_t wanted = 0;
    for (uint32_t i = 0; i < candidates; i++) {
        struct shingle_match match = shingle_sets_match(&sets[pairs[i].a], &sets[pairs[i].b]);
        assert_int_equal(match.shared, shared[pairs[i].a * ARTICLES + pairs[i].b]);
        found += match.jaccard >= threshold ? 1 : 0;
    }
    for (uint32_t a = 0; a < ARTICLES; a++)
        for (uint32_t b = a + 1; b < ARTICLES; b++) {
            double both = shared[a * ARTICLES + b];
            wanted += both / (sets[a].count + sets[b].count - both) >= threshold ? 1 : 0;
        }
    print_message("threshold %.2f: %u pairs, %u found, %u candidates\n", threshold, wanted, found,
                  candidates);
    assert_true(wanted >= 500);
    assert_true(found <= wanted && found >= wanted * 0.98);
    assert_true(candidates < wanted * 20);
}

static void recall_is_98_percent_of_the_exact_scan_at_one_half(void **state)
{
    struct ctx *ctx = *state;
    struct shingle_set *sets = arena_array(ctx->arena, struct shingle_set, ARTICLES);
    make_pairs(ctx, sets);
    const uint16_t *shared = count_shared(ctx->arena, sets);
    expect_recall(ctx, sets, shared, 0.5);
    expect_recall(ctx, sets, shared, 0.3);
}

/* Runs */

static void of_many_copies_each_is_found_and_pairs_stay_few(void **state)
{
    struct ctx *ctx = *state;
    enum { COPIES = 1000 };
    Random random = random_seeded(1);
    uint32_t fragments[SLOTS];
    choose(fragments, &random);
    struct shingle_set set = article(ctx->arena, fragments, SLOTS);
    struct near_pairs *near = near_pairs_make(ctx->arena, COPIES, 0.5, 0.8);
    for (int i = 0; i < COPIES; i++)
        put_set(near, &set, false);
    near_pairs_run(near, 0, NEAR_BANDS);
    uint32_t count;
    const struct near_pair *pairs = near_pairs_found(near, ctx->arena, &count);
    bool is_found[COPIES] = {0};
    for (uint32_t i = 0; i < count; i++)
        is_found[pairs[i].a] = is_found[pairs[i].b] = true;
    for (int i = 0; i < COPIES; i++)
        assert_true(is_found[i]);
    assert_true(count <= COPIES * NEAR_PARTNERS_MAX);
}

static void pairs_of_old_texts_are_left_out(void **state)
{
    struct ctx *ctx = *state;
    Random random = random_seeded(1);
    uint32_t fragments[SLOTS];
    choose(fragments, &random);
    struct shingle_set set = article(ctx->arena, fragments, SLOTS);
    struct near_pairs *near = near_pairs_make(ctx->arena, 3, 0.5, 0.8);
    put_set(near, &set, true);
    put_set(near, &set, true);
    put_set(near, &set, false);
    near_pairs_run(near, 0, NEAR_BANDS / 2);
    near_pairs_run(near, NEAR_BANDS / 2, NEAR_BANDS);
    uint32_t count;
    const struct near_pair *pairs = near_pairs_found(near, ctx->arena, &count);
    assert_int_equal(count, 2);
    assert_int_equal(pairs[0].a, 0);
    assert_int_equal(pairs[0].b, 2);
    assert_int_equal(pairs[1].a, 1);
}

/* Half of its slots new, and nobody else's, so that the copy is about a third like it. */
static struct shingle_set distant_copy(struct arena *arena, const uint32_t *fragments, uint32_t n)
{
    uint32_t changed[SLOTS];
    memcpy(changed, fragments, sizeof changed);
    for (uint32_t i = 0; i < SLOTS / 2; i++)
        changed[i] = SLOTS * (FRAGMENTS + n) + i;
    return article(arena, changed, SLOTS);
}

static void run_steps(struct near_pairs *near)
{
    for (uint32_t step = 0; step < near_pairs_steps(near); step++)
        near_pairs_step(near, step);
}

static void a_few_new_texts_are_compared_with_every_other(void **state)
{
    struct ctx *ctx = *state;
    enum { OLD = 400, NEW = 40 };
    Random random = random_seeded(5);
    struct near_pairs *near = near_pairs_make(ctx->arena, OLD + NEW, 0.3, 1);
    uint32_t fragments[OLD][SLOTS];
    for (uint32_t i = 0; i < OLD; i++) {
        choose(fragments[i], &random);
        struct shingle_set set = article(ctx->arena, fragments[i], SLOTS);
        put_set(near, &set, true);
    }
    for (uint32_t i = 0; i < NEW; i++) {
        struct shingle_set set = distant_copy(ctx->arena, fragments[i * 10], i);
        put_set(near, &set, false);
    }
    uint32_t count;
    (void)near_pairs_new(near, &count);
    assert_int_equal(count, NEW);
    assert_int_equal(near_pairs_steps(near), 2);
    run_steps(near);
    const struct near_pair *pairs = near_pairs_found(near, ctx->arena, &count);
    uint32_t found = 0;
    for (uint32_t i = 0; i < count; i++) {
        assert_true(pairs[i].b >= OLD);
        found += pairs[i].a == (pairs[i].b - OLD) * 10 ? 1 : 0;
    }
    assert_int_equal(found, NEW);
}

static void of_more_pairs_than_there_is_room_for_the_likest_stay(void **state)
{
    struct ctx *ctx = *state;
    enum { PAIRS = 20 };
    Random random = random_seeded(9);
    struct near_pairs *near = near_pairs_make(ctx->arena, 2 * PAIRS, 0.3, 1);
    for (uint32_t i = 0; i < PAIRS; i++) {
        uint32_t fragments[SLOTS];
        choose(fragments, &random);
        struct shingle_set set = article(ctx->arena, fragments, SLOTS);
        put_set(near, &set, false);
        if (i % 2 == 1)
            set = distant_copy(ctx->arena, fragments, i);
        put_set(near, &set, false);
    }
    run_steps(near);
    uint32_t count;
    bool is_cut;
    const struct near_pair *pairs = near_pairs_likest(near, ctx->arena, PAIRS / 2, &count, &is_cut);
    assert_true(is_cut);
    assert_int_equal(count, PAIRS / 2);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(pairs[i].a, 4 * i);
        assert_int_equal(pairs[i].b, 4 * i + 1);
    }
    (void)near_pairs_likest(near, ctx->arena, UINT32_MAX, &count, &is_cut);
    assert_false(is_cut);
    assert_true(count >= PAIRS);
}

/* All of them are equally like: none of them is no answer. */
static void of_more_copies_than_there_is_room_for_as_many_as_fit_stay(void **state)
{
    struct ctx *ctx = *state;
    enum { COPIES = 10, ROOM = 5 };
    Random random = random_seeded(3);
    uint32_t fragments[SLOTS];
    choose(fragments, &random);
    struct shingle_set set = article(ctx->arena, fragments, SLOTS);
    struct near_pairs *near = near_pairs_make(ctx->arena, COPIES, 0.3, 1);
    for (int i = 0; i < COPIES; i++)
        put_set(near, &set, false);
    run_steps(near);
    uint32_t count;
    bool is_cut;
    (void)near_pairs_likest(near, ctx->arena, ROOM, &count, &is_cut);
    assert_true(is_cut);
    assert_int_equal(count, ROOM);
}

static void an_article_within_a_longer_one_is_found_by_containment(void **state)
{
    struct ctx *ctx = *state;
    struct thresholds thresholds = {.review = 0.5, .containment = 0.8, .min_shared = 3};
    Random random = random_seeded(5);
    uint32_t fragments[SLOTS];
    uint32_t missed = 0;
    for (int round = 0; round < 50; round++) {
        choose(fragments, &random);
        struct shingle_set large = article(ctx->arena, fragments, SLOTS);
        struct shingle_set small = article(ctx->arena, fragments, SLOTS / 2);
        struct near_pairs *near = near_pairs_make(ctx->arena, 2, 0.5, 0.8);
        put_set(near, &large, false);
        put_set(near, &small, false);
        near_pairs_run(near, 0, NEAR_BANDS);
        uint32_t count;
        (void)near_pairs_found(near, ctx->arena, &count);
        missed += count == 0 ? 1 : 0;
        struct shingle_match match;
        assert_true(is_duplicate(&thresholds, &large, &small, &match));
        assert_true(match.jaccard < 0.5 && match.containment == 1);
    }
    assert_true(missed <= 2);
}

static void a_shared_paragraph_of_few_words_is_no_containment(void **state)
{
    struct ctx *ctx = *state;
    struct thresholds thresholds = {.review = 0.5, .containment = 0.8, .min_shared = 3};
    struct shingle_set small = set_of(ctx, STR(SENTENCE " again"), NULL);
    struct shingle_set large = set_of(
        ctx, STR(SENTENCE " again and here the long rest of some other story begins now"), NULL);
    struct shingle_match match;
    assert_false(is_duplicate(&thresholds, &small, &large, &match));
    assert_true(match.containment == 1);
}

static void nothing_and_one_text_have_no_pairs(void **state)
{
    struct ctx *ctx = *state;
    uint32_t count = 1;
    struct near_pairs *near = near_pairs_make(ctx->arena, 0, 0.3, 0.8);
    near_pairs_run(near, 0, NEAR_BANDS);
    (void)near_pairs_found(near, ctx->arena, &count);
    assert_int_equal(count, 0);
    near = near_pairs_make(ctx->arena, 1, 1, 1);
    struct shingle_set set = set_of(ctx, STR("one"), NULL);
    put_set(near, &set, false);
    near_pairs_run(near, 0, NEAR_BANDS);
    (void)near_pairs_found(near, ctx->arena, &count);
    assert_int_equal(count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(markup_case_and_punctuation_make_no_difference),
        FIXTURE_TEST(texts_shorter_than_a_shingle_are_one_and_empty_ones_none),
        FIXTURE_TEST(a_text_beyond_the_limit_is_read_as_far_as_it_goes),
        FIXTURE_TEST(articles_that_differ_in_the_city_alone_are_equal),
        FIXTURE_TEST(values_of_a_campaign_are_masked_below_those_of_the_place),
        FIXTURE_TEST(too_many_and_too_long_values_are_left_out),
        FIXTURE_TEST(examples_are_the_longest_common_passages),
        FIXTURE_TEST(twenty_articles_of_one_library_share_shingles_and_are_no_duplicates),
        FIXTURE_TEST(recall_is_98_percent_of_the_exact_scan_at_one_half),
        FIXTURE_TEST(of_many_copies_each_is_found_and_pairs_stay_few),
        FIXTURE_TEST(pairs_of_old_texts_are_left_out),
        FIXTURE_TEST(a_few_new_texts_are_compared_with_every_other),
        FIXTURE_TEST(of_more_pairs_than_there_is_room_for_the_likest_stay),
        FIXTURE_TEST(of_more_copies_than_there_is_room_for_as_many_as_fit_stay),
        FIXTURE_TEST(an_article_within_a_longer_one_is_found_by_containment),
        FIXTURE_TEST(a_shared_paragraph_of_few_words_is_no_containment),
        FIXTURE_TEST(nothing_and_one_text_have_no_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
