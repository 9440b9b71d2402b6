/*
 * The factory on the real library: `make test-real` with SPARK_REAL_DATA naming its folder (default
 * data/spark). The data is not part of this repository; without it every test here is skipped.
 */
#include "base/crypto/random.h"
#include "base/text/buf.h"
#include "factory/articles/assemble.h"
#include "factory/headlines/headlines.h"
#include "support/fixture.h"

#include <stdlib.h>
#include <unistd.h>

static const char *folder(void)
{
    const char *named = getenv("SPARK_REAL_DATA");
    return named != NULL && named[0] != '\0' ? named : "data/spark";
}

static bool is_absent(const char *test)
{
    if (access(folder(), R_OK) == 0)
        return false;
    print_message("%s: no real data in %s; SPARK_REAL_DATA names its folder\n", test, folder());
    return true;
}

/* The rows of an export: {collection, exportedAt, recordCount, data}. */
static const struct json *rows_of(struct ctx *ctx, const char *collection)
{
    Str path = str_printf(ctx->arena, "%s/%s_2025-12-13.json", folder(), collection);
    return json_get(fixture_json(ctx, str_z(ctx->arena, path)), STR("data"));
}

static struct spin_vars *load_dictionaries(struct ctx *ctx)
{
    const struct json *rows = rows_of(ctx, "spintax_dictionaries");
    struct spin_vars *vars = spin_vars_make(ctx->arena, NULL);
    for (uint32_t i = 0; i < json_len(rows); i++) {
        const Str *terms;
        uint32_t count = fixture_strs(ctx, json_get(json_at(rows, i), STR("data")), &terms);
        spin_vars_set_terms(vars, fixture_str(json_at(rows, i), STR("category")), terms, count);
    }
    return vars;
}

static uint32_t load_cities(struct ctx *ctx, struct geo_location *cities, uint32_t max)
{
    const struct json *rows = rows_of(ctx, "geo_intelligence");
    uint32_t count = 0;
    for (uint32_t i = 0; i < json_len(rows); i++) {
        const struct json *list = json_get(json_get(json_at(rows, i), STR("data")), STR("cities"));
        for (uint32_t j = 0; j < json_len(list) && count < max; j++)
            cities[count++] = (struct geo_location){
                .city = fixture_str(json_at(list, j), STR("city")),
                .state = fixture_str(json_at(list, j), STR("state")),
                .zip_focus = fixture_str(json_at(list, j), STR("zip_focus")),
                .neighborhood = fixture_str(json_at(list, j), STR("neighborhood")),
            };
    }
    return count;
}

static uint32_t load_niches(struct ctx *ctx, Str *niches, uint32_t max)
{
    const struct json *rows = rows_of(ctx, "avatar_intelligence");
    uint32_t count = 0;
    for (uint32_t i = 0; i < json_len(rows); i++) {
        const struct json *list = json_get(json_at(rows, i), STR("business_niches"));
        for (uint32_t j = 0; j < json_len(list) && count < max; j++)
            niches[count++] = json_str(json_at(list, j));
    }
    return count;
}

static uint64_t expected_count(Str formula_id)
{
    static const struct {
        Str id;
        uint64_t count;
    } EXPECTED[] = {
        {STR_INIT("geo_dominance"), 18000},    {STR_INIT("pain_resolution_geo"), 25000},
        {STR_INIT("authority_hook"), 5000},    {STR_INIT("neighborhood_targeting"), 25000},
        {STR_INIT("zip_code_prestige"), 3000}, {STR_INIT("commercial_intent"), 6000},
        {STR_INIT("problem_aware"), 3000},
    };
    for (size_t i = 0; i < sizeof(EXPECTED) / sizeof(EXPECTED[0]); i++)
        if (str_eq(EXPECTED[i].id, formula_id))
            return EXPECTED[i].count;
    return 0;
}

/* Every headline of one formula is made: none fails, none keeps a brace. */
static uint64_t make_all(struct ctx *ctx, const struct headline_spec *spec)
{
    struct headlines *headlines = NULL;
    assert_int_equal(headlines_make(ctx, spec, &headlines), OK);
    for (uint64_t i = 0; i < headlines_count(headlines); i++) {
        ArenaMark mark = arena_mark(ctx->arena);
        struct headline headline;
        assert_int_equal(headline_at(ctx, headlines, i, &headline), OK);
        assert_int_equal(headline.unresolved_count, 0);
        expect_lacks(headline.text, "{");
        arena_rewind(ctx->arena, mark);
    }
    return headlines_count(headlines);
}

