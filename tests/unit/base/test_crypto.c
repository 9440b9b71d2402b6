#include "base/crypto/crypto.h"
#include "support/fixture.h"

static void check_hex(struct ctx *ctx, Sha256 digest, const char *want)
{
    Str hex = hex_text(ctx->arena, digest.bytes, sizeof digest.bytes);
    assert_string_equal(str_z(ctx->arena, hex), want);
}

static void sha256_agrees_with_fips_180(void **state)
{
    struct ctx *ctx = *state;
    check_hex(ctx, sha256(STR("")),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check_hex(ctx, sha256(STR_NONE),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check_hex(ctx, sha256(STR("abc")),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void hmac_agrees_with_rfc_4231(void **state)
{
    struct ctx *ctx = *state;
    check_hex(ctx, hmac_sha256(STR("Jefe"), STR("what do ya want for nothing?")),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    check_hex(ctx, hmac_sha256(STR_NONE, STR_NONE),
              "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void hkdf_agrees_with_rfc_5869(void **state)
{
    struct ctx *ctx = *state;
    static const Str SECRET =
        STR_INIT("\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"
                 "\x0b\x0b\x0b\x0b\x0b\x0b\x0b");
    check_hex(ctx, hkdf_sha256(SECRET, STR("")),
              "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
    /* Extract without salt, then the first block of expand. */
    Sha256 extracted = hmac_sha256(STR_NONE, SECRET);
    Sha256 expanded = hmac_sha256(str_of((const char *)extracted.bytes, sizeof extracted.bytes),
                                  STR("a label\x01"));
    check_hex(ctx, hkdf_sha256(SECRET, STR("a label")),
              str_z(ctx->arena, hex_text(ctx->arena, expanded.bytes, sizeof expanded.bytes)));
}

static void base64url_agrees_with_rfc_4648(void **state)
{
    struct ctx *ctx = *state;
    static const char *const PLAIN[] = {"",     "f",     "fo",     "foo",
                                        "foob", "fooba", "foobar", "\xfb\xff"};
    static const char *const CODED[] = {"",       "Zg",      "Zm8",      "Zm9v",
                                        "Zm9vYg", "Zm9vYmE", "Zm9vYmFy", "-_8"};
    for (unsigned i = 0; i < sizeof PLAIN / sizeof PLAIN[0]; i++) {
        Str decoded;
        Str coded = base64url(ctx->arena, str_from_z(PLAIN[i]));
        assert_true(str_eq(coded, str_from_z(CODED[i])));
        assert_true(base64url_decode(ctx->arena, coded, &decoded));
        assert_true(str_eq(decoded, str_from_z(PLAIN[i])));
    }
}

static void base64url_refuses_second_spellings(void **state)
{
    struct ctx *ctx = *state;
    static const char *const BAD[] = {"Z",      "Zg=",  "Zg==", "Zh", "Zm9",
                                      "Zm9v\n", "Zm 9", "+/8",  "ż"};
    Str decoded = STR("kept");
    for (unsigned i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        assert_false(base64url_decode(ctx->arena, str_from_z(BAD[i]), &decoded));
    assert_true(str_eq(decoded, STR("kept")));
}

static void secrets_are_equal_only_if_they_are(void **state)
{
    (void)state;
    assert_true(secret_eq(STR("abc"), STR("abc")));
    assert_false(secret_eq(STR("abc"), STR("abd")));
    assert_false(secret_eq(STR("abc"), STR("ab")));
}

/* An unset token must not let in who sends an empty one. */
static void an_empty_secret_equals_nothing(void **state)
{
    (void)state;
    assert_false(secret_eq(STR(""), STR("")));
    assert_false(secret_eq(STR_NONE, STR_NONE));
}

static void random_bytes_fill_everything(void **state)
{
    (void)state;
    unsigned char ones[64], zeros[64];
    memset(ones, 0, sizeof ones);
    memset(zeros, 0xFF, sizeof zeros);
    for (unsigned turn = 0; turn < 64; turn++) {
        unsigned char bytes[64];
        random_bytes(bytes, sizeof bytes);
        for (unsigned i = 0; i < sizeof bytes; i++) {
            ones[i] |= bytes[i];
            zeros[i] &= bytes[i];
        }
    }
    for (unsigned i = 0; i < 64; i++) {
        assert_int_equal(ones[i], 0xFF);
        assert_int_equal(zeros[i], 0);
    }
    random_bytes(NULL, 0);
}

static void tokens_have_the_url_alphabet_and_differ(void **state)
{
    struct ctx *ctx = *state;
    Str token = random_token(ctx->arena, 64);
    assert_int_equal(token.len, 64);
    assert_false(str_eq(token, random_token(ctx->arena, 64)));
    Str decoded;
    assert_true(base64url_decode(ctx->arena, token, &decoded));
    assert_int_equal(decoded.len, 48);
    assert_int_equal(random_token(ctx->arena, 0).len, 0);
}

static void passwords_are_hashed_as_directus_does(void **state)
{
    struct ctx *ctx = *state;
    Str hash = password_hash(ctx->arena, STR("correct horse"));
    assert_true(str_starts_with(hash, STR("$argon2id$v=19$m=65536,t=3,p=4$")));
    assert_true(password_verify(hash, STR("correct horse")));
    assert_false(password_verify(hash, STR("correct horsf")));
    assert_false(password_verify(hash, STR("")));
}

/* Made by the argon2 command line tool with small costs. */
static void hashes_of_others_are_understood(void **state)
{
    (void)state;
    assert_true(password_verify(STR("$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$"
                                    "iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8"),
                                STR("password")));
    assert_true(password_verify(STR("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$"
                                    "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"),
                                STR("password")));
}

static void hashes_with_absurd_costs_are_refused(void **state)
{
    struct ctx *ctx = *state;
    static const char *const BAD[] = {
        "",
        "plain",
        "$argon2id$v=19$m=99999999,t=3,p=4$c29tZXNhbHQ$nf65EOgLrQMR",
        "$argon2id$v=19$m=256,t=65,p=1$c29tZXNhbHQ$nf65EOgLrQMR",
        "$argon2id$v=19$m=2560,t=1,p=65$c29tZXNhbHQ$nf65EOgLrQMR",
        "$argon2id$v=19$m=256,t=2$c29tZXNhbHQ$nf65EOgLrQMR",
        "$argon2x$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR",
        "$argon2id$v=19$m=256,t=2,p=1$$",
        "$2b$10$abcdefghijklmnopqrstuv",
    };
    for (unsigned i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        assert_false(password_verify(str_from_z(BAD[i]), STR("password")));
    Str valid = STR("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$"
                    "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4");
    Str padded = str_printf(ctx->arena, "%.*s%600d", STR_FMT(valid), 0);
    assert_false(password_verify(padded, STR("password")));
    Str long_password = str_printf(ctx->arena, "%04097d", 0);
    assert_false(password_verify(valid, long_password));
}

static void hashes_that_cost_more_than_ours_are_known(void **state)
{
    struct ctx *ctx = *state;
    static const char *const DEAR[] = {
        "$argon2id$v=19$m=65537,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR",
        "$argon2id$v=19$m=65536,t=4,p=4$c29tZXNhbHQ$nf65EOgLrQMR",
        "$argon2id$v=19$m=8192,t=25,p=1$c29tZXNhbHQ$nf65EOgLrQMR",
        "$argon2id$v=19$m=65536,t=3,p=5$c29tZXNhbHQ$nf65EOgLrQMR",
        "$argon2id$v=19$m=18446744073709551615,t=3,p=4$c29tZXNhbHQ$nf65EOgLrQMR",
        "$argon2id$v=19$m=,t=3,p=4$c29tZXNhbHQ$nf65EOgLrQMR",
        "$argon2id",
        "",
    };
    for (unsigned i = 0; i < sizeof DEAR / sizeof DEAR[0]; i++)
        assert_false(password_is_affordable(str_from_z(DEAR[i])));
    assert_true(password_is_affordable(password_hash(ctx->arena, STR("x"))));
    assert_true(password_is_affordable(STR("$argon2id$v=19$m=4096,t=3,p=1$c29tZXNhbHQ$nf65EOgL")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(sha256_agrees_with_fips_180),
        FIXTURE_TEST(hmac_agrees_with_rfc_4231),
        FIXTURE_TEST(hkdf_agrees_with_rfc_5869),
        FIXTURE_TEST(base64url_agrees_with_rfc_4648),
        FIXTURE_TEST(base64url_refuses_second_spellings),
        cmocka_unit_test(secrets_are_equal_only_if_they_are),
        cmocka_unit_test(an_empty_secret_equals_nothing),
        cmocka_unit_test(random_bytes_fill_everything),
        FIXTURE_TEST(tokens_have_the_url_alphabet_and_differ),
        FIXTURE_TEST(passwords_are_hashed_as_directus_does),
        cmocka_unit_test(hashes_of_others_are_understood),
        FIXTURE_TEST(hashes_with_absurd_costs_are_refused),
        FIXTURE_TEST(hashes_that_cost_more_than_ours_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
