#include "base/settings/settings.h"
#include "base/settings/settings_source.h"
#include "support/fixture.h"

#include <stdlib.h>
#include <unistd.h>

static const char *const NAMES[] = {
#define SETTING_STR(field, name, default_, secret, help) name,
#define SETTING_INT(field, name, default_, min, max, unit, help) name,
#define SETTING_BOOL(field, name, default_, help) name,
#include "base/settings/settings.def"
#undef SETTING_STR
#undef SETTING_INT
#undef SETTING_BOOL
};
enum { NAME_COUNT = sizeof NAMES / sizeof NAMES[0] };

/* Whatever the environment of the test run sets must not decide its result. */
static int setup(void **state)
{
    for (unsigned i = 0; i < NAME_COUNT; i++) {
        char name_of_file[80];
        (void)snprintf(name_of_file, sizeof name_of_file, "%s_FILE", NAMES[i]);
        (void)unsetenv(NAMES[i]);
        (void)unsetenv(name_of_file);
    }
    (void)unsetenv("DIRECTUS_ADMIN_TOKEN");
    (void)unsetenv("DIRECTUS_ADMIN_TOKEN_FILE");
    return fixture_setup(state);
}

#define SETTINGS_TEST(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)

static struct settings load(struct ctx *ctx, const char *file)
{
    struct settings settings;
    Err err = settings_load(ctx, str_from_z(file), &settings);
    if (err != OK)
        fail_msg("refused: %.*s", STR_FMT(diag_message(ctx, ctx->diag.first)));
    return settings;
}

static void check_refused(struct ctx *ctx, const char *file, const char *sentence)
{
    struct settings settings = {.port = 42};
    assert_int_equal(settings_load(ctx, str_from_z(file), &settings), ERR_CONFIG);
    Str message = diag_message(ctx, ctx->diag.first);
    assert_string_equal(str_z(ctx->arena, message), sentence);
    assert_int_equal(settings.port, 42);
}

static const struct setting_info *find_info(const struct setting_info *infos, uint32_t count,
                                            const char *name);

static void without_anything_the_defaults_count(void **state)
{
    struct ctx *ctx = *state;
    struct settings settings = load(ctx, NULL);
    assert_int_equal(settings.port, 8055);
    assert_int_equal(settings.body_max_bytes, 1 << 20);
    assert_true(str_eq(settings.host, STR("127.0.0.1")));
    assert_true(str_eq(settings.log_level, STR("info")));
    assert_null(settings.database_url.data);
}

static void the_environment_wins_over_the_file(void **state)
{
    struct ctx *ctx = *state;
    assert_int_equal(setenv("PORT", "81", 1), 0);
    assert_int_equal(setenv("HOST", "", 1), 0);
    struct settings settings = load(ctx, "PORT=80\nWORKERS=3\nHOST=::1\n");
    assert_int_equal(settings.port, 81);
    assert_int_equal(settings.workers, 3);
    assert_true(str_eq(settings.host, STR("127.0.0.1"))); /* set to nothing is not set */
}

static void files_may_look_as_shells_write_them(void **state)
{
    struct ctx *ctx = *state;
    struct settings settings = load(ctx, "# comment\r\n\r\n  export PORT = 80 \r\nHOST=\"a b\"\n"
                                         "PUBLIC_URL='http://x/?a=b'\nPORT=82\nUNKNOWN=1\n");
    assert_int_equal(settings.port, 82);
    assert_true(str_eq(settings.host, STR("a b")));
    assert_true(str_eq(settings.public_url, STR("http://x/?a=b")));
}

static void times_and_sizes_have_units(void **state)
{
    struct ctx *ctx = *state;
    struct settings settings = load(
        ctx, "ACCESS_TOKEN_TTL=15m\nREFRESH_TOKEN_TTL=7d\nREQUEST_TIMEOUT=2 s\n"
             "STATEMENT_TIMEOUT=500ms\nMAX_PAYLOAD_SIZE=2MB\nBULK_PAYLOAD_SIZE=2048\n"
             "WORKER_LEASE=30\nJOB_RETRY_BASE=1h\nACTIVITY_RETENTION=2w\nCHANGES_RETENTION=1d\n");
    assert_int_equal(settings.access_token_ttl_s, 900);
    assert_int_equal(settings.refresh_token_ttl_s, 604800);
    assert_int_equal(settings.request_timeout_ms, 2000);
    assert_int_equal(settings.statement_timeout_ms, 500);
    assert_int_equal(settings.body_max_bytes, 2 << 20);
    assert_int_equal(settings.bulk_body_max_bytes, 2048);
    assert_int_equal(settings.worker_lease_s, 30);
    assert_int_equal(settings.job_retry_base_ms, 3600000);
    assert_int_equal(settings.activity_retention_d, 14);
    assert_int_equal(settings.changes_retention_h, 24);
}

