#include "base/system/clock.h"
#include "base/text/buf.h"
#include "factory/links/links.h"
#include "factory/text/text.h"
#include "support/fixture.h"

#define NOW (INT64_C(1700000000) * SECOND_US)
#define DAY (INT64_C(86400) * SECOND_US)

/* Targets of a test: "/path" with up to three anchors. */
struct spec {
    const char *href;
    const char *anchors[3];
    int32_t priority;
    uint32_t max;
    bool is_hub;
    int64_t post_us;
};

static const struct link_index *index_of(struct ctx *ctx, const struct spec *specs, uint32_t count)
{
    struct link_target *targets = arena_array(ctx->arena, struct link_target, count);
    for (uint32_t i = 0; i < count; i++) {
        Str *anchors = arena_array(ctx->arena, Str, 3);
        uint32_t anchor_count = 0;
        while (anchor_count < 3 && specs[i].anchors[anchor_count] != NULL) {
            anchors[anchor_count] = str_from_z(specs[i].anchors[anchor_count]);
            anchor_count++;
        }
        targets[i] = (struct link_target){
            .href = str_from_z(specs[i].href),
            .anchors = anchors,
            .anchor_count = anchor_count,
            .priority = specs[i].priority,
            .max_per_article = specs[i].max == 0 ? 2 : specs[i].max,
            .is_hub = specs[i].is_hub,
            .post_us = specs[i].post_us,
        };
        if (specs[i].post_us != 0)
            targets[i].post.bytes[15] = (uint8_t)(i + 1);
    }
    return link_index_build(ctx->arena, STR("own.example"), targets, count);
}

static struct links_result insert_into(struct ctx *ctx, const struct link_index *index, Str html,
                                       uint32_t max_links, uint32_t min_distance)
{
    struct link_article article = {.html = html, .now_us = NOW};
    return links_insert(ctx->arena, index, &article, (struct link_limits){max_links, min_distance});
}

static void expect_html(Str html, const char *expected)
{
    if (!str_eq(html, str_from_z(expected)))
        fail_msg("got      %.*s\nexpected %s", STR_FMT(html), expected);
}

/* One target "/t" with one anchor, no distance. */
static void expect_links(struct ctx *ctx, const char *anchor, const char *html,
                         const char *expected)
{
    const struct spec spec = {.href = "/t", .anchors = {anchor}};
    const struct link_index *index = index_of(ctx, &spec, 1);
    struct links_result first = insert_into(ctx, index, str_from_z(html), 5, 0);
    expect_html(first.html, expected);
    struct links_result second = insert_into(ctx, index, first.html, 5, 0);
    assert_int_equal(second.count, 0);

    struct link_record record = {STR("/t"), first.count > 0 ? first.made[0].anchor : STR("-")};
    bool removed = false;
    expect_html(links_remove(ctx->arena, first.html, &record, 1, &removed), html);
    assert_int_equal(removed, first.count == 1);
}

static void an_anchor_becomes_a_link_in_its_own_casing(void **state)
{
    expect_links(*state, "solar panels", "<p>Our Solar Panels and solar panels.</p>",
                 "<p>Our <a href=\"/t\">Solar Panels</a> and solar panels.</p>");
}

