#include "factory/spin/spin.h"
#include "support/fixture.h"

struct article_case {
    const char *word;
    const char *article;
};

static void articles_follow_the_sound(void **state)
{
    (void)state;
    static const struct article_case CASES[] = {
        {"apple", "an"},
        {"bike", "a"},
        {"hour", "an"},
        {"honest mechanic", "an"},
        {"heir", "an"},
        {"house", "a"},
        {"university", "a"},
        {"user", "a"},
        {"European", "a"},
        {"one-off", "a"},
        {"once", "a"},
        {"onion", "an"},
        {"unit", "a"},
        {"unicorn", "a"},
        {"unimpressed", "an"},
        {"uninstalled", "an"},
        {"umbrella", "an"},
        {"useful", "a"},
        {"utility", "a"},
        {"ukulele", "a"},
        {"Apple", "an"},
        {"HONEST", "an"},
        {"e-bike", "an"},
        {"X-ray", "an"},
        {"U-turn", "a"},
        {"SEO agency", "an"},
        {"FAQ", "an"},
        {"HVAC", "an"},
        {"CRM", "a"},
        {"USA", "a"},
        {"NASA", "a"},
        {"SaaS", "a"},
        {"8", "an"},
        {"80", "an"},
        {"8,000", "an"},
        {"11", "an"},
        {"18", "an"},
        {"11,000", "an"},
        {"110", "a"},
        {"1,100", "a"},
        {"100", "a"},
        {"M&A advisor", "an"},
        {"\u00e9clair", "an"},
        {"\u00fcber", "an"},
        {"'apple'", "an"},
        {"<b>apple</b>", "an"},
        {"&ldquo;apple", "an"},
        {"", "a"},
        {"\u2013 42", "a"},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        Str article = grammar_article(str_from_z(CASES[i].word));
        if (!str_eq(article, str_from_z(CASES[i].article)))
            fail_msg("%.*s %s, want %s", STR_FMT(article), CASES[i].word, CASES[i].article);
    }
}

static void each_gender_has_its_six_words(void **state)
{
    (void)state;
    static const char *const WORDS[3][6] = {
        [GRAMMAR_NEUTRAL] = {"they", "them", "their", "are", "have", "do"},
        [GRAMMAR_MALE] = {"he", "him", "his", "is", "has", "does"},
        [GRAMMAR_FEMALE] = {"she", "her", "her", "is", "has", "does"},
    };
    for (int gender = GRAMMAR_NEUTRAL; gender <= GRAMMAR_FEMALE; gender++)
        for (int form = GRAMMAR_PRONOUN; form <= GRAMMAR_DOES_DO; form++)
            expect_str(grammar_variant((enum grammar_gender)gender)->words[form],
                       WORDS[gender][form - GRAMMAR_PRONOUN]);
}

static void names_are_found_in_any_case(void **state)
{
    (void)state;
    assert_int_equal(grammar_form(STR("Has_Have")), GRAMMAR_HAS_HAVE);
    assert_int_equal(grammar_form(STR("city")), GRAMMAR_NONE);
    assert_int_equal(grammar_gender(STR("Female")), GRAMMAR_FEMALE);
    assert_int_equal(grammar_gender(STR("other")), GRAMMAR_NEUTRAL);
    expect_str(grammar_form_name(GRAMMAR_POSPRONOUN), "pospronoun");
}

static void sentences_start_after_stops_and_blocks(void **state)
{
    (void)state;
    static const char *const YES[] = {
        "",     "  ",          "Done. ",         "Really? ", "Go!</b> ",
        "<p>",  "<p><strong>", "<li class='x'>", "text<br>", "He said. \"",
        "\n\n", "</h2>\n",     "<td>",
    };
    static const char *const NO[] = {
        "and ",      "No.1",      "3.",      "a, ",  "e.g. ", "in the U.S. ",
        "Feature: ", "<b>x</b> ", "x &gt; ", "end.", "(see ",
    };
    for (size_t i = 0; i < sizeof(YES) / sizeof(YES[0]); i++)
        if (!grammar_starts_sentence(str_from_z(YES[i])))
            fail_msg("\"%s\" should end a sentence", YES[i]);
    for (size_t i = 0; i < sizeof(NO) / sizeof(NO[0]); i++)
        if (grammar_starts_sentence(str_from_z(NO[i])))
            fail_msg("\"%s\" should not end a sentence", NO[i]);
}

