/*
 * One filter, two back ends: what the compiler's SQL selects from random rows of every type, with
 * nulls among them, is what filter_eval says of each row.
 *
 * SPARK_FILTER_SEED repeats a run (a failure prints it), SPARK_FILTER_STEPS makes it longer.
 */
#include "../content_test.h"
#include "base/json/json_writer.h"
#include "base/memory/array.h"
#include "base/system/clock.h"
#include "content/filter/filter_eval.h"
#include "content/run/row_sink.h"

enum { ROWS = 60, STEPS = 1000, DEPTH_MAX = 3 };

static uint64_t seed;
static uint64_t noise;

static uint32_t below(uint32_t limit)
{
    noise ^= noise << 13;
    noise ^= noise >> 7;
    noise ^= noise << 17;
    return (uint32_t)((noise >> 16) % limit);
}

/* What may stand in a column, as SQL, and what it is compared with, as JSON. The same few values on
 * both sides, so that conditions hold often enough. */
static const struct column {
    const char *name;
    enum field_group group; /* whose operators are asked, as a rule */
    const char *rows;       /* between bars */
    const char *operands;   /* between bars */
} COLUMNS[] = {
    {"name", GROUP_STRING, "'a'|'A'|'ab'|'b a%b'|'a_b'|'a\\b'|'10'|'9'|'ÄÖ'|'x,y'|''",
     "\"a\"|\"A\"|\"b\"|\"a%b\"|\"a_\"|\"\\\\\"|10|\"ÄÖ\"|\"%\"|\"_\"|true|\"null\"|null"},
    {"v", GROUP_STRING, "null|''|'zz'|'Zz z'", "\"z\"|\"Z\"|\"zz\"|\"z z\"|null"},
    {"n", GROUP_NUMBER, "null|-1|0|1|2|10",
     "-1|0|1|\"2\"|1.5|\"10\"|\"1e1\"|null|\"null\"|99999999999"},
    {"big", GROUP_NUMBER, "null|9007199254740992|9007199254740993|-5",
     "9007199254740992|\"9007199254740993\"|0|null"},
    {"f", GROUP_NUMBER, "null|0.5|1.5|-2", "0.5|\"1.5\"|-2|0|null"},
    {"d2", GROUP_NUMBER, "null|0.1|2.5|3", "0.1|\"2.5\"|3|null"},
    {"dec", GROUP_NUMBER, "null|1.50|10|0.10", "1.5|\"10.00\"|0.1|null"},
    {"b", GROUP_BOOLEAN, "null|true|false", "true|false|\"true\"|\"0\"|\"1\"|null"},
    {"d", GROUP_MOMENT, "null|'2023-05-01'|'2024-12-30'|'2021-01-03'",
     "\"2023-05-01\"|\"2024-12-30T12:00:00Z\"|\"$NOW\"|null"},
    {"t", GROUP_MOMENT, "null|'08:20'|'08:20:30'|'23:59:59.5'",
     "\"08:20\"|\"08:20:30\"|\"12:00:00.5\"|null"},
    {"dt", GROUP_MOMENT, "null|'2023-05-01T08:20:30'|'1969-12-31T23:59:59.5'",
     "\"2023-05-01T08:20:30\"|\"2023-05-01\"|\"$NOW(-1 year)\"|null"},
    {"ts", GROUP_OTHER, "null|'2023-05-01T08:20:30.5Z'|'2020-02-29T00:00:00Z'",
     "\"2023-05-01T10:20:30.500+02:00\"|\"2023-05-01\"|\"$NOW\"|\"05-01\"|\"-\"|null"},
    {"jb", GROUP_JSON, "null|'[1,2]'|'{\"a\":1}'|'[]'", "true"},
    {"c", GROUP_STRING, "null|'a,b'|'a'|'b'", "\"a\"|\"a,b\"|\"b\"|\",\"|null"},
    {"u", GROUP_UUID,
     "null|'5eefc0de-0000-4000-8000-000000000001'|'5EEFC0DE-0000-4000-8000-000000000002'",
     "\"5EEFC0DE-0000-4000-8000-000000000001\"|\"5eefc0de-0000-4000-8000-000000000002\"|"
     "\"$CURRENT_USER\"|null"},
    {"year(d)", GROUP_NUMBER, NULL, "2023|\"2024\"|null"},
    {"week(d)", GROUP_NUMBER, NULL, "53|1|\"18\"|null"},
    {"month(ts)", GROUP_NUMBER, NULL, "5|2|\"3\"|null"},
    {"weekday(dt)", GROUP_NUMBER, NULL, "1|3|\"0\"|null"},
    {"hour(t)", GROUP_NUMBER, NULL, "8|23|null"},
    {"second(ts)", GROUP_NUMBER, NULL, "30.5|0|30|null"},
    {"day(ts)", GROUP_NUMBER, NULL, "1|29|null"},
    {"minute(dt)", GROUP_NUMBER, NULL, "20|59|null"},
    {"count(jb)", GROUP_NUMBER, NULL, "0|2|\"1\"|null"},
};

