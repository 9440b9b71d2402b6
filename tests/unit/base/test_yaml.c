#include "base/json/yaml.h"
#include "support/fixture.h"

static void expect_read(struct ctx *ctx, const char *yaml, const char *want)
{
    struct json_tree *tree;
    Err err = yaml_parse_tree(ctx, str_from_z(yaml), &tree);
    if (err != OK)
        fail_msg("%s: %.*s", yaml, STR_FMT(diag_message(ctx, ctx->diag.first)));
    assert_string_equal(str_z(ctx->arena, json_text(ctx->arena, json_tree_root(tree))), want);
    json_tree_free(tree);
}

static void words_are_typed_as_in_yaml_1_2(void **state)
{
    struct ctx *ctx = *state;
    expect_read(ctx, "a: 1\nb: 1.5\nc: true\nd: null\ne:\nf: ~",
                "{\"a\":1,\"b\":1.5,\"c\":true,\"d\":null,\"e\":null,\"f\":null}");
    expect_read(ctx, "[yes, no, on, off, 0x1f, 007, 1_000, '1', \"true\"]",
                "[\"yes\",\"no\",\"on\",\"off\",\"0x1f\",\"007\",\"1_000\",\"1\",\"true\"]");
    expect_read(ctx, "version: 1\ndirectus: 11.17.4\n", "{\"version\":1,\"directus\":\"11.17.4\"}");
    expect_read(ctx, "{\"json\": [1, {\"is\": \"yaml\"}]}", "{\"json\":[1,{\"is\":\"yaml\"}]}");
}

static void expect_refusal(struct ctx *ctx, Str yaml)
{
    struct json_tree *tree = NULL;
    assert_int_not_equal(yaml_parse_tree(ctx, yaml, &tree), OK);
    assert_null(tree);
}

static void what_expands_or_is_ambiguous_is_refused(void **state)
{
    struct ctx *ctx = *state;
    static const char *const BAD[] = {"",      "a: &x 1",    "a: *x",      "!!str a",
                                      "a: [1", "? [k]\n: v", "<<: {a: 1}", "a: 1\n---\nb: 2",
                                      "\t- a", "a: 1\na: 2", NULL};
    for (int i = 0; BAD[i] != NULL; i++)
        expect_refusal(ctx, str_from_z(BAD[i]));
    struct buf *deep = buf_in_arena(ctx->arena, 1000);
    for (int i = 0; i <= YAML_DEPTH_MAX; i++)
        buf_put_z(deep, "- ");
    buf_put_z(deep, "x");
    expect_refusal(ctx, buf_str(deep));
}

static void what_is_written_is_read_as_the_same(void **state)
{
    struct ctx *ctx = *state;
    Str json =
        STR("{\"a\":{\"n\":1,\"y\":\"no\",\"list\":[[1,[2]],{\"k\":\"v w\"},\"- x\",\"\"],"
            "\"empty\":[{},[]]},\"b\":\"line\\nbreak \\\"q\\\" # c: d\",\"c\":[null,false,1.5]}");
    const struct json *value;
    struct buf *out = buf_in_arena(ctx->arena, 10000);
    assert_int_equal(json_parse(ctx, json, JSON_LIMITS_DEFAULT, &value), OK);
    yaml_put(out, value, 0);
    expect_read(ctx, str_z(ctx->arena, buf_str(out)), str_z(ctx->arena, json));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(words_are_typed_as_in_yaml_1_2),
        FIXTURE_TEST(what_expands_or_is_ambiguous_is_refused),
        FIXTURE_TEST(what_is_written_is_read_as_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
