#include "factory/text/text.h"
#include "support/fixture.h"

static void words_joined_by_tags_are_counted_apart(void **state)
{
    (void)state;
    assert_int_equal(text_word_count(STR("<p>one</p><p>two<br>three</p>")), 3);
    assert_int_equal(text_word_count(STR("")), 0);
    assert_int_equal(text_word_count(STR("  \n ")), 0);
}

static void references_and_unicode_spaces_separate_words(void **state)
{
    (void)state;
    assert_int_equal(text_word_count(STR("a&nbsp;b&#160;c&#xA0;d")), 4);
    assert_int_equal(text_word_count(STR("caf\u00e9 \u2013 th\u00e9\u2003\u00e0")), 4);
    assert_int_equal(text_word_count(STR("R&amp;D Tom &amp; Ann")), 4);
}

static void scripts_styles_and_comments_have_no_words(void **state)
{
    (void)state;
    assert_int_equal(
        text_word_count(STR("a<script>if (x < 2) y();</script>b<!-- no <b>word</b> -->c")), 3);
    assert_int_equal(text_word_count(STR("<style>p { color: red }</style>one")), 1);
}

static void attributes_have_no_words_even_with_brackets_in_them(void **state)
{
    (void)state;
    assert_int_equal(text_word_count(STR("<a title=\"x > y z\" href='q'>one</a> two")), 2);
    assert_int_equal(text_word_count(STR("<p don't>one</p> two")), 2);
}

static void a_bracket_that_opens_no_tag_is_text(void **state)
{
    (void)state;
    assert_int_equal(text_word_count(STR("5 < 6 and <3")), 5);
    assert_int_equal(text_word_count(STR("a <")), 2);
}

static void a_tag_without_end_swallows_the_rest(void **state)
{
    (void)state;
    assert_int_equal(text_word_count(STR("one two <a href=three four")), 2);
}

static void plain_text_keeps_words_of_a_line_together(void **state)
{
    struct ctx *ctx = *state;
    Str html = STR("<h2>Head</h2><p><b>Bold</b>, <i>a</i>b &lt;c&gt;</p>\n<ul><li>x</li><li>y");
    expect_str(text_plain(ctx->arena, html, TEXT_ALL), "Head Bold, ab <c> x y");
    expect_str(text_plain(ctx->arena, html, TEXT_WITHOUT_HEADINGS), "Bold, ab <c> x y");
}

static void references_are_decoded_and_unknown_ones_kept(void **state)
{
    struct ctx *ctx = *state;
    Str html = STR("&eacute;&rarr;&#x20AC;&#0;&#xD800; &bogus; & &amp;amp; &#99999999;");
    expect_str(text_plain(ctx->arena, html, TEXT_ALL),
               "\u00e9\u2192\u20ac\ufffd\ufffd &bogus; & &amp; \ufffd");
}

static void every_named_reference_is_found(void **state)
{
    (void)state;
    static const struct {
        Str name;
        uint32_t codepoint;
    } ENTITIES[] = {
#define ENTITY(name, codepoint) {STR_INIT("&" name ";"), codepoint},
#include "factory/text/entities.def"
#undef ENTITY
    };
    for (size_t i = 0; i < sizeof(ENTITIES) / sizeof(ENTITIES[0]); i++) {
        uint32_t codepoint = 0;
        assert_int_equal(html_entity(ENTITIES[i].name, &codepoint), ENTITIES[i].name.len);
        assert_int_equal(codepoint, ENTITIES[i].codepoint);
    }
}

static void normalising_collapses_space_and_composes(void **state)
{
    struct ctx *ctx = *state;
    expect_str(text_normalise(ctx->arena, STR(" \t a\n\u00a0b  ")), "a b");
    expect_str(text_normalise(ctx->arena, STR("cafe\u0301")), "caf\u00e9");
    expect_str(text_normalise(ctx->arena, STR("Z\u0323\u0307a")), "\u1e92\u0307a");
    expect_str(text_normalise(ctx->arena, STR("")), "");
}

static void bad_bytes_become_the_replacement_character(void **state)
{
    struct ctx *ctx = *state;
    expect_str(text_normalise(ctx->arena, STR("a\xff"
                                              "b\xc3")),
               "a\ufffd"
               "b\ufffd");
}

static void cutting_stops_where_a_word_ends(void **state)
{
    (void)state;
    expect_str(text_cut(STR("one two three"), 13), "one two three");
    expect_str(text_cut(STR("one two three"), 12), "one two");
    expect_str(text_cut(STR("one two three"), 7), "one two");
    expect_str(text_cut(STR("one two three"), 6), "one");
    expect_str(text_cut(STR("\u00e9\u00e9\u00e9\u00e9"), 2), "\u00e9\u00e9");
    expect_str(text_cut(STR("one"), 0), "");
}

static void slugs_are_dashes_and_plain_letters(void **state)
{
    struct ctx *ctx = *state;
    expect_str(text_slug(ctx->arena, STR("A & B - Top 10!"), STR("x")), "a-b-top-10");
    expect_str(text_slug(ctx->arena, STR("  --Cr\u00e8me Br\u00fbl\u00e9e -- "), STR("x")),
               "creme-brulee");
    expect_str(
        text_slug(ctx->arena, STR("Stra\u00dfe \u00c6r\u00f8 \u0141\u00f3d\u017a"), STR("x")),
        "strasse-aero-lodz");
    expect_str(text_slug(ctx->arena, STR("\u4e2d\u6587 \u2192 !"), STR("a1b2")), "a1b2");
}

static void slugs_end_at_a_dash_before_the_limit(void **state)
{
    struct ctx *ctx = *state;
    Str word = STR("abcdefghi ");
    struct buf *text = buf_in_arena(ctx->arena, 4096);
    for (int i = 0; i < 12; i++)
        buf_put(text, word);
    Str slug = text_slug(ctx->arena, buf_str(text), STR("x"));
    assert_int_equal(slug.len, 99);
    assert_true(str_ends_with(slug, STR("-abcdefghi")));

    buf_clear(text);
    for (int i = 0; i < 300; i++)
        buf_put_char(text, 'a');
    assert_int_equal(text_slug(ctx->arena, buf_str(text), STR("x")).len, TEXT_SLUG_MAX);
}

static void escaping_covers_markup_and_quotes(void **state)
{
    struct ctx *ctx = *state;
    struct buf *out = buf_in_arena(ctx->arena, 256);
    text_escape(out, STR("<a b=\"c\" d='e'>&$1"));
    expect_str(buf_str(out), "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;$1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_joined_by_tags_are_counted_apart),
        cmocka_unit_test(references_and_unicode_spaces_separate_words),
        cmocka_unit_test(scripts_styles_and_comments_have_no_words),
        cmocka_unit_test(attributes_have_no_words_even_with_brackets_in_them),
        cmocka_unit_test(a_bracket_that_opens_no_tag_is_text),
        cmocka_unit_test(a_tag_without_end_swallows_the_rest),
        FIXTURE_TEST(plain_text_keeps_words_of_a_line_together),
        FIXTURE_TEST(references_are_decoded_and_unknown_ones_kept),
        cmocka_unit_test(every_named_reference_is_found),
        FIXTURE_TEST(normalising_collapses_space_and_composes),
        FIXTURE_TEST(bad_bytes_become_the_replacement_character),
        cmocka_unit_test(cutting_stops_where_a_word_ends),
        FIXTURE_TEST(slugs_are_dashes_and_plain_letters),
        FIXTURE_TEST(slugs_end_at_a_dash_before_the_limit),
        FIXTURE_TEST(escaping_covers_markup_and_quotes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
