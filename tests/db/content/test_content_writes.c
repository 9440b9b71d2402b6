/* Writing items: what is stored, answered, tracked and refused; and that a site stays in itself. */
#include "../content_test.h"
#include "base/memory/array.h"

static const char PLAIN[] = "You don't have permission to access this.";

static struct ask *ask_new(enum verb verb, const char *collection, const char *body)
{
    struct ask *ask = calloc(1, sizeof *ask);
    *ask = (struct ask){.verb = verb, .collection = collection, .body = body};
    return ask;
}

static void written(void **state, Scope scope, struct ask ask, const char *want)
{
    struct ask *heap = calloc(1, sizeof *heap);
    *heap = ask;
    expect_answer(state, scope, heap, want);
    assert_int_equal(heap->has_body, want[0] != '\0');
    free(heap);
}

static void refused(void **state, Scope scope, struct ask ask, Err err, const char *sentence)
{
    struct ask *heap = calloc(1, sizeof *heap);
    *heap = ask;
    expect_refusal(state, scope, heap, err, sentence);
    free(heap);
}

/* As the database has it, whoever owns it. */
static const char *stored(const char *sql)
{
    must_run(test_admin, "begin; set local role spark_owner; set local spark.scope = 'platform'");
    const char *answer = must_ask(test_admin, sql);
    must_run(test_admin, "commit");
    return answer;
}

#define ask_for(...) ((struct ask){__VA_ARGS__})

static void a_created_row_belongs_to_the_scopes_site(void **state)
{
    written(state, AS_A,
            ask_for(.verb = VERB_CREATE, .collection = "posts",
                    .query = "fields=title,site_id,status,author.name,comments",
                    .body = "{\"title\":\"New\",\"author\":\"" ANN "\"}"),
            "{\"data\":{\"title\":\"New\",\"site_id\":\"aaaaaaaa-0000-7000-8000-00000000000a\","
            "\"status\":\"draft\",\"author\":{\"name\":\"Ann\"},\"comments\":[]}}");
    written(
        state, AS_A,
        ask_for(.verb = VERB_CREATE, .collection = "posts", .query = "fields=title",
                .body = "{\"title\":\"Own\",\"site_id\":\"aaaaaaaa-0000-7000-8000-00000000000a\"}"),
        "{\"data\":{\"title\":\"Own\"}}");
    refused(
        state, AS_A,
        ask_for(.verb = VERB_CREATE, .collection = "posts",
                .body = "{\"title\":\"B\",\"site_id\":\"bbbbbbbb-0000-7000-8000-00000000000b\"}"),
        ERR_FORBIDDEN, PLAIN);
    refused(state, AS_NONE,
            ask_for(.verb = VERB_CREATE, .collection = "posts", .body = "{\"title\":\"x\"}"),
            ERR_FORBIDDEN, PLAIN);
    assert_string_equal(stored("select count(*) from posts where site_id = "
                               "'aaaaaaaa-0000-7000-8000-00000000000a'"),
                        "5");
}

static void keys_are_made_or_taken(void **state)
{
    struct ask *ask = ask_new(VERB_CREATE, "headings", "{\"title\":\"x\"}");
    ask->query = "fields=id";
    assert_int_equal(ask_run(state, AS_A, ask), OK);
    assert_int_equal(ask->answer[15 + 14], '7'); /* a version 7 */
    free(ask);
    written(state, AS_A,
            ask_for(.verb = VERB_CREATE, .collection = "headings", .query = "fields=id",
                    .body = "{\"id\":\"11111111-1111-4111-8111-111111111111\",\"title\":\"Own\"}"),
            "{\"data\":{\"id\":\"11111111-1111-4111-8111-111111111111\"}}");
    refused(state, AS_A,
            ask_for(.verb = VERB_CREATE, .collection = "headings",
                    .body = "{\"id\":\"11111111-1111-4111-8111-111111111111\",\"title\":\"Own\"}"),
            ERR_NOT_UNIQUE,
            "Value \"11111111-1111-4111-8111-111111111111\" for field \"id\" in collection "
            "\"headings\" "
            "has to be unique.");
    refused(state, AS_A,
            ask_for(.verb = VERB_CREATE, .collection = "headings",
                    .body = "{\"id\":\"zzz\",\"title\":\"Own\"}"),
            ERR_FORBIDDEN, PLAIN);
}

