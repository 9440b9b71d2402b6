#include "factory/articles/seo.h"
#include "factory/text/text.h"
#include "support/fixture.h"

static void titles_end_at_a_word_within_sixty(void **state)
{
    struct ctx *ctx = *state;
    expect_str(seo_meta_title(ctx->arena, STR("Short &amp; <b>sweet</b>")), "Short & sweet");
    expect_str(seo_meta_title(ctx->arena, STR("A headline that goes on and on until nobody can "
                                              "read the last of its words")),
               "A headline that goes on and on until nobody can read the");
}

static void a_word_without_end_is_cut_at_seventy(void **state)
{
    struct ctx *ctx = *state;
    char word[200];
    memset(word, 'x', sizeof(word));
    assert_int_equal(seo_meta_title(ctx->arena, str_of(word, sizeof(word))).len,
                     SEO_TITLE_HARD_MAX);
}

static void descriptions_are_the_first_running_text(void **state)
{
    struct ctx *ctx = *state;
    expect_str(seo_meta_description(ctx->arena, STR("<h1>Title</h1>\n<p>Tom &amp; Ann&rsquo;s "
                                                    "<b>bikes</b>.</p>")),
               "Tom & Ann\u2019s bikes.");
    expect_str(seo_meta_description(ctx->arena, STR("<h1>Only a title</h1>")), "Only a title");
}

static void long_descriptions_end_at_a_word_and_say_so(void **state)
{
    struct ctx *ctx = *state;
    struct buf *html = buf_in_arena(ctx->arena, 4096);
    buf_put(html, STR("<p>"));
    for (int i = 0; i < 40; i++)
        buf_put(html, STR("caf\u00e9, bikes "));
    Str description = seo_meta_description(ctx->arena, buf_str(html));
    assert_true(str_count_codepoints(description) <= SEO_DESCRIPTION_MAX);
    assert_true(str_count_codepoints(description) > SEO_DESCRIPTION_MAX - 12);
    assert_true(str_ends_with(description, STR("caf\u00e9\u2026")) ||
                str_ends_with(description, STR("bikes\u2026")));
}

static void json_ld_cannot_end_its_script(void **state)
{
    struct ctx *ctx = *state;
    Str text = seo_json_ld(ctx->arena,
                           &(struct seo_article){.headline = STR("</script><!-- \"x\" <b>"),
                                                 .description = STR("d"),
                                                 .author = STR("Spoke & Co"),
                                                 .word_count = 900,
                                                 .published_wall_us = INT64_C(1700000000000000)});
    expect_lacks(text, "</");
    expect_lacks(text, "<!");
    const struct json *json = NULL;
    assert_int_equal(json_parse(ctx, text, JSON_LIMITS_DEFAULT, &json), OK);
    expect_str(fixture_str(json, STR("headline")), "</script><!-- \"x\" <b>");
    expect_str(fixture_str(json, STR("@type")), "Article");
    expect_str(fixture_str(json, STR("datePublished")), "2023-11-14T22:13:20.000Z");
    assert_null(json_get(json, STR("image")));
    assert_null(json_get(json, STR("dateModified")));
    expect_str(fixture_str(json_get(json, STR("publisher")), STR("name")), "Spoke & Co");
}

static uint32_t count(Str text, const char *needle)
{
    uint32_t found = 0;
    for (ptrdiff_t at; (at = str_find(text, str_from_z(needle))) >= 0; found++)
        text = str_slice(text, (size_t)at + 1, text.len);
    return found;
}

static void pictures_wrap_the_title_in_three_lines(void **state)
{
    struct ctx *ctx = *state;
    Str svg =
        svg_picture(ctx->arena, STR("One two three four five six seven eight nine ten"), STR(""));
    assert_int_equal(count(svg, "<tspan"), 2);
    expect_contains(svg, ">One two three four five six seven eight</tspan>");
    expect_contains(svg, "y=\"286\"");
    expect_contains(svg, "y=\"344\"");

    struct buf *title = buf_in_arena(ctx->arena, 4096);
    for (int i = 0; i < 60; i++)
        buf_put(title, STR("saddle "));
    svg = svg_picture(ctx->arena, buf_str(title), STR("Below"));
    assert_int_equal(count(svg, "<tspan"), 3);
    expect_contains(svg, "saddle\u2026</tspan>");
    expect_contains(svg, ">Below</text>");
}

static void pictures_escape_what_they_show(void **state)
{
    struct ctx *ctx = *state;
    Str svg = svg_picture(ctx->arena, STR("<script>\"A\" & 'B'\x01\x1f"), STR("</text>"));
    expect_lacks(svg, "<script>");
    expect_contains(svg, "&lt;script&gt;&quot;A&quot; &amp; &#39;B&#39;<");
    expect_contains(svg, "&lt;/text&gt;");
    expect_str(svg_picture_alt(ctx->arena, STR(" A  B ")), "A B - Featured Image");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(titles_end_at_a_word_within_sixty),
        FIXTURE_TEST(a_word_without_end_is_cut_at_seventy),
        FIXTURE_TEST(descriptions_are_the_first_running_text),
        FIXTURE_TEST(long_descriptions_end_at_a_word_and_say_so),
        FIXTURE_TEST(json_ld_cannot_end_its_script),
        FIXTURE_TEST(pictures_wrap_the_title_in_three_lines),
        FIXTURE_TEST(pictures_escape_what_they_show),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