static void no_link_in_forbidden_places(void **state)
{
    static const char *const PLACES[] = {
        "<a href=\"/x\">solar</a>",
        "<a href='/x'><b>solar</b></a>",
        "<a><i><b>solar</b> x</i></a>",
        "<h1>solar</h1>",
        "<H2 class=x>the <em>solar</em></H2>",
        "<h3>solar</h3>",
        "<h4>solar</h4>",
        "<h5>solar</h5>",
        "<h6>solar</h6>",
        "<script>var solar = '<p>solar</p>';</script>",
        "<script><!-- <script> </script> solar --></script>",
        "<style>.solar > solar { }</style>",
        "<code>solar</code>",
        "<pre>solar <b>solar</b></pre>",
        "<button type=button>solar</button>",
        "<textarea><p>solar</textarea>",
        "<textarea><b title=\"</textarea>",
        "<title>solar <b>solar</b></title>",
        "<svg><text>solar</text></svg>",
        "<select><option>solar</select>",
        "<iframe><p>solar</p></iframe>",
        "<!-- solar -->",
        "<!-- > solar -->",
        "<!doctype solar>",
        "<?solar?>",
        "</ solar>",
        "</solar>",
        "<solar>",
        "<img alt=\"solar\">",
        "<img alt='solar'>",
        "<img alt=solar>",
        "<img alt = \"x > solar\">",
        "<img alt\n=\n\"> solar <b>\">",
        "<img alt='\"> solar'>",
        "<img/alt=\"> solar\">",
        "<img a=b\"c alt=\"> solar \">",
        "<img a==\"><img alt='\" > solar '>",
        "<p don't>x</p><p can't title=\"> solar\">x</p>",
        "<!--><img alt=\"--> solar\">",
        "<!---><img alt=\"--> solar\">",
        "<!-- x --!><img alt=\"--> solar\">",
        "<!x =\"><b title='\" > solar '></b>",
    };
    struct ctx *ctx = *state;
    for (size_t i = 0; i < sizeof(PLACES) / sizeof(PLACES[0]); i++)
        expect_links(ctx, "solar", PLACES[i], PLACES[i]);
}

static void what_follows_a_forbidden_place_is_free(void **state)
{
    static const char *const PLACES[] = {
        "<a href=\"/x\"><b>x</b></a>",
        "<h2>x</h3>",
        "<script>'</scripty>'</script >",
        "<textarea><a></textarea>",
        "<pre><b></pre>",
        "<!-->",
        "<!-- a -- b -->",
        "<style><a></style>",
        "<button>x</button>",
        "<a></a></a>",
        "<title><h1></title>",
        "<b title=\"<a>\">",
        "<svg><path d='M0'/></svg>",
        "</>",
        "5 < 6 &",
    };
    struct ctx *ctx = *state;
    for (size_t i = 0; i < sizeof(PLACES) / sizeof(PLACES[0]); i++) {
        Str html = str_printf(ctx->arena, "%s solar", PLACES[i]);
        Str expected = str_printf(ctx->arena, "%s <a href=\"/t\">solar</a>", PLACES[i]);
        expect_links(ctx, "solar", str_z(ctx->arena, html), str_z(ctx->arena, expected));
    }
}

static void a_link_that_browsers_do_not_close_stays_closed(void **state)
{
    static const char *const PLACES[] = {
        "<a href=/x>x<p>solar", "<a><table><tr><td></a>solar",     "<a>x<a>y</a>solar",
        "<h2>x<p>solar",        "<svg><style></style></svg>solar", "<plaintext>solar",
    };
    for (size_t i = 0; i < sizeof(PLACES) / sizeof(PLACES[0]); i++)
        expect_links(*state, "solar", PLACES[i], PLACES[i]);
}

static void words_are_whole_in_every_script(void **state)
{
    struct ctx *ctx = *state;
    expect_links(ctx, "solar", "solars xsolar solar_x solar\u00e9 \u00e9solar solar1",
                 "solars xsolar solar_x solar\u00e9 \u00e9solar solar1");
    expect_links(ctx, "cafe", "cafe\u0301 caf&eacute; cafe&#769;",
                 "cafe\u0301 caf&eacute; cafe&#769;");
    expect_links(ctx, "solar", "sol<b>ar</b> solar<i>s</i> <i>x</i>solar solar<!-- -->s",
                 "sol<b>ar</b> solar<i>s</i> <i>x</i>solar solar<!-- -->s");
    expect_links(ctx, "solar", "pre&shy;solar solar\u00adity", "pre&shy;solar solar\u00adity");
    expect_links(ctx, "solar", "solar</p>s", "<a href=\"/t\">solar</a></p>s");
    expect_links(ctx, "solar", "(solar)", "(<a href=\"/t\">solar</a>)");
    expect_links(ctx, "\u043c\u0438\u0440", "\u043c\u0438\u0440\u0430 \u041c\u0418\u0420.",
                 "\u043c\u0438\u0440\u0430 <a href=\"/t\">\u041c\u0418\u0420</a>.");
}

