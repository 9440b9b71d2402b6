#include "base/crypto/uuid.h"
#include "base/system/clock.h"
#include "support/fixture.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t stamp_ms(Uuid uuid)
{
    uint64_t ms = 0;
    for (unsigned i = 0; i < 6; i++)
        ms = ms << 8 | uuid.bytes[i];
    return ms;
}

static void new_ones_are_version_7_of_now(void **state)
{
    (void)state;
    uint64_t before = (uint64_t)(clock_wall_us() / 1000);
    Uuid uuid = uuid_make();
    assert_int_equal(uuid.bytes[6] >> 4, 7);
    assert_int_equal(uuid.bytes[8] >> 6, 2);
    assert_true(stamp_ms(uuid) >= before);
    assert_false(uuid_is_nil(uuid));
}

/* More than one millisecond's counter can hold, so borrowing is reached as well. */
static void new_ones_grow_strictly(void **state)
{
    (void)state;
    Uuid last = uuid_make();
    for (unsigned i = 0; i < 200000; i++) {
        Uuid next = uuid_make();
        assert_true(memcmp(last.bytes, next.bytes, 16) < 0);
        last = next;
    }
}

static void *make_one(void *out)
{
    *(Uuid *)out = uuid_make();
    return NULL;
}

static void threads_do_not_share_random_bytes(void **state)
{
    (void)state;
    Uuid ours = uuid_make(), theirs;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, make_one, &theirs), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_memory_not_equal(ours.bytes + 8, theirs.bytes + 8, 8);
}

static void a_forked_child_makes_others_than_its_parent(void **state)
{
    (void)state;
    int ends[2];
    (void)uuid_make();
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    Uuid uuid = uuid_make();
    if (child == 0)
        _exit(write(ends[1], &uuid, sizeof uuid) == sizeof uuid ? 0 : 1);
    Uuid theirs;
    assert_int_equal(read(ends[0], &theirs, sizeof theirs), sizeof theirs);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_memory_not_equal(uuid.bytes + 8, theirs.bytes + 8, 8);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void text_and_bytes_are_two_forms_of_one(void **state)
{
    struct ctx *ctx = *state;
    Uuid uuid;
    Str text = STR("01909d3e-7c4f-7a10-9ABC-0123456789ef");
    assert_true(uuid_parse(text, &uuid));
    assert_int_equal(uuid.bytes[0], 0x01);
    assert_int_equal(uuid.bytes[15], 0xEF);
    assert_true(str_eq(uuid_text(ctx->arena, uuid), str_lower(ctx->arena, text)));
    for (unsigned i = 0; i < 100; i++) {
        Uuid again, made = uuid_make();
        assert_true(uuid_parse(uuid_text(ctx->arena, made), &again));
        assert_true(uuid_eq(made, again));
    }
}

static void anything_else_is_refused(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "",
        "01909d3e-7c4f-7a10-9abc-0123456789e",
        "01909d3e-7c4f-7a10-9abc-0123456789eff",
        "01909d3e7c4f-7a10-9abc-0123456789eff-",
        "01909d3e-7c4f-7a10-9abc-0123456789eg",
        "01909d3e-7c4f-7a10-9abc_0123456789ef",
        "{1909d3e-7c4f-7a10-9abc-0123456789e}",
        "01909d3e07c4f07a1009abc00123456789ef",
    };
    Uuid uuid = {{42}};
    for (unsigned i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        assert_false(uuid_parse(str_from_z(BAD[i]), &uuid));
    assert_int_equal(uuid.bytes[0], 42);
}

static void the_library_site_is_the_reserved_one(void **state)
{
    struct ctx *ctx = *state;
    assert_true(str_eq(uuid_text(ctx->arena, UUID_LIBRARY_SITE),
                       STR("00000000-0000-7000-8000-000000000001")));
    assert_true(uuid_is_nil((Uuid){0}));
    assert_false(uuid_is_nil(UUID_LIBRARY_SITE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_ones_are_version_7_of_now),
        cmocka_unit_test(new_ones_grow_strictly),
        cmocka_unit_test(threads_do_not_share_random_bytes),
        cmocka_unit_test(a_forked_child_makes_others_than_its_parent),
        FIXTURE_TEST(text_and_bytes_are_two_forms_of_one),
        cmocka_unit_test(anything_else_is_refused),
        FIXTURE_TEST(the_library_site_is_the_reserved_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
