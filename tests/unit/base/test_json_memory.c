/* Trees of JSON: what they may take together, and that they give it back. */
#include "base/json/json_memory.h"
#include "base/json/json_scan.h"
#include "base/text/buf.h"
#include "support/fixture.h"

enum { MIB = 1024 * 1024, BLOCK = 4 * MIB };

static Str repeated(struct ctx *ctx, const char *first, const char *part, unsigned count,
                    const char *last)
{
    struct buf *text = buf_in_arena(ctx->arena, (size_t)64 * MIB);
    buf_put_z(text, first);
    for (unsigned i = 0; i < count; i++)
        buf_put_z(text, part);
    buf_put_z(text, last);
    assert_false(text->is_full);
    return buf_str(text);
}

static Err parse(struct ctx *ctx, Str text, struct json_tree **ret)
{
    return json_parse_tree(ctx, text, JSON_LIMITS_DEFAULT, ret);
}

static void a_text_whose_tree_alone_passes_the_limit_is_too_large(void **state)
{
    struct ctx *ctx = *state;
    struct json_tree *tree = NULL;
    json_memory_set_limit(4 * MIB);
    assert_int_equal(parse(ctx, repeated(ctx, "[", "{},", 20000, "1]"), &tree), ERR_TOO_LARGE);
    assert_int_equal(json_memory_used(), 0);
    assert_int_equal(parse(ctx, repeated(ctx, "[", "1,", 20000, "1]"), &tree), OK);
    json_tree_free(tree);
    assert_int_equal(json_memory_used(), 0);
    json_memory_set_limit(UINT64_MAX);
}

static void one_owner_leaves_room_to_others_and_small_texts_are_always_read(void **state)
{
    struct ctx *ctx = *state;
    Str text = repeated(ctx, "[", "{},", 7000, "1]"); /* more than a half of the limit */
    struct json_tree *first = NULL;
    struct json_tree *second = NULL;
    struct json_tree *small = NULL;
    json_memory_set_limit(4 * MIB);
    const Scope first_site = {.kind = SCOPE_SITE, .site = {.bytes = {1}}};
    const Scope second_site = {.kind = SCOPE_SITE, .site = {.bytes = {2}}};
    ctx_be(ctx, NULL, first_site);
    assert_int_equal(parse(ctx, text, &first), OK);
    assert_int_equal(parse(ctx, text, &second), ERR_UNAVAILABLE);
    assert_int_equal(parse(ctx, STR("[1,2,3]"), &small), OK);
    json_tree_free(small);
    ctx_be(ctx, NULL, second_site);
    assert_int_equal(parse(ctx, repeated(ctx, "[", "{},", 4500, "1]"), &second), OK);
    json_tree_free(second);
    json_tree_free(first);
    ctx_be(ctx, NULL, first_site);
    assert_int_equal(parse(ctx, text, &first), OK);
    json_tree_free(first);
    assert_int_equal(json_memory_used(), 0);
    json_memory_set_limit(UINT64_MAX);
}

static void what_is_not_json_keeps_nothing(void **state)
{
    struct ctx *ctx = *state;
    struct json_tree *tree = NULL;
    assert_int_equal(parse(ctx, STR("{\"a\":[1,2,\"three\"],}"), &tree), ERR_INVALID_JSON);
    assert_null(tree);
    assert_int_equal(json_memory_used(), 0);
}

/* The estimate decides who is refused, so it must hold for every shape. */
static void no_tree_takes_more_than_was_reckoned(void **state)
{
    struct ctx *ctx = *state;
    const Str texts[] = {
        repeated(ctx, "[", "{},", 200000, "1]"),
        repeated(ctx, "[", "[],", 200000, "1]"),
        repeated(ctx, "[", "1,", 500000, "1]"),
        repeated(ctx, "[", "\"\",", 300000, "1]"),
        repeated(ctx, "[", "{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6},", 50000, "1]"),
        repeated(ctx, "[", "{\"a\":{\"b\":{\"c\":[[\"x\"]]}}},", 50000, "1]"),
        repeated(ctx, "\"", "long ", 2000000, "\""),
        repeated(ctx, "[", "\"0123456789012345678901234567890123456789\",", 100000, "1]"),
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct json_scanned scanned;
        assert_int_equal(json_scan(ctx, texts[i], JSON_LIMITS_DEFAULT, &scanned), OK);
        struct json_tree *tree = NULL;
        assert_int_equal(parse(ctx, texts[i], &tree), OK);
        uint64_t slack = BLOCK + 4 * texts[i].len; /* blocks are not always full */
        if (json_memory_used() > scanned.tree_max + slack)
            fail_msg("%zu: %ju bytes, reckoned %ju", i, (uintmax_t)json_memory_used(),
                     (uintmax_t)scanned.tree_max);
        json_tree_free(tree);
    }
    assert_int_equal(json_memory_used(), 0);
}

static void trees_end_with_the_arena(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    struct ctx inner = {.arena = arena};
    const struct json *json;
    assert_int_equal(json_parse(&inner, STR("{\"a\":[1]}"), JSON_LIMITS_DEFAULT, &json), OK);
    assert_true(json_memory_used() > 0);
    assert_int_equal(json_int(json_at(json_get(json, STR("a")), 0)), 1);
    arena_destroy(arena);
    assert_int_equal(json_memory_used(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_text_whose_tree_alone_passes_the_limit_is_too_large),
        FIXTURE_TEST(one_owner_leaves_room_to_others_and_small_texts_are_always_read),
        FIXTURE_TEST(what_is_not_json_keeps_nothing),
        FIXTURE_TEST(no_tree_takes_more_than_was_reckoned),
        FIXTURE_TEST(trees_end_with_the_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
