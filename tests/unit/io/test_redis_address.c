/* REDIS_URL: what it may look like. */
#include "io/redis/redis_address.h"
#include "io_test.h"

static bool parse(struct fixture *f, const char *url, struct redis_address *ret)
{
    return redis_address_parse(f->arena, str_from_z(url), ret);
}

static void every_part_of_a_tcp_url_is_read(void **state)
{
    struct redis_address a;
    assert_true(parse(*state, "redis://u%40:p%2Fw@h.example:77/15", &a));
    assert_null(a.unix_path);
    assert_string_equal(a.host, "h.example");
    assert_string_equal(a.port, "77");
    assert_true(str_eq(a.user, STR("u@")));
    assert_true(str_eq(a.password, STR("p/w")));
    assert_true(str_eq(a.db, STR("15")));
    assert_true(str_eq(a.text, STR("h.example:77")));
}

static void what_is_left_out_has_a_default(void **state)
{
    struct redis_address a;
    assert_true(parse(*state, "redis://localhost", &a));
    assert_string_equal(a.port, "6379");
    assert_int_equal(a.user.len + a.password.len + a.db.len, 0);
    assert_true(parse(*state, "redis://localhost/", &a));
    assert_true(parse(*state, "redis://:p@[::1]:1", &a));
    assert_string_equal(a.host, "::1");
    assert_string_equal(a.port, "1");
    assert_true(parse(*state, "redis://[::1]", &a));
    assert_string_equal(a.port, "6379");
}

static void unix_paths_are_absolute_and_may_name_a_database(void **state)
{
    struct redis_address a;
    assert_true(parse(*state, "unix:///run/redis/s", &a));
    assert_string_equal(a.unix_path, "/run/redis/s");
    assert_true(parse(*state, "unix:///s?db=3", &a));
    assert_string_equal(a.unix_path, "/s");
    assert_true(str_eq(a.db, STR("3")));
}

static void nonsense_is_refused(void **state)
{
    struct redis_address a;
    static const char *const BAD[] = {
        "",
        "redis",
        "redis:/",
        "redis://",
        "rediss://h",
        "http://h",
        "redis://h:0",
        "redis://h:65536",
        "redis://h:x",
        "redis://h:",
        "redis://h/x",
        "redis://h/-1",
        "redis://h/99999999",
        "redis://nocolon@h",
        "redis://:p%4@h",
        "redis://:p%zz@h",
        "redis://[::1",
        "redis://[::1]x",
        "unix://relative",
        "unix:///s?db=x",
        "unix://",
    };
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        assert_false(parse(*state, BAD[i], &a));
    char url[400] = "unix:///";
    memset(url + 8, 'x', 300);
    assert_false(parse(*state, url, &a));
    assert_false(redis_address_parse(((struct fixture *)*state)->arena, STR("redis://a\0b"), &a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        io_test(every_part_of_a_tcp_url_is_read),
        io_test(what_is_left_out_has_a_default),
        io_test(unix_paths_are_absolute_and_may_name_a_database),
        io_test(nonsense_is_refused),
    };
    return cmocka_run_group_tests_name("redis_address", tests, NULL, NULL);
}