static void the_formulas_make_85000_headlines(void **state)
{
    struct ctx *ctx = *state;
    if (is_absent(__func__))
        skip();
    struct geo_location cities[32];
    Str niches[128];
    struct headline_spec spec = {.vars = load_dictionaries(ctx),
                                 .locations = cities,
                                 .location_count = load_cities(ctx, cities, 32),
                                 .niches = niches,
                                 .niche_count = load_niches(ctx, niches, 128),
                                 .skips_lacking = true};
    const struct json *patterns = rows_of(ctx, "cartesian_patterns");
    uint64_t total = 0;
    for (uint32_t i = 0; i < json_len(patterns); i++) {
        const struct json *formulas = json_get(json_at(patterns, i), STR("data"));
        for (uint32_t j = 0; j < json_len(formulas); j++) {
            const struct json *formula = json_at(formulas, j);
            assert_int_equal(spin_parse(ctx, fixture_str(formula, STR("formula")), &spec.spin), OK);
            uint64_t count = make_all(ctx, &spec);
            assert_int_equal(count, expected_count(fixture_str(formula, STR("id"))));
            total += count;
        }
    }
    assert_int_equal(total, 85000);
}

static void the_offer_blocks_have_their_variations(void **state)
{
    struct ctx *ctx = *state;
    if (is_absent(__func__))
        skip();
    static const uint64_t EXPECTED[] = {11664, 288, 864, 2304, 72, 48, 16, 64, 192, 32, 1, 1};
    const struct json *rows = rows_of(ctx, "offer_blocks");
    assert_int_equal(json_len(rows), 12);
    for (uint32_t i = 0; i < json_len(rows); i++) {
        const struct spin *spin = NULL;
        Str text = fixture_str(json_get(json_at(rows, i), STR("data")), STR("spintax"));
        assert_int_equal(spin_parse(ctx, text, &spin), OK);
        assert_int_equal(spin_count(spin, NULL, ctx->arena), EXPECTED[i]);
    }
}

static const struct library *load_library(struct ctx *ctx)
{
    const struct json *rows = rows_of(ctx, "content_fragments");
    uint32_t count = json_len(rows);
    struct fragment_source *sources = arena_array(ctx->arena, struct fragment_source, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct json *row = json_at(rows, i);
        sources[i] = (struct fragment_source){.type = fixture_str(row, STR("fragment_type")),
                                              .body = fixture_str(row, STR("content_body"))};
        assert_true(uuid_parse(fixture_str(row, STR("id")), &sources[i].id));
    }
    const Str *structure;
    const struct json *template = json_at(rows_of(ctx, "article_templates"), 0);
    uint32_t slots = fixture_strs(ctx, json_get(template, STR("structure_json")), &structure);
    assert_int_equal(slots, 25);
    const struct library *library = NULL;
    assert_int_equal(library_make(ctx, sources, count, structure, slots, &library), OK);
    return library;
}

static void articles_have_717_to_1040_words(void **state)
{
    struct ctx *ctx = *state;
    if (is_absent(__func__))
        skip();
    static const char *const NAMES[] = {"Niche",  "Result", "Benefit",    "Product", "City",
                                        "Avatar", "Fear",   "Pain_Point", "Author"};
    struct spin_vars *vars = spin_vars_make(ctx->arena, NULL);
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++)
        spin_vars_set(vars, str_from_z(NAMES[i]), STR("word"));

    const struct library *library = load_library(ctx);
    for (uint64_t seed = 0; seed < 2000; seed++) {
        ArenaMark mark = arena_mark(ctx->arena);
        Random random = random_seeded(seed);
        struct assembly article;
        assert_int_equal(article_assemble(ctx, library, &(struct article_request){.vars = vars},
                                          &random, &article),
                         OK);
        assert_int_equal(article.fragment_count, 25);
        assert_int_equal(article.unresolved_count, 0);
        assert_in_range(article.words, 717, 1040);
        expect_lacks(article.html, "{");
        arena_rewind(ctx->arena, mark);
    }
    library_unref(library);
}

/* How often `{Name}` stands in the fragments. */
static uint32_t uses_of(struct ctx *ctx, const struct json *rows, Str name)
{
    Str token = str_printf(ctx->arena, "{%.*s}", STR_FMT(name));
    uint32_t uses = 0;
    for (uint32_t i = 0; i < json_len(rows); i++) {
        Str rest = fixture_str(json_at(rows, i), STR("content_body"));
        ptrdiff_t at;
        while ((at = str_find(rest, token)) >= 0) {
            uses++;
            rest = str_slice(rest, (size_t)at + token.len, rest.len);
        }
    }
    return uses;
}

static void the_fragments_use_their_tokens_as_often_as_counted(void **state)
{
    struct ctx *ctx = *state;
    if (is_absent(__func__))
        skip();
    static const struct {
        Str name;
        uint32_t uses;
    } EXPECTED[] = {
        {STR_INIT("Niche"), 63},      {STR_INIT("Result"), 56}, {STR_INIT("Benefit"), 54},
        {STR_INIT("Product"), 51},    {STR_INIT("City"), 32},   {STR_INIT("Avatar"), 30},
        {STR_INIT("Pain_Point"), 16}, {STR_INIT("Fear"), 18},   {STR_INIT("Author"), 4},
    };
    enum { NAMES = sizeof EXPECTED / sizeof EXPECTED[0] };
    const struct json *rows = rows_of(ctx, "content_fragments");
    assert_int_equal(json_len(rows), 150);
    for (size_t i = 0; i < NAMES; i++)
        assert_int_equal(uses_of(ctx, rows, EXPECTED[i].name), EXPECTED[i].uses);

    /* The parser finds the same names and no choice. */
    for (uint32_t i = 0; i < json_len(rows); i++) {
        const struct spin *spin = NULL;
        Str body = fixture_str(json_at(rows, i), STR("content_body"));
        assert_int_equal(spin_parse(ctx, body, &spin), OK);
        assert_int_equal(spin_count(spin, NULL, ctx->arena), 1);
        const struct spin_name *names;
        uint32_t count = spin_names(spin, &names);
        for (uint32_t n = 0; n < count; n++) {
            bool is_known = false;
            for (size_t k = 0; k < NAMES; k++)
                is_known = is_known || str_eq_nocase(names[n].name, EXPECTED[k].name);
            assert_true(is_known);
        }
    }
}

