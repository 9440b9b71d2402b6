#include "factory/articles/assemble.h"
#include "factory/library/library.h"
#include "factory/text/text.h"
#include "support/fixture.h"

static const struct json *parse(struct ctx *ctx, Str text)
{
    const struct json *json = NULL;
    assert_int_equal(json_parse(ctx, text, JSON_LIMITS_DEFAULT, &json), OK);
    return json;
}

static void unref(void *library)
{
    library_unref(library);
}

/* One article that consists of these blocks. */
static Str html_of(struct ctx *ctx, const struct block_row *rows, uint32_t count,
                   const struct grammar_variant *variant, struct assembly *ret)
{
    struct fragment_source *sources = arena_array(ctx->arena, struct fragment_source, count);
    Str *structure = arena_array(ctx->arena, Str, count);
    for (uint32_t i = 0; i < count; i++) {
        sources[i] = block_source(ctx->arena, &rows[i]);
        structure[i] = rows[i].block_id;
    }
    const struct library *library = NULL;
    assert_int_equal(library_make(ctx, sources, count, structure, count, &library), OK);
    arena_defer(ctx->arena, unref, (void *)(uintptr_t)library);
    struct spin_vars *vars = spin_vars_make(ctx->arena, NULL);
    spin_vars_set(vars, STR("agency_name"), STR("Spoke & <Lane>"));
    struct article_request request = {.vars = vars, .variant = variant};
    Random random = random_seeded(7);
    struct assembly assembly;
    assert_int_equal(article_assemble(ctx, library, &request, &random, &assembly), OK);
    if (ret != NULL)
        *ret = assembly;
    return assembly.html;
}

static Str html_of_one(struct ctx *ctx, Str data, Str personal)
{
    struct block_row row = {.block_id = STR("b"), .data = parse(ctx, data)};
    row.personal = personal.len > 0 ? parse(ctx, personal) : NULL;
    return html_of(ctx, &row, 1, NULL, NULL);
}

static void a_block_is_a_section_of_its_fields(void **state)
{
    struct ctx *ctx = *state;
    Str html =
        html_of_one(ctx,
                    STR("{\"title\":\"T\",\"hook\":\"H\",\"universal_pain_points\":[\"p1\",\"p2\"],"
                        "\"universal_solutions\":[\"s1\"],\"universal_value_points\":[\"v1\"],"
                        "\"spintax\":\"Line {one|one}\\nline two\",\"cta\":\"Go\"}"),
                    STR_NONE);
    expect_str(html, "<section class=\"content-block\">\n<h2>T</h2>\n<p class=\"lead\">H</p>\n"
                     "<ul class=\"pains\">\n<li>p1</li>\n<li>p2</li>\n</ul>\n"
                     "<p class=\"solution\">s1</p>\n<ul class=\"value-points\">\n<li>v1</li>\n"
                     "</ul>\n<div class=\"block-content\">Line one<br>\nline two</div>\n"
                     "<div class=\"cta-box\">Go</div>\n</section>");
}

static void fields_that_are_absent_leave_no_markup(void **state)
{
    struct ctx *ctx = *state;
    expect_str(
        html_of_one(ctx, STR("{\"title\":\" \",\"hook\":3,\"pains\":[],\"cta\":null}"), STR_NONE),
        "<section class=\"content-block\">\n</section>");
    struct block_row row = {
        .block_id = STR("b"), .name = STR("Named"), .html = STR("<p>Laid\nout</p>")};
    expect_str(html_of(ctx, &row, 1, NULL, NULL),
               "<section class=\"content-block\">\n<h2>Named</h2>\n"
               "<div class=\"block-content\"><p>Laid\nout</p></div>\n</section>");
}

static void names_of_older_engines_are_read_too(void **state)
{
    struct ctx *ctx = *state;
    Str html = html_of_one(ctx,
                           STR("{\"hook_generator\":\"H\",\"universal_pains\":[\"p\"],"
                               "\"solutions\":[\"s\"],\"value_points\":[\"v\"],"
                               "\"spintax_content\":\"C\",\"cta_spintax\":\"A\"}"),
                           STR_NONE);
    static const char *const FOUND[] = {
        "lead\">H<", "<li>p<", "\"solution\">s<", "<li>v<", "block-content\">C<", "cta-box\">A<"};
    for (size_t i = 0; i < sizeof FOUND / sizeof FOUND[0]; i++)
        expect_contains(html, FOUND[i]);
}

static void a_personal_list_replaces_the_universal_one_and_no_other(void **state)
{
    struct ctx *ctx = *state;
    Str html = html_of_one(
        ctx,
        STR("{\"universal_pain_points\":[\"their pain\"],\"universal_solutions\":[\"their way\"],"
            "\"universal_value_points\":[\"their gain\"]}"),
        STR("{\"pains\":[\"my pain\",\"my other pain\"],\"solutions\":[],\"value_points\":[\" "
            "\"]}"));
    expect_contains(html, "<li>my pain</li>\n<li>my other pain</li>");
    expect_lacks(html, "their pain");
    expect_contains(html, "their way");
    expect_contains(html, "their gain");
}