static void every_type_comes_back_as_it_went(void **state)
{
    written(
        state, AS_A,
        ask_for(.verb = VERB_CREATE, .collection = "kinds",
                .query = "fields=id,name,code,n,big,f,d2,dec,b,d,t,dt,ts,j,jb,c,u,s3,v",
                .body = "{\"name\":\"a\",\"code\":\"x\",\"n\":\"12\",\"big\":\"9007199254740993\","
                        "\"f\":1.1,"
                        "\"d2\":0.1,\"dec\":3.14159,\"b\":\"true\",\"d\":\"2024-02-29\",\"t\":\"10:"
                        "20:30\","
                        "\"dt\":\"2024-02-29T10:20:30\",\"ts\":\"2024-02-29T10:20:30+02:00\","
                        "\"j\":{\"a\":[1, null]},\"jb\":\"{\\\"b\\\": 2}\",\"c\":[\"p\",\"q,r\"],"
                        "\"u\":\"D5332B79-ae23-488e-b05b-f3d377863757\",\"s3\":12,\"v\":\"abc\"}"),
        "{\"data\":{\"id\":1,\"name\":\"a\",\"code\":\"x\",\"n\":12,\"big\":\"9007199254740993\","
        "\"f\":1.1,"
        "\"d2\":0.1,\"dec\":\"3.14\",\"b\":true,\"d\":\"2024-02-29\",\"t\":\"10:20:30\",\"dt\":"
        "\"2024-02-29T10:20:30\",\"ts\":\"2024-02-29T08:20:30.000Z\",\"j\":{\"a\":[1,null]},\"jb\":"
        "{\"b\":2},\"c\":[\"p\",\"q\",\"r\"],\"u\":\"d5332b79-ae23-488e-b05b-f3d377863757\",\"s3\":"
        "\"12\",\"v\":\"abc\"}}");
}

