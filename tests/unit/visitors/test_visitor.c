#include "support/fixture.h"
#include "visitors/tracking/tracking.h"

static void phones_are_not_the_systems_they_resemble(void **state)
{
    (void)state;
    struct visitor iphone = visitor_of(STR("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) "
                                           "AppleWebKit/605 Version/17.0 Mobile/15E Safari/604"));
    expect_str(iphone.os, "iOS");
    expect_str(iphone.device_type, "mobile");
    expect_str(iphone.browser, "Safari");
    struct visitor android = visitor_of(
        STR("Mozilla/5.0 (Linux; Android 14; Pixel) AppleWebKit/537 Chrome/120 Mobile Safari/537"));
    expect_str(android.os, "Android");
    expect_str(android.browser, "Chrome");
}

static void desktops_and_tablets_are_told_apart(void **state)
{
    (void)state;
    struct visitor desktop =
        visitor_of(STR("Mozilla/5.0 (X11; Linux x86_64) Chrome/120 Safari/537 OPR/106"));
    expect_str(desktop.device_type, "desktop");
    expect_str(desktop.browser, "Opera");
    expect_str(desktop.os, "Linux");
    expect_str(visitor_of(STR("Mozilla/5.0 (iPad; CPU OS 16)")).device_type, "tablet");
    expect_str(visitor_of(STR("Mozilla/5.0 Windows NT 10.0 Edg/120 Chrome/120")).browser, "Edge");
}

static void robots_are_named(void **state)
{
    (void)state;
    struct visitor robot = visitor_of(STR("Mozilla/5.0 (compatible; Googlebot/2.1)"));
    assert_true(robot.is_bot);
    expect_str(robot.bot_name, "googlebot");
    expect_str(visitor_of(STR("SomeBot/1.0")).bot_name, "bot");
    assert_false(visitor_of(STR("Mozilla/5.0 Firefox/120")).is_bot);
}

static void nothing_is_somebody_too(void **state)
{
    (void)state;
    struct visitor nobody = visitor_of(STR_NONE);
    expect_str(nobody.device_type, "desktop");
    expect_str(nobody.browser, "Unknown");
    assert_false(nobody.is_bot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(phones_are_not_the_systems_they_resemble),
        cmocka_unit_test(desktops_and_tablets_are_told_apart),
        cmocka_unit_test(robots_are_named),
        cmocka_unit_test(nothing_is_somebody_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
