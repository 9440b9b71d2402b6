#include "base/text/buf.h"
#include "base/text/percent.h"
#include "support/fixture.h"

static void escapes_are_decoded_once(void **state)
{
    struct ctx *ctx = *state;
    expect_str(percent_decode(ctx->arena, STR("a%20b"), PERCENT_PLUS_STAYS), "a b");
    expect_str(percent_decode(ctx->arena, STR("%2541"), PERCENT_PLUS_STAYS), "%41");
    expect_str(percent_decode(ctx->arena, STR("%c5%BB"), PERCENT_PLUS_STAYS), "Ż");
}

static void plus_is_what_the_caller_says(void **state)
{
    struct ctx *ctx = *state;
    expect_str(percent_decode(ctx->arena, STR("a+b%2B"), PERCENT_PLUS_STAYS), "a+b+");
    expect_str(percent_decode(ctx->arena, STR("a+b%2B"), PERCENT_PLUS_IS_SPACE), "a b+");
    expect_str(percent_decode(ctx->arena, STR("a+b"), PERCENT_PLUS_IS_SPACE), "a b");
}

static void broken_escapes_of_clients_stay(void **state)
{
    struct ctx *ctx = *state;
    expect_str(percent_decode(ctx->arena, STR("%"), PERCENT_PLUS_STAYS), "%");
    expect_str(percent_decode(ctx->arena, STR("%4"), PERCENT_PLUS_STAYS), "%4");
    expect_str(percent_decode(ctx->arena, STR("%zz1"), PERCENT_PLUS_STAYS), "%zz1");
    expect_str(percent_decode(ctx->arena, STR("%%41"), PERCENT_PLUS_STAYS), "%A");
    expect_str(percent_decode(ctx->arena, STR("100%"), PERCENT_PLUS_IS_SPACE), "100%");
}

static void broken_escapes_of_operators_are_refused(void **state)
{
    struct ctx *ctx = *state;
    Str text = STR("before");
    assert_false(percent_decode_strict(ctx->arena, STR("a%4"), &text));
    assert_false(percent_decode_strict(ctx->arena, STR("%g0"), &text));
    expect_str(text, "before");
    assert_true(percent_decode_strict(ctx->arena, STR("p%40ss+word"), &text));
    expect_str(text, "p@ss+word");
}

static void all_but_unreserved_characters_are_escaped(void **state)
{
    struct ctx *ctx = *state;
    expect_str(percent_encode(ctx->arena, STR("aZ09-._~")), "aZ09-._~");
    expect_str(percent_encode(ctx->arena, STR("a b&c=Ż/")), "a%20b%26c%3D%C5%BB%2F");
    expect_str(percent_encode(ctx->arena, STR_NONE), "");
}

static void one_character_is_escaped_whatever_it_is(void **state)
{
    struct ctx *ctx = *state;
    struct buf *out = buf_in_arena(ctx->arena, 16);
    buf_put_percent(out, 'a');
    buf_put_percent(out, '\xff');
    expect_str(buf_str(out), "%61%FF");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(escapes_are_decoded_once),
        FIXTURE_TEST(plus_is_what_the_caller_says),
        FIXTURE_TEST(broken_escapes_of_clients_stay),
        FIXTURE_TEST(broken_escapes_of_operators_are_refused),
        FIXTURE_TEST(all_but_unreserved_characters_are_escaped),
        FIXTURE_TEST(one_character_is_escaped_whatever_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
