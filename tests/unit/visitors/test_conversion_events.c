#include "support/fixture.h"
#include "visitors/outbound/deliver.h"
#include "visitors/tracking/tracking.h"

static Str facebook(struct ctx *ctx, const struct conversion_facts *facts)
{
    struct buf *out = buf_in_arena(ctx->arena, 64 * 1024);
    facebook_event_write(out, ctx->arena, facts);
    return buf_str(out);
}

static Str google(struct ctx *ctx, const struct conversion_facts *facts)
{
    struct buf *out = buf_in_arena(ctx->arena, 64 * 1024);
    google_event_write(out, ctx->arena, facts);
    return buf_str(out);
}

static bool has(Str text, const char *part)
{
    return str_find(text, str_from_z(part)) >= 0;
}

static void people_are_told_as_hashes_of_what_they_normally_write(void **state)
{
    struct ctx *ctx = *state;
    const struct conversion_facts facts = {.type = STR("form"),
                                           .email = STR(" Ann@Example.COM "),
                                           .phone = STR("+1 (555) 010-99"),
                                           .value = STR("12.50"),
                                           .currency = STR("EUR")};
    Str text = facebook(ctx, &facts);
    /* SHA-256 of ann@example.com and of 155501099 */
    assert_true(
        has(text, "\"em\":[\"71d4f55f72fa128dfb468a1a3901507c804b74316488744d769d7f4b16696476\"]"));
    assert_true(
        has(text, "\"ph\":[\"d88301f853d8ff0b1b1163f9156b81c6cf37e6aa53f00fd3c9b7a3d6984627f5\"]"));
    assert_false(has(text, "nn@") || has(text, "xample") || has(text, "0109") ||
                 has(text, "010-99"));
    assert_true(has(text, "\"custom_data\":{\"value\":12.5,\"currency\":\"EUR\"}"));
    assert_true(has(text, "\"event_name\":\"Lead\""));
    assert_false(has(text, "\"fbc\"") || has(text, "client_ip_address"));
}

static void event_without_anything_to_match_is_known_as_such(void **state)
{
    (void)state;
    assert_false(facebook_can_match(&(struct conversion_facts){.ip = STR("192.0.2.1")}));
    assert_true(facebook_can_match(&(struct conversion_facts){.fbclid = STR("x")}));
    assert_true(facebook_can_match(&(struct conversion_facts){.phone = STR("1")}));
}

static void names_that_google_would_drop_are_made_fit(void **state)
{
    struct ctx *ctx = *state;
    static const char *const NAMES[][2] = {{"form", "generate_lead"}, {"call", "generate_lead"},
                                           {"sale", "purchase"},      {"sign up!", "sign_up_"},
                                           {"1st-call", "st_call"},   {"\"}]}", "conversion"},
                                           {"", "conversion"}};
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        const struct conversion_facts facts = {.type = str_from_z(NAMES[i][0])};
        Str want = str_printf(ctx->arena, "\"name\":\"%s\"", NAMES[i][1]);
        assert_true(str_find(google(ctx, &facts), want) > 0);
    }
    char longest[101];
    memset(longest, 'x', sizeof longest);
    const struct conversion_facts facts = {.type = str_of(longest, 100)};
    Str want = str_printf(ctx->arena, "\"name\":\"%.*s\"", 40, longest);
    assert_true(str_find(google(ctx, &facts), want) > 0);
}

static void whatever_a_row_holds_the_events_are_json(void **state)
{
    struct ctx *ctx = *state;
    const Str odd = STR("\"}\\\n\x01 \xe2\x82\xac");
    const struct conversion_facts facts = {.type = odd,
                                           .value = odd,
                                           .currency = odd,
                                           .source = odd,
                                           .campaign = odd,
                                           .fbclid = odd,
                                           .email = odd,
                                           .phone = odd,
                                           .ip = odd,
                                           .user_agent = odd,
                                           .page_url = odd,
                                           .test_code = odd};
    const struct json *json;
    assert_int_equal(json_parse(ctx, facebook(ctx, &facts), JSON_LIMITS_DEFAULT, &json), OK);
    assert_int_equal(json_parse(ctx, google(ctx, &facts), JSON_LIMITS_DEFAULT, &json), OK);
}

static void id_tells_when_it_was_made(void **state)
{
    (void)state;
    Uuid id;
    assert_true(uuid_parse(STR("0193f000-0000-7000-8000-000000000001"), &id));
    assert_int_equal(outbound_time_of(id), 0x0193f0000000LL * 1000);
}

static void secrets_have_known_names_only(void **state)
{
    (void)state;
    assert_true(site_secret_name_is_known(STR("facebook_access_token")));
    assert_true(site_secret_name_is_known(STR("google_api_secret")));
    assert_true(site_secret_name_is_known(STR("webhook_secret")));
    assert_true(
        site_secret_name_is_known(STR("webhook_secret:0193f000-0000-7000-8000-00000000000a")));
    assert_false(
        site_secret_name_is_known(STR("webhook_secret:0193F000-0000-7000-8000-00000000000A")));
    static const char *const BAD[] = {
        "", "x", "webhook_secret:", "webhook_secret:x", "webhook_secret ", "Webhook_secret"};
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        assert_false(site_secret_name_is_known(str_from_z(BAD[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(people_are_told_as_hashes_of_what_they_normally_write),
        FIXTURE_TEST(event_without_anything_to_match_is_known_as_such),
        FIXTURE_TEST(names_that_google_would_drop_are_made_fit),
        FIXTURE_TEST(whatever_a_row_holds_the_events_are_json),
        FIXTURE_TEST(id_tells_when_it_was_made),
        FIXTURE_TEST(secrets_have_known_names_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
