#include "access/identity/jwt.h"
#include "base/crypto/crypto.h"
#include "base/system/clock.h"
#include "support/fixture.h"

#define SECRET STR("0123456789abcdef0123456789abcdef")

static const struct claims CLAIMS = {.user = {{1, 2, 3}}, .admin_access = true};

static Str signed_token(struct ctx *ctx, int64_t ttl_s)
{
    Str token = STR_NONE;
    assert_int_equal(jwt_sign(ctx, &CLAIMS, SECRET, ttl_s, &token), OK);
    return token;
}

/* header.payload signed by hand, for tokens that jwt_sign would never make. */
static Str forged(struct ctx *ctx, const char *header, const char *payload, Str secret)
{
    Str head = base64url(ctx->arena, str_from_z(header));
    Str body = base64url(ctx->arena, str_from_z(payload));
    Str input = str_printf(ctx->arena, "%.*s.%.*s", STR_FMT(head), STR_FMT(body));
    Sha256 mac = hmac_sha256(secret, input);
    Str signature = base64url(ctx->arena, str_of((const char *)mac.bytes, sizeof mac.bytes));
    return str_printf(ctx->arena, "%.*s.%.*s", STR_FMT(input), STR_FMT(signature));
}

#define HEADER "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define FUTURE_PAYLOAD                                                                             \
    "{\"id\":\"01020300-0000-0000-0000-000000000000\",\"role\":null,\"exp\":32503680000,"          \
    "\"iss\":\"directus\"}"

static void what_was_signed_verifies(void **state)
{
    struct ctx *ctx = *state;
    struct claims claims;
    Str token = signed_token(ctx, 60);
    assert_true(jwt_is_ours(ctx, token));
    assert_int_equal(jwt_verify(ctx, token, SECRET, &claims), OK);
    assert_true(uuid_eq(claims.user, CLAIMS.user));
    assert_true(uuid_is_nil(claims.role));
    assert_true(claims.admin_access);
    assert_true(claims.expires_s > clock_wall_us() / SECOND_US);
}

static void a_token_of_another_library_verifies(void **state)
{
    struct ctx *ctx = *state;
    struct claims claims;
    Str token = forged(ctx, HEADER, FUTURE_PAYLOAD, SECRET);
    assert_int_equal(jwt_verify(ctx, token, SECRET, &claims), OK);
}

static void an_expired_token_says_so(void **state)
{
    struct ctx *ctx = *state;
    struct claims claims;
    assert_int_equal(jwt_verify(ctx, signed_token(ctx, -1), SECRET, &claims), ERR_TOKEN_EXPIRED);
}

static void another_secret_refuses_it(void **state)
{
    struct ctx *ctx = *state;
    struct claims claims;
    Str token = signed_token(ctx, 60);
    assert_int_equal(jwt_verify(ctx, token, STR("other"), &claims), ERR_INVALID_TOKEN);
    assert_int_equal(jwt_verify(ctx, token, STR_NONE, &claims), ERR_INVALID_TOKEN);
}

static void only_hs256_counts(void **state)
{
    struct ctx *ctx = *state;
    struct claims claims;
    const char *const headers[] = {
        "{\"alg\":\"none\"}", "{\"alg\":\"HS512\"}", "{\"alg\":\"RS256\"}", "{}", "[]", "x"};
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        assert_int_equal(
            jwt_verify(ctx, forged(ctx, headers[i], FUTURE_PAYLOAD, SECRET), SECRET, &claims),
            ERR_INVALID_TOKEN);
}

static void missing_or_wrong_claims_refuse_it(void **state)
{
    struct ctx *ctx = *state;
    struct claims claims;
    const char *const payloads[] = {
        "{\"iss\":\"directus\"}",
        "{\"iss\":\"directus\",\"id\":\"x\",\"exp\":32503680000}",
        "{\"iss\":\"directus\",\"id\":\"01020300-0000-0000-0000-000000000000\",\"exp\":\"1\"}",
        "{\"iss\":\"other\",\"id\":\"01020300-0000-0000-0000-000000000000\",\"exp\":32503680000}",
    };
    for (size_t i = 0; i < sizeof payloads / sizeof payloads[0]; i++)
        assert_int_equal(jwt_verify(ctx, forged(ctx, HEADER, payloads[i], SECRET), SECRET, &claims),
                         ERR_INVALID_TOKEN);
}

static void a_deep_payload_never_reaches_the_library(void **state)
{
    struct ctx *ctx = *state;
    static char deep[6000];
    memset(deep, '[', sizeof deep - 1);
    struct claims claims;
    Str token = forged(ctx, HEADER, deep, SECRET);
    assert_false(jwt_is_ours(ctx, token));
    assert_int_equal(jwt_verify(ctx, token, SECRET, &claims), ERR_INVALID_TOKEN);
    assert_int_equal(ctx->diag.count, 1);
}

static void what_is_no_token_is_not_ours(void **state)
{
    struct ctx *ctx = *state;
    static char long_token[10000];
    memset(long_token, 'a', sizeof long_token - 1);
    const char *const others[] = {"", "abc", "a.b", "a.b.c", "a.b.c.d", "..", long_token};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_false(jwt_is_ours(ctx, str_from_z(others[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(what_was_signed_verifies),
        FIXTURE_TEST(a_token_of_another_library_verifies),
        FIXTURE_TEST(an_expired_token_says_so),
        FIXTURE_TEST(another_secret_refuses_it),
        FIXTURE_TEST(only_hs256_counts),
        FIXTURE_TEST(missing_or_wrong_claims_refuse_it),
        FIXTURE_TEST(a_deep_payload_never_reaches_the_library),
        FIXTURE_TEST(what_is_no_token_is_not_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
