#include "factory/articles/assemble.h"
#include "factory/library/library.h"
#include "factory/text/text.h"
#include "support/fixture.h"

/* The library that `spark up` imports: 150 fragments, 10 types, 25 slots. */
struct demo {
    const struct library *library;
    struct spin_vars *vars;
    struct article_request request;
};

static const struct library *load_library(struct ctx *ctx, const struct json *blueprint)
{
    const struct json *rows = json_get(blueprint, STR("fragments"));
    uint32_t count = json_len(rows);
    struct fragment_source *sources = arena_array(ctx->arena, struct fragment_source, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct json *row = json_at(rows, i);
        sources[i] = (struct fragment_source){.type = fixture_str(row, STR("fragment_type")),
                                              .body = fixture_str(row, STR("content_body"))};
        sources[i].id.bytes[15] = (uint8_t)i;
    }
    const Str *structure;
    uint32_t slots = fixture_strs(
        ctx, json_get(json_get(blueprint, STR("template")), STR("structure_json")), &structure);
    const struct library *library = NULL;
    assert_int_equal(library_make(ctx, sources, count, structure, slots, &library), OK);
    return library;
}

static struct spin_vars *load_vars(struct ctx *ctx, const struct json *blueprint)
{
    static const struct geo_location CITY = {.city = STR_INIT("Madison"), .state = STR_INIT("WI")};
    struct spin_vars *niche =
        spin_vars_make(ctx->arena, geo_date_vars(ctx->arena, INT64_C(1700000000000000), NULL));
    const struct json *campaign = json_get(blueprint, STR("campaign"));
    for (struct json_iter it = json_iter(json_get(campaign, STR("niche_variables")));
         json_next(&it);)
        spin_vars_set(niche, it.key, json_str(it.value));
    return geo_vars(ctx->arena, &CITY, niche);
}

static void unref(void *library)
{
    library_unref(library);
}

static struct demo *load_demo(struct ctx *ctx)
{
    const struct json *blueprint = fixture_json(ctx, "demo/blueprint.json");
    struct demo *demo = arena_new(ctx->arena, struct demo);
    demo->library = load_library(ctx, blueprint);
    arena_defer(ctx->arena, unref, (void *)(uintptr_t)demo->library);
    demo->vars = load_vars(ctx, blueprint);
    demo->request = (struct article_request){.vars = demo->vars};
    return demo;
}

static struct assembly assemble(struct ctx *ctx, const struct demo *demo, uint64_t seed)
{
    Random random = random_seeded(seed);
    struct assembly assembly;
    assert_int_equal(article_assemble(ctx, demo->library, &demo->request, &random, &assembly), OK);
    return assembly;
}

static void an_article_fills_every_slot_without_repetition(void **state)
{
    struct ctx *ctx = *state;
    struct demo *demo = load_demo(ctx);
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct assembly assembly = assemble(ctx, demo, seed);
        bool seen[256] = {false};
        assert_int_equal(assembly.fragment_count, 25);
        assert_int_equal(assembly.empty_slots, 0);
        for (uint32_t i = 0; i < assembly.fragment_count; i++) {
            assert_false(seen[assembly.fragments[i]]);
            seen[assembly.fragments[i]] = true;
        }
        assert_in_range(assembly.words, 717, 1040);
        assert_int_equal(assembly.words, text_word_count(assembly.html));
        assert_true(str_starts_with(assembly.html, STR("<h1>")));
    }
}

static void nothing_of_the_template_is_left_in_the_text(void **state)
{
    struct ctx *ctx = *state;
    struct demo *demo = load_demo(ctx);
    demo->request.target_words = UINT32_MAX;
    struct assembly assembly = assemble(ctx, demo, 3);
    assert_int_equal(assembly.unresolved_count, 0);
    static const char *const TRACES[] = {"{", "}", "|", "[[", "]]"};
    for (size_t i = 0; i < sizeof(TRACES) / sizeof(TRACES[0]); i++)
        expect_lacks(assembly.html, TRACES[i]);
    expect_contains(assembly.html, "Spoke &amp; Lane");
    expect_contains(assembly.html, "commuters");
    expect_contains(assembly.html, "$1,000");
}

static void a_short_article_grows_to_its_target(void **state)
{
    struct ctx *ctx = *state;
    struct demo *demo = load_demo(ctx);
    demo->request.target_words = 1500;
    struct assembly assembly = assemble(ctx, demo, 1);
    assert_true(assembly.words >= 1500 && assembly.words < 1700);
    assert_true(assembly.fragment_count > 25);
    assert_int_equal(assembly.words_status, WORDS_OPTIMAL);
    expect_str(word_count_status_name(assembly.words_status), "optimal");

    const struct library *library = demo->library;
    uint32_t last = assembly.fragments[assembly.fragment_count - 1];
    const struct fragment_type *closing = &library->types[library->slots[24]];
    bool is_closing = false;
    for (uint32_t i = 0; i < closing->fragment_count; i++)
        is_closing = is_closing || closing->fragments[i] == last;
    assert_true(is_closing);
}