static void case_is_folded_as_unicode_says(void **state)
{
    struct ctx *ctx = *state;
    expect_links(ctx, "STRASSE \u00c9T\u00c9", "strasse \u00e9t\u00e9",
                 "<a href=\"/t\">strasse \u00e9t\u00e9</a>");
    expect_links(ctx, "\u03a3\u039f\u03a6\u039f\u03a3", "\u03c3\u03bf\u03c6\u03bf\u03c2",
                 "<a href=\"/t\">\u03c3\u03bf\u03c6\u03bf\u03c2</a>");
    expect_links(ctx, "stra\u00dfe", "STRASSE", "STRASSE");
    expect_links(ctx, "STRA\u1e9eE", "stra\u00dfe", "<a href=\"/t\">stra\u00dfe</a>");
    expect_links(ctx, "caf\u00e9", "cafe\u0301", "<a href=\"/t\">cafe\u0301</a>");
}

static void references_and_white_space_are_read_as_readers_do(void **state)
{
    struct ctx *ctx = *state;
    expect_links(ctx, "R&D team", "our R&amp;D\n\t team",
                 "our <a href=\"/t\">R&amp;D\n\t team</a>");
    expect_links(ctx, "r&d", "R&#38;D, R&D", "<a href=\"/t\">R&#38;D</a>, R&D");
    expect_links(ctx, "solar panels", "solar&nbsp;panels", "<a href=\"/t\">solar&nbsp;panels</a>");
    expect_links(ctx, "driver's seat", "driver&rsquo;s seat",
                 "<a href=\"/t\">driver&rsquo;s seat</a>");
    expect_links(ctx, "C++", "C+ and C++.", "C+ and <a href=\"/t\">C++</a>.");
    expect_links(ctx, "AT&T", "AT&T, x", "<a href=\"/t\">AT&T</a>, x");
}

static void no_reference_is_cut_in_two(void **state)
{
    struct ctx *ctx = *state;
    expect_links(ctx, "amp", "a &amp; b &amp c", "a &amp; b &amp c");
    expect_links(ctx, "star", "&star; &starf;", "&star; &starf;");
    expect_links(ctx, "8217", "&#8217 &#8217;", "&#8217 &#8217;");
    expect_links(ctx, "x27", "&#x27 b", "&#x27 b");
    expect_links(ctx, "r &", "r &amp d", "r &amp d");
}

static void an_anchor_never_spans_tags(void **state)
{
    expect_links(*state, "solar panels", "solar <b>panels</b> solar<br>panels",
                 "solar <b>panels</b> solar<br>panels");
}

static void the_most_important_target_comes_first(void **state)
{
    struct ctx *ctx = *state;
    const struct spec specs[] = {{.href = "/low", .anchors = {"solar panels"}, .priority = 1},
                                 {.href = "/high", .anchors = {"panels"}, .priority = 9}};
    struct links_result result =
        insert_into(ctx, index_of(ctx, specs, 2), STR("solar panels"), 5, 0);
    expect_html(result.html, "solar <a href=\"/high\">panels</a>");
}

static void among_equals_the_longer_anchor_keeps_its_words(void **state)
{
    struct ctx *ctx = *state;
    const struct spec specs[] = {{.href = "/short", .anchors = {"solar"}},
                                 {.href = "/long", .anchors = {"solar panels"}}};
    const struct link_index *index = index_of(ctx, specs, 2);
    expect_html(insert_into(ctx, index, STR("solar panels, solar"), 5, 0).html,
                "<a href=\"/long\">solar panels</a>, <a href=\"/short\">solar</a>");
    expect_html(insert_into(ctx, index, STR("solar panels"), 1, 0).html,
                "<a href=\"/long\">solar panels</a>");
}

static void words_of_a_broken_longer_anchor_are_given_free_at_once(void **state)
{
    struct ctx *ctx = *state;
    const struct spec specs[] = {{.href = "/c", .anchors = {"a"}, .priority = 1},
                                 {.href = "/d", .anchors = {"a b c"}, .priority = 1},
                                 {.href = "/x", .anchors = {"c d"}, .priority = 2},
                                 {.href = "/y", .anchors = {"b"}, .priority = 0}};
    const struct link_index *index = index_of(ctx, specs, 4);
    struct links_result first = insert_into(ctx, index, STR("a b c d"), 5, 0);
    expect_html(first.html, "<a href=\"/c\">a</a> <a href=\"/y\">b</a> <a href=\"/x\">c d</a>");
    assert_int_equal(insert_into(ctx, index, first.html, 5, 0).count, 0);
}

