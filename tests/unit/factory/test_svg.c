#include "base/text/buf.h"
#include "factory/svg/internal.h"
#include "support/fixture.h"

#define SVG "<svg xmlns=\"http://www.w3.org/2000/svg\">"

static const struct svg_template TEMPLATE = {
    .width = 1200,
    .height = 630,
    .gradient_start = STR_INIT("#112233"),
    .gradient_end = STR_INIT("#445566"),
    .text_color = STR_INIT("#ffffff"),
    .font_family = STR_INIT("Arial"),
    .title_size = 50,
    .subtitle_size = 18,
};
static const struct svg_texts TEXTS = {
    .title = STR_INIT("Bikes & more"),
    .subtitle = STR_INIT("Madison, WI"),
    .site_name = STR_INIT("Spoke <Lane>"),
    .city = STR_INIT("Madison"),
    .state = STR_INIT("Wisconsin"),
};

static Str clean(struct ctx *ctx, const char *source)
{
    Str result;
    Str refused;
    if (!svg_clean(ctx->arena, str_from_z(source), NULL, NULL, &result, &refused))
        fail_msg("%s: %.*s", source, STR_FMT(refused));
    return result;
}

static Str fill(struct ctx *ctx, const char *source, Str title)
{
    struct svg_template template_ = TEMPLATE;
    struct svg_texts texts = TEXTS;
    template_.source = str_from_z(source);
    texts.title = title.len > 0 ? title : TEXTS.title;
    Str result;
    Str refused;
    if (!svg_fill(ctx->arena, &template_, &texts, &result, &refused))
        fail_msg("%s: %.*s", source, STR_FMT(refused));
    return result;
}

static void a_plain_picture_is_kept(void **state)
{
    struct ctx *ctx = *state;
    expect_str(clean(ctx, "<?xml version=\"1.0\"?><!-- a --><svg "
                          "xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'><g id=\"a\">"
                          "<rect width='9' fill=\"url(#g)\"/><text x=\"1\">a &lt; b</text></g>"
                          "</svg>"),
               "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 9 9\"><g id=\"a\"><rect "
               "width=\"9\" fill=\"url(#g)\"></rect><text "
               "x=\"1\">a &lt; b</text></g></svg>");
    expect_contains(clean(ctx, "<svg><desc>caf\u00e9 &#233; <![CDATA[<b>]]></desc></svg>"),
                    "<desc>caf\u00e9 \u00e9 &lt;b&gt;</desc>");
}

struct refusal {
    const char *source;
    const char *names;
};

static const struct refusal REFUSALS[] = {
    {SVG "<script>alert(1)</script></svg>", "<script>"},
    {SVG "<SCRIPT>alert(1)</SCRIPT></svg>", "<SCRIPT>"},
    {SVG "<g><script/></g></svg>", "<script>"},
    {SVG "<style>@import 'x';</style></svg>", "<style>"},
    {SVG "<foreignObject><p xmlns='http://www.w3.org/1999/xhtml'/></foreignObject></svg>",
     "<foreignObject>"},
    {SVG "<a href='#x'><text>x</text></a></svg>", "<a>"},
    {SVG "<animate attributeName='href' to='javascript:alert(1)'/></svg>", "<animate>"},
    {SVG "<set attributeName='onclick' to='x'/></svg>", "<set>"},
    {SVG "<filter><feImage href='http://a.example/x'/></filter></svg>", "<feImage>"},
    {SVG "<iframe/></svg>", "<iframe>"},
    {SVG "<h:script xmlns:h='http://www.w3.org/1999/xhtml'>x</h:script></svg>", "<script>"},
    {SVG "<h:rect xmlns:h='http://www.w3.org/1999/xhtml'/></svg>", "<rect>"},
    {"<svg xmlns='http://www.w3.org/1999/xhtml'/>", "<svg>"},
    {"<svg onload='alert(1)'/>", "\"onload\""},
    {"<svg ONLOAD='alert(1)'/>", "\"ONLOAD\""},
    {SVG "<rect onmouseover='x'/></svg>", "\"onmouseover\""},
    {SVG "<rect xml:base='http://a.example/'/></svg>", "\"base\""},
    {SVG "<rect i:label='x' xmlns:i='http://inkscape.example'/></svg>", "\"label\""},
    {SVG "<use href='http://a.example/x#y'/></svg>", "\"href\" refers"},
    {SVG "<use xmlns:xlink='http://www.w3.org/1999/xlink' xlink:href='//a.example/x'/></svg>",
     "\"href\" refers"},
    {SVG "<use href='data:image/png;base64,AAAA'/></svg>", "\"href\" refers"},
    {SVG "<image href='javascript:alert(1)'/></svg>", "\"href\" refers"},
    {SVG "<image href='data:image/svg+xml;base64,AAAA'/></svg>", "\"href\" refers"},
    {SVG "<image href='data:text/html,x'/></svg>", "\"href\" refers"},
    {SVG "<image href='data:image/png;base64,AA&quot;A'/></svg>", "\"href\" refers"},
    {SVG "<rect fill='url(http://a.example/x)'/></svg>", "\"fill\" refers"},
    {SVG "<rect fill='URL ( \"//a.example\" )'/></svg>", "\"fill\" refers"},
    {SVG "<rect fill='u\\72l(http://a.example)'/></svg>", "\"fill\" may not have"},
    {SVG "<rect fill='url(#a) url(b)'/></svg>", "\"fill\" refers"},
    {SVG "<rect style='fill:url(//a.example)'/></svg>", "\"style\" refers"},
    {SVG "<rect style='@import \"x\"'/></svg>", "\"style\" may not have"},
    {SVG "<rect style='position:fixed;top:0'/></svg>", "\"style\" has a property"},
    {SVG "<rect style='fill:red;/**/position:fixed'/></svg>", "\"style\" may not have"},
    {SVG "<rect style='-moz-binding:url(#x)'/></svg>", "\"style\" has a property"},
    {SVG "<rect filter='image-set(\"x\" 1x)'/></svg>", "\"filter\" refers"},
    {"<!DOCTYPE svg><svg/>", "document type (svg)"},
    {"<!DOCTYPE svg [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><svg><text>&x;</text></svg>",
     "document type"},
    {"<!DOCTYPE s [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><svg><text>&b;</text></svg>",
     "document type"},
    {SVG "<text>&nbsp;</text></svg>", "not XML: undefined entity"},
    {"<?xml-stylesheet href='x.css'?><svg/>", "processing instruction (xml-stylesheet)"},
    {SVG "<?php x ?></svg>", "processing instruction (php)"},
    {SVG "<g></svg>", "not XML: mismatched tag"},
    {SVG, "not XML"},
    {"", "not XML"},
    {"hello", "not XML"},
    {"<svg/><svg/>", "not XML"},
    {"<g/>", "begins with <svg>, not with <g>"},
    {"<svg a='1' a='2'/>", "not XML: duplicate attribute"},
    {"<svg><rect x='<'/></svg>", "not XML"},
    {"<svg><x:rect/></svg>", "not XML: unbound prefix"},
};