static void a_target_out_of_reach_is_reported(void **state)
{
    struct ctx *ctx = *state;
    struct demo *demo = load_demo(ctx);
    demo->request.target_words = 100000;
    struct assembly assembly = assemble(ctx, demo, 1);
    assert_int_equal(assembly.words_status, WORDS_UNDER_TARGET);
    assert_int_equal(assembly.fragment_count, 150 - 14); /* one title only */
    ptrdiff_t first = str_find(assembly.html, STR("<h1"));
    expect_lacks(str_slice(assembly.html, (size_t)first + 1, assembly.html.len), "<h1");
}

static void the_least_used_fragments_come_first(void **state)
{
    struct ctx *ctx = *state;
    struct demo *demo = load_demo(ctx);
    uint32_t *usage = arena_array(ctx->arena, uint32_t, demo->library->fragment_count);
    demo->request.usage = usage;
    for (uint64_t seed = 0; seed < 15; seed++) {
        struct assembly assembly = assemble(ctx, demo, seed);
        article_count_usage(&assembly, usage);
    }
    /* 15 articles over 15 fragments: a type with n slots has each of its fragments n times. */
    for (uint32_t t = 0; t < demo->library->type_count; t++)
        for (uint32_t i = 0; i < demo->library->types[t].fragment_count; i++)
            assert_int_equal(usage[demo->library->types[t].fragments[i]],
                             demo->library->types[t].slot_count);
}

static void a_seed_gives_one_article_for_ever(void **state)
{
    struct ctx *ctx = *state;
    struct demo *demo = load_demo(ctx);
    struct assembly one = assemble(ctx, demo, 99);
    struct assembly same = assemble(ctx, demo, 99);
    struct assembly other = assemble(ctx, demo, 100);
    assert_true(str_eq(one.html, same.html));
    assert_memory_equal(&one.generation_hash, &same.generation_hash, sizeof(Sha256));
    assert_memory_not_equal(&one.generation_hash, &other.generation_hash, sizeof(Sha256));
}

static void the_hash_tells_campaigns_and_headlines_apart(void **state)
{
    struct ctx *ctx = *state;
    struct demo *demo = load_demo(ctx);
    struct assembly base = assemble(ctx, demo, 5);
    demo->request.campaign.bytes[0] = 1;
    struct assembly campaign = assemble(ctx, demo, 5);
    demo->request.campaign.bytes[0] = 0;
    demo->request.headline_hash.bytes[0] = 1;
    struct assembly headline = assemble(ctx, demo, 5);
    assert_true(str_eq(base.html, campaign.html));
    assert_memory_not_equal(&base.generation_hash, &campaign.generation_hash, sizeof(Sha256));
    assert_memory_not_equal(&base.generation_hash, &headline.generation_hash, sizeof(Sha256));
    assert_memory_not_equal(&campaign.generation_hash, &headline.generation_hash, sizeof(Sha256));
}

static const struct library *small_library(struct ctx *ctx, const struct fragment_source *sources,
                                           uint32_t count)
{
    static const Str STRUCTURE[] = {STR_INIT("a"), STR_INIT("b"), STR_INIT("a")};
    const struct library *library = NULL;
    assert_int_equal(library_make(ctx, sources, count, STRUCTURE, 3, &library), OK);
    arena_defer(ctx->arena, unref, (void *)(uintptr_t)library);
    return library;
}

static void slots_without_fragments_are_counted(void **state)
{
    struct ctx *ctx = *state;
    const struct fragment_source sources[] = {
        {.type = STR("a"), .body = STR("<p>only {one</p>")},
        {.type = STR("unused"), .body = STR("x")},
    };
    struct demo demo = {.library = small_library(ctx, sources, 2)};
    struct assembly assembly = assemble(ctx, &demo, 1);
    expect_str(assembly.html, "<p>only {one</p>");
    assert_int_equal(assembly.empty_slots, 2);
    assert_int_equal(demo.library->fragment_count, 1);
}

static void the_order_of_rows_does_not_matter(void **state)
{
    struct ctx *ctx = *state;
    struct fragment_source sources[6];
    for (uint8_t i = 0; i < 6; i++)
        sources[i] = (struct fragment_source){.id.bytes = {[15] = i},
                                              .type = i < 3 ? STR("a") : STR("b"),
                                              .body = str_printf(ctx->arena, "<p>%d</p>", i)};
    struct demo demo = {.library = small_library(ctx, sources, 6)};
    struct assembly one = assemble(ctx, &demo, 8);
    struct fragment_source first = sources[0];
    sources[0] = sources[5];
    sources[5] = first;
    demo.library = small_library(ctx, sources, 6);
    struct assembly other = assemble(ctx, &demo, 8);
    assert_true(str_eq(one.html, other.html));
}