static void maxima_count_what_is_there_already(void **state)
{
    struct ctx *ctx = *state;
    const struct spec specs[] = {{.href = "/t", .anchors = {"one", "two", "three"}, .max = 2},
                                 {.href = "/u", .anchors = {"four", "five"}, .max = 9}};
    const struct link_index *index = index_of(ctx, specs, 2);
    expect_html(insert_into(ctx, index, STR("one two three"), 5, 0).html,
                "<a href=\"/t\">one</a> <a href=\"/t\">two</a> three");
    expect_html(
        insert_into(ctx, index, STR("<a href='https://OWN.example/t/#x'>z</a> one two"), 5, 0).html,
        "<a href='https://OWN.example/t/#x'>z</a> <a href=\"/t\">one</a> two");
    struct links_result full =
        insert_into(ctx, index, STR("<a href=/u>z</a> one two four five"), 2, 0);
    assert_int_equal(full.present, 1);
    assert_int_equal(full.count, 1);
}

static void insert_twice_inserts_nothing_new(void **state)
{
    struct ctx *ctx = *state;
    const struct spec specs[] = {{.href = "/t", .anchors = {"solar"}, .max = 9},
                                 {.href = "/u", .anchors = {"roof", "solar"}, .max = 9}};
    const struct link_index *index = index_of(ctx, specs, 2);
    Str html = STR("solar roof solar roof solar roof Solar");
    for (uint32_t distance = 0; distance < 4; distance++) {
        struct links_result first = insert_into(ctx, index, html, 50, distance);
        assert_true(first.count > 0);
        struct links_result second = insert_into(ctx, index, first.html, 50, distance);
        assert_int_equal(second.count, 0);
        assert_int_equal(second.present, first.count);
    }
}

static void links_keep_their_distance_in_words(void **state)
{
    struct ctx *ctx = *state;
    const struct spec specs[] = {{.href = "/t", .anchors = {"one"}},
                                 {.href = "/u", .anchors = {"two"}}};
    const struct link_index *index = index_of(ctx, specs, 2);
    Str html = STR("one a b two <h2>c d</h2> e two");
    expect_html(insert_into(ctx, index, html, 5, 2).html,
                "<a href=\"/t\">one</a> a b <a href=\"/u\">two</a> <h2>c d</h2> e two");
    expect_html(insert_into(ctx, index, html, 5, 3).html,
                "<a href=\"/t\">one</a> a b two <h2>c d</h2> e <a href=\"/u\">two</a>");
    expect_html(insert_into(ctx, index, STR("<a href=//x>y</a> a two"), 5, 2).html,
                "<a href=//x>y</a> a two");
    expect_html(insert_into(ctx, index, STR("two a <a href=//x><img></a> a b two"), 5, 2).html,
                "two a <a href=//x><img></a> a b <a href=\"/u\">two</a>");
}

static void an_article_never_links_to_itself(void **state)
{
    struct ctx *ctx = *state;
    const struct spec specs[] = {
        {.href = "https://own.example/me/", .anchors = {"solar"}},
        {.href = "/posts/00000000-0000-0000-0000-000000000001", .anchors = {"roof"}, .post_us = 1}};
    const struct link_index *index = index_of(ctx, specs, 2);
    struct link_article article = {.html = STR("solar roof"), .url = STR("/me"), .now_us = NOW};
    article.post.bytes[15] = 2;
    assert_int_equal(links_insert(ctx->arena, index, &article, (struct link_limits){5, 0}).count,
                     0);
    article.url = STR("/you");
    article.post.bytes[15] = 3;
    assert_int_equal(links_insert(ctx->arena, index, &article, (struct link_limits){5, 0}).count,
                     2);
}

static uint32_t linked(struct ctx *ctx, int64_t post_us, bool is_hub, int64_t published,
                       int64_t modified)
{
    const struct spec spec = {
        .href = "/t", .anchors = {"solar"}, .is_hub = is_hub, .post_us = post_us};
    struct link_article article = {
        .html = STR("solar"), .published_us = published, .modified_us = modified, .now_us = NOW};
    return links_insert(ctx->arena, index_of(ctx, &spec, 1), &article, (struct link_limits){5, 0})
        .count;
}

