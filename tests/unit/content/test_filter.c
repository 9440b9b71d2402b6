/* Filters as trees: what reading JSON makes of it, and what code builds is the same. */
#include "base/memory/array.h"
#include "content/filter/filter.h"
#include "support/fixture.h"

static const struct filter_value *read_text(struct ctx *ctx, const char *text)
{
    const struct json *json;
    const struct filter_value *value;
    assert_int_equal(json_parse(ctx, str_from_z(text), JSON_LIMITS_DEFAULT, &json), OK);
    assert_int_equal(filter_read(ctx, ctx->arena, json, &value), OK);
    return value;
}

static void names_say_what_a_member_is(void **state)
{
    struct ctx *ctx = *state;
    static const struct {
        const char *text;
        enum filter_kind kind;
    } MEMBERS[] = {
        {"{\"_and\":[]}", FILTER_AND},        {"{\"_or\":[]}", FILTER_OR},
        {"{\"_some\":{}}", FILTER_SOME},      {"{\"_none\":{}}", FILTER_NONE},
        {"{\"_eq\":1}", FILTER_OPERATOR},     {"{\"_anything\":1}", FILTER_OPERATOR},
        {"{\"title\":\"x\"}", FILTER_FIELD},  {"{\"_\":1}", FILTER_FIELD},
        {"{\"year(date)\":1}", FILTER_FIELD},
    };
    for (size_t i = 0; i < COUNT_OF(MEMBERS); i++)
        assert_int_equal(read_text(ctx, MEMBERS[i].text)->first->kind, MEMBERS[i].kind);
    const struct filter *call = read_text(ctx, "{\"year(date)\":1}")->first;
    assert_int_equal(call->function, FUNCTION_YEAR);
    expect_str(call->field, "date");
    assert_null(read_text(ctx, "{\"_anything\":1}")->first->op);
    assert_ptr_equal(read_text(ctx, "{\"_eq\":1}")->first->op, filter_operator(OPERATOR_EQ));
}

static void values_have_kinds_and_variables_are_known(void **state)
{
    struct ctx *ctx = *state;
    const struct filter_value *list =
        read_text(ctx, "[null,true,-5,1.5,\"x\",\"$NOW(-1 day)\",[],{\"a\":1}]");
    static const enum filter_value_kind KINDS[] = {FILTER_NULL,   FILTER_BOOL,   FILTER_NUMBER,
                                                   FILTER_NUMBER, FILTER_TEXT,   FILTER_TEXT,
                                                   FILTER_LIST,   FILTER_MEMBERS};
    assert_int_equal(list->count, COUNT_OF(KINDS));
    for (uint32_t i = 0; i < list->count; i++)
        assert_int_equal(list->items[i].kind, KINDS[i]);
    assert_int_equal(list->items[4].dynamic, DYNAMIC_NONE);
    assert_int_equal(list->items[5].dynamic, DYNAMIC_NOW);
    expect_str(list->items[2].text, "-5");
    assert_int_equal(filter_literal(STR("$NOW")).dynamic, DYNAMIC_NONE);
}

static void a_tree_is_printed_as_its_source(void **state)
{
    struct ctx *ctx = *state;
    static const char TEXT[] = "{\"_or\":[{\"a\":{\"_in\":[1,\"x\\\"y\",null,false]}},"
                               "{\"b\":{\"c\":{\"_between\":[\"2023-01-01\",2.5]}}}]}";
    expect_str(filter_json(ctx->arena, read_text(ctx, TEXT)), TEXT);
}

static void code_builds_what_json_says(void **state)
{
    struct ctx *ctx = *state;
    const struct filter_value *made =
        filter_condition(ctx->arena, STR("post"), OPERATOR_EQ, filter_literal(STR("x")));
    expect_str(filter_json(ctx->arena, made), "{\"post\":{\"_eq\":\"x\"}}");
    assert_int_equal(made->first->kind, FILTER_FIELD);
    assert_ptr_equal(made->first->value->first->op, filter_operator(OPERATOR_EQ));
}

static void elements_come_from_lists_and_from_objects(void **state)
{
    struct ctx *ctx = *state;
    static const char *const LISTS[] = {"[1,2]", "{\"0\":1,\"501\":2}"};
    for (size_t i = 0; i < COUNT_OF(LISTS); i++) {
        struct filter_elements elements = filter_elements(read_text(ctx, LISTS[i]));
        expect_str(filter_next(&elements)->text, "1");
        expect_str(filter_next(&elements)->text, "2");
        assert_null(filter_next(&elements));
    }
    struct filter_elements none = filter_elements(read_text(ctx, "5"));
    assert_null(filter_next(&none));
}

static void flags_say_yes_no_or_nothing_of_the_kind(void **state)
{
    struct ctx *ctx = *state;
    static const struct {
        const char *text;
        bool is_flag;
        bool flag;
    } FLAGS[] = {
        {"true", true, true},       {"\"true\"", true, true},   {"\"\"", true, true},
        {"null", true, true},       {"\"null\"", true, true},   {"false", true, false},
        {"\"false\"", true, false}, {"\"maybe\"", false, true}, {"1", false, true},
        {"[]", false, true},
    };
    for (size_t i = 0; i < COUNT_OF(FLAGS); i++) {
        bool flag;
        assert_int_equal(filter_flag(read_text(ctx, FLAGS[i].text), &flag), FLAGS[i].is_flag);
        assert_int_equal(flag, FLAGS[i].flag);
    }
}

static void a_filter_of_too_many_values_is_refused(void **state)
{
    struct ctx *ctx = *state;
    struct buf *text = buf_in_arena(ctx->arena, 8 * 1024 * 1024);
    buf_put_z(text, "{\"a\":{\"_in\":[0");
    for (int i = 1; i < FILTER_VALUES_MAX; i++)
        buf_put_z(text, ",0");
    buf_put_z(text, "]}}");
    const struct json *json;
    const struct filter_value *value;
    assert_int_equal(json_parse(ctx, buf_str(text), JSON_LIMITS_DEFAULT, &json), OK);
    assert_int_equal(filter_read(ctx, ctx->arena, json, &value), ERR_INVALID_QUERY);
    expect_str(ctx->diag.last->reason, "A filter has more than 200000 values");
}

/* Every row can be found, and says what it needs to say. */
static void rows_of_operators_are_complete(void **state)
{
    (void)state;
    for (int id = 0; id < OPERATOR_COUNT; id++) {
        const struct filter_operator *op = filter_operator((enum filter_operator_id)id);
        assert_ptr_equal(filter_operator_find(op->name), op);
        bool has_detail = op->meaning == MEANS_COMPARE || op->meaning == MEANS_LIKE;
        assert_int_equal(op->detail != NULL, has_detail);
        assert_true(op->name.len > 1 && op->name.data[0] == '_' && strlen(op->fault) > 0);
        bool is_of_rules = op->meaning == MEANS_REGEX || op->meaning == MEANS_SUBMITTED;
        assert_true(!is_of_rules || op->groups == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(names_say_what_a_member_is),
        FIXTURE_TEST(values_have_kinds_and_variables_are_known),
        FIXTURE_TEST(a_tree_is_printed_as_its_source),
        FIXTURE_TEST(code_builds_what_json_says),
        FIXTURE_TEST(elements_come_from_lists_and_from_objects),
        FIXTURE_TEST(flags_say_yes_no_or_nothing_of_the_kind),
        FIXTURE_TEST(a_filter_of_too_many_values_is_refused),
        FIXTURE_TEST(rows_of_operators_are_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
