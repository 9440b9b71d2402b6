#include "base/memory/map.h"
#include "factory/headlines/headlines.h"
#include "support/fixture.h"

static const struct spin *parse(struct ctx *ctx, Str text)
{
    const struct spin *spin = NULL;
    assert_int_equal(spin_parse(ctx, text, &spin), OK);
    return spin;
}

static struct headlines *make(struct ctx *ctx, const struct headline_spec *spec)
{
    struct headlines *headlines = NULL;
    assert_int_equal(headlines_make(ctx, spec, &headlines), OK);
    return headlines;
}

static Str text_at(struct ctx *ctx, struct headlines *headlines, uint64_t index)
{
    struct headline headline;
    assert_int_equal(headline_at(ctx, headlines, index, &headline), OK);
    return headline.text;
}

static const struct geo_location TWO_CITIES[] = {
    {.city = STR_INIT("Austin"), .state = STR_INIT("TX")},
    {.city = STR_INIT("Dallas"), .state = STR_INIT("TX")},
};

static void the_location_is_the_outer_loop(void **state)
{
    struct ctx *ctx = *state;
    struct headlines *headlines = make(
        ctx,
        &(struct headline_spec){.spin = parse(ctx, STR("{Best|Top} {Dentist|Clinic} in {city}")),
                                .locations = TWO_CITIES,
                                .location_count = 2});
    static const char *const WANT[] = {
        "Best Dentist in Austin", "Best Clinic in Austin",  "Top Dentist in Austin",
        "Top Clinic in Austin",   "Best Dentist in Dallas", "Best Clinic in Dallas",
        "Top Dentist in Dallas",  "Top Clinic in Dallas",
    };
    assert_int_equal(headlines_count(headlines), 8);
    assert_int_equal(headlines_texts(headlines), 4);
    assert_int_equal(headlines_location_count(headlines), 2);
    for (uint32_t i = 0; i < 8; i++)
        expect_str(text_at(ctx, headlines, i), WANT[i]);
    /* A cursor may begin anywhere. */
    expect_str(text_at(ctx, headlines, 6), WANT[6]);
    expect_str(text_at(ctx, headlines, 1), WANT[1]);
}

static void without_locations_the_template_stands_alone(void **state)
{
    struct ctx *ctx = *state;
    struct headlines *headlines =
        make(ctx, &(struct headline_spec){.spin = parse(ctx, STR("{a|b} in {city}"))});
    assert_int_equal(headlines_count(headlines), 2);
    assert_int_equal(headlines_location_count(headlines), 0);
    struct headline headline;
    assert_int_equal(headline_at(ctx, headlines, 1, &headline), OK);
    expect_str(headline.text, "b in {city}");
    assert_int_equal(headline.unresolved_count, 1);
    expect_str(headline.unresolved[0], "city");
}

static void equal_texts_have_equal_hashes(void **state)
{
    struct ctx *ctx = *state;
    struct headlines *headlines = make(
        ctx, &(struct headline_spec){.spin = parse(ctx, STR("{Cafe\u0301 |Caf\u00e9}  {|}bikes"))});
    struct headline first;
    assert_int_equal(headline_at(ctx, headlines, 0, &first), OK);
    expect_str(first.text, "Caf\u00e9 bikes");
    for (uint64_t i = 1; i < headlines_count(headlines); i++) {
        struct headline other;
        assert_int_equal(headline_at(ctx, headlines, i, &other), OK);
        assert_memory_equal(&first.text_hash, &other.text_hash, sizeof(Sha256));
    }
}

static void locations_override_niche_variables(void **state)
{
    struct ctx *ctx = *state;
    struct spin_vars *vars = spin_vars_make(ctx->arena, NULL);
    spin_vars_set(vars, STR("City"), STR("Everywhere"));
    spin_vars_set(vars, STR("Niche"), STR("Bikes"));
    struct headlines *headlines =
        make(ctx, &(struct headline_spec){.spin = parse(ctx, STR("{Niche}: {City}")),
                                          .vars = vars,
                                          .locations = TWO_CITIES,
                                          .location_count = 2});
    expect_str(text_at(ctx, headlines, 1), "Bikes: Dallas");
}

static void landmarks_multiply_only_where_they_stand(void **state)
{
    struct ctx *ctx = *state;
    static const Str LANDMARKS[] = {STR_INIT("the Bridge"), STR_INIT("the Pier")};
    const struct geo_location cities[] = {
        {.city = STR("Austin"), .landmarks = LANDMARKS, .landmark_count = 2},
        {.city = STR("Dallas")},
        {.city = STR("Tucson"), .landmarks = LANDMARKS, .landmark_count = 1},
    };
    struct headlines *headlines = make(
        ctx, &(struct headline_spec){.spin = parse(ctx, STR("{a|b} {city} {{landmark|downtown}}")),
                                     .locations = cities,
                                     .location_count = 3});
    assert_int_equal(headlines_count(headlines), 4 + 2 + 2);
    expect_str(text_at(ctx, headlines, 3), "b Austin the Pier");
    expect_str(text_at(ctx, headlines, 4), "a Dallas downtown");
    expect_str(text_at(ctx, headlines, 7), "b Tucson the Bridge");
}

