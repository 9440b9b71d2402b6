/* Bulk loads: what is stored, what is left out, and that nothing crosses from site to site. */
#include "../content_test.h"
#include "content/ddl/ddl.h"
#include "content/load/load.h"

#define A "aaaaaaaa-0000-7000-8000-00000000000a"
#define B "bbbbbbbb-0000-7000-8000-00000000000b"

struct load {
    const char *collection;
    const char *items;
    bool atomic;
    uint64_t inserted;
    char answer[512 * 1024];
    char sentence[4096];
};

static struct load load;

static Err load_body(struct ctx *ctx, void *arg)
{
    (void)arg;
    ctx_be(ctx, &TEST_ADMIN, ctx->scope);
    ctx->epoch = 0;
    load.answer[0] = '\0';
    load.sentence[0] = '\0';
    const struct json *items;
    TRY(json_parse(ctx, str_from_z(load.items), JSON_LIMITS_DEFAULT, &items));
    struct bulk_result result;
    Err err = bulk_insert((struct platform){ctx}, str_from_z(load.collection), items, load.atomic,
                          &result);
    if (err != OK) {
        snprintf(load.sentence, sizeof load.sentence, "%.*s",
                 STR_FMT(diag_message(ctx, ctx->diag.first)));
        return err;
    }
    assert_true(result.json.len < sizeof load.answer);
    memcpy(load.answer, result.json.data, result.json.len);
    load.answer[result.json.len] = '\0';
    load.inserted = result.inserted;
    return OK;
}

static Err run(void **state, const char *collection, bool atomic, const char *items)
{
    load.collection = collection;
    load.items = items;
    load.atomic = atomic;
    return act(*state, AS_PLATFORM, load_body, NULL);
}

static void must_load(void **state, const char *collection, bool atomic, const char *items)
{
    Err err = run(state, collection, atomic, items);
    if (err != OK)
        give_up("%s: %s: %s", collection, err_info(err)->name, load.sentence);
}

static void must_refuse(void **state, const char *collection, const char *items, Err want,
                        const char *sentence)
{
    Err err = run(state, collection, true, items);
    if (err != want || strcmp(load.sentence, sentence) != 0)
        give_up("%s\n got  %s: %s\n want %s: %s", items, err_info(err)->name, load.sentence,
                err_info(want)->name, sentence);
}

/* As the platform sees it. */
static void expect_sql(const char *sql, const char *want)
{
    must_run(test_admin,
             "begin; set local role spark_platform; set local spark.scope = 'platform'");
    const char *got = must_ask(test_admin, sql);
    if (strcmp(got, want) != 0)
        give_up("%s\n got  %s\n want %s", sql, got, want);
    must_run(test_admin, "rollback");
}

static void a_load_stores_every_type(void **state)
{
    must_load(state, "kinds", true,
              "[{\"site_id\":\"" A
              "\",\"name\":\"tab\\t, line\\n, back\\\\slash\",\"code\":\"\\\\N\","
              "\"n\":1,\"big\":\"9007199254740993\",\"f\":1.5,\"d2\":2.25,\"dec\":\"3.14\","
              "\"b\":true,\"d\":\"2024-02-29\",\"t\":\"10:20:30\",\"dt\":\"2024-02-29T10:20:30\","
              "\"ts\":\"2024-02-29T10:20:30+02:00\",\"j\":{\"a\":[1,null,\"x\\ty\"]},\"jb\":[],"
              "\"c\":[\"p\",\"q\"],\"u\":\"d5332b79-ae23-488e-b05b-f3d377863757\","
              "\"s3\":\"äöü\"}]");
    expect_text(str_from_z(load.answer), "{\"inserted\":1,\"ids\":[1],\"failed\":[]}");
    expect_sql("select concat_ws('|', name, code, n, big, f, d2, dec, b, d, t, dt,"
               " ts at time zone 'utc', j, jb, c, u, s3, made is not null) from kinds",
               "tab\t, line\n, back\\slash|\\N|1|9007199254740993|1.5|2.25|3.14|t|2024-02-29|"
               "10:20:30|2024-02-29 10:20:30|2024-02-29 08:20:30|{\"a\":[1,null,\"x\\ty\"]}|[]|p,q|"
               "d5332b79-ae23-488e-b05b-f3d377863757|äöü|t");
}

