/* Rows leave the engine through sinks: one that a reader brings along, JSON, a value in memory. */
#include "../content_test.h"
#include "base/memory/arena.h"
#include "content/run/row_sink.h"

/* A table with a line a row: what is nested stands in braces and brackets in one cell. */
struct csv {
    struct row_sink sink;
    struct row_visitor visitor;
    struct buf *out;
    struct arena *arena;
    uint32_t depth;
    uint32_t rows_max;
    uint32_t rows;
    uint32_t cells; /* of this row */
};

static struct csv *csv_of(struct row_visitor *visitor)
{
    return (struct csv *)((char *)visitor - offsetof(struct csv, visitor));
}

static void open_object(struct row_visitor *visitor)
{
    struct csv *to = csv_of(visitor);
    if (to->depth++ > 0)
        buf_put_char(to->out, '{');
}

static void close_object(struct row_visitor *visitor)
{
    struct csv *to = csv_of(visitor);
    if (--to->depth > 0)
        buf_put_char(to->out, '}');
}

static void open_list(struct row_visitor *visitor)
{
    csv_of(visitor)->depth++;
    buf_put_char(csv_of(visitor)->out, '[');
}

static void close_list(struct row_visitor *visitor)
{
    csv_of(visitor)->depth--;
    buf_put_char(csv_of(visitor)->out, ']');
}

static void name_member(struct row_visitor *visitor, Str name)
{
    struct csv *to = csv_of(visitor);
    if (to->depth > 1)
        buf_put(to->out, name);
    else if (to->cells++ > 0)
        buf_put_char(to->out, ';');
}

static void put_value(struct row_visitor *visitor, const struct row_value *value)
{
    struct csv *to = csv_of(visitor);
    if (to->depth > 1)
        buf_put_char(to->out, '=');
    buf_put(to->out, value->kind == ROW_NULL ? STR("-") : row_value_text(to->arena, value));
}

static void csv_begin(struct row_sink *sink, const struct rows_head *head)
{
    struct csv *to = (struct csv *)sink;
    if (head->has_total)
        buf_printf(to->out, "# %jd rows\n", (intmax_t)head->total);
    buf_put(to->out, head->is_list ? STR("list\n") : STR("one\n"));
}

static bool csv_take_row(struct row_sink *sink, const struct row *row)
{
    struct csv *to = (struct csv *)sink;
    to->cells = 0;
    row_walk(row, &to->visitor);
    buf_put_char(to->out, '\n');
    return ++to->rows < to->rows_max;
}

static Err csv_end(struct row_sink *sink, struct ctx *ctx)
{
    struct csv *to = (struct csv *)sink;
    if (to->rows >= to->rows_max)
        return fail(ctx, ERR_TOO_LARGE, "The table is full");
    return buf_check(ctx, to->out, "the table");
}

struct reading {
    const char *collection;
    const char *query;
    const char *key; /* NULL: a list */
    uint32_t rows_max;
    char answer[4096];
};

static Err read_into(struct ctx *ctx, const struct reading *reading, struct row_sink *sink)
{
    struct items_target target = {str_from_z(reading->collection), ITEMS_USER};
    struct query query;
    ctx_be(ctx, &TEST_ADMIN, ctx->scope);
    TRY(query_parse(ctx, str_from_z(reading->query), &query));
    return reading->key == NULL ? items_list(ctx, target, &query, sink)
                                : items_read(ctx, target, str_from_z(reading->key), &query, sink);
}

static Err read_csv(struct ctx *ctx, void *arg)
{
    struct reading *reading = arg;
    struct csv to = {
        .sink = {csv_begin, csv_take_row, csv_end},
        .visitor = {open_object, close_object, open_list, close_list, name_member, put_value},
        .out = buf_in_arena(ctx->arena, sizeof reading->answer - 1),
        .arena = ctx->arena,
        .rows_max = reading->rows_max == 0 ? UINT32_MAX : reading->rows_max,
    };
    Err err = read_into(ctx, reading, &to.sink);
    Str text = buf_str(to.out);
    memcpy(reading->answer, text.data, text.len);
    reading->answer[text.len] = '\0';
    assert_int_equal(to.depth, 0);
    return err;
}

static Err read_value(struct ctx *ctx, void *arg)
{
    struct reading *reading = arg;
    struct value_sink *to;
    TRY(value_sink_new(ctx, reading->rows_max == 0 ? 64 * 1024 : reading->rows_max, &to));
    TRY(read_into(ctx, reading, value_sink_rows(to)));
    Str text = json_text(ctx->arena, value_sink_value(to));
    assert_true(text.len < sizeof reading->answer);
    memcpy(reading->answer, text.data, text.len);
    reading->answer[text.len] = '\0';
    return OK;
}

static Err read_json(struct ctx *ctx, void *arg)
{
    struct reading *reading = arg;
    struct buf *out = buf_in_arena(ctx->arena, sizeof reading->answer - 1);
    struct json_sink to = json_sink(out);
    TRY(read_into(ctx, reading, &to.sink));
    Str text = buf_str(out);
    memcpy(reading->answer, text.data, text.len);
    reading->answer[text.len] = '\0';
    return OK;
}

static void expect(void **state, Err (*read)(struct ctx *ctx, void *arg), struct reading reading,
                   const char *want)
{
    assert_int_equal(act(*state, AS_A, read, &reading), OK);
    assert_string_equal(reading.answer, want);
}

