#include "cli/console/plain_text.h"
#include "support/fixture.h"

static void check(void **state, const char *html, const char *text)
{
    struct ctx *ctx = *state;
    Str plain = plain_text(ctx->arena, str_from_z(html), 60);
    assert_string_equal(str_z(ctx->arena, plain), text);
}

static void tags_go_entities_are_decoded_and_blocks_keep_their_line(void **state)
{
    check(state, "<h2 class=\"a\">Spoke &amp; Lane</h2><p>One  two</p> <p>three<br>four</p>",
          "Spoke & Lane\nOne two\nthree\nfour\n");
    check(state, "a &lt;b&gt; &quot;c&quot; &#39;d&#39; &unknown; & e",
          "a <b> \"c\" 'd' &unknown; & e");
    check(state, "<p>x <b>y</b>z</p>", "x y z\n");
    check(state, "", "");
}

static void long_texts_are_cut(void **state)
{
    struct ctx *ctx = *state;
    assert_int_equal(plain_text(ctx->arena, STR("abcdefghij"), 4).len, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(tags_go_entities_are_decoded_and_blocks_keep_their_line),
        FIXTURE_TEST(long_texts_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