static Str pick(const char *between_bars)
{
    Str rest = str_from_z(between_bars);
    Str part = STR_NONE;
    uint32_t count = 0;
    for (Str at = rest; str_next(&at, '|', &part);)
        count++;
    for (uint32_t i = below(count) + 1; i > 0; i--)
        (void)str_next(&rest, '|', &part);
    return part;
}

static void fill_rows(void)
{
    struct buf sql;
    buf_init(&sql, 1024 * 1024);
    buf_put_z(&sql, "begin; set local role spark_owner; set local spark.scope = 'platform';");
    for (int row = 0; row < ROWS; row++) {
        struct buf values;
        buf_init(&values, 64 * 1024);
        buf_put_z(&sql, "insert into kinds (site_id");
        for (size_t i = 0; i < COUNT_OF(COLUMNS) && COLUMNS[i].rows != NULL; i++) {
            buf_printf(&sql, ", %s", COLUMNS[i].name);
            buf_printf(&values, ", ");
            buf_put(&values, pick(COLUMNS[i].rows));
        }
        Str all = buf_str(&values);
        buf_printf(&sql, ") values ('aaaaaaaa-0000-7000-8000-00000000000a'%.*s);", STR_FMT(all));
        buf_finish(&values);
    }
    buf_put_z(&sql, "commit;");
    buf_put_char(&sql, '\0');
    must_run(test_admin, sql.data);
    buf_finish(&sql);
}

static void put_flag(struct json_writer *w)
{
    static const char *const FLAGS[] = {"true", "false", "\"true\"", "\"false\"", "\"\"", "null"};
    json_put_raw(w, str_from_z(FLAGS[below(COUNT_OF(FLAGS))]));
}

static void put_list(struct json_writer *w, const struct column *column, uint32_t count)
{
    json_array_begin(w);
    for (uint32_t i = 0; i < count; i++)
        json_put_raw(w, pick(column->operands));
    json_array_end(w);
}

/* Now and then one that the type does not know. */
static const struct filter_operator *pick_operator(const struct column *column)
{
    bool is_any = below(32) == 0;
    for (;;) {
        uint32_t id = below(OPERATOR_COUNT);
        const struct filter_operator *op = filter_operator((enum filter_operator_id)id);
        if (is_any || (op->groups & column->group) != 0)
            return op;
    }
}

static void put_operand(struct json_writer *w, const struct column *column,
                        const struct filter_operator *op)
{
    switch (op->meaning) {
    case MEANS_NULL:
    case MEANS_EMPTY:
    case MEANS_SUBMITTED:
        put_flag(w);
        break;
    case MEANS_ANY:
        put_list(w, column, 1 + below(3));
        break;
    case MEANS_BETWEEN:
        put_list(w, column, 2 + (below(8) == 0));
        break;
    default:
        json_put_raw(w, pick(column->operands));
    }
}