static void a_headline_without_end_is_refused(void **state)
{
    struct ctx *ctx = *state;
    struct spin_vars *vars = spin_vars_make(ctx->arena, NULL);
    char *large = arena_alloc_raw(ctx->arena, HEADLINE_MAX);
    memset(large, 'x', HEADLINE_MAX);
    spin_vars_set(vars, STR("x"), str_of(large, HEADLINE_MAX));
    struct headlines *headlines =
        make(ctx, &(struct headline_spec){.spin = parse(ctx, STR("{x}{x}")), .vars = vars});
    struct headline headline;
    assert_int_equal(headline_at(ctx, headlines, 0, &headline), ERR_TOO_LARGE);
}

static void too_many_locations_are_refused(void **state)
{
    struct ctx *ctx = *state;
    struct headline_spec spec = {.spin = parse(ctx, STR("x")),
                                 .locations = TWO_CITIES,
                                 .location_count = HEADLINE_LOCATIONS_MAX + 1};
    struct headlines *headlines = NULL;
    assert_int_equal(headlines_make(ctx, &spec, &headlines), ERR_INVALID_PAYLOAD);
    spec = (struct headline_spec){.spin = spec.spin, .niche_count = HEADLINE_NICHES_MAX + 1};
    assert_int_equal(headlines_make(ctx, &spec, &headlines), ERR_INVALID_PAYLOAD);
    assert_null(headlines);
}

static void counting_goes_on_location_by_location(void **state)
{
    struct ctx *ctx = *state;
    struct headline_spec spec = {
        .spin = parse(ctx, STR("{a|b} {CITY}")), .locations = TWO_CITIES, .location_count = 2};
    struct headlines *headlines = NULL;
    assert_int_equal(headlines_begin(ctx, &spec, &headlines), OK);
    assert_int_equal(headlines_count(headlines), 0);
    assert_true(headlines_count_next(ctx, headlines));
    assert_int_equal(headlines_count(headlines), 2);
    while (headlines_count_next(ctx, headlines))
        continue;
    assert_int_equal(headlines_count(headlines), 4);
    assert_string_equal(str_z(ctx->arena, text_at(ctx, headlines, 2)), "a Dallas");
}

/* The library of tests/fixtures/factory: the sizes of a real one, in words of our own. */
struct fixture {
    struct spin_vars *dictionaries;
    struct geo_location cities[16];
    uint32_t city_count;
    Str niches[128];
    uint32_t niche_count;
};

static void load_dictionaries(struct ctx *ctx, struct fixture *fixture)
{
    const struct json *file = fixture_json(ctx, "tests/fixtures/factory/dictionaries.json");
    fixture->dictionaries = spin_vars_make(ctx->arena, NULL);
    for (struct json_iter it = json_iter(json_get(file, STR("dictionaries"))); json_next(&it);) {
        const Str *terms;
        uint32_t count = fixture_strs(ctx, it.value, &terms);
        spin_vars_set_terms(fixture->dictionaries, it.key, terms, count);
    }
}

static void load_cities(struct ctx *ctx, struct fixture *fixture)
{
    const struct json *file = fixture_json(ctx, "tests/fixtures/factory/geo.json");
    for (struct json_iter it = json_iter(json_get(file, STR("clusters"))); json_next(&it);) {
        const struct json *cities = json_get(it.value, STR("cities"));
        for (uint32_t i = 0; i < json_len(cities); i++) {
            const struct json *city = json_at(cities, i);
            fixture->cities[fixture->city_count++] = (struct geo_location){
                .city = fixture_str(city, STR("city")),
                .state = fixture_str(city, STR("state")),
                .zip_focus = fixture_str(city, STR("zip_focus")),
                .neighborhood = fixture_str(city, STR("neighborhood")),
            };
        }
    }
}

static void load_niches(struct ctx *ctx, struct fixture *fixture)
{
    const struct json *file = fixture_json(ctx, "tests/fixtures/factory/avatars.json");
    for (struct json_iter it = json_iter(json_get(file, STR("avatars"))); json_next(&it);) {
        const Str *niches;
        uint32_t count = fixture_strs(ctx, json_get(it.value, STR("business_niches")), &niches);
        for (uint32_t i = 0; i < count; i++)
            fixture->niches[fixture->niche_count++] = niches[i];
    }
}

