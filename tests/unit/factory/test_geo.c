#include "base/system/clock.h"
#include "factory/library/library.h"
#include "support/fixture.h"

static Str first(struct ctx *ctx, Str text, const struct spin_vars *vars)
{
    const struct spin *spin = NULL;
    assert_int_equal(spin_parse(ctx, text, &spin), OK);
    struct buf *out = buf_in_arena(ctx->arena, 4096);
    struct spin_env env = {.vars = vars};
    spin_unrank(spin_plan_make(ctx->arena, spin, &env), 0, out, NULL);
    return buf_str(out);
}

static bool lacks(struct ctx *ctx, const struct geo_location *location, Str text)
{
    return geo_lacks(location, spin_parse_lenient(ctx->arena, text));
}

static void a_location_gives_its_names(void **state)
{
    struct ctx *ctx = *state;
    const struct geo_location location = {.city = STR("Duluth"),
                                          .county = STR("St. Louis County"),
                                          .state = STR("Minnesota"),
                                          .state_code = STR("MN"),
                                          .zip_focus = STR("55802"),
                                          .neighborhood = STR("Canal Park"),
                                          .population = 86697};
    const struct spin_vars *vars = geo_vars(ctx->arena, &location, NULL);
    expect_str(first(ctx,
                     STR("{City}/{Location_City}/{county}/{Location_County}/{State}/"
                         "{Location_State}/{State_Code}/{State_Abbr}/{{ZIP_FOCUS}}/{zip}/"
                         "{{NEIGHBORHOOD}}/{population}"),
                     vars),
               "Duluth/Duluth/St. Louis County/St. Louis County/Minnesota/Minnesota/MN/MN/55802/"
               "55802/Canal Park/86697");
}

static void absent_values_leave_room_for_defaults(void **state)
{
    struct ctx *ctx = *state;
    const struct geo_location location = {.city = STR("Duluth"), .state = STR("Missouri")};
    const struct spin_vars *vars = geo_vars(ctx->arena, &location, NULL);
    expect_str(first(ctx, STR("{{county|the county}} {{population|many}} {state_code}"), vars),
               "the county many {state_code}");
}

static void a_two_letter_state_is_its_own_code(void **state)
{
    struct ctx *ctx = *state;
    const struct geo_location location = {.state = STR("MN")};
    expect_str(first(ctx, STR("{state_code}"), geo_vars(ctx->arena, &location, NULL)), "MN");
}

static void years_follow_the_publish_date(void **state)
{
    struct ctx *ctx = *state;
    int64_t publish_us;
    assert_true(clock_parse_iso(STR("2021-12-31T23:59:59Z"), &publish_us));
    const struct spin_vars *vars = geo_date_vars(ctx->arena, publish_us, NULL);
    expect_str(first(ctx, STR("{Year} {Current_Year} {Next_Year} {Last_Year} {Month}"), vars),
               "2021 2021 2022 2020 December");
}

static void a_place_lacks_what_the_template_needs(void **state)
{
    struct ctx *ctx = *state;
    const struct geo_location location = {.city = STR("Duluth")};
    assert_false(lacks(ctx, &location, STR("{city} {niche}")));
    assert_true(lacks(ctx, &location, STR("{city} {{ZIP_FOCUS}}")));
    assert_true(lacks(ctx, &location, STR("[[STATE]]")));
    assert_false(lacks(ctx, &location, STR("{{zip_focus|downtown}}")));
    assert_true(geo_is_name(STR("Landmark")));
    assert_false(geo_is_name(STR("niche")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_location_gives_its_names),
        FIXTURE_TEST(absent_values_leave_room_for_defaults),
        FIXTURE_TEST(a_two_letter_state_is_its_own_code),
        FIXTURE_TEST(years_follow_the_publish_date),
        FIXTURE_TEST(a_place_lacks_what_the_template_needs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