static void capitals_go_to_the_first_letter_past_tags(void **state)
{
    struct ctx *ctx = *state;
    struct buf *out = buf_in_arena(ctx->arena, 256);
    buf_put(out, STR("so <b>\u00e9t\u00e9</b>"));
    grammar_capitalise(out, 3);
    expect_str(buf_str(out), "so <b>\u00c9t\u00e9</b>");
    grammar_capitalise(out, 0);
    expect_str(buf_str(out), "So <b>\u00c9t\u00e9</b>");
    grammar_capitalise(out, out->len);
    expect_str(buf_str(out), "So <b>\u00c9t\u00e9</b>");
}

/* Both forms of every token, with the words that the fixture gives for one variant. */
static void check_variant(struct ctx *ctx, const struct json *words,
                          const struct grammar_variant *variant)
{
    const struct spin *spin = NULL;
    assert_int_equal(spin_parse(ctx,
                                STR("x [[PRONOUN]] [[pronoun:AVATAR]] [[PPRONOUN]] "
                                    "[[PPRONOUN:AVATAR]] [[POSPRONOUN]] [[ISARE]] "
                                    "[[ISARE:AVATAR]] [[HAS_HAVE]] [[DOES_DO]] [[A_AN:hour]]. "
                                    "[[PRONOUN]]"),
                                &spin),
                     OK);
    struct buf *out = buf_in_arena(ctx->arena, 4096);
    Random random = random_seeded(1);
    spin_expand(spin, &(struct spin_env){.variant = variant}, &random, out, NULL, NULL);
    Str word[GRAMMAR_FORM_COUNT];
    for (int form = GRAMMAR_PRONOUN; form <= GRAMMAR_DOES_DO; form++)
        word[form] = fixture_str(words, grammar_form_name((enum grammar_form)form));
    Str he = word[GRAMMAR_PRONOUN];
    Str him = word[GRAMMAR_PPRONOUN];
    Str is = word[GRAMMAR_ISARE];
    struct buf *capital = buf_in_arena(ctx->arena, 64);
    buf_put(capital, he);
    grammar_capitalise(capital, 0);
    Str start = buf_str(capital);
    Str want =
        str_printf(ctx->arena, "x %.*s %.*s %.*s %.*s %.*s %.*s %.*s %.*s %.*s an hour. %.*s",
                   STR_FMT(he), STR_FMT(he), STR_FMT(him), STR_FMT(him),
                   STR_FMT(word[GRAMMAR_POSPRONOUN]), STR_FMT(is), STR_FMT(is),
                   STR_FMT(word[GRAMMAR_HAS_HAVE]), STR_FMT(word[GRAMMAR_DOES_DO]), STR_FMT(start));
    expect_str(buf_str(out), str_z(ctx->arena, want));
}

static void thirty_variants_of_ten_avatars_agree_with_their_words(void **state)
{
    struct ctx *ctx = *state;
    const struct json *avatars =
        json_get(fixture_json(ctx, "tests/fixtures/factory/avatars.json"), STR("avatars"));
    uint32_t checked = 0;
    for (struct json_iter it = json_iter(avatars); json_next(&it);) {
        const struct json *variants = json_get(it.value, STR("variants"));
        for (struct json_iter v = json_iter(variants); json_next(&v); checked++)
            check_variant(ctx, v.value, grammar_variant(grammar_gender(v.key)));
    }
    assert_int_equal(checked, 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(articles_follow_the_sound),
        cmocka_unit_test(each_gender_has_its_six_words),
        cmocka_unit_test(names_are_found_in_any_case),
        cmocka_unit_test(sentences_start_after_stops_and_blocks),
        FIXTURE_TEST(thirty_variants_of_ten_avatars_agree_with_their_words),
        FIXTURE_TEST(capitals_go_to_the_first_letter_past_tags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