static void bad_values_are_named(void **state)
{
    static const struct {
        const char *body;
        Err err;
        const char *sentence;
    } CASES[] = {
        {"{}", ERR_FAILED_VALIDATION, "Validation failed for field \"name\". Value is required."},
        {"{\"name\":null}", ERR_FAILED_VALIDATION,
         "Validation failed for field \"name\". Value can't be null."},
        {"{\"v\":\"9\"}", ERR_FAILED_VALIDATION,
         "Validation failed for field \"name\". Value is required.\nValidation failed for field "
         "\"v\". Value "
         "doesn't have the correct format."},
        {"{\"name\":\"a\",\"n\":\"abc\"}", ERR_INVALID_PAYLOAD,
         "Invalid payload. Invalid integer format in field \"n\"."},
        {"{\"name\":\"a\",\"n\":1.5}", ERR_INVALID_PAYLOAD, NULL},
        {"{\"name\":\"a\",\"n\":3000000000}", ERR_VALUE_OUT_OF_RANGE,
         "Numeric value \"3000000000\" for field \"n\" in collection \"kinds\" is out of range."},
        {"{\"name\":\"a\",\"dec\":123456789012}", ERR_VALUE_OUT_OF_RANGE, NULL},
        {"{\"name\":\"a\",\"b\":\"maybe\"}", ERR_INVALID_PAYLOAD, NULL},
        {"{\"name\":\"a\",\"d\":\"2024-13-45\"}", ERR_INVALID_PAYLOAD,
         "Invalid payload. Invalid Date format in field \"d\"."},
        {"{\"name\":\"a\",\"t\":\"99:00\"}", ERR_INVALID_PAYLOAD, NULL},
        {"{\"name\":\"a\",\"ts\":\"yesterday\"}", ERR_INVALID_PAYLOAD, NULL},
        {"{\"name\":\"a\",\"ts\":1700000000000}", ERR_INVALID_PAYLOAD, NULL},
        {"{\"name\":\"a\",\"j\":\"{bad\"}", ERR_INVALID_PAYLOAD, NULL},
        {"{\"name\":\"a\",\"u\":\"zzz\"}", ERR_INVALID_PAYLOAD, NULL},
        {"{\"name\":\"a\",\"s3\":\"abcd\"}", ERR_VALUE_TOO_LONG,
         "Value \"abcd\" for field \"s3\" in collection \"kinds\" is too long."},
        {"[1]", ERR_INVALID_PAYLOAD, "Invalid payload. An item must be an object."},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        refused(state, AS_A,
                ask_for(.verb = VERB_CREATE, .collection = "kinds", .body = CASES[i].body),
                CASES[i].err, CASES[i].sentence);
    assert_string_equal(stored("select count(*) from kinds"), "0");
}

static void unknown_members_are_dropped_for_administrators(void **state)
{
    written(state, AS_A,
            ask_for(.verb = VERB_CREATE, .collection = "posts", .query = "fields=title",
                    .body = "{\"title\":\"x\",\"zzz\":1}"),
            "{\"data\":{\"title\":\"x\"}}");
    refused(
        state, AS_A,
        ask_for(.verb = VERB_CREATE, .collection = "posts",
                .body = "{\"title\":\"x\",\"author\":\"22222222-2222-4222-8222-222222222222\"}"),
        ERR_INVALID_FOREIGN_KEY, NULL);
}

static void specials_are_filled_in(void **state)
{
    struct actor user = TEST_ADMIN;
    uuid_parse(STR("eeeeeeee-0000-4000-8000-00000000000e"), &user.user);
    struct ask *ask =
        ask_new(VERB_CREATE, "kinds", "{\"name\":\"a\",\"h\":\"pw\",\"changed\":null}");
    ask->actor = &user;
    ask->query = "fields=maker,changed,h,id";
    assert_int_equal(ask_run(state, AS_A, ask), OK);
    const char *want =
        "{\"data\":{\"maker\":\"eeeeeeee-0000-4000-8000-00000000000e\",\"changed\":null,"
        "\"h\":\"$argon2id$v=19$";
    assert_int_equal(strncmp(ask->answer, want, strlen(want)), 0);
    assert_string_equal(stored("select made > now() - interval '1 minute' from kinds"), "t");
    assert_string_equal(stored("select position('argon' in data::text) from directus_revisions"),
                        "0");
    free(ask);
    ask = ask_new(VERB_UPDATE, "kinds", "{\"name\":\"b\"}");
    ask->key = "1";
    ask->query = "fields=id";
    expect_answer(state, AS_A, ask, "{\"data\":{\"id\":1}}");
    assert_string_equal(stored("select changed is not null from kinds"), "t");
    free(ask);
}

static void writes_leave_activity_and_revisions(void **state)
{
    struct actor user = TEST_ADMIN;
    uuid_parse(STR("eeeeeeee-0000-4000-8000-00000000000e"), &user.user);
    struct ask ask =
        ask_for(.verb = VERB_CREATE, .collection = "headings", .actor = &user,
                .query = "fields=title",
                .body = "{\"id\":\"11111111-1111-4111-8111-111111111111\",\"title\":\"One\"}");
    written(state, AS_A, ask, "{\"data\":{\"title\":\"One\"}}");
    ask.verb = VERB_UPDATE;
    ask.key = "11111111-1111-4111-8111-111111111111";
    ask.body = "{\"title\":\"Two\"}";
    written(state, AS_A, ask, "{\"data\":{\"title\":\"Two\"}}");
    ask.verb = VERB_DELETE;
    ask.body = NULL;
    written(state, AS_A, ask, "");
    assert_string_equal(
        stored("select string_agg(concat_ws(':', action, collection, left(item, 8), "
               "left(\"user\"::text, 8), ip, "
               "user_agent, right(site_id::text, 2)), '|' order by id) from directus_activity"),
        "create:headings:11111111:eeeeeeee:127.0.0.1:test:0a|update:headings:11111111:eeeeeeee:127."
        "0.0.1:"
        "test:0a|"
        "delete:headings:11111111:eeeeeeee:127.0.0.1:test:0a");
    assert_string_equal(stored("select count(*) from directus_activity where action = 'delete'"),
                        "1");
    assert_string_equal(stored("select data->>'title' || (delta->>'title') from directus_revisions "
                               "where delta->>'id' is not null"),
                        "OneOne");
    assert_string_equal(stored("select data->>'title' || delta::text from "
                               "directus_revisions where delta->>'id' is null"),
                        "Two{\"title\":\"Two\"}");
}

static void many_rows_are_one_write(void **state)
{
    written(state, AS_A,
            ask_for(.verb = VERB_CREATE, .collection = "kinds", .query = "fields=id,name,j,c,ts",
                    .body = "[{\"name\":\"a\",\"j\":{\"x\":1},\"c\":[\"p\"],\"ts\":\"2024-02-29T10:"
                            "20:30Z\"},"
                            "{\"name\":\"b\",\"j\":null,\"c\":\"q,r\",\"ts\":null}]"),
            "{\"data\":[{\"id\":1,\"name\":\"a\",\"j\":{\"x\":1},\"c\":[\"p\"],\"ts\":\"2024-02-"
            "29T10:20:30.000Z\"},"
            "{\"id\":2,\"name\":\"b\",\"j\":null,\"c\":[\"q\",\"r\"],\"ts\":null}]}");
    assert_string_equal(stored("select count(*) from directus_revisions"), "2");
    written(state, AS_A,
            ask_for(.verb = VERB_CREATE, .collection = "kinds", .query = "fields=name,n",
                    .body = "[{\"name\":\"c\",\"n\":1},{\"name\":\"d\"}]"),
            "{\"data\":[{\"name\":\"c\",\"n\":1},{\"name\":\"d\",\"n\":null}]}");
    written(state, AS_A, ask_for(.verb = VERB_CREATE, .collection = "kinds", .body = "[]"),
            "{\"data\":[]}");
    refused(
        state, AS_A,
        ask_for(.verb = VERB_CREATE, .collection = "kinds",
                .body =
                    "[{\"name\":\"e\",\"code\":\"u\"},{\"name\":\"f\",\"code\":\"u\",\"n\":2}]"),
        ERR_NOT_UNIQUE, NULL);
    assert_string_equal(stored("select count(*) from kinds"), "4");
}

static void an_update_changes_what_it_names(void **state)
{
    struct ask ask = ask_for(.verb = VERB_UPDATE, .collection = "posts", .key = POST_1,
                             .query = "fields=id,title,status",
                             .body = "{\"title\":\"Changed\",\"id\":\"" POST_2 "\"}");
    written(state, AS_A, ask,
            "{\"data\":{\"id\":\"" POST_1 "\",\"title\":\"Changed\",\"status\":\"published\"}}");
    ask.body = "{}";
    written(state, AS_A, ask,
            "{\"data\":{\"id\":\"" POST_1 "\",\"title\":\"Changed\",\"status\":\"published\"}}");
    ask.body = "{\"title\":null}";
    refused(state, AS_A, ask, ERR_FAILED_VALIDATION,
            "Validation failed for field \"title\". Value can't be null.");
    ask.body = "{\"title\":\"x\"}";
    ask.key = "22222222-2222-4222-8222-222222222222";
    written(state, AS_A, ask, "");
    ask.key = POST_B;
    written(state, AS_A, ask, "");
    assert_string_equal(stored("select title from posts where slug = 'post-1' and word_count = 7"),
                        "Secret");
    ask.key = POST_1;
    ask.body = "{\"site_id\":\"bbbbbbbb-0000-7000-8000-00000000000b\"}";
    refused(state, AS_A, ask, ERR_FORBIDDEN, PLAIN);
}

static void many_are_updated_by_keys_query_or_each(void **state)
{
    struct ask ask =
        ask_for(.verb = VERB_UPDATE_MANY, .collection = "posts", .query = "fields=slug,status",
                .body = "{\"keys\":[\"" POST_1 "\",\"" POST_2 "\",\"" POST_B
                        "\"],\"data\":{\"status\":\"x\"}}");
    written(state, AS_A, ask,
            "{\"data\":[{\"slug\":\"post-1\",\"status\":\"x\"},{\"slug\":\"post-2\",\"status\":"
            "\"x\"}]}");
    ask.body =
        "{\"query\":{\"filter\":{\"slug\":{\"_eq\":\"post-3\"}}},\"data\":{\"status\":\"y\"}}";
    written(state, AS_A, ask, "{\"data\":[{\"slug\":\"post-3\",\"status\":\"y\"}]}");
    ask.body =
        "[{\"id\":\"" POST_1 "\",\"status\":\"1\"},{\"id\":\"" POST_2 "\",\"status\":\"2\"}]";
    written(state, AS_A, ask,
            "{\"data\":[{\"slug\":\"post-1\",\"status\":\"1\"},{\"slug\":\"post-2\",\"status\":"
            "\"2\"}]}");
    ask.body = "[{\"status\":\"x\"}]";
    refused(state, AS_A, ask, ERR_INVALID_PAYLOAD,
            "Invalid payload. Item in update misses primary key.");
    ask.body = "{\"foo\":1}";
    refused(state, AS_A, ask, ERR_INVALID_PAYLOAD, "Invalid payload. \"data\" is required.");
    assert_string_equal(stored("select status from posts where word_count = 7"), "published");
}

static void deletes_stay_in_the_site(void **state)
{
    struct ask ask = ask_for(.verb = VERB_DELETE, .collection = "posts", .key = POST_B);
    written(state, AS_A, ask, "");
    assert_string_equal(stored("select count(*) from posts"), "4");
    ask.key = POST_3;
    written(state, AS_A, ask, "");
    ask = ask_for(.verb = VERB_DELETE_MANY, .collection = "posts",
                  .body = "[\"" POST_2 "\",\"" POST_B "\"]");
    written(state, AS_A, ask, "");
    ask.body = "{\"query\":{\"filter\":{\"slug\":{\"_starts_with\":\"post\"}},\"limit\":-1}}";
    written(state, AS_A, ask, "");
    assert_string_equal(stored("select string_agg(title, ',') from posts"), "Secret");
    ask.body = "{}";
    refused(state, AS_A, ask, ERR_INVALID_PAYLOAD,
            "Invalid payload. \"value\" must contain at least one of [query, keys].");
}

static void the_library_is_not_written_by_a_site(void **state)
{
    struct ask ask =
        ask_for(.verb = VERB_UPDATE, .collection = "snippets",
                .key = "50000000-0000-4000-8000-000000000001", .body = "{\"name\":\"x\"}");
    written(state, AS_A, ask, "");
    assert_string_equal(
        stored("select name from snippets where id = '50000000-0000-4000-8000-000000000001'"),
        "shared");
    ask.query = "fields=name,site_id";
    written(state, AS_PLATFORM, ask, "{\"data\":{\"name\":\"x\",\"site_id\":null}}");
    ask = ask_for(.verb = VERB_CREATE, .collection = "snippets", .query = "fields=site_id",
                  .body = "{\"name\":\"for all\",\"site_id\":null}");
    written(state, AS_PLATFORM, ask, "{\"data\":{\"site_id\":null}}");
    ask = ask_for(.verb = VERB_CREATE, .collection = "nobodys", .body = "{\"name\":\"x\"}");
    refused(state, AS_A, ask, ERR_FORBIDDEN, NULL);
    ask = ask_for(.verb = VERB_CREATE, .collection = "sites", .body = "{\"name\":\"x\"}");
    refused(state, AS_A, ask, ERR_FORBIDDEN, PLAIN);
}

static void policies_bind_writes(void **state)
{
    static const struct granted LIST[] = {
        {"posts", "create", NULL, "title,status", "{\"status\":{\"_in\":[\"draft\",\"review\"]}}",
         "{\"status\":\"draft\",\"slug\":\"preset\"}"},
        {"posts", "read", "{\"status\":{\"_neq\":\"hidden\"}}", "*", NULL, NULL},
        {"posts", "update", "{\"status\":\"draft\"}", "title", NULL, NULL},
        {"posts", "delete", "{\"slug\":\"post-2\"}", "", NULL, NULL},
    };
    struct actor actor = actor_with(*state, LIST, 4);
    struct ask ask = ask_for(.verb = VERB_CREATE, .collection = "posts", .actor = &actor,
                             .query = "fields=title,status,slug", .body = "{\"title\":\"x\"}");
    written(state, AS_A, ask,
            "{\"data\":{\"title\":\"x\",\"status\":\"draft\",\"slug\":\"preset\"}}");
    ask.body = "{\"title\":\"x\",\"status\":\"published\"}";
    refused(
        state, AS_A, ask, ERR_FAILED_VALIDATION,
        "Validation failed for field \"status\". Value has to be one of \"draft\", \"review\".");
    ask.body = "{\"title\":\"x\",\"word_count\":1,\"nope\":1}";
    refused(state, AS_A, ask, ERR_FORBIDDEN,
            "You don't have permission to access fields \"word_count\", \"nope\" in collection "
            "\"posts\" or "
            "they do not exist. Queried in root.");
    ask = ask_for(.verb = VERB_UPDATE, .collection = "posts", .actor = &actor, .key = POST_1,
                  .query = "fields=title", .body = "{\"title\":\"x\"}");
    refused(state, AS_A, ask, ERR_FORBIDDEN,
            "You don't have permissions to perform \"update\" for the field(s) \"title\" in "
            "collection \"posts\" or "
            "it does not exist.");
    ask.key = POST_2;
    written(state, AS_A, ask, "{\"data\":{\"title\":\"x\"}}");
    ask = ask_for(.verb = VERB_UPDATE_MANY, .collection = "posts", .actor = &actor,
                  .query = "fields=title",
                  .body = "{\"keys\":[\"" POST_1 "\",\"" POST_3 "\"],\"data\":{\"title\":\"y\"}}");
    refused(state, AS_A, ask, ERR_FORBIDDEN, NULL);
    assert_string_equal(stored("select count(*) from posts where title = 'y'"), "0");
    ask = ask_for(.verb = VERB_DELETE_MANY, .collection = "posts", .actor = &actor,
                  .body = "[\"" POST_1 "\",\"" POST_2 "\"]");
    refused(state, AS_A, ask, ERR_FORBIDDEN,
            "You don't have permission to perform \"delete\" for collection \"posts\" or it does "
            "not exist.");
    ask = ask_for(.verb = VERB_DELETE, .collection = "posts", .actor = &actor, .key = POST_2);
    written(state, AS_A, ask, "");
    assert_string_equal(stored("select count(*) from posts where slug like 'post-%'"), "3");
    ask = ask_for(.verb = VERB_CREATE, .collection = "authors", .actor = &actor,
                  .body = "{\"name\":\"x\"}");
    refused(state, AS_A, ask, ERR_FORBIDDEN,
            "You don't have permission to access collection \"authors\" or it does not exist. "
            "Queried in root.");
}

/* A rule on a new row of `kinds`, the row, and what is said to it; NULL: it passes. */
static void rules_are_filters_on_a_payload(void **state)
{
    static const struct {
        const char *rule;
        const char *body;
        const char *fault;
    } RULES[] = {
        /* by the type of the field */
        {"{\"n\":{\"_eq\":5}}", "{\"n\":\"5\"}", NULL},
        {"{\"n\":{\"_lt\":10}}", "{\"n\":9}", NULL},
        {"{\"n\":{\"_lt\":\"10\"}}", "{\"n\":11}", "\"n\". Value has to be less than \"10\"."},
        {"{\"u\":{\"_eq\":\"5EEFC0DE-0000-4000-8000-000000000001\"}}",
         "{\"u\":\"5eefc0de-0000-4000-8000-000000000001\"}", NULL},
        {"{\"b\":{\"_eq\":true}}", "{\"b\":1}", NULL},
        {"{\"b\":{\"_eq\":true}}", "{\"b\":false}", "\"b\". Value has to be \"true\"."},
        {"{\"ts\":{\"_lt\":\"$NOW\"}}", "{\"ts\":\"2020-01-01\"}", NULL},
        {"{\"ts\":{\"_gte\":\"2020-01-01T00:00:00Z\"}}", "{\"ts\":\"2020-01-01\"}", NULL},
        {"{\"year(d)\":{\"_gt\":2020}}", "{\"d\":\"2020-05-05\"}",
         "\"d\". Value has to be greater than \"2020\"."},
        {"{\"count(jb)\":{\"_eq\":2}}", "{\"jb\":[1,2]}", NULL},
        /* what is absent passes, and what is null where the table of operators says so */
        {"{\"n\":{\"_lt\":1}}", "{}", NULL},
        {"{\"n\":{\"_submitted\":true}}", "{}", "\"n\". Value is required."},
        {"{\"n\":{\"_lt\":1}}", "{\"n\":null}", "\"n\". Value is required."},
        {"{\"n\":{\"_neq\":1}}", "{\"n\":null}", NULL},
        {"{\"n\":{\"_in\":[1,2]}}", "{\"n\":null}", "\"n\". Value has to be one of \"1\", \"2\"."},
        {"{\"code\":{\"_nempty\":true}}", "{\"code\":null}", NULL},
        {"{\"code\":{\"_regex\":\"^X\"}}", "{\"code\":5}", "\"code\". Value is required."},
        {"{\"n\":{\"_between\":[1,5]}}", "{\"n\":0}",
         "\"n\". Value has to be greater than or equal to \"1\"."},
        {"{\"n\":{\"_between\":[1,5]}}", "{\"n\":6}",
         "\"n\". Value has to be less than or equal to \"5\"."},
        {"{\"n\":{\"_eq\":1}}", "{\"n\":null}", "\"n\". Value has to be \"1\"."},
        {"{\"n\":{\"_nnull\":true}}", "{\"n\":null}", "\"n\". Value can't be null."},
        {"{\"code\":{\"_nempty\":true}}", "{\"code\":\"\"}", "\"code\". Value can't be empty."},
        /* % and _ of a rule stand for themselves */
        {"{\"code\":{\"_contains\":\"a%\"}}", "{\"code\":\"ab\"}",
         "\"code\". Value has to contain \"a%\"."},
        {"{\"code\":{\"_icontains\":\"A%\"}}", "{\"code\":\"xa%\"}", NULL},
        {"{\"code\":{\"_nicontains\":\"A\"}}", "{\"code\":\"ba\"}", "\"code\"."},
        {"{\"code\":{\"_regex\":\"/^X/i\"}}", "{\"code\":\"xy\"}", NULL},
        {"{\"code\":{\"_regex\":\"^X\"}}", "{\"code\":\"xy\"}",
         "\"code\". Value doesn't have the correct format."},
        /* groups, of fields and of one field's conditions; rows behind a relation are left out */
        {"{\"_or\":[{\"n\":1},{\"n\":2}]}", "{\"n\":3}",
         "\"n\". Value has to be \"1\".\nValidation failed for field \"n\". Value has to be "
         "\"2\"."},
        {"{\"_or\":[{\"n\":1},{\"n\":2}]}", "{\"n\":2}", NULL},
        {"{\"n\":{\"_or\":[{\"_eq\":1},{\"_eq\":2}]}}", "{\"n\":2}", NULL},
        {"{\"_and\":[{\"n\":1},{\"code\":\"x\"}]}", "{\"n\":1,\"code\":\"x\"}", NULL},
        {"{\"maker\":{\"role\":{\"_eq\":\"x\"}}}", "{\"n\":1}", NULL},
        {"{\"n\":{\"_in\":[1,\"$CURRENT_USER\",3]}}", "{\"n\":3}", NULL},
        {"{\"n\":{\"_nbetween\":[1,3]}}", "{\"n\":2}", "\"n\"."},
    };
    for (size_t i = 0; i < COUNT_OF(RULES); i++) {
        const struct granted list[] = {
            {"kinds", "create", NULL, "*", RULES[i].rule, "{\"name\":\"x\"}"}};
        struct actor actor = actor_with(*state, list, 1);
        struct ask ask = ask_for(.verb = VERB_CREATE, .collection = "kinds", .actor = &actor,
                                 .body = RULES[i].body);
        char sentence[256];
        snprintf(sentence, sizeof sentence, "Validation failed for field %s", RULES[i].fault);
        must_run(test_admin,
                 "set role spark_owner; set spark.scope = 'platform'; delete from kinds; "
                 "reset spark.scope; reset role");
        if (RULES[i].fault == NULL)
            written(state, AS_A, ask, "");
        else
            refused(state, AS_A, ask, ERR_FAILED_VALIDATION, sentence);
    }
    const struct granted unknown[] = {{"kinds", "create", NULL, "*", "{\"n\":{\"_foo\":1}}", NULL}};
    struct actor actor = actor_with(*state, unknown, 1);
    refused(state, AS_A,
            ask_for(.verb = VERB_CREATE, .collection = "kinds", .actor = &actor,
                    .body = "{\"name\":\"x\",\"n\":1}"),
            ERR_INVALID_QUERY, "Invalid query. Unknown validation operator \"_foo\".");
}

static void presets_and_specials_of_an_update_need_no_right(void **state)
{
    static const struct granted LIST[] = {
        {"kinds", "update", "{\"name\":\"mine\"}", "n", NULL, "{\"code\":\"set\"}"},
        {"kinds", "read", NULL, "*", NULL, NULL},
    };
    struct actor actor = actor_with(*state, LIST, 2);
    written(state, AS_A,
            ask_for(.verb = VERB_CREATE, .collection = "kinds", .query = "fields=id",
                    .body = "{\"name\":\"mine\"}"),
            "{\"data\":{\"id\":1}}");
    written(state, AS_A,
            ask_for(.verb = VERB_UPDATE, .collection = "kinds", .key = "1", .actor = &actor,
                    .query = "fields=n,code", .body = "{\"n\":5}"),
            "{\"data\":{\"n\":5,\"code\":\"set\"}}");
    assert_string_equal(stored("select changed is not null from kinds"), "t");
    refused(state, AS_A,
            ask_for(.verb = VERB_UPDATE, .collection = "kinds", .key = "1", .actor = &actor,
                    .body = "{\"name\":\"theirs\"}"),
            ERR_FORBIDDEN, NULL);
}

static void what_may_not_be_read_back_is_written_silently(void **state)
{
    static const struct granted LIST[] = {{"comments", "create", NULL, "*", NULL, NULL}};
    struct actor actor = actor_with(*state, LIST, 1);
    written(state, AS_A,
            ask_for(.verb = VERB_CREATE, .collection = "comments", .actor = &actor,
                    .body = "{\"body\":\"x\"}"),
            "");
    assert_string_equal(stored("select count(*) from comments where body = 'x'"), "1");
    struct actor reader = TEST_ADMIN;
    reader.may_write = false;
    refused(state, AS_A,
            ask_for(.verb = VERB_CREATE, .collection = "comments", .actor = &reader,
                    .body = "{\"body\":\"x\"}"),
            ERR_FORBIDDEN, PLAIN);
}

static void nested_rows_are_written_together(void **state)
{
    written(state, AS_A,
            ask_for(.verb = VERB_CREATE, .collection = "posts",
                    .query = "fields=title,author.name,comments.body",
                    .body = "{\"title\":\"N\",\"author\":{\"name\":\"Golden\"},\"comments\":[{"
                            "\"body\":\"c1\"},"
                            "{\"body\":\"c2\"}]}"),
            "{\"data\":{\"title\":\"N\",\"author\":{\"name\":\"Golden\"},\"comments\":[{\"body\":"
            "\"c1\"},"
            "{\"body\":\"c2\"}]}}");
    assert_string_equal(stored("select count(*) from authors where name = 'Golden' and site_id = "
                               "'aaaaaaaa-0000-7000-8000-00000000000a'"),
                        "1");
    struct ask ask =
        ask_for(.verb = VERB_UPDATE, .collection = "posts", .key = POST_1,
                .query = "fields=comments.body", .body = "{\"comments\":[2,{\"body\":\"new\"}]}");
    written(state, AS_A, ask,
            "{\"data\":{\"comments\":[{\"body\":\"first\"},{\"body\":\"new\"}]}}");
    assert_string_equal(stored("select post is null from comments where body = 'second'"), "t");
    ask.body = "{\"comments\":{\"create\":[{\"body\":\"k\"}],\"update\":[{\"id\":2,\"body\":\"F\"}]"
               ",\"delete\":[3]}}";
    written(state, AS_A, ask,
            "{\"data\":{\"comments\":[{\"body\":\"F\"},{\"body\":\"k\"},{\"body\":\"new\"}]}}");
    assert_string_equal(stored("select sort from comments where body = 'k'"), "2");
    ask.body = "{\"comments\":{\"add\":[]}}";
    refused(state, AS_A, ask, ERR_INVALID_PAYLOAD,
            "Invalid payload. Invalid one-to-many update structure: \"add\" is not allowed.");
    ask.body = "{\"title\":\"half\",\"comments\":[4]}"; /* a comment of another site */
    refused(state, AS_A, ask, ERR_FORBIDDEN, PLAIN);
    assert_string_equal(stored("select count(*) from posts where title = 'half'"), "0");
    ask.body = "{\"blocks\":[]}";
    ask.query = "fields=blocks";
    written(state, AS_A, ask, "{\"data\":{\"blocks\":[]}}");
    assert_string_equal(stored("select count(*) from blocks"), "0");
}

static void to_any_references_are_checked(void **state)
{
    struct ask ask = ask_for(.verb = VERB_CREATE, .collection = "blocks",
                             .query = "fields=item.title,collection",
                             .body = "{\"collection\":\"headings\",\"item\":{\"title\":\"H2\"}}");
    written(state, AS_A, ask,
            "{\"data\":{\"collection\":\"headings\",\"item\":{\"title\":\"H2\"}}}");
    ask.body = "{\"collection\":\"headings\",\"item\":\"c0000000-0000-4000-8000-000000000001\"}";
    written(state, AS_A, ask,
            "{\"data\":{\"collection\":\"headings\",\"item\":{\"title\":\"H1\"}}}");
    refused(state, AS_B, ask, ERR_FORBIDDEN, PLAIN);
    ask.body = "{\"item\":{\"title\":\"x\"}}";
    refused(state, AS_A, ask, ERR_INVALID_PAYLOAD, NULL);
    ask.body = "{\"collection\":\"posts\",\"item\":{\"title\":\"x\"}}";
    refused(state, AS_A, ask, ERR_INVALID_PAYLOAD, NULL);
}

static void a_singleton_is_one_row_of_each_site(void **state)
{
    expect_list(state, AS_A, "settings", "fields=id,name", "{\"data\":{\"id\":null}}");
    struct ask ask = ask_for(.verb = VERB_UPDATE_MANY, .collection = "settings",
                             .query = "fields=id,name", .body = "{\"name\":\"a\"}");
    written(state, AS_A, ask, "{\"data\":{\"id\":1,\"name\":\"a\"}}");
    written(state, AS_B, ask, "{\"data\":{\"id\":2,\"name\":\"a\"}}");
    ask.body = "{\"name\":\"b\"}";
    written(state, AS_A, ask, "{\"data\":{\"id\":1,\"name\":\"b\"}}");
    expect_list(state, AS_B, "settings", "fields=name", "{\"data\":{\"name\":\"a\"}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        content_test(a_created_row_belongs_to_the_scopes_site),
        content_test(keys_are_made_or_taken),
        content_test(every_type_comes_back_as_it_went),
        content_test(bad_values_are_named),
        content_test(unknown_members_are_dropped_for_administrators),
        content_test(specials_are_filled_in),
        content_test(writes_leave_activity_and_revisions),
        content_test(many_rows_are_one_write),
        content_test(an_update_changes_what_it_names),
        content_test(many_are_updated_by_keys_query_or_each),
        content_test(deletes_stay_in_the_site),
        content_test(the_library_is_not_written_by_a_site),
        content_test(policies_bind_writes),
        content_test(rules_are_filters_on_a_payload),
        content_test(presets_and_specials_of_an_update_need_no_right),
        content_test(what_may_not_be_read_back_is_written_silently),
        content_test(nested_rows_are_written_together),
        content_test(to_any_references_are_checked),
        content_test(a_singleton_is_one_row_of_each_site),
    };
    return RUN_CONTENT_TESTS(tests);
}