static void every_unit_is_known_and_nothing_else(void **state)
{
    (void)state;
    int64_t n;
    assert_true(settings_read_number(STR("2w"), STR("s"), &n) && n == 1209600);
    assert_true(settings_read_number(STR("3 Days"), STR("s"), &n) && n == 259200);
    assert_true(settings_read_number(STR("1gb"), STR("bytes"), &n) && n == 1 << 30);
    assert_true(settings_read_number(STR("-7"), STR(""), &n) && n == -7);
    n = 42;
    static const char *const BAD[] = {"",      "m",   "1y",  "1.5m",  "m1", "99999999999999999w",
                                      "500ms", "1mb", "- 1", "1 m m", "１"};
    for (unsigned i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        assert_false(settings_read_number(str_from_z(BAD[i]), STR("s"), &n));
    assert_false(settings_read_number(STR("1m"), STR("bytes"), &n));
    assert_false(settings_read_number(STR("1m"), STR("jobs"), &n));
    assert_false(settings_read_number(STR("36h"), STR("d"), &n));
    assert_int_equal(n, 42);
}

static void bad_values_are_named_with_what_was_expected(void **state)
{
    struct ctx *ctx = *state;
    check_refused(ctx, "PORT=abc", "PORT is 'abc'; it must be a whole number from 0 to 65535.");
    check_refused(ctx, "PORT=65536", "PORT is '65536'; it must be a whole number from 0 to 65535.");
    check_refused(ctx, "PORT=-1", "PORT is '-1'; it must be a whole number from 0 to 65535.");
    check_refused(ctx, "ACCESS_TOKEN_TTL=9",
                  "ACCESS_TOKEN_TTL is '9'; it must be a whole number from 10 to 86400 s, or a "
                  "time like 15m.");
    check_refused(ctx, "MAX_PAYLOAD_SIZE=1",
                  "MAX_PAYLOAD_SIZE is '1'; it must be a whole number from 1024 to 536870912 "
                  "bytes, or a size like 1mb.");
    check_refused(ctx, "LOG_LEVEL=loud",
                  "LOG_LEVEL is 'loud'; it must be debug, info, warn or error.");
    check_refused(ctx, "PORT=1\nnonsense", "Line 2 of the settings file is not NAME=value.");
    check_refused(ctx, "=1", "Line 1 of the settings file is not NAME=value.");
}

static void urls_have_the_form_of_their_setting(void **state)
{
    struct ctx *ctx = *state;
    static const char *const GOOD[] = {"DATABASE_URL=postgresql://",
                                       "DATABASE_URL=postgres://u:p@h:1/d?sslmode=require",
                                       "DATABASE_URL=host=/run dbname=x",
                                       "DATABASE_TENANT_URL=user = a password='b c'",
                                       "REDIS_URL=redis://:p@h:1/2",
                                       "REDIS_URL=unix:///run/redis.sock?db=1",
                                       "PUBLIC_URL=https://x.example/y",
                                       "SMTP_URL=smtps://h:465",
                                       "DATABASE_URL="};
    for (unsigned i = 0; i < sizeof GOOD / sizeof GOOD[0]; i++)
        load(ctx, GOOD[i]);
    static const char *const BAD[] = {
        "DATABASE_URL=garbage",       "DATABASE_URL=mysql://h/d?a=b",
        "DATABASE_DIRECT_URL=Host=x", "DATABASE_PLATFORM_URL=http://h",
        "REDIS_URL=redis://",         "REDIS_URL=rediss://h",
        "REDIS_URL=unix://run",       "REDIS_URL=redis://a b",
        "PUBLIC_URL=x.example",       "PUBLIC_URL=http:///x",
        "FACEBOOK_URL=ftp://x",       "GOOGLE_MEASUREMENT_URL=x",
        "SMTP_URL=mail:25",           "PUBLIC_URL=http://a\tb"};
    for (unsigned i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        struct settings settings;
        assert_int_equal(settings_load(ctx, str_from_z(BAD[i]), &settings), ERR_CONFIG);
        assert_true(str_find(ctx->diag.first->reason, STR("it must be ")) > 0);
    }
}

static void refused_urls_are_shown_without_their_password(void **state)
{
    struct ctx *ctx = *state;
    static const char *const BAD[] = {"DATABASE_URL=mysql://u:hush@h", "REDIS_URL=u:hush@h",
                                      "DATABASE_URL=X=1 password=hush",
                                      "REDIS_URL=tcp://h?password=hush"};
    for (unsigned i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        struct settings settings;
        assert_int_equal(settings_load(ctx, str_from_z(BAD[i]), &settings), ERR_CONFIG);
        assert_int_equal(str_find(ctx->diag.first->reason, STR("hush")), -1);
    }
}

static void secrets_have_a_least_length_and_are_not_shown(void **state)
{
    struct ctx *ctx = *state;
    check_refused(ctx, "SECRET=0123456789abcdef0123456789abcde",
                  "SECRET has 31 characters; it must have at least 32 (openssl rand -hex 32 "
                  "makes a good one).");
    load(ctx, "SECRET=0123456789abcdef0123456789abcdef\nADMIN_TOKEN=0123456789abcdef\n"
              "ADMIN_PASSWORD=01234567\nGOD_MODE_TOKEN=0123456789abcdef\nSMTP_PASSWORD=x");
    struct settings settings;
    assert_int_equal(
        settings_load(ctx, STR("ADMIN_TOKEN=a\nADMIN_PASSWORD=b\nGOD_MODE_TOKEN=c"), &settings),
        ERR_CONFIG);
    assert_int_equal(ctx->diag.count, 3);
}

static void every_setting_stands_under_a_heading(void **state)
{
    struct ctx *ctx = *state;
    struct settings settings = load(ctx, NULL);
    const struct setting_info *infos;
    uint32_t count = settings_describe(ctx, STR_NONE, &settings, &infos), headings = 0;
    assert_string_equal(infos[0].group, "Server");
    for (uint32_t i = 0; i < count; i++)
        headings += infos[i].group != NULL ? 1 : 0;
    assert_true(headings > 5);
    assert_string_equal(find_info(infos, count, "DATABASE_URL")->group, "PostgreSQL and Redis");
    assert_null(find_info(infos, count, "PORT")->group);
    assert_string_equal(find_info(infos, count, "STATEMENT_TIMEOUT")->unit, "ms");
}

/* Both ends of every range: in is in, out is out. */
static void ranges_hold_at_both_ends(void **state)
{
    struct ctx *ctx = *state;
    static const struct {
        const char *name;
        int64_t min;
        int64_t max;
    } RANGES[] = {
#define SETTING_STR(field, name, default_, secret, help)
#define SETTING_INT(field, name, default_, min, max, unit, help) {name, min, max},
#define SETTING_BOOL(field, name, default_, help)
#include "base/settings/settings.def"
#undef SETTING_STR
#undef SETTING_INT
#undef SETTING_BOOL
    };
    for (unsigned i = 0; i < sizeof RANGES / sizeof RANGES[0]; i++) {
        int64_t values[] = {RANGES[i].min, RANGES[i].max, RANGES[i].min - 1, RANGES[i].max + 1};
        for (unsigned v = 0; v < 4; v++) {
            struct settings settings;
            Str file = str_printf(ctx->arena, "%s=%lld", RANGES[i].name, (long long)values[v]);
            assert_int_equal(settings_load(ctx, file, &settings), v < 2 ? OK : ERR_CONFIG);
        }
    }
}

static void all_bad_values_are_reported_at_once(void **state)
{
    struct ctx *ctx = *state;
    struct settings settings;
    assert_int_equal(settings_load(ctx, STR("PORT=x\nWORKERS=x\nwhat\nLOG_LEVEL=x"), &settings),
                     ERR_CONFIG);
    assert_int_equal(ctx->diag.count, 4);
}

static void long_values_are_refused(void **state)
{
    struct ctx *ctx = *state;
    struct settings settings;
    Str most = str_printf(ctx->arena, "HOST=%0*d", SETTING_TEXT_MAX, 1);
    assert_int_equal(settings_load(ctx, most, &settings), OK);
    Str more = str_printf(ctx->arena, "HOST=%0*d", SETTING_TEXT_MAX + 1, 1);
    assert_int_equal(settings_load(ctx, more, &settings), ERR_CONFIG);
}

static void write_secret(struct ctx *ctx, const char *text, char path[32])
{
    (void)ctx;
    (void)snprintf(path, 32, "/tmp/spark-test-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    (void)close(fd);
}

static void secrets_may_stand_in_files_of_their_own(void **state)
{
    struct ctx *ctx = *state;
    char path[32];
    write_secret(ctx, "s3cret of 16 letters\n", path);
    assert_int_equal(setenv("ADMIN_TOKEN_FILE", path, 1), 0);
    assert_true(str_eq(load(ctx, NULL).admin_token, STR("s3cret of 16 letters")));
    check_refused(ctx, "ADMIN_TOKEN=another-one-0123",
                  "ADMIN_TOKEN and ADMIN_TOKEN_FILE are both set; keep one of them.");
    (void)unlink(path);
    check_refused(ctx, NULL,
                  str_z(ctx->arena, str_printf(ctx->arena,
                                               "ADMIN_TOKEN_FILE names '%s', which cannot be "
                                               "opened: No such file or directory.",
                                               path)));
    assert_int_equal(setenv("ADMIN_TOKEN_FILE", "/", 1), 0);
    check_refused(ctx, NULL, "ADMIN_TOKEN_FILE names '/', which cannot be read: Is a directory.");
    assert_int_equal(unsetenv("ADMIN_TOKEN_FILE"), 0);
}

static void a_directus_admin_token_is_read_too(void **state)
{
    struct ctx *ctx = *state;
    assert_true(str_eq(load(ctx, "DIRECTUS_ADMIN_TOKEN=the-old-one-0123").admin_token,
                       STR("the-old-one-0123")));
    assert_true(
        str_eq(load(ctx, "DIRECTUS_ADMIN_TOKEN=old\nADMIN_TOKEN=the-new-one-0123").admin_token,
               STR("the-new-one-0123")));
}

static void the_direct_url_defaults_to_the_database_url(void **state)
{
    struct ctx *ctx = *state;
    struct settings settings = load(ctx, "DATABASE_URL=postgres://a/b");
    assert_true(str_eq(settings.database_direct_url, STR("postgres://a/b")));
    settings = load(ctx, "DATABASE_URL=postgres://a/b\nDATABASE_DIRECT_URL=postgres://c/d");
    assert_true(str_eq(settings.database_direct_url, STR("postgres://c/d")));
}

static const struct setting_info *find_info(const struct setting_info *infos, uint32_t count,
                                            const char *name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(infos[i].name, name) == 0)
            return &infos[i];
    }
    fail_msg("%s is not described", name);
    return NULL;
}