static void younger_posts_are_left_out_and_missing_dates_forbid_nothing(void **state)
{
    struct ctx *ctx = *state;
    assert_int_equal(linked(ctx, NOW - DAY, false, NOW - 2 * DAY, 0), 0);
    assert_int_equal(linked(ctx, NOW - 2 * DAY, false, NOW - DAY, 0), 1);
    assert_int_equal(linked(ctx, NOW - DAY, true, NOW - 2 * DAY, 0), 1);
    assert_int_equal(linked(ctx, NOW - DAY, false, NOW - 90 * DAY, NOW - 29 * DAY), 1);
    assert_int_equal(linked(ctx, NOW - DAY, false, NOW - 90 * DAY, NOW - 31 * DAY), 0);
    assert_int_equal(linked(ctx, NOW - DAY, false, 0, 0), 1);
    assert_int_equal(linked(ctx, NOW + DAY, false, 0, 0), 0);
    assert_int_equal(linked(ctx, 0, false, NOW - 90 * DAY, 0), 1);
}

static void only_http_and_paths_are_addresses(void **state)
{
    (void)state;
    static const char *const GOOD[] = {"/", "/a", "http://x", "HTTPS://x/y?z#w", "/a&b\"c"};
    static const char *const BAD[] = {"",
                                      "a",
                                      "//x",
                                      "/\\x",
                                      "\\x",
                                      "javascript:alert(1)",
                                      "JaVaScRiPt:x",
                                      "data:text/html,x",
                                      "java\tscript:x",
                                      " /a",
                                      "/a b",
                                      "/\t/x",
                                      "http:/x",
                                      "http://",
                                      "https:///x",
                                      "mailto:a@b",
                                      "ftp://x",
                                      "#x",
                                      "?x"};
    for (size_t i = 0; i < sizeof(GOOD) / sizeof(GOOD[0]); i++)
        if (!link_href_is_safe(str_from_z(GOOD[i])))
            fail_msg("%s is refused", GOOD[i]);
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        if (link_href_is_safe(str_from_z(BAD[i])))
            fail_msg("%s is taken", BAD[i]);
}

static void addresses_are_escaped(void **state)
{
    struct ctx *ctx = *state;
    const struct spec spec = {.href = "/a?b=1&c=\"><script>", .anchors = {"solar"}};
    const struct link_index *index = index_of(ctx, &spec, 1);
    struct links_result first = insert_into(ctx, index, STR("solar solar"), 5, 0);
    expect_html(first.html, "<a href=\"/a?b=1&amp;c=&quot;&gt;&lt;script&gt;\">solar</a> solar");
    assert_int_equal(insert_into(ctx, index, first.html, 5, 0).count, 0);
}

static void undo_finds_links_that_an_editor_has_moved(void **state)
{
    struct ctx *ctx = *state;
    struct link_record records[] = {{STR("/t"), STR("solar")}, {STR("/u"), STR("roof")}};
    bool removed[2] = {false, false};
    Str html = STR("<!-- <a href=\"/t\">solar</a> --><i>new</i> <a href=\"/t\">solar</a> <a "
                   "href=\"/u\">roofs</a>");
    expect_html(links_remove(ctx->arena, html, records, 2, removed),
                "<!-- <a href=\"/t\">solar</a> --><i>new</i> solar <a href=\"/u\">roofs</a>");
    assert_true(removed[0]);
    assert_false(removed[1]);
}

static void odd_anchors_are_found_nowhere(void **state)
{
    struct ctx *ctx = *state;
    struct buf *many = buf_in_arena(ctx->arena, 4096);
    struct buf *text = buf_in_arena(ctx->arena, 4096);
    for (int i = 0; i < 40; i++)
        buf_put_z(many, "a ");
    for (int i = 0; i < LINK_WORD_MAX + 1; i++)
        buf_put_char(text, 'x');
    buf_put_char(many, '\0');
    buf_put_char(text, '\0');
    const char *const anchors[] = {"...", " ", many->data, text->data};
    for (size_t i = 0; i < 4; i++)
        expect_links(ctx, anchors[i], anchors[i], anchors[i]);
    const struct link_index *none = link_index_build(ctx->arena, STR(""), NULL, 0);
    assert_int_equal(insert_into(ctx, none, STR("solar"), 5, 0).count, 0);
    assert_int_equal(insert_into(ctx, none, STR_NONE, 5, 0).count, 0);
}