static void what_a_row_leaves_out_has_its_default(void **state)
{
    must_load(state, "posts", true,
              "[{\"site_id\":\"" A "\",\"title\":\"a\"},"
              "{\"site_id\":\"" B "\",\"title\":\"b\",\"status\":\"published\"},"
              "{\"site_id\":\"" A "\",\"title\":\"c\",\"id\":\"e0000000-0000-4000-8000-"
              "000000000001\",\"status\":\"x\"}]");
    assert_int_equal(load.inserted, 3);
    assert_non_null(strstr(load.answer, "\"e0000000-0000-4000-8000-000000000001\"]"));
    expect_sql("select string_agg(title || status, ',' order by title) from posts"
               " where title in ('a', 'b', 'c')",
               "adraft,bpublished,cx");
    expect_list(state, AS_B, "posts", "fields=title&sort=title",
                "{\"data\":[{\"title\":\"Secret\"},{\"title\":\"b\"}]}");
}

static void atomic_is_all_or_none(void **state)
{
    must_refuse(state, "posts",
                "[{\"site_id\":\"" A "\",\"title\":\"fine\"},{\"site_id\":\"" A "\"}]",
                ERR_INVALID_PAYLOAD,
                "Invalid payload. Item 1: Value for field \"title\" in collection \"posts\" can't "
                "be null.");
    must_refuse(state, "kinds",
                "[{\"site_id\":\"" A "\",\"name\":\"x\",\"code\":\"same\"},"
                "{\"site_id\":\"" A "\",\"name\":\"y\",\"code\":\"same\"}]",
                ERR_NOT_UNIQUE,
                "Value for field \"code\" in collection \"kinds\" has to be unique.");
    expect_sql("select (select count(*) from posts where title = 'fine') + count(*) from kinds",
               "0");
}

static void bad_rows_are_left_out_and_named(void **state)
{
    must_load(state, "kinds", false,
              "[{\"site_id\":\"" A "\",\"name\":\"a\",\"code\":\"1\"},"
              "{\"site_id\":\"" A "\",\"name\":\"b\",\"n\":\"many\"},"
              "{\"site_id\":\"" A "\",\"name\":\"c\",\"nope\":1},"
              "{\"site_id\":\"" A "\",\"name\":\"d\",\"code\":\"1\"},"
              "{\"site_id\":\"" A "\",\"name\":\"e\",\"s3\":\"four\"},"
              "{\"site_id\":\"" A "\",\"name\":\"f\",\"dec\":123456789012},"
              "{\"site_id\":\"" A "\",\"name\":\"g\",\"h\":\"plain\"},"
              "{\"site_id\":\"" A "\",\"name\":\"i\",\"n\":3000000000},"
              "7]");
    assert_int_equal(load.inserted, 1);
    const char *faults[] = {
        "{\"index\":1,\"error\":\"Field \\\"n\\\" must be an integer\"}",
        "{\"index\":2,\"error\":\"Field \\\"nope\\\" doesn't exist in collection \\\"kinds\\\"\"}",
        "{\"index\":3,\"error\":\"Value for field \\\"code\\\" in collection "
        "\\\"kinds\\\" has to be unique.\"}",
        "{\"index\":4,\"error\":\"Field \\\"s3\\\" must be a shorter text\"}",
        "{\"index\":5,\"error\":\"Numeric value",
        "{\"index\":6,\"error\":\"Field \\\"h\\\" must be an argon2 hash, not the text itself\"}",
        "{\"index\":7,\"error\":\"Field \\\"n\\\" must be an integer in the range of its "
        "column\"}",
        "{\"index\":8,\"error\":\"An item must be an object, not an integer\"}",
    };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        if (strstr(load.answer, faults[i]) == NULL)
            give_up("no %s in %s", faults[i], load.answer);
    expect_sql("select string_agg(name, ',') from kinds", "a");
}

static void every_row_needs_a_site_that_is_there(void **state)
{
    must_refuse(state, "posts", "[{\"title\":\"x\"}]", ERR_INVALID_PAYLOAD,
                "Invalid payload. Item 0: \"site_id\" is required: the site that the item belongs "
                "to.");
    must_refuse(state, "posts",
                "[{\"title\":\"x\",\"site_id\":\"cccccccc-0000-7000-8000-00000000000c\"}]",
                ERR_INVALID_PAYLOAD,
                "Invalid payload. Item 0: There is no site "
                "\"cccccccc-0000-7000-8000-00000000000c\".");
    must_refuse(state, "posts",
                "[{\"title\":\"x\",\"site_id\":\"00000000-0000-7000-8000-000000000001\"}]",
                ERR_INVALID_PAYLOAD,
                "Invalid payload. Item 0: Collection \"posts\" has no items for every site.");
    must_refuse(state, "posts", "[{\"title\":\"x\",\"site_id\":7}]", ERR_INVALID_PAYLOAD,
                "Invalid payload. Item 0: \"site_id\" must be the id of a site.");
}