static void ten_cities_have_a_zip_or_a_neighborhood(void **state)
{
    struct ctx *ctx = *state;
    if (is_absent(__func__))
        skip();
    struct geo_location cities[32];
    assert_int_equal(load_cities(ctx, cities, 32), 10);
    uint32_t zips = 0;
    for (uint32_t i = 0; i < 10; i++) {
        assert_true(cities[i].city.len > 0 && cities[i].state.len == 2);
        assert_true((cities[i].zip_focus.len > 0) != (cities[i].neighborhood.len > 0));
        zips += cities[i].zip_focus.len > 0 ? 1 : 0;
    }
    assert_int_equal(zips, 5);
}

static void a_hundred_niches_are_all_different(void **state)
{
    struct ctx *ctx = *state;
    if (is_absent(__func__))
        skip();
    Str niches[128];
    uint32_t count = load_niches(ctx, niches, 128);
    assert_int_equal(count, 100);
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = i + 1; j < count; j++)
            assert_false(str_eq(niches[i], niches[j]));
}

/* A sentence with every form, in each of the 30 variants: what the article says is what the row
 * says. */
static void thirty_variants_speak_as_their_rows_say(void **state)
{
    struct ctx *ctx = *state;
    if (is_absent(__func__))
        skip();
    const struct json *rows = rows_of(ctx, "avatar_variants");
    assert_int_equal(json_len(rows), 30);
    const struct spin *spin = NULL;
    Str template = STR("so [[PRONOUN]] [[ISARE]] [[PPRONOUN]] [[POSPRONOUN]] [[HAS_HAVE]] "
                       "[[DOES_DO:AVATAR]]");
    assert_int_equal(spin_parse(ctx, template, &spin), OK);
    for (uint32_t i = 0; i < json_len(rows); i++) {
        const struct json *data = json_get(json_at(rows, i), STR("data"));
        Str type = fixture_str(json_at(rows, i), STR("variant_type"));
        struct spin_env env = {.variant = grammar_variant(grammar_gender(type))};
        Str expected = str_printf(ctx->arena, "so %.*s %.*s %.*s %.*s %.*s %.*s",
                                  STR_FMT(fixture_str(data, STR("pronoun"))),
                                  STR_FMT(fixture_str(data, STR("isare"))),
                                  STR_FMT(fixture_str(data, STR("ppronoun"))),
                                  STR_FMT(fixture_str(data, STR("pospronoun"))),
                                  STR_FMT(fixture_str(data, STR("has_have"))),
                                  STR_FMT(fixture_str(data, STR("does_do"))));
        struct buf *out = buf_in_arena(ctx->arena, 4096);
        Random random = random_seeded(1);
        spin_expand(spin, &env, &random, out, NULL, NULL);
        expect_str(buf_str(out), str_z(ctx->arena, expected));
    }
}

static void the_variant_table_agrees_with_ours(void **state)
{
    struct ctx *ctx = *state;
    if (is_absent(__func__))
        skip();
    const struct json *rows = rows_of(ctx, "avatar_variants");
    assert_int_equal(json_len(rows), 30);
    for (uint32_t i = 0; i < json_len(rows); i++) {
        const struct json *row = json_at(rows, i);
        const struct grammar_variant *variant =
            grammar_variant(grammar_gender(fixture_str(row, STR("variant_type"))));
        for (int form = GRAMMAR_PRONOUN; form <= GRAMMAR_DOES_DO; form++) {
            Str name = grammar_form_name((enum grammar_form)form);
            Str word = fixture_str(json_get(row, STR("data")), name);
            assert_true(str_eq(word, variant->words[form]));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(the_formulas_make_85000_headlines),
        FIXTURE_TEST(the_offer_blocks_have_their_variations),
        FIXTURE_TEST(articles_have_717_to_1040_words),
        FIXTURE_TEST(the_fragments_use_their_tokens_as_often_as_counted),
        FIXTURE_TEST(ten_cities_have_a_zip_or_a_neighborhood),
        FIXTURE_TEST(a_hundred_niches_are_all_different),
        FIXTURE_TEST(the_variant_table_agrees_with_ours),
        FIXTURE_TEST(thirty_variants_speak_as_their_rows_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