static void put_condition(struct json_writer *w, const struct column *column)
{
    const struct filter_operator *op = pick_operator(column);
    json_object_begin(w);
    json_key(w, op->name);
    put_operand(w, column, op);
    json_object_end(w);
}

/* What stands beside a field's name. */
static void put_field(struct json_writer *w, const struct column *column, int depth)
{
    uint32_t kind = below(8);
    if (kind == 0) {
        json_put_raw(w, pick(column->operands));
    } else if (kind == 1 && depth < DEPTH_MAX) {
        json_object_begin(w);
        json_key(w, below(2) == 0 ? STR("_or") : STR("_and"));
        json_array_begin(w);
        for (uint32_t i = below(3); i > 0; i--)
            put_field(w, column, depth + 1);
        json_array_end(w);
        json_object_end(w);
    } else {
        put_condition(w, column);
    }
}

static void put_filter(struct json_writer *w, int depth)
{
    json_object_begin(w);
    if (depth < DEPTH_MAX && below(3) == 0) {
        json_key(w, below(2) == 0 ? STR("_or") : STR("_and"));
        json_array_begin(w);
        for (uint32_t i = below(4); i > 0; i--)
            put_filter(w, depth + 1);
        json_array_end(w);
    } else {
        const struct column *column = &COLUMNS[below(COUNT_OF(COLUMNS))];
        json_key(w, str_from_z(column->name));
        put_field(w, column, depth);
    }
    json_object_end(w);
}

struct row {
    struct filter_subject subject; /* the first member: what filter_eval hands back */
    struct ctx *ctx;
    const struct collection *collection;
    const struct json *json;
};

static bool find_value(const struct filter_subject *subject, Str name, struct filter_datum *ret)
{
    const struct row *row = (const struct row *)subject;
    const struct field *field = collection_field(row->collection, name);
    if (field == NULL)
        return false;
    *ret = (struct filter_datum){true, field->type, field_group_of(field->type),
                                 json_get(row->json, name)};
    return true;
}

static fiber_fn Err find_variable(const struct filter_subject *subject, Str text, Str *ret)
{
    const struct row *row = (const struct row *)subject;
    int64_t shift_us = dynamic_shift_ms(text) * MS_US;
    bool is_now = dynamic_kind(text) == DYNAMIC_NOW;
    *ret = is_now ? clock_iso(row->ctx->arena, clock_wall_us() + shift_us) : STR_NONE;
    return OK;
}

static const struct items_target KINDS = {STR_INIT("kinds"), ITEMS_USER};

static fiber_fn Err list_kinds(struct ctx *ctx, const struct query *query,
                               const struct json **ret_rows)
{
    struct value_sink *sink;
    TRY(value_sink_new(ctx, 16 * 1024 * 1024, &sink));
    TRY(items_list(ctx, KINDS, query, value_sink_rows(sink)));
    *ret_rows = value_sink_value(sink);
    return OK;
}

static bool has_id(const struct json *rows, int64_t id)
{
    for (uint32_t i = 0; i < json_len(rows); i++)
        if (json_int(json_get(json_at(rows, i), STR("id"))) == id)
            return true;
    return false;
}

struct tally {
    uint32_t compared;
    uint32_t matched;
    uint32_t refused;
    uint32_t used[OPERATOR_COUNT];
    char fault[4096];
};

static void count_operators(struct tally *tally, const struct filter_value *value)
{
    struct filter_elements elements = filter_elements(value);
    for (const struct filter *member = value->first; member != NULL; member = member->next)
        if (member->op != NULL)
            tally->used[member->op - filter_operator((enum filter_operator_id)0)]++;
    for (const struct filter_value *below_it; (below_it = filter_next(&elements)) != NULL;)
        count_operators(tally, below_it);
}