static void null_means_the_library_where_it_is_shared(void **state)
{
    must_load(state, "snippets", true,
              "[{\"name\":\"for all\"},{\"site_id\":\"" A "\",\"name\":\"for one\"}]");
    expect_list(state, AS_B, "snippets", "fields=name&sort=name",
                "{\"data\":[{\"name\":\"for all\"},{\"name\":\"foreign\"},{\"name\":\"shared\"}]}");
}

static void what_cannot_be_loaded_is_forbidden(void **state)
{
    must_refuse(state, "directus_users", "[{\"email\":\"a@b.c\"}]", ERR_FORBIDDEN,
                "You don't have permission to access collection \"directus_users\" or it does not "
                "exist. Queried in root.");
    must_refuse(state, "nope", "[]", ERR_FORBIDDEN,
                "You don't have permission to access collection \"nope\" or it does not exist. "
                "Queried in root.");
    must_refuse(state, "posts", "{}", ERR_INVALID_PAYLOAD,
                "Invalid payload. \"items\" must be an array.");
    must_refuse(state, "posts", "[{\"site_id\":\"" A "\",\"title\":\"x\",\"comments\":[]}]",
                ERR_INVALID_PAYLOAD,
                "Invalid payload. Item 0: Field \"comments\" has no column; load the other side of "
                "the relation.");
    must_load(state, "posts", true, "[]");
    expect_text(str_from_z(load.answer), "{\"inserted\":0,\"ids\":[],\"failed\":[]}");
}

/* `count` items of kinds, of which every `bad`-th has the code of its neighbour. */
static char *many_items(uint32_t count, uint32_t bad)
{
    size_t size = (size_t)count * 96 + 16;
    char *text = malloc(size);
    size_t len = 0;
    text[len++] = '[';
    for (uint32_t i = 0; i < count; i++) {
        uint32_t code = bad > 0 && i % bad == bad - 1 ? i - 1 : i;
        len += (size_t)snprintf(text + len, size - len,
                                "%s{\"site_id\":\"" A "\",\"name\":\"k\",\"code\":\"%u\"}",
                                i == 0 ? "" : ",", code);
    }
    text[len++] = ']';
    text[len] = '\0';
    return text;
}

static void culprits_among_thousands_stand_alone(void **state)
{
    char *items = many_items(3000, 700);
    must_load(state, "kinds", false, items);
    free(items);
    assert_int_equal(load.inserted, 2996);
    assert_non_null(strstr(load.answer, "\"failed\":[{\"index\":699,"));
    assert_non_null(strstr(load.answer, "{\"index\":2799,"));
    expect_sql("select count(*) || ' ' || count(distinct id) from kinds", "2996 2996");
}

static void more_than_the_limit_is_refused(void **state)
{
    char *items = malloc(2 * BULK_ROWS_MAX + 16);
    size_t len = 0;
    items[len++] = '[';
    for (uint32_t i = 0; i <= BULK_ROWS_MAX; i++) {
        items[len++] = '1';
        items[len++] = i < BULK_ROWS_MAX ? ',' : ']';
    }
    items[len] = '\0';
    must_refuse(state, "kinds", items, ERR_TOO_LARGE,
                "At most 100000 items can be loaded at once, not 100001.");
    free(items);
    items = many_items(2500, 2);
    load.atomic = false;
    assert_int_equal(run(state, "kinds", false, items), ERR_INVALID_PAYLOAD);
    assert_non_null(strstr(load.sentence, "More than 1000 items were refused"));
    free(items);
    expect_sql("select count(*) from kinds", "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        content_test(a_load_stores_every_type),
        content_test(what_a_row_leaves_out_has_its_default),
        content_test(atomic_is_all_or_none),
        content_test(bad_rows_are_left_out_and_named),
        content_test(every_row_needs_a_site_that_is_there),
        content_test(null_means_the_library_where_it_is_shared),
        content_test(what_cannot_be_loaded_is_forbidden),
        content_test(culprits_among_thousands_stand_alone),
        content_test(more_than_the_limit_is_refused),
    };
    return RUN_CONTENT_TESTS(tests);
}