static Str described(struct ctx *ctx, const char *file, const char *name)
{
    struct settings settings = load(ctx, file);
    const struct setting_info *infos;
    uint32_t count = settings_describe(ctx, str_from_z(file), &settings, &infos);
    assert_int_equal(count, NAME_COUNT);
    return find_info(infos, count, name)->value;
}

static void descriptions_tell_value_and_origin(void **state)
{
    struct ctx *ctx = *state;
    assert_int_equal(setenv("WORKERS", "5", 1), 0);
    Str file = STR("PORT=80");
    struct settings settings = load(ctx, "PORT=80");
    const struct setting_info *infos;
    uint32_t count = settings_describe(ctx, file, &settings, &infos);
    const struct setting_info *port = find_info(infos, count, "PORT");
    assert_true(str_eq(port->value, STR("80")));
    assert_string_equal(port->default_text, "8055");
    assert_int_equal(port->origin, ORIGIN_FILE);
    assert_int_equal(find_info(infos, count, "WORKERS")->origin, ORIGIN_ENVIRONMENT);
    assert_int_equal(find_info(infos, count, "HOST")->origin, ORIGIN_DEFAULT);
    assert_int_equal(unsetenv("WORKERS"), 0);
}

static void descriptions_hide_secrets(void **state)
{
    struct ctx *ctx = *state;
    assert_true(
        str_eq(described(ctx, "SECRET=0123456789abcdef0123456789abcdef", "SECRET"), STR("***")));
    assert_true(str_eq(described(ctx, NULL, "SECRET"), STR("")));
    assert_true(str_eq(described(ctx, "DATABASE_URL=postgres://u:p@s@h/d", "DATABASE_URL"),
                       STR("postgres://u:***@h/d")));
    assert_true(str_eq(described(ctx, "REDIS_URL=redis://:pw@h:1/0", "REDIS_URL"),
                       STR("redis://:***@h:1/0")));
    assert_true(
        str_eq(described(ctx, "REDIS_URL=redis://h:1/0", "REDIS_URL"), STR("redis://h:1/0")));
    assert_int_equal(
        str_find(described(ctx, "DATABASE_URL=host=h password=pw", "DATABASE_URL"), STR("pw")), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SETTINGS_TEST(without_anything_the_defaults_count),
        SETTINGS_TEST(the_environment_wins_over_the_file),
        SETTINGS_TEST(files_may_look_as_shells_write_them),
        SETTINGS_TEST(times_and_sizes_have_units),
        SETTINGS_TEST(every_unit_is_known_and_nothing_else),
        SETTINGS_TEST(bad_values_are_named_with_what_was_expected),
        SETTINGS_TEST(urls_have_the_form_of_their_setting),
        SETTINGS_TEST(refused_urls_are_shown_without_their_password),
        SETTINGS_TEST(secrets_have_a_least_length_and_are_not_shown),
        SETTINGS_TEST(every_setting_stands_under_a_heading),
        SETTINGS_TEST(ranges_hold_at_both_ends),
        SETTINGS_TEST(all_bad_values_are_reported_at_once),
        SETTINGS_TEST(long_values_are_refused),
        SETTINGS_TEST(secrets_may_stand_in_files_of_their_own),
        SETTINGS_TEST(a_directus_admin_token_is_read_too),
        SETTINGS_TEST(the_direct_url_defaults_to_the_database_url),
        SETTINGS_TEST(descriptions_tell_value_and_origin),
        SETTINGS_TEST(descriptions_hide_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