static void of_equal_modules_the_first_by_id_is_taken_and_none_is_added(void **state)
{
    struct ctx *ctx = *state;
    struct fragment_source sources[8];
    for (uint8_t i = 0; i < 8; i++)
        sources[i] = (struct fragment_source){.id.bytes = {[15] = (uint8_t)(7 - i)},
                                              .type = i < 4 ? STR("a") : STR("b"),
                                              .body = str_printf(ctx->arena, "<p>%d</p>", 7 - i)};
    struct demo demo = {.library = small_library(ctx, sources, 8)};
    uint32_t usage[8] = {0};
    demo.request =
        (struct article_request){.path = PATH_MODULES, .usage = usage, .target_words = 1000};
    struct assembly one = assemble(ctx, &demo, 1);
    expect_str(one.html, "<p>4</p>\n\n<p>0</p>\n\n<p>5</p>");
    assert_int_equal(one.words_status, WORDS_UNDER_TARGET);
    article_count_usage(&one, usage);
    struct assembly two = assemble(ctx, &demo, 1);
    expect_str(two.html, "<p>6</p>\n\n<p>1</p>\n\n<p>7</p>");
    usage[7] = usage[6] = usage[5] = 9;
    usage[4] = 1;
    expect_contains(assemble(ctx, &demo, 1).html, "<p>4</p>");
}

static void types_without_a_fragment_are_named(void **state)
{
    struct ctx *ctx = *state;
    const struct fragment_source source = {.type = STR("a"), .body = STR("x")};
    const Str *missing;
    assert_int_equal(library_missing(small_library(ctx, &source, 1), ctx->arena, &missing), 1);
    expect_str(missing[0], "b");
}

static void an_empty_library_makes_no_article(void **state)
{
    struct ctx *ctx = *state;
    const struct library *library = small_library(ctx, NULL, 0);
    Random random = random_seeded(1);
    struct assembly assembly;
    assert_int_equal(
        article_assemble(ctx, library, &(struct article_request){0}, &random, &assembly),
        ERR_CONFLICT);
}

static void limits_of_a_library_are_refused_beyond(void **state)
{
    struct ctx *ctx = *state;
    const struct library *library = NULL;
    Str structure[LIBRARY_SLOTS_MAX + 1];
    for (int i = 0; i <= LIBRARY_SLOTS_MAX; i++)
        structure[i] = STR("a");
    assert_int_equal(library_make(ctx, NULL, 0, structure, 0, &library), ERR_INVALID_PAYLOAD);
    assert_int_equal(library_make(ctx, NULL, 0, structure, LIBRARY_SLOTS_MAX + 1, &library),
                     ERR_INVALID_PAYLOAD);
    struct fragment_source source = {.type = STR("a")};
    assert_int_equal(library_make(ctx, &source, LIBRARY_FRAGMENTS_MAX + 1, structure, 1, &library),
                     ERR_INVALID_PAYLOAD);
    assert_null(library);
}

static void an_article_beyond_the_limit_is_refused(void **state)
{
    struct ctx *ctx = *state;
    enum { PART = 60 * 1024 };
    char *text = arena_alloc_raw(ctx->arena, PART);
    memset(text, 'x', PART);
    struct fragment_source sources[20];
    for (uint8_t i = 0; i < 20; i++)
        sources[i] = (struct fragment_source){
            .id.bytes = {[15] = i}, .type = STR("a"), .body = str_of(text, PART)};
    Random random = random_seeded(1);
    struct assembly assembly;
    assert_int_equal(article_assemble(ctx, small_library(ctx, sources, 20),
                                      &(struct article_request){.target_words = 100}, &random,
                                      &assembly),
                     ERR_TOO_LARGE);
}

static void every_reference_keeps_the_library(void **state)
{
    struct ctx *ctx = *state;
    struct demo *demo = load_demo(ctx);
    const struct library *mine = library_ref(demo->library);
    library_unref(demo->library);
    assert_int_equal(assemble(ctx, demo, 1).fragment_count, 25);
    demo->library = library_ref(mine); /* for the defer of load_demo */
    library_unref(mine);
    library_unref(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(an_article_fills_every_slot_without_repetition),
        FIXTURE_TEST(nothing_of_the_template_is_left_in_the_text),
        FIXTURE_TEST(a_short_article_grows_to_its_target),
        FIXTURE_TEST(a_target_out_of_reach_is_reported),
        FIXTURE_TEST(the_least_used_fragments_come_first),
        FIXTURE_TEST(a_seed_gives_one_article_for_ever),
        FIXTURE_TEST(the_hash_tells_campaigns_and_headlines_apart),
        FIXTURE_TEST(slots_without_fragments_are_counted),
        FIXTURE_TEST(the_order_of_rows_does_not_matter),
        FIXTURE_TEST(of_equal_modules_the_first_by_id_is_taken_and_none_is_added),
        FIXTURE_TEST(types_without_a_fragment_are_named),
        FIXTURE_TEST(an_empty_library_makes_no_article),
        FIXTURE_TEST(limits_of_a_library_are_refused_beyond),
        FIXTURE_TEST(an_article_beyond_the_limit_is_refused),
        FIXTURE_TEST(every_reference_keeps_the_library),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
