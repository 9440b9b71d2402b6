#include "base/crypto/otp.h"
#include "support/fixture.h"

/* "12345678901234567890", the secret of RFC 6238. */
#define SECRET STR("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")

static void codes_agree_with_rfc_6238(void **state)
{
    (void)state;
    static const struct {
        int64_t wall_s;
        const char *code;
    } vectors[] = {{59, "287082"},         {1111111109, "081804"}, {1111111111, "050471"},
                   {1234567890, "005924"}, {2000000000, "279037"}, {20000000000, "353130"}};
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++)
        assert_true(otp_fits(SECRET, str_from_z(vectors[i].code), vectors[i].wall_s));
}

static void a_code_lasts_for_its_step_and_the_next(void **state)
{
    (void)state;
    assert_true(otp_fits(SECRET, STR("081804"), 1111111109));
    assert_true(otp_fits(SECRET, STR("081804"), 1111111109 + 30));
    assert_false(otp_fits(SECRET, STR("081804"), 1111111109 + 60));
    assert_false(otp_fits(SECRET, STR("081804"), 1111111109 - 30));
}

static void a_secret_is_base32_however_it_is_written(void **state)
{
    (void)state;
    assert_true(otp_fits(STR("gezdgnbvgy3tqojqgezdgnbvgy3tqojq"), STR("287082"), 59));
    assert_true(otp_fits(STR("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ===="), STR("287082"), 59));
}

static void nothing_fits_what_is_no_secret_or_no_code(void **state)
{
    (void)state;
    const Str secrets[] = {
        STR(""), STR("="), STR("A"), STR("0189"), STR("GEZDGNBV GY3TQOJQ"), str_of("GE\0DGNBV", 8)};
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++)
        assert_false(otp_fits(secrets[i], STR("287082"), 59));
    char endless[OTP_SECRET_MAX + 1];
    memset(endless, 'A', sizeof endless);
    assert_false(otp_fits(str_of(endless, sizeof endless), STR("287082"), 59));
    const Str codes[] = {STR_NONE,       STR(""),        STR("28708"),
                         STR("2870820"), STR("287082 "), STR("x87082")};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        assert_false(otp_fits(SECRET, codes[i], 59));
    assert_false(otp_fits(SECRET, STR("287082"), 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_agree_with_rfc_6238),
        cmocka_unit_test(a_code_lasts_for_its_step_and_the_next),
        cmocka_unit_test(a_secret_is_base32_however_it_is_written),
        cmocka_unit_test(nothing_fits_what_is_no_secret_or_no_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
