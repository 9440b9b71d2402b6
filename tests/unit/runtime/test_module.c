/* The refusals of the host: each says what to rebuild. */
#include "runtime/host_internal.h"

/* cmocka.h wants these before it, in this order. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

static spark_status start(const spark_api *api, spark_registry *registry)
{
    (void)api;
    (void)registry;
    return SPARK_OK;
}

static const spark_extension GOOD = {
    SPARK_EXTENSION_HEAD,
    .name = "good-2",
    .version = "1",
    .start = start,
};

static void expect(const spark_extension *block, const char *want)
{
    struct arena *arena = arena_create();
    Str got = module_refusal(arena, block, "x.so");
    if (!str_eq(got, str_from_z(want)))
        fail_msg("got \"%.*s\", want \"%s\"", STR_FMT(got), want);
    arena_destroy(arena);
}

static void a_block_of_this_header_fits(void **state)
{
    (void)state;
    expect(&GOOD, "");
}

static void a_strange_magic_is_no_extension(void **state)
{
    (void)state;
    spark_extension block = GOOD;
    block.magic = 1;
    expect(&block, "x.so is no extension of Spark: its magic number is 0000000000000001, not "
                   "4b52415053545845; begin its struct with SPARK_EXTENSION_HEAD and rebuild it");
    expect(NULL, "x.so gives no extension: spark_extension_get() returned NULL");
}

/* Only magic, major and minor may be looked at before they fit: the rest could be anything. */
static void another_major_is_refused_before_the_rest_is_read(void **state)
{
    (void)state;
    struct {
        uint64_t magic;
        uint32_t major;
        uint32_t minor;
    } old = {SPARK_MAGIC, 7, 3};
    expect((const spark_extension *)(const void *)&old,
           "x.so was built against spark.h 7.3, this host speaks 1.4: rebuild it against this "
           "host's include/spark/spark.h");
}

static void a_later_minor_needs_a_later_host(void **state)
{
    (void)state;
    spark_extension block = GOOD;
    block.minor = SPARK_API_MINOR + 1;
    expect(&block, "x.so needs spark.h 1.5, this host speaks only 1.4: update the host, or rebuild "
                   "it against this host's include/spark/spark.h");
}

static void a_size_that_no_version_has_is_refused(void **state)
{
    (void)state;
    spark_extension block = GOOD;
    block.size = 8;
    expect(&block, "x.so says spark.h 1.4, but its struct spark_extension has 8 bytes and that "
                   "version's has 56: rebuild it with an unchanged spark.h");
}

static void names_are_simple(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "",    "Upper", "-dash", "a b",
        "a/b", "ä",     "a.b",   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        NULL};
    spark_extension block = GOOD;
    for (int i = 0; BAD[i] != NULL; i++) {
        block.name = BAD[i];
        expect(&block, "x.so has no proper name: lower case letters, digits and '-', at most 40");
    }
    block.name = NULL;
    expect(&block, "x.so has no proper name: lower case letters, digits and '-', at most 40");
}

static void what_is_missing_is_named(void **state)
{
    (void)state;
    spark_extension block = GOOD;
    block.start = NULL;
    expect(&block, "x.so has no start function: fill in its struct spark_extension");
    block = GOOD;
    block.version = NULL;
    expect(&block, "x.so has no version: fill in its struct spark_extension");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_of_this_header_fits),
        cmocka_unit_test(a_strange_magic_is_no_extension),
        cmocka_unit_test(another_major_is_refused_before_the_rest_is_read),
        cmocka_unit_test(a_later_minor_needs_a_later_host),
        cmocka_unit_test(a_size_that_no_version_has_is_refused),
        cmocka_unit_test(names_are_simple),
        cmocka_unit_test(what_is_missing_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