/* Told by the test itself: a fiber must return. */
static Err disagree(struct ctx *ctx, struct tally *tally, Str filter, const struct json *row,
                    bool holds)
{
    Str line = json_text(ctx->arena, row);
    snprintf(tally->fault, sizeof tally->fault, "%.*s\n%.*s\nSQL %s, memory %s", STR_FMT(filter),
             STR_FMT(line), holds ? "no" : "yes", holds ? "yes" : "no");
    return fail(ctx, ERR_INTERNAL, "The back ends disagree");
}

/* What SQL refuses is refused in memory only where a value is reached; no row is asked then. */
static fiber_fn Err compare_once(struct ctx *ctx, const struct schema *schema,
                                 const struct json *rows, struct tally *tally)
{
    static const Str ID[] = {STR_INIT("id")};
    struct buf *text = buf_in_arena(ctx->arena, 64 * 1024);
    struct json_writer w = json_writer(text);
    const struct json *json;
    put_filter(&w, 0);
    TRY(json_parse(ctx, buf_str(text), JSON_LIMITS_DEFAULT, &json));
    struct query query = {.fields = ID, .field_count = 1, .has_limit = true, .limit = -1};
    TRY(filter_read(ctx, ctx->arena, json, &query.filter));
    const struct json *selected;
    Err err = list_kinds(ctx, &query, &selected);
    if (err == ERR_INVALID_QUERY) {
        tally->refused++;
        return OK;
    }
    TRY(err);
    count_operators(tally, query.filter);
    struct row row = {.subject = {find_value, find_variable, NULL},
                      .ctx = ctx,
                      .collection = schema_find(schema, KINDS.collection)};
    for (uint32_t i = 0; i < json_len(rows); i++) {
        bool holds;
        row.json = json_at(rows, i);
        int64_t id = json_int(json_get(row.json, STR("id")));
        TRY(filter_eval(ctx, query.filter, FILTER_OF_ROWS, &row.subject, &holds));
        if (holds != has_id(selected, id))
            return disagree(ctx, tally, buf_str(text), row.json, holds);
        tally->matched += holds;
        tally->compared++;
    }
    return OK;
}

/* One condition on one row, as a row and as a rule: they differ where the operator's row says so.
 */
static fiber_fn Err compare_semantics(struct ctx *ctx, const struct column *column, struct row *row,
                                      struct tally *tally)
{
    const struct filter_operator *op = pick_operator(column);
    struct buf *text = buf_in_arena(ctx->arena, 64 * 1024);
    struct json_writer w = json_writer(text);
    const struct json *json;
    const struct filter_value *filter;
    struct filter_datum datum;
    bool is_row;
    bool is_rule;
    json_object_begin(&w);
    json_key(&w, str_from_z(column->name));
    json_object_begin(&w);
    json_key(&w, op->name);
    put_operand(&w, column, op);
    json_object_end(&w);
    json_object_end(&w);
    TRY(json_parse(ctx, buf_str(text), JSON_LIMITS_DEFAULT, &json));
    TRY(filter_read(ctx, ctx->arena, json, &filter));
    if ((op->groups & column->group) == 0 ||
        !find_value(&row->subject, filter->first->field, &datum))
        return OK;
    TRY(filter_eval(ctx, filter, FILTER_OF_ROWS, &row->subject, &is_row));
    TRY(filter_eval(ctx, filter, FILTER_OF_RULES, &row->subject, &is_rule));
    bool passes = json_is_null(datum.value) && (op->differs & RULE_NULL) != 0;
    bool lists_null = str_find(buf_str(text), STR("null")) >= 0;
    bool is_free =
        (op->differs & RULE_PLAIN) != 0 || ((op->differs & RULE_LISTED) != 0 && lists_null);
    if (passes ? !is_rule : !is_free && is_rule != is_row)
        return disagree(ctx, tally, buf_str(text), row->json, is_rule);
    tally->compared++;
    return OK;
}