static void what_a_picture_may_not_have_is_refused_by_name(void **state)
{
    struct ctx *ctx = *state;
    for (size_t i = 0; i < sizeof REFUSALS / sizeof REFUSALS[0]; i++) {
        const struct refusal *r = &REFUSALS[i];
        Str result;
        Str refused;
        if (svg_clean(ctx->arena, str_from_z(r->source), NULL, NULL, &result, &refused))
            fail_msg("%s is kept as %.*s", r->source, STR_FMT(result));
        assert_int_equal(result.len, 0);
        if (str_find(refused, str_from_z(r->names)) < 0)
            fail_msg("%s: %.*s, want %s", r->source, STR_FMT(refused), r->names);
        assert_int_equal(svg_check(ctx, str_from_z(r->source)), ERR_FAILED_VALIDATION);
    }
}

static void references_within_the_picture_are_kept(void **state)
{
    struct ctx *ctx = *state;
    static const char *const KEPT[] = {
        "<use href=\"#a\"></use>",
        "<image href=\"data:image/png;base64,iVBORw0KGgo=\"></image>",
        "<rect fill=\"url(#g)\" style=\"stroke:url('#h'); opacity: .5\"></rect>",
    };
    for (size_t i = 0; i < sizeof KEPT / sizeof KEPT[0]; i++) {
        Str source = str_printf(ctx->arena, SVG "%s</svg>", KEPT[i]);
        Str kept = clean(ctx, str_z(ctx->arena, source));
        Str decoded = str_printf(ctx->arena, "%s", i == 2 ? "stroke:url(&#39;#h&#39;)" : KEPT[i]);
        expect_contains(kept, str_z(ctx->arena, decoded));
    }
    expect_contains(
        clean(ctx, SVG "<use xmlns:l='http://www.w3.org/1999/xlink' l:href='#b'/></svg>"),
        "<use href=\"#b\"></use>");
    expect_contains(
        clean(ctx, SVG "<use xmlns:l='http://www.w3.org/1999/xlink' l:href='#b' href='#c'/></svg>"),
        "<use href=\"#c\"></use>");
}

static void tokens_are_filled_in_and_escaped(void **state)
{
    struct ctx *ctx = *state;
    expect_contains(fill(ctx,
                         SVG "<rect width=\"{width-80}\" height=\"{height-80}\" "
                             "fill=\"{gradient_start}\" stroke='{accent_color}' "
                             "style='stop-color:{gradient_end}'/></svg>",
                         STR_NONE),
                    "<rect width=\"1120\" height=\"550\" fill=\"#112233\" stroke=\"#ffffff\" "
                    "style=\"stop-color:#445566\">");
    expect_contains(fill(ctx,
                         SVG "<text font-family=\"{font_family}\" font-size=\"{title_size}\">"
                             "{title}</text><text font-size='{subtitle_size}'>{subtitle} - "
                             "{site_name}, {city}, {state} {unknown} {</text></svg>",
                         STR_NONE),
                    "<text font-family=\"Arial\" font-size=\"50\">Bikes &amp; more</text><text "
                    "font-size=\"18\">Madison, WI - Spoke &lt;Lane&gt;, Madison, Wisconsin "
                    "{unknown} {</text>");
    expect_contains(fill(ctx, SVG "<text>{title}</text></svg>", STR("{city} </text><script>")),
                    "<text>{city} &lt;/text&gt;&lt;script&gt;</text>");
}