static void a_reader_may_bring_a_sink_of_its_own(void **state)
{
    expect(
        state, read_csv,
        (struct reading){.collection = "posts",
                         .query = "fields=title,word_count,published_at&sort=id&meta=total_count"},
        "# 3 rows\nlist\nOne;360;2023-12-05T14:55:16.000Z\n"
        "Two;51;2024-12-29T23:56:42.000Z\nThree;-;-\n");
    expect(state, read_csv,
           (struct reading){.collection = "posts", .query = "fields=id,title", .key = POST_1},
           "one\n" POST_1 ";One\n");
}

static void what_is_nested_is_told_member_by_member(void **state)
{
    expect(state, read_csv,
           (struct reading){.collection = "posts",
                            .query = "fields=title,author.name,comments.body&sort=id"},
           "list\nOne;{name=Ann};[{body=first}{body=second}]\nTwo;{name=Bob};[{body=other}]\n"
           "Three;-;[]\n");
    expect(state, read_csv,
           (struct reading){.collection = "posts",
                            .query = "fields=blocks.item:headings.title,comments&sort=id&limit=1"},
           "list\n[{item{title=H1}}];[=2=1]\n");
    expect(state, read_csv,
           (struct reading){.collection = "posts",
                            .query = "aggregate[count]=*&aggregate[sum]=word_count"},
           "list\n3;{word_count=411}\n");
}

static void a_full_sink_gets_no_more_rows_and_says_so(void **state)
{
    struct reading reading = {
        .collection = "posts", .query = "fields=title&sort=id", .rows_max = 2};
    assert_int_equal(act(*state, AS_A, read_csv, &reading), ERR_TOO_LARGE);
    assert_string_equal(reading.answer, "list\nOne\nTwo\n");
}

/* Every type, as JSON and as the value that a client would read from that JSON. */
static const char KIND[] =
    "begin; set local spark.scope = 'platform'; set local role spark_owner;"
    "insert into kinds (site_id, name, n, big, f, d2, dec, b, d, t, dt, ts, j, jb, c, u, v) values "
    "('aaaaaaaa-0000-7000-8000-00000000000a', 'k', 1, 9007199254740993, 1.1, 2.5, 12.50, true, "
    "'2024-02-29', '10:20:30', '2024-02-29 10:20:30', '2024-02-29 10:20:30Z', "
    "'{ \"a\" : [1, 2.5] }', '[null,\"x\"]', 'x,y', '" POST_1 "', 'ä \"q\"');"
    "commit";

static void values_in_memory_are_what_the_json_says(void **state)
{
    must_run(test_admin, KIND);
    static const char FIELDS[] = "fields=name,n,big,f,d2,dec,b,d,t,dt,ts,j,jb,c,u,v,s3";
    struct reading json = {.collection = "kinds", .query = FIELDS};
    struct reading value = json;
    assert_int_equal(act(*state, AS_A, read_json, &json), OK);
    assert_int_equal(act(*state, AS_A, read_value, &value), OK);
    assert_string_equal(value.answer, json.answer);
    assert_string_equal(json.answer,
                        "[{\"name\":\"k\",\"n\":1,\"big\":\"9007199254740993\",\"f\":1.1,"
                        "\"d2\":2.5,\"dec\":\"12.50\",\"b\":true,\"d\":\"2024-02-29\","
                        "\"t\":\"10:20:30\",\"dt\":\"2024-02-29T10:20:30\","
                        "\"ts\":\"2024-02-29T10:20:30.000Z\",\"j\":{\"a\":[1,2.5]},"
                        "\"jb\":[null,\"x\"],\"c\":[\"x\",\"y\"],\"u\":\"" POST_1
                        "\",\"v\":\"ä \\\"q\\\"\",\"s3\":null}]");
}

static void nested_values_in_memory_are_what_the_json_says(void **state)
{
    static const char *const QUERIES[] = {
        "fields=*,author.*,comments.*,blocks.item:headings.*&sort=id",
        "fields=comments&sort=id",
        "fields=&sort=id",
        "aggregate[count]=*&aggregate[sum]=word_count&groupBy=status",
        "filter[title][_eq]=none",
    };
    for (size_t i = 0; i < sizeof QUERIES / sizeof QUERIES[0]; i++) {
        struct reading json = {.collection = "posts", .query = QUERIES[i]};
        struct reading value = json;
        assert_int_equal(act(*state, AS_A, read_json, &json), OK);
        assert_int_equal(act(*state, AS_A, read_value, &value), OK);
        assert_string_equal(value.answer, json.answer);
    }
}

static void a_value_that_takes_too_much_memory_is_refused(void **state)
{
    struct reading reading = {.collection = "posts", .query = "", .rows_max = 512};
    assert_int_equal(act(*state, AS_A, read_value, &reading), ERR_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        content_test(a_reader_may_bring_a_sink_of_its_own),
        content_test(what_is_nested_is_told_member_by_member),
        content_test(a_full_sink_gets_no_more_rows_and_says_so),
        content_test(values_in_memory_are_what_the_json_says),
        content_test(nested_values_in_memory_are_what_the_json_says),
        content_test(a_value_that_takes_too_much_memory_is_refused),
    };
    return RUN_CONTENT_TESTS(tests);
}