static fiber_fn Err compare_many_semantics(struct ctx *ctx, void *arg)
{
    const struct schema *schema;
    const struct json *rows;
    struct query everything = {.has_limit = true, .limit = -1};
    ctx_be(ctx, &TEST_ADMIN, ctx->scope);
    TRY(schema_current(ctx, &schema));
    TRY(list_kinds(ctx, &everything, &rows));
    struct row row = {.subject = {find_value, find_variable, NULL},
                      .ctx = ctx,
                      .collection = schema_find(schema, KINDS.collection)};
    for (int i = 0; i < 20000; i++) {
        /* Of variables only those that have a value: a rule takes nothing for null. */
        const struct column *column = &COLUMNS[below(COUNT_OF(COLUMNS))];
        row.json = json_at(rows, below(json_len(rows)));
        if (column->group != GROUP_UUID && strchr(column->name, '(') == NULL)
            TRY(compare_semantics(ctx, column, &row, arg));
    }
    return OK;
}

/* An operator that SQL knows and no filter has asked; NULL: there is none. */
static const struct filter_operator *unused(const struct tally *tally)
{
    for (int id = 0; id < OPERATOR_COUNT; id++) {
        const struct filter_operator *op = filter_operator((enum filter_operator_id)id);
        if (op->groups != 0 && tally->used[id] == 0)
            return op;
    }
    return NULL;
}

static fiber_fn Err compare_many(struct ctx *ctx, void *arg)
{
    struct tally *tally = arg;
    const char *steps = getenv("SPARK_FILTER_STEPS");
    int64_t count = STEPS;
    if (steps != NULL && !str_to_i64(str_from_z(steps), &count))
        give_up("SPARK_FILTER_STEPS=%s is no number", steps);
    ctx_be(ctx, &TEST_ADMIN, ctx->scope);
    const struct schema *schema;
    const struct json *rows;
    struct query everything = {.has_limit = true, .limit = -1};
    TRY(schema_current(ctx, &schema));
    TRY(list_kinds(ctx, &everything, &rows));
    if (json_len(rows) != ROWS)
        return fail(ctx, ERR_INTERNAL, "There are %u rows", json_len(rows));
    /* And further, until every operator has come: chance may leave one out for long. */
    for (int64_t i = 0; i < count || (i < 100 * count && unused(tally) != NULL); i++)
        TRY(compare_once(ctx, schema, rows, tally));
    return OK;
}

static void sow(void)
{
    const char *given = getenv("SPARK_FILTER_SEED");
    seed = (uint64_t)clock_wall_us();
    if (given != NULL && !str_to_u64(str_from_z(given), &seed))
        give_up("SPARK_FILTER_SEED=%s is no number", given);
    noise = seed | 1;
    fill_rows();
}

static void sql_and_memory_agree_on_random_filters(void **state)
{
    sow();
    struct tally tally = {0};
    if (act(*state, AS_A, compare_many, &tally) != OK)
        give_up("SPARK_FILTER_SEED=%ju\n%s", (uintmax_t)seed, tally.fault);
    print_message("SPARK_FILTER_SEED=%ju: %u rows compared, %u matched, %u filters refused\n",
                  (uintmax_t)seed, tally.compared, tally.matched, tally.refused);
    assert_true(tally.matched > 0 && tally.matched < tally.compared);
    if (unused(&tally) != NULL)
        give_up("SPARK_FILTER_SEED=%ju: no filter asked %s", (uintmax_t)seed,
                unused(&tally)->name.data);
}

static void rules_differ_where_the_table_says_so(void **state)
{
    struct tally tally = {0};
    sow();
    if (act(*state, AS_A, compare_many_semantics, &tally) != OK)
        give_up("SPARK_FILTER_SEED=%ju\n%s", (uintmax_t)seed, tally.fault);
    assert_true(tally.compared > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        content_test(sql_and_memory_agree_on_random_filters),
        content_test(rules_differ_where_the_table_says_so),
    };
    return RUN_CONTENT_TESTS(tests);
}