static void a_shared_anchor_is_given_to_its_most_important_owners(void **state)
{
    struct ctx *ctx = *state;
    enum { COUNT = LINK_OWNERS_MAX + 36 };
    struct spec *specs = arena_array(ctx->arena, struct spec, COUNT);
    for (uint32_t i = 0; i < COUNT; i++)
        specs[i] = (struct spec){.href = str_z(ctx->arena, str_printf(ctx->arena, "/%u", i)),
                                 .anchors = {"solar"},
                                 .priority = (int32_t)i};
    struct links_result result =
        insert_into(ctx, index_of(ctx, specs, COUNT), STR("solar solar"), 5, 0);
    expect_html(result.html, "<a href=\"/99\">solar</a> <a href=\"/98\">solar</a>");
}

/* Each of its words ends 32 anchors with 64 owners each, none of which it may link to. */
static void an_article_of_refused_anchors_is_read_in_time_with_its_length(void **state)
{
    struct ctx *ctx = *state;
    enum { WORDS = LINK_ANCHOR_TOKENS_MAX / 2, COUNT = WORDS * LINK_OWNERS_MAX };
    struct spec *specs = arena_array(ctx->arena, struct spec, COUNT);
    Str words = STR("a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a");
    for (uint32_t i = 0; i < COUNT; i++)
        specs[i] = (struct spec){
            .href = "/own", .anchors = {str_z(ctx->arena, str_slice(words, 0, i % WORDS * 2 + 1))}};
    char *html = arena_alloc_raw(ctx->arena, LINK_HTML_MAX);
    for (size_t i = 0; i < LINK_HTML_MAX; i++)
        html[i] = i % 2 == 0 ? 'a' : ' ';
    struct link_article article = {
        .html = str_of(html, LINK_HTML_MAX), .url = STR("/own"), .now_us = NOW};
    struct links_result result = links_insert(ctx->arena, index_of(ctx, specs, COUNT), &article,
                                              (struct link_limits){.max_links = 5});
    assert_int_equal(result.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(an_anchor_becomes_a_link_in_its_own_casing),
        FIXTURE_TEST(no_link_in_forbidden_places),
        FIXTURE_TEST(what_follows_a_forbidden_place_is_free),
        FIXTURE_TEST(a_link_that_browsers_do_not_close_stays_closed),
        FIXTURE_TEST(words_are_whole_in_every_script),
        FIXTURE_TEST(case_is_folded_as_unicode_says),
        FIXTURE_TEST(references_and_white_space_are_read_as_readers_do),
        FIXTURE_TEST(no_reference_is_cut_in_two),
        FIXTURE_TEST(an_anchor_never_spans_tags),
        FIXTURE_TEST(the_most_important_target_comes_first),
        FIXTURE_TEST(among_equals_the_longer_anchor_keeps_its_words),
        FIXTURE_TEST(words_of_a_broken_longer_anchor_are_given_free_at_once),
        FIXTURE_TEST(maxima_count_what_is_there_already),
        FIXTURE_TEST(insert_twice_inserts_nothing_new),
        FIXTURE_TEST(links_keep_their_distance_in_words),
        FIXTURE_TEST(an_article_never_links_to_itself),
        FIXTURE_TEST(younger_posts_are_left_out_and_missing_dates_forbid_nothing),
        FIXTURE_TEST(only_http_and_paths_are_addresses),
        FIXTURE_TEST(addresses_are_escaped),
        FIXTURE_TEST(undo_finds_links_that_an_editor_has_moved),
        FIXTURE_TEST(odd_anchors_are_found_nowhere),
        FIXTURE_TEST(a_shared_anchor_is_given_to_its_most_important_owners),
        FIXTURE_TEST(an_article_of_refused_anchors_is_read_in_time_with_its_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
