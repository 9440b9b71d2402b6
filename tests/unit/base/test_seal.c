#include "base/crypto/seal.h"
#include "support/fixture.h"

static const Str KEY = STR_INIT("a key of the tests");
static const Str PURPOSE = STR_INIT("secret x of site y");

static void sealed_text_opens_and_does_not_show(void **state)
{
    struct ctx *ctx = *state;
    static const Str TEXTS[] = {STR_INIT(""), STR_INIT("x"), STR_INIT("a longer text \0 with NUL")};
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        Str opened = STR_NONE;
        Str sealed = seal_make(ctx->arena, KEY, PURPOSE, TEXTS[i]);
        assert_int_equal(sealed.len, TEXTS[i].len + SEAL_OVERHEAD);
        assert_true(TEXTS[i].len < 4 || str_find(sealed, TEXTS[i]) < 0);
        assert_true(seal_open(ctx->arena, KEY, PURPOSE, sealed, &opened));
        assert_true(str_eq(opened, TEXTS[i]));
    }
}

static void two_seals_of_one_text_differ(void **state)
{
    struct ctx *ctx = *state;
    Str one = seal_make(ctx->arena, KEY, PURPOSE, STR("same"));
    assert_false(str_eq(one, seal_make(ctx->arena, KEY, PURPOSE, STR("same"))));
}

static void seal_opens_under_its_own_key_and_purpose_only(void **state)
{
    struct ctx *ctx = *state;
    Str opened = STR("untouched");
    Str sealed = seal_make(ctx->arena, KEY, PURPOSE, STR("text"));
    assert_false(seal_open(ctx->arena, STR("another"), PURPOSE, sealed, &opened));
    assert_false(seal_open(ctx->arena, STR_NONE, PURPOSE, sealed, &opened));
    assert_false(seal_open(ctx->arena, KEY, STR("secret x of site z"), sealed, &opened));
    assert_true(str_eq(opened, STR("untouched")));
}

static void changed_or_cut_seal_does_not_open(void **state)
{
    struct ctx *ctx = *state;
    Str opened;
    Str sealed = seal_make(ctx->arena, KEY, PURPOSE, STR("text"));
    for (size_t i = 0; i < sealed.len; i++) {
        char *changed = arena_alloc(ctx->arena, sealed.len);
        memcpy(changed, sealed.data, sealed.len);
        changed[i] ^= 1;
        assert_false(seal_open(ctx->arena, KEY, PURPOSE, str_of(changed, sealed.len), &opened));
        assert_false(seal_open(ctx->arena, KEY, PURPOSE, str_slice(sealed, 0, i), &opened));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(sealed_text_opens_and_does_not_show),
        FIXTURE_TEST(two_seals_of_one_text_differ),
        FIXTURE_TEST(seal_opens_under_its_own_key_and_purpose_only),
        FIXTURE_TEST(changed_or_cut_seal_does_not_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
