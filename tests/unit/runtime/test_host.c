/* A folder of extensions, good and bad: what comes of each. */
#include "runtime/host.h"
#include "support/fixture.h"

#include <stdlib.h>

static struct host *load(struct ctx *ctx, const char *disabled)
{
    const char *build = getenv("SPARK_BUILD_DIR");
    if (build == NULL)
        skip();
    struct settings settings = {
        .extensions_path = str_printf(ctx->arena, "%s/tests/ext", build),
        .extensions_disabled = str_from_z(disabled),
    };
    return host_load(&settings, NULL);
}

static void each_extension_has_its_state(void **state)
{
    struct ctx *ctx = *state;
    struct host *host = load(ctx, "probe, no-entry");
    const struct json *list;
    assert_int_equal(json_parse(ctx, host_describe(host, ctx->arena), JSON_LIMITS_DEFAULT, &list),
                     OK);
    static const struct {
        const char *file;
        const char *state;
    } WANT[] = {
        {"bad-name.so", "refused"},
        {"bad-start.so", "refused"},
        {"no-entry.so", "disabled"},
        {"probe.so", "disabled"},
        {"rogue.so", "on"},
        {"taker.so", "on"},
        {"too-new.so", "refused"},
        {"twin-one.so", "on"},
        {"twin-two.so", "refused"},
        {"wrong-magic.so", "refused"},
        {"wrong-major.so", "refused"},
        {"wrong-size.so", "refused"},
    };
    assert_int_equal(json_len(list), sizeof WANT / sizeof WANT[0]);
    for (uint32_t i = 0; i < json_len(list); i++) {
        const struct json *entry = json_at(list, i);
        expect_contains(fixture_str(entry, STR("file")), WANT[i].file);
        expect_str(fixture_str(entry, STR("state")), WANT[i].state);
    }
    host_free(host);
}

static void what_crashed_is_left_out_and_its_jobs_wait(void **state)
{
    struct ctx *ctx = *state;
    setenv("SPARK_EXTENSIONS_CRASHED", "rogue", 1);
    struct host *host = load(ctx, "probe");
    unsetenv("SPARK_EXTENSIONS_CRASHED");
    assert_true(host_has_crashed(host));
    expect_contains(host_describe(host, ctx->arena),
                    "\"state\":\"disabled\",\"reason\":\"it was switched off after a crash");
    expect_contains(host_kind_is_off(host, ctx->arena, STR("rogue.work")),
                    "it waits for the extension \"rogue\": it was switched off after a crash");
    expect_contains(host_kind_is_off(host, ctx->arena, STR("probe.work")), "EXTENSIONS_DISABLED");
    assert_int_equal(host_kind_is_off(host, ctx->arena, STR("rogues.work")).len, 0);
    assert_int_equal(host_kind_is_off(host, ctx->arena, STR("rogue")).len, 0);
    assert_int_equal(host_kind_is_off(host, ctx->arena, STR("")).len, 0);
    host_free(host);
}

static void only_what_started_offers(void **state)
{
    struct ctx *ctx = *state;
    struct host *host = load(ctx, "");
    const struct host_endpoint_info *endpoints;
    uint32_t count = host_endpoints(host, ctx->arena, &endpoints);
    assert_true(count > 1);
    for (uint32_t i = 0; i < count; i++)
        expect_lacks(endpoints[i].pattern, "bad-start");
    expect_str(endpoints[count - 1].pattern, "/twin");
    expect_str(endpoints[count - 1].method, "GET");
    const struct host_job_info *jobs;
    assert_int_equal(host_jobs(host, ctx->arena, &jobs), 3);
    expect_str(jobs[0].kind, "probe.work");
    assert_int_equal(jobs[0].timeout_s, 60);
    expect_str(jobs[1].kind, "rogue.work");
    host_free(host);
}

static void a_folder_that_is_not_there_is_no_reason_to_stop(void **state)
{
    struct ctx *ctx = *state;
    struct settings settings = {.extensions_path = STR("/nowhere/at/all")};
    struct host *host = host_load(&settings, NULL);
    expect_str(host_describe(host, ctx->arena), "[]");
    host_free(host);
    host_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(each_extension_has_its_state),
        FIXTURE_TEST(what_crashed_is_left_out_and_its_jobs_wait),
        FIXTURE_TEST(only_what_started_offers),
        FIXTURE_TEST(a_folder_that_is_not_there_is_no_reason_to_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
