/* Values of encrypted fields: what is stored of them, and who can open it. */
#include "base/settings/settings.h"
#include "content/schema/sealed.h"
#include "io/reactor/reactor.h"
#include "support/fixture.h"

static const struct collection VAULTS = {.name = STR_INIT("vaults")};
static const struct field CODE = {.name = STR_INIT("code"),
                                  .special = SPECIAL_ENCRYPT,
                                  .type_oid = OID_TEXT,
                                  .collection = &VAULTS};
static const struct field NOTE = {.name = STR_INIT("note"),
                                  .special = SPECIAL_ENCRYPT,
                                  .type_oid = OID_TEXT,
                                  .collection = &VAULTS};

static const struct settings SETTINGS = {.secret = STR_INIT("a secret of the tests, long enough")};
static const struct settings OTHERS = {.secret = STR_INIT("another secret of the tests, as long")};
static const struct settings NO_SECRET = {.secret = STR_INIT("")};

static struct ctx *with(struct ctx *ctx, const struct settings *settings)
{
    static struct reactor reactor;
    reactor.settings = settings;
    ctx->reactor = &reactor;
    return ctx;
}

static Str sealed(struct ctx *ctx, const struct field *field, Str text)
{
    Str stored = STR_NONE;
    assert_int_equal(field_seal(ctx, field, text, &stored), OK);
    return stored;
}

static void a_value_opens_as_it_was(void **state)
{
    struct ctx *ctx = with(*state, &SETTINGS);
    static const Str TEXTS[] = {STR_INIT("x"), STR_INIT("sealed:1:"), STR_INIT("Grüße, \"all\"\n")};
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        Str opened = STR_NONE;
        Str stored = sealed(ctx, &CODE, TEXTS[i]);
        assert_true(str_starts_with(stored, STR("sealed:1:")));
        assert_true(TEXTS[i].len < 10 || str_find(stored, TEXTS[i]) < 0);
        assert_true(field_unseal(ctx, &CODE, stored, &opened));
        assert_true(str_eq(opened, TEXTS[i]));
    }
}

static void the_same_value_is_never_stored_alike(void **state)
{
    struct ctx *ctx = with(*state, &SETTINGS);
    assert_false(str_eq(sealed(ctx, &CODE, STR("same")), sealed(ctx, &CODE, STR("same"))));
}

static void a_value_opens_for_its_field_and_its_secret_only(void **state)
{
    struct ctx *ctx = with(*state, &SETTINGS);
    Str opened = STR_NONE;
    Str stored = sealed(ctx, &CODE, STR("text"));
    assert_false(field_unseal(ctx, &NOTE, stored, &opened));
    assert_false(field_unseal(with(ctx, &OTHERS), &CODE, stored, &opened));
    assert_false(field_unseal(with(ctx, &NO_SECRET), &CODE, stored, &opened));
    assert_null(opened.data);
}

static void what_was_never_sealed_does_not_open(void **state)
{
    struct ctx *ctx = with(*state, &SETTINGS);
    static const Str PLAIN[] = {STR_INIT(""),
                                STR_INIT("text"),
                                STR_INIT("sealed:1:"),
                                STR_INIT("sealed:1:!"),
                                STR_INIT("sealed:2:AAAA"),
                                STR_INIT("1||scrypt||16384||8||1||a||b||c||d")};
    for (size_t i = 0; i < sizeof PLAIN / sizeof PLAIN[0]; i++) {
        Str opened = STR_NONE;
        assert_false(field_unseal(ctx, &CODE, PLAIN[i], &opened));
        assert_null(opened.data);
    }
}

static void nothing_is_sealed_without_a_secret(void **state)
{
    struct ctx *ctx = with(*state, &NO_SECRET);
    Str stored = STR_NONE;
    assert_int_equal(field_seal(ctx, &CODE, STR("text"), &stored), ERR_CONFIG);
    assert_null(stored.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_value_opens_as_it_was),
        FIXTURE_TEST(the_same_value_is_never_stored_alike),
        FIXTURE_TEST(a_value_opens_for_its_field_and_its_secret_only),
        FIXTURE_TEST(what_was_never_sealed_does_not_open),
        FIXTURE_TEST(nothing_is_sealed_without_a_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