static void a_brace_left_open_ends_with_its_field(void **state)
{
    struct ctx *ctx = *state;
    Str html = html_of_one(ctx, STR("{\"title\":\"Open {a|b\",\"hook\":\"c} {d|d}\"}"), STR_NONE);
    expect_contains(html, "<h2>Open {a|b</h2>");
    expect_contains(html, "<p class=\"lead\">c} d</p>");
}

static void every_field_speaks_of_the_avatar_and_starts_a_sentence(void **state)
{
    struct ctx *ctx = *state;
    struct block_row row = {
        .block_id = STR("b"),
        .data = parse(ctx, STR("{\"title\":\"[[PRONOUN]] [[ISARE]] tired\",\"pains\":"
                               "[\"[[POSPRONOUN:AVATAR]] day\",\"{{AGENCY_NAME}} helps "
                               "[[PPRONOUN]]\"]}")),
    };
    Str html = html_of(ctx, &row, 1, grammar_variant(GRAMMAR_FEMALE), NULL);
    expect_contains(html, "<h2>She is tired</h2>");
    expect_contains(html, "<li>Her day</li>");
    /* what variables bring is text, what the library holds is HTML */
    expect_contains(html, "<li>Spoke &amp; &lt;Lane&gt; helps her</li>");
}

static void blocks_tell_whose_lists_they_took(void **state)
{
    struct ctx *ctx = *state;
    struct block_row row = {
        .block_id = STR("b"),
        .data = parse(ctx, STR("{\"title\":\"T\"}")),
        .personal = parse(ctx, STR("{\"pains\":[\"p\"]}")),
        .personal_id = {.bytes = {9}},
    };
    struct fragment_source source = block_source(ctx->arena, &row);
    assert_int_equal(source.personal.bytes[0], 9);
    row.personal = NULL;
    source = block_source(ctx->arena, &row);
    assert_true(uuid_is_nil(source.personal));
}

static void lists_end_at_their_limit(void **state)
{
    struct ctx *ctx = *state;
    struct buf *data = buf_in_arena(ctx->arena, 64 * 1024);
    static const char *const LISTS[] = {"pains", "solutions", "value_points"};
    for (int list = 0; list < 3; list++) {
        buf_printf(data, "%s\"%s\":[", list == 0 ? "{" : ",", LISTS[list]);
        for (int i = 0; i <= BLOCK_ITEMS_MAX; i++)
            buf_printf(data, "%s\"item\"", i > 0 ? "," : "");
        buf_put_char(data, ']');
    }
    buf_put(data, STR(",\"title\":\"t\",\"hook\":\"h\",\"spintax\":\"s\",\"cta\":\"c\"}"));
    Str html = html_of_one(ctx, buf_str(data), STR_NONE);
    uint32_t items = 0;
    for (ptrdiff_t at; (at = str_find(html, STR("item"))) >= 0; items++)
        html = str_slice(html, (size_t)at + 1, html.len);
    assert_int_equal(items, 3 * BLOCK_ITEMS_MAX);
}

static void the_blocks_of_the_fixture_make_an_article(void **state)
{
    struct ctx *ctx = *state;
    const struct json *list = json_get(
        fixture_json(ctx, "tests/fixtures/factory/offer_blocks.json"), STR("offer_blocks"));
    uint32_t count = json_len(list);
    struct block_row *rows = arena_array(ctx->arena, struct block_row, count);
    for (uint32_t i = 0; i < count; i++) {
        rows[i] = (struct block_row){.data = json_at(list, i)};
        rows[i].block_id = fixture_str(rows[i].data, STR("id"));
        rows[i].id.bytes[15] = (uint8_t)i;
    }
    struct assembly assembly;
    Str html = html_of(ctx, rows, count, NULL, &assembly);
    assert_int_equal(assembly.fragment_count, count);
    assert_int_equal(assembly.empty_slots, 0);
    assert_int_equal(assembly.words, text_word_count(html));
    expect_contains(html, "The $1,000 Tune is real.");
    expect_contains(html, "Spoke &amp; &lt;Lane&gt;");
    expect_lacks(html, "|");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_block_is_a_section_of_its_fields),
        FIXTURE_TEST(fields_that_are_absent_leave_no_markup),
        FIXTURE_TEST(names_of_older_engines_are_read_too),
        FIXTURE_TEST(a_personal_list_replaces_the_universal_one_and_no_other),
        FIXTURE_TEST(a_brace_left_open_ends_with_its_field),
        FIXTURE_TEST(every_field_speaks_of_the_avatar_and_starts_a_sentence),
        FIXTURE_TEST(blocks_tell_whose_lists_they_took),
        FIXTURE_TEST(lists_end_at_their_limit),
        FIXTURE_TEST(the_blocks_of_the_fixture_make_an_article),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