static struct fixture *load_fixture(struct ctx *ctx)
{
    struct fixture *fixture = arena_new(ctx->arena, struct fixture);
    load_dictionaries(ctx, fixture);
    load_cities(ctx, fixture);
    load_niches(ctx, fixture);
    assert_int_equal(fixture->city_count, 10);
    assert_int_equal(fixture->niche_count, 100);
    return fixture;
}

static struct headlines *make_pattern(struct ctx *ctx, const struct fixture *fixture, Str formula)
{
    return make(ctx, &(struct headline_spec){.spin = parse(ctx, formula),
                                             .vars = fixture->dictionaries,
                                             .locations = fixture->cities,
                                             .location_count = fixture->city_count,
                                             .niches = fixture->niches,
                                             .niche_count = fixture->niche_count,
                                             .skips_lacking = true});
}

static void expect_pattern(struct ctx *ctx, struct headlines *headlines, const struct json *formula)
{
    uint64_t total = headlines_count(headlines);
    assert_int_equal(headlines_texts(headlines), json_int(json_get(formula, STR("texts"))));
    assert_int_equal(total, json_int(json_get(formula, STR("total"))));
    const uint64_t samples[] = {0, total / 3, total / 2, total - 1};
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        struct headline headline;
        assert_int_equal(headline_at(ctx, headlines, samples[i], &headline), OK);
        assert_int_equal(headline.unresolved_count, 0);
        expect_lacks(headline.text, "{");
    }
}

static void the_seven_formulas_make_85000_headlines(void **state)
{
    struct ctx *ctx = *state;
    struct fixture *fixture = load_fixture(ctx);
    const struct json *file = fixture_json(ctx, "tests/fixtures/factory/patterns.json");
    uint64_t total = 0;
    uint32_t formulas = 0;
    for (struct json_iter it = json_iter(json_get(file, STR("patterns"))); json_next(&it);) {
        for (uint32_t i = 0; i < json_len(it.value); i++, formulas++) {
            const struct json *formula = json_at(it.value, i);
            struct headlines *headlines =
                make_pattern(ctx, fixture, fixture_str(formula, STR("formula")));
            expect_pattern(ctx, headlines, formula);
            total += headlines_count(headlines);
        }
    }
    assert_int_equal(formulas, 7);
    assert_int_equal(total, 85000);
}

static void no_two_headlines_of_a_formula_are_equal(void **state)
{
    struct ctx *ctx = *state;
    struct headlines *headlines = make_pattern(
        ctx, load_fixture(ctx), STR("The {praise_words} Workshop for {{NICHE}} in {{ZIP_FOCUS}}"));
    struct map *seen = map_in_arena(ctx->arena);
    for (uint64_t i = 0; i < headlines_count(headlines); i++)
        assert_null(map_put(seen, text_at(ctx, headlines, i), ctx));
    assert_int_equal(seen->count, 3000);
    assert_int_equal(headlines_location_count(headlines), 5);
}

static void the_niche_is_the_second_loop(void **state)
{
    struct ctx *ctx = *state;
    struct fixture *fixture = load_fixture(ctx);
    struct headlines *headlines = make_pattern(ctx, fixture, STR("{a|b} {{NICHE}} {{CITY}}"));
    struct headline headline;
    assert_int_equal(headline_at(ctx, headlines, 2 * 100 + 2 * 7 + 1, &headline), OK);
    assert_int_equal(headline.location, 1);
    assert_int_equal(headline.niche, 7);
    assert_true(str_starts_with(headline.text, STR("b ")));
}

static void the_offer_blocks_have_their_counts(void **state)
{
    struct ctx *ctx = *state;
    const struct json *file = fixture_json(ctx, "tests/fixtures/factory/offer_blocks.json");
    const struct json *blocks = json_get(file, STR("offer_blocks"));
    assert_int_equal(json_len(blocks), 12);
    for (uint32_t i = 0; i < json_len(blocks); i++) {
        const struct json *block = json_at(blocks, i);
        const struct spin *spin = parse(ctx, fixture_str(block, STR("spintax")));
        assert_int_equal(spin_count(spin, NULL, ctx->arena),
                         json_int(json_get(block, STR("variations"))));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(the_location_is_the_outer_loop),
        FIXTURE_TEST(without_locations_the_template_stands_alone),
        FIXTURE_TEST(equal_texts_have_equal_hashes),
        FIXTURE_TEST(locations_override_niche_variables),
        FIXTURE_TEST(landmarks_multiply_only_where_they_stand),
        FIXTURE_TEST(a_headline_without_end_is_refused),
        FIXTURE_TEST(counting_goes_on_location_by_location),
        FIXTURE_TEST(too_many_locations_are_refused),
        FIXTURE_TEST(the_seven_formulas_make_85000_headlines),
        FIXTURE_TEST(no_two_headlines_of_a_formula_are_equal),
        FIXTURE_TEST(the_niche_is_the_second_loop),
        FIXTURE_TEST(the_offer_blocks_have_their_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