static void long_titles_become_lines_around_their_place(void **state)
{
    struct ctx *ctx = *state;
    Str title = STR("One two three four five six seven eight nine ten eleven twelve");
    Str svg = fill(ctx, SVG "<text x=\"50%\" y=\"9\">{title}</text></svg>", title);
    expect_contains(svg, "<text x=\"50%\" y=\"9\"><tspan x=\"50%\" dy=\"-30\">One two three four "
                         "five six seven eight</tspan><tspan x=\"50%\" dy=\"60\">nine ten eleven "
                         "twelve</tspan></text>");
    svg = fill(ctx, SVG "<title>{title}</title><rect aria-label='{title}'/></svg>", title);
    expect_lacks(svg, "tspan");
}

static void what_a_token_brings_into_an_attribute_is_checked(void **state)
{
    struct ctx *ctx = *state;
    struct svg_template template_ = TEMPLATE;
    Str result;
    Str refused;
    template_.source = STR(SVG "<rect fill=\"{gradient_start}\"/></svg>");
    template_.gradient_start = STR("url(//a.example)");
    assert_false(svg_fill(ctx->arena, &template_, &TEXTS, &result, &refused));
    expect_contains(refused, "\"fill\" refers to something outside");
    assert_int_equal(svg_check(ctx, template_.source), OK);

    struct svg_texts texts = TEXTS;
    template_.source = STR(SVG "<rect style=\"fill:red;{title}\"/></svg>");
    texts.title = STR("position:fixed");
    assert_false(svg_fill(ctx->arena, &template_, &texts, &result, &refused));
}

static Str repeated(struct ctx *ctx, const char *before, const char *part, int count,
                    const char *after)
{
    struct buf *out = buf_in_arena(ctx->arena, 4 * 1024 * 1024);
    buf_put_z(out, before);
    for (int i = 0; i < count; i++)
        buf_put_z(out, part);
    buf_put_z(out, after);
    return buf_str(out);
}

static void limits_are_reached_and_not_passed(void **state)
{
    struct ctx *ctx = *state;
    const struct {
        const char *part;
        int most;
    } CASES[] = {{"<g/>", SVG_ELEMENTS_MAX - 1}, {"<use href='#a'/>", SVG_USES_MAX}};
    for (size_t i = 0; i < 2; i++) {
        Str most = repeated(ctx, "<svg>", CASES[i].part, CASES[i].most, "</svg>");
        assert_int_equal(svg_check(ctx, most), OK);
        Str more = repeated(ctx, "<svg>", CASES[i].part, CASES[i].most + 1, "</svg>");
        assert_int_equal(svg_check(ctx, more), ERR_FAILED_VALIDATION);
    }
    Str inner = repeated(ctx, "", "<g>", SVG_DEPTH_MAX - 1, "");
    Str outer = repeated(ctx, "", "</g>", SVG_DEPTH_MAX - 1, "");
    Str deep = str_printf(ctx->arena, "<svg>%.*s%.*s</svg>", STR_FMT(inner), STR_FMT(outer));
    assert_int_equal(svg_check(ctx, deep), OK);
    deep = str_printf(ctx->arena, "<svg>%.*s<g/>%.*s</svg>", STR_FMT(inner), STR_FMT(outer));
    assert_int_equal(svg_check(ctx, deep), ERR_FAILED_VALIDATION);
    Str large = repeated(ctx, "<svg><!--", "x", SVG_SOURCE_MAX, "--></svg>");
    assert_int_equal(svg_check(ctx, large), ERR_FAILED_VALIDATION);
}

static void what_is_written_anew_is_written_the_same_again(void **state)
{
    struct ctx *ctx = *state;
    Str once = clean(ctx, SVG "<defs><linearGradient id='g'><stop offset='0' stop-color='red'/>"
                              "</linearGradient></defs><text x='1'>a &amp; 'b'\n</text></svg>");
    Str twice = clean(ctx, str_z(ctx->arena, once));
    assert_true(str_eq(once, twice));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_plain_picture_is_kept),
        FIXTURE_TEST(what_a_picture_may_not_have_is_refused_by_name),
        FIXTURE_TEST(references_within_the_picture_are_kept),
        FIXTURE_TEST(tokens_are_filled_in_and_escaped),
        FIXTURE_TEST(long_titles_become_lines_around_their_place),
        FIXTURE_TEST(what_a_token_brings_into_an_attribute_is_checked),
        FIXTURE_TEST(limits_are_reached_and_not_passed),
        FIXTURE_TEST(what_is_written_anew_is_written_the_same_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
