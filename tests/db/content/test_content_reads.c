/* Reading items: what comes back, under which scope, and what is refused with which sentence. */
#include "../content_test.h"

static void a_list_has_only_the_sites_own_rows(void **state)
{
    expect_list(state, AS_A, "posts", "fields=slug&sort=slug",
                "{\"data\":[{\"slug\":\"post-1\"},{\"slug\":\"post-2\"},{\"slug\":\"post-3\"}]}");
    expect_list(state, AS_B, "posts", "fields=title", "{\"data\":[{\"title\":\"Secret\"}]}");
    expect_list(state, AS_NONE, "posts", "fields=title", "{\"data\":[]}");
    expect_list(state, AS_PLATFORM, "posts", "aggregate[count]=*",
                "{\"data\":[{\"count\":\"4\"}]}");
}

static void every_field_in_table_order_then_aliases(void **state)
{
    expect_list(state, AS_A, "posts", "limit=1",
                "{\"data\":[{\"id\":\"" POST_1
                "\",\"site_id\":\"aaaaaaaa-0000-7000-8000-00000000000a\",\"title\":\"One\","
                "\"slug\":\"post-1\",\"status\":\"published\",\"published_at\":"
                "\"2023-12-05T14:55:16.000Z\",\"author\":\"" ANN
                "\",\"word_count\":360,\"comments\":[2,1],\"blocks\":[1]}]}");
}

static void nested_fields_are_objects_and_lists(void **state)
{
    expect_list(state, AS_A, "posts", "fields=title,author.name,comments.body&sort=id",
                "{\"data\":[{\"title\":\"One\",\"author\":{\"name\":\"Ann\"},\"comments\":["
                "{\"body\":\"first\"},{\"body\":\"second\"}]},{\"title\":\"Two\",\"author\":{"
                "\"name\":\"Bob\"},\"comments\":[{\"body\":\"other\"}]},{\"title\":\"Three\","
                "\"author\":null,\"comments\":[]}]}");
    expect_list(state, AS_A, "posts", "fields=title,author.site_id.name&limit=1",
                "{\"data\":[{\"title\":\"One\",\"author\":{\"site_id\":{\"name\":\"Site A\"}}}]}");
    expect_list(state, AS_A, "authors", "fields=name,posts.title,posts.comments.body&sort=name",
                "{\"data\":[{\"name\":\"Ann\",\"posts\":[{\"title\":\"One\",\"comments\":[{"
                "\"body\":\"first\"},{\"body\":\"second\"}]}]},{\"name\":\"Bob\",\"posts\":[{"
                "\"title\":\"Two\",\"comments\":[{\"body\":\"other\"}]}]}]}");
}

static void many_to_any_follows_the_collection(void **state)
{
    expect_list(state, AS_A, "posts", "fields=blocks.item:headings.title,blocks.collection&limit=1",
                "{\"data\":[{\"blocks\":[{\"collection\":\"headings\",\"item\":{\"title\":"
                "\"H1\"}}]}]}");
    expect_list(state, AS_A, "blocks", "fields=item",
                "{\"data\":[{\"item\":\"c0000000-0000-4000-8000-000000000001\"}]}");
}

static void deep_narrows_what_is_nested(void **state)
{
    expect_list(state, AS_A, "posts", "fields=comments.body&deep[comments][_limit]=1&limit=1",
                "{\"data\":[{\"comments\":[{\"body\":\"first\"}]}]}");
    expect_list(
        state, AS_A, "posts",
        "fields=comments.body&deep[comments][_sort]=-body&deep[comments][_offset]=1&limit=1",
        "{\"data\":[{\"comments\":[{\"body\":\"first\"}]}]}");
    expect_list(state, AS_A, "posts",
                "fields=title,author.name&deep[author][_filter][name][_eq]=Bob&sort=id&limit=2",
                "{\"data\":[{\"title\":\"One\",\"author\":null},{\"title\":\"Two\",\"author\":{"
                "\"name\":\"Bob\"}}]}");
}

static void aliases_and_functions(void **state)
{
    expect_list(state, AS_A, "posts", "limit=1&fields=id,t&alias[t]=title",
                "{\"data\":[{\"id\":\"" POST_1 "\",\"t\":\"One\"}]}");
    expect_list(state, AS_A, "posts", "limit=1&fields=t&alias[t]=title",
                "{\"data\":[\"" POST_1 "\"]}");
    expect_list(state, AS_A, "posts", "limit=1&fields=title.foo", "{\"data\":[\"" POST_1 "\"]}");
    expect_list(state, AS_A, "posts",
                "limit=1&fields=year(published_at),month(published_at),week(published_at),"
                "day(published_at),weekday(published_at),hour(published_at),minute(published_at),"
                "second(published_at),count(comments)",
                "{\"data\":[{\"published_at_year\":\"2023\",\"published_at_month\":\"12\","
                "\"published_at_week\":\"49\",\"published_at_day\":\"5\",\"published_at_weekday\":"
                "\"2\",\"published_at_hour\":\"14\",\"published_at_minute\":\"55\","
                "\"published_at_second\":\"16.000000\",\"comments_count\":\"2\"}]}");
    expect_list_refused(state, AS_A, "posts", "fields=year(title)", ERR_INVALID_QUERY,
                        "Invalid query. Invalid function specified \"year\".");
    expect_list_refused(state, AS_A, "posts", "fields=foo(title)", ERR_INVALID_QUERY,
                        "Invalid query. Invalid function specified \"foo\".");
}

static void meta_counts_rows(void **state)
{
    expect_list(state, AS_A, "posts", "limit=1&fields=slug&meta=*&filter[status]=draft&sort=slug",
                "{\"meta\":{\"total_count\":3,\"filter_count\":2},\"data\":[{\"slug\":"
                "\"post-2\"}]}");
    expect_list(state, AS_A, "posts", "aggregate[count]=*&meta=filter_count",
                "{\"meta\":{\"filter_count\":3},\"data\":[{\"count\":\"3\"}]}");
}

static void filters_find(void **state)
{
    static const struct {
        const char *filter;
        const char *slugs;
    } CASES[] = {
        {"{\"status\":{\"_eq\":\"draft\"}}", "23"},
        {"{\"status\":\"draft\"}", "23"},
        {"{\"status\":{\"_neq\":\"draft\"}}", "1"},
        {"{\"word_count\":{\"_neq\":51}}", "1"},
        {"{\"slug\":{\"_in\":[\"post-1\",\"post-2\"]}}", "12"},
        {"{\"slug\":{\"_in\":\"post-1,post-2\"}}", "12"},
        {"{\"slug\":{\"_nin\":[\"post-1\"]}}", "23"},
        {"{\"word_count\":{\"_lt\":360}}", "2"},
        {"{\"word_count\":{\"_lte\":\"360\"}}", "12"},
        {"{\"word_count\":{\"_gt\":50.5}}", "12"},
        {"{\"word_count\":{\"_in\":[51,360.5]}}", "2"},
        {"{\"published_at\":{\"_gt\":\"2024-12-29\"}}", "2"},
        {"{\"published_at\":{\"_gte\":\"2024-12-29T23:56:42Z\"}}", "2"},
        {"{\"published_at\":{\"_between\":[\"2023-01-01\",\"2024-01-01\"]}}", "1"},
        {"{\"word_count\":{\"_nbetween\":[1,100]}}", "1"},
        {"{\"word_count\":{\"_between\":[1]}}", "123"},
        {"{\"word_count\":{\"_null\":true}}", "3"},
        {"{\"word_count\":{\"_nnull\":true}}", "12"},
        {"{\"word_count\":{\"_null\":false}}", "12"},
        {"{\"title\":{\"_empty\":true}}", ""},
        {"{\"title\":{\"_contains\":\"wo\"}}", "2"},
        {"{\"title\":{\"_contains\":\"%\"}}", "123"},
        {"{\"title\":{\"_ncontains\":\"wo\"}}", "13"},
        {"{\"title\":{\"_icontains\":\"TWO\"}}", "2"},
        {"{\"title\":{\"_starts_with\":\"T\"}}", "23"},
        {"{\"title\":{\"_nstarts_with\":\"T\"}}", "1"},
        {"{\"title\":{\"_istarts_with\":\"t\"}}", "23"},
        {"{\"title\":{\"_iends_with\":\"E\"}}", "13"},
        {"{\"_and\":[{\"status\":\"draft\"},{\"slug\":{\"_ends_with\":\"3\"}}]}", "3"},
        {"{\"_or\":[{\"slug\":\"post-1\"},{\"slug\":\"post-3\"}]}", "13"},
        {"{\"_or\":[{\"slug\":\"post-1\"},{}]}", "123"},
        {"{\"_or\":[]}", "123"},
        {"{}", "123"},
        {"{\"slug\":{\"_or\":[{\"_eq\":\"post-1\"},{\"_eq\":\"post-2\"}]}}", "12"},
        {"{\"slug\":{\"_starts_with\":\"post\",\"_ends_with\":\"2\"}}", "2"},
        {"{\"author\":{\"name\":{\"_eq\":\"Ann\"}}}", "1"},
        {"{\"author\":{\"id\":{\"_null\":true}}}", "3"},
        {"{\"author\":{\"site_id\":{\"name\":{\"_eq\":\"Site A\"}}}}", "12"},
        {"{\"author\":{\"site_id\":{\"name\":{\"_eq\":\"Site B\"}}}}", ""},
        {"{\"year(published_at)\":{\"_eq\":2024}}", "2"},
        {"{\"published_at\":{\"_lt\":\"$NOW\"}}", "12"},
        {"{\"published_at\":{\"_gt\":\"$NOW(-1 day)\"}}", ""},
        {"{\"author\":{\"_eq\":\"$CURRENT_USER\"}}", ""},
        {"{\"author\":{\"_in\":[\"$CURRENT_ROLES\",\"" ANN "\"]}}", "1"},
        {"{\"author\":{\"_null\":true}}", "3"},
        {"{\"author\":{\"_eq\":null}}", "3"},
        {"{\"comments\":{\"body\":{\"_eq\":\"first\"}}}", "1"},
        {"{\"comments\":{\"_some\":{\"body\":{\"_contains\":\"o\"}}}}", "12"},
        {"{\"comments\":{\"_none\":{\"body\":\"first\"}}}", "23"},
        {"{\"comments\":{\"id\":{\"_null\":true}}}", "3"},
        {"{\"comments\":{\"_null\":true}}", "3"},
        {"{\"count(comments)\":{\"_gte\":2}}", "1"},
        {"{\"comments\":{\"body\":\"hidden\"}}", ""},
        {"{\"comments\":{\"post\":{\"author\":{\"name\":\"Bob\"}}}}", "2"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct ask *ask = calloc(1, sizeof *ask);
        char query[2048];
        char want[512] = "{\"data\":[";
        snprintf(query, sizeof query, "fields=slug&sort=slug&filter=%s", CASES[i].filter);
        /* a % in the filter must come through a query string */
        char *percent = strchr(query, '%');
        if (percent != NULL) {
            memmove(percent + 3, percent + 1, strlen(percent + 1) + 1);
            memcpy(percent, "%25", 3);
        }
        for (const char *n = CASES[i].slugs; *n != '\0'; n++) {
            size_t used = strlen(want);
            snprintf(want + used, sizeof want - used, "%s{\"slug\":\"post-%c\"}",
                     n == CASES[i].slugs ? "" : ",", *n);
        }
        strcat(want, "]}");
        *ask = (struct ask){.collection = "posts", .query = query};
        expect_answer(state, AS_A, ask, want);
        free(ask);
    }
}

static void queries_of_one_shape_share_a_plan_and_not_their_values(void **state)
{
    static const char *const FORMS[] = {
        "fields=slug&filter[slug][_eq]=post-%d&meta=filter_count",
        "fields=slug&filter={\"_and\":[{\"slug\":{\"_eq\":\"post-%d\"}}]}&meta=filter_count",
        "fields=slug&filter[slug][_eq]=post-%d&filter[slug][_neq]=post-9&meta=filter_count"};
    for (size_t i = 0; i < 3 * sizeof FORMS / sizeof FORMS[0]; i++) {
        struct ask *ask = calloc(1, sizeof *ask);
        char query[256];
        char want[256];
        int number = 1 + (int)(i % 3);
        snprintf(query, sizeof query, FORMS[i / 3], number);
        snprintf(want, sizeof want,
                 "{\"meta\":{\"filter_count\":1},\"data\":[{\"slug\":\"post-%d\"}]}", number);
        *ask = (struct ask){.collection = "posts", .query = query};
        expect_answer(state, AS_A, ask, want);
        free(ask);
    }
}

static void bad_queries_are_refused_with_directus_sentences(void **state)
{
    static const struct {
        const char *query;
        Err err;
        const char *sentence;
    } CASES[] = {
        {"limit=-2", ERR_INVALID_QUERY,
         "Invalid query. \"limit\" must be greater than or equal to -1."},
        {"limit=abc", ERR_INVALID_QUERY, "Invalid query. \"limit\" must be a number."},
        {"offset=-1", ERR_INVALID_QUERY,
         "Invalid query. \"offset\" must be greater than or equal to 0."},
        {"meta=foo", ERR_INVALID_QUERY,
         "Invalid query. \"meta[0]\" must be one of [total_count, filter_count]."},
        {"filter={bad", ERR_INVALID_QUERY, "Invalid query. Invalid JSON for filter object."},
        {"sort=nope", ERR_FORBIDDEN,
         "You don't have permission to access field \"nope\" in collection \"posts\" or it does "
         "not exist. Queried in root."},
        {"sort=?", ERR_FORBIDDEN,
         "You don't have permission to access field \"?\" in collection \"posts\" or it does not "
         "exist. Queried in root."},
        {"fields=nope", ERR_FORBIDDEN,
         "You don't have permission to access field \"nope\" in collection \"posts\" or it does "
         "not exist. Queried in root."},
        {"fields=a,b", ERR_FORBIDDEN,
         "You don't have permission to access fields \"a\", \"b\" in collection \"posts\" or they "
         "do not exist. Queried in root."},
        {"fields=author.nope", ERR_FORBIDDEN,
         "You don't have permission to access field \"nope\" in collection \"authors\" or it does "
         "not exist. Queried in \"author\"."},
        {"filter[nope]=1", ERR_FORBIDDEN,
         "You don't have permission to access field \"nope\" in collection \"posts\" or it does "
         "not exist. Queried in root."},
        {"filter[author][nope]=1", ERR_FORBIDDEN,
         "You don't have permission to access field \"nope\" in collection \"authors\" or it does "
         "not exist. Queried in \"author\"."},
        {"filter=[1]", ERR_FORBIDDEN,
         "You don't have permission to access field \"0\" in collection \"posts\" or it does not "
         "exist. Queried in root."},
        {"filter={\"status\":null}", ERR_INVALID_QUERY, "Invalid query. Invalid filter object."},
        {"filter[status][_foo]=1", ERR_INVALID_QUERY,
         "Invalid query. \"string\" field type does not contain the \"_foo\" filter operator."},
        {"filter[word_count][_contains]=1", ERR_INVALID_QUERY,
         "Invalid query. \"integer\" field type does not contain the \"_contains\" filter "
         "operator."},
        {"filter[word_count][_eq]=abc", ERR_INVALID_QUERY, "Invalid query. Invalid numeric value."},
        {"filter={\"slug\":{\"_in\":[]}}", ERR_INVALID_QUERY,
         "Invalid query. \"_in\" has to be an array of values."},
        {"filter={\"author\":{\"_some\":{\"name\":\"x\"}}}", ERR_INVALID_QUERY,
         "Invalid query. \"_some\" can only be used with top level relational alias field."},
        {"filter[author][_eq]=abc", ERR_INVALID_QUERY, "Invalid query. Invalid uuid value."},
        {"filter[published_at][_gt]=not-a-date", ERR_INVALID_QUERY,
         "Invalid query. Invalid date value in field \"published_at\"."},
        {"filter={\"slug\":{\"_eq\":\"\"}}", ERR_INVALID_QUERY,
         "Invalid query. You can't filter for an empty string in \"_eq\". Use \"_empty\" or "
         "\"_nempty\" instead."},
        {"filter[title][foo]=1", ERR_FORBIDDEN,
         "You don't have permission to access field \"foo\" in collection \"posts\" or it does not "
         "exist. Queried in root."},
        {"filter[_foo]=1", ERR_INVALID_QUERY,
         "Invalid query. Invalid filter key \"_foo\" on \"posts\"."},
        {"filter[word_count][_null]=x", ERR_INVALID_QUERY,
         "Invalid query. \"_null\" has to be a boolean."},
        {"alias[a.b]=title&fields=id", ERR_INVALID_QUERY,
         "Invalid query. \"alias\" key/value can't contain a period character `.`."},
        {"alias[t]=nope&fields=id,t", ERR_FORBIDDEN,
         "You don't have permission to access field \"nope\" in collection \"posts\" or it does "
         "not exist. Queried in root."},
        {"aggregate[count]=nope", ERR_FORBIDDEN,
         "You don't have permission to access field \"nope\" in collection \"posts\" or it does "
         "not exist. Queried in root."},
        {"fields=author.posts.author.posts.author.posts.author.posts.author.posts.author.posts."
         "title",
         ERR_INVALID_QUERY, "Invalid query. Max relational depth exceeded."},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        expect_list_refused(state, AS_A, "posts", CASES[i].query, CASES[i].err, CASES[i].sentence);
}

static void order_limit_page_and_offset(void **state)
{
    expect_list(state, AS_A, "posts", "fields=title&sort=-title",
                "{\"data\":[{\"title\":\"Two\"},{\"title\":\"Three\"},{\"title\":\"One\"}]}");
    expect_list(state, AS_A, "posts", "fields=title&sort=author.name,title&limit=2",
                "{\"data\":[{\"title\":\"One\"},{\"title\":\"Two\"}]}");
    expect_list(state, AS_A, "posts", "fields=title&sort=-year(published_at),id",
                "{\"data\":[{\"title\":\"Three\"},{\"title\":\"Two\"},{\"title\":\"One\"}]}");
    expect_list(state, AS_A, "posts", "fields=title&limit=1&page=3&sort=id",
                "{\"data\":[{\"title\":\"Three\"}]}");
    expect_list(state, AS_A, "posts", "fields=title&limit=1&offset=1&page=3&sort=id",
                "{\"data\":[{\"title\":\"Three\"}]}");
    expect_list(state, AS_A, "posts", "fields=title&offset=2&sort=id&limit=-1",
                "{\"data\":[{\"title\":\"Three\"}]}");
    expect_list(state, AS_A, "posts", "limit=0", "{\"data\":[]}");
    expect_list(state, AS_A, "posts", "fields=title&sort=comments.body,id&limit=1",
                "{\"data\":[{\"title\":\"One\"}]}");
}

static void aggregates_group_and_count(void **state)
{
    expect_list(state, AS_A, "posts", "aggregate[count]=*", "{\"data\":[{\"count\":\"3\"}]}");
    expect_list(state, AS_A, "posts", "aggregate[count]=id",
                "{\"data\":[{\"count\":{\"id\":\"3\"}}]}");
    expect_list(state, AS_A, "posts",
                "aggregate[sum]=word_count&aggregate[avg]=word_count&aggregate[min]=word_count&"
                "aggregate[max]=published_at",
                "{\"data\":[{\"sum\":{\"word_count\":\"411\"},\"avg\":{\"word_count\":"
                "\"205.5000000000000000\"},\"min\":{\"word_count\":51},\"max\":{\"published_at\":"
                "\"2024-12-29T23:56:42.000Z\"}}]}");
    expect_list(state, AS_A, "posts", "aggregate[count]=*&groupBy[]=status",
                "{\"data\":[{\"status\":\"draft\",\"count\":\"2\"},{\"status\":\"published\","
                "\"count\":\"1\"}]}");
    expect_list(state, AS_A, "posts", "aggregate[count]=*&groupBy[]=status&sort=count",
                "{\"data\":[{\"status\":\"published\",\"count\":\"1\"},{\"status\":\"draft\","
                "\"count\":\"2\"}]}");
    expect_list(state, AS_A, "posts",
                "aggregate[count]=id&groupBy[]=year(published_at)&sort=-year(published_at)",
                "{\"data\":[{\"published_at_year\":null,\"count\":{\"id\":\"1\"}},{"
                "\"published_at_year\":\"2024\",\"count\":{\"id\":\"1\"}},{\"published_at_year\":"
                "\"2023\",\"count\":{\"id\":\"1\"}}]}");
    expect_list(state, AS_A, "posts", "aggregate[countDistinct]=status&fields=title",
                "{\"data\":[{\"countDistinct\":{\"status\":\"2\"}}]}");
    expect_list(state, AS_A, "posts", "groupBy[]=status&limit=1",
                "{\"data\":[{\"status\":\"draft\"}]}");
    expect_list(state, AS_A, "posts", "aggregate[countAll]=*", "{\"data\":[{}]}");
    expect_list(state, AS_A, "posts", "aggregate[foo]=id&limit=2", "{\"data\":[{},{}]}");
}

static void search_looks_into_texts_numbers_and_ids(void **state)
{
    expect_list(state, AS_A, "posts", "fields=slug&search=thr",
                "{\"data\":[{\"slug\":\"post-3\"}]}");
    expect_list(state, AS_A, "posts", "fields=slug&search=360",
                "{\"data\":[{\"slug\":\"post-1\"}]}");
    expect_list(state, AS_A, "posts", "fields=slug&search=" POST_2,
                "{\"data\":[{\"slug\":\"post-2\"}]}");
    expect_list(state, AS_A, "posts", "fields=slug&search=secret", "{\"data\":[]}");
}

static void one_item_by_key(void **state)
{
    struct ask *ask = calloc(1, sizeof *ask);
    *ask = (struct ask){
        .verb = VERB_READ, .collection = "posts", .key = POST_1, .query = "fields=id,title"};
    expect_answer(state, AS_A, ask, "{\"data\":{\"id\":\"" POST_1 "\",\"title\":\"One\"}}");
    const char *plain = "You don't have permission to access this.";
    ask->key = POST_B;
    expect_refusal(state, AS_A, ask, ERR_FORBIDDEN, plain);
    ask->key = "22222222-2222-4222-8222-222222222222";
    expect_refusal(state, AS_A, ask, ERR_FORBIDDEN, plain);
    ask->key = "abc";
    expect_refusal(state, AS_A, ask, ERR_FORBIDDEN, plain);
    ask->collection = "nope";
    expect_refusal(state, AS_A, ask, ERR_FORBIDDEN,
                   "You don't have permission to access collection \"nope\" or it does not exist. "
                   "Queried in root.");
    ask->collection = "directus_users";
    expect_refusal(state, AS_PLATFORM, ask, ERR_FORBIDDEN, plain);
    free(ask);
}

static void what_no_tenant_owns_is_invisible_to_a_site(void **state)
{
    expect_list(state, AS_PLATFORM, "nobodys", "", "{\"data\":[{\"id\":1,\"name\":\"x\"}]}");
    expect_list(state, AS_NONE, "nobodys", "", "{\"data\":[{\"id\":1,\"name\":\"x\"}]}");
    expect_list_refused(state, AS_A, "nobodys", "", ERR_FORBIDDEN,
                        "You don't have permission to access collection \"nobodys\" or it does not "
                        "exist. Queried in root.");
}

static void the_library_is_shared_and_has_no_site(void **state)
{
    expect_list(state, AS_A, "snippets", "sort=name",
                "{\"data\":[{\"id\":\"50000000-0000-4000-8000-000000000002\",\"site_id\":"
                "\"aaaaaaaa-0000-7000-8000-00000000000a\",\"name\":\"own\"},{\"id\":"
                "\"50000000-0000-4000-8000-000000000001\",\"site_id\":null,\"name\":\"shared\"}]}");
    expect_list(state, AS_PLATFORM, "snippets", "fields=name&filter[site_id][_null]=true",
                "{\"data\":[{\"name\":\"shared\"}]}");
    expect_list(state, AS_PLATFORM, "sites", "fields=name&sort=name",
                "{\"data\":[{\"name\":\"Site A\"},{\"name\":\"Site B\"}]}");
    expect_list(state, AS_A, "sites", "fields=name", "{\"data\":[{\"name\":\"Site A\"}]}");
}

static void rules_hide_rows_and_fields(void **state)
{
    static const struct granted LIST[] = {
        {"posts", "read", "{\"status\":\"published\"}", "id,title,author,comments", NULL, NULL},
        {"posts", "read", "{\"slug\":{\"_eq\":\"post-2\"}}", "id,slug", NULL, NULL},
        {"authors", "read", "{\"name\":{\"_eq\":\"Bob\"}}", "*", NULL, NULL},
    };
    struct actor actor = actor_with(*state, LIST, 3);
    struct ask *ask = calloc(1, sizeof *ask);
    *ask =
        (struct ask){.collection = "posts", .query = "fields=title,slug&sort=id", .actor = &actor};
    expect_answer(
        state, AS_A, ask,
        "{\"data\":[{\"title\":\"One\",\"slug\":null},{\"title\":null,\"slug\":\"post-2\"}]}");
    ask->query = "";
    expect_answer(state, AS_A, ask,
                  "{\"data\":[{\"id\":\"" POST_1
                  "\",\"title\":\"One\",\"slug\":null,\"author\":\"" ANN "\"},{\"id\":\"" POST_2
                  "\",\"title\":null,\"slug\":\"post-2\",\"author\":null}]}");
    ask->query = "fields=title,author.name&sort=id&limit=1";
    expect_answer(state, AS_A, ask, "{\"data\":[{\"title\":\"One\",\"author\":null}]}");
    ask->query = "fields=id&filter[slug][_starts_with]=post"; /* seen on the second alone */
    expect_answer(state, AS_A, ask, "{\"data\":[{\"id\":\"" POST_2 "\"}]}");
    ask->query = "fields=id&sort=-slug&limit=1";
    expect_answer(state, AS_A, ask, "{\"data\":[{\"id\":\"" POST_1 "\"}]}");
    ask->query = "fields=word_count";
    expect_refusal(
        state, AS_A, ask, ERR_FORBIDDEN,
        "You don't have permission to access field \"word_count\" in collection \"posts\" "
        "or it does not exist. Queried in root.");
    ask->query = "fields=title&filter[word_count][_gt]=1";
    expect_refusal(state, AS_A, ask, ERR_FORBIDDEN, NULL);
    ask->query = "fields=title&sort=word_count";
    expect_refusal(state, AS_A, ask, ERR_FORBIDDEN, NULL);
    ask->query = "fields=title,comments.body&limit=1&sort=id"; /* comments may not be read */
    expect_answer(state, AS_A, ask, "{\"data\":[{\"title\":\"One\"}]}");
    ask->query = "filter[comments][body][_eq]=first";
    expect_refusal(state, AS_A, ask, ERR_FORBIDDEN,
                   "You don't have permission to access collection \"comments\" or it does not "
                   "exist. Queried in \"comments\".");
    ask->query = "meta=total_count&fields=id&limit=0";
    expect_answer(state, AS_A, ask, "{\"meta\":{\"total_count\":2},\"data\":[]}");
    ask->collection = "comments";
    expect_refusal(state, AS_A, ask, ERR_FORBIDDEN, NULL);
    free(ask);
}

static void rules_may_reach_through_relations(void **state)
{
    static const struct granted LIST[] = {
        {"comments", "read", "{\"post\":{\"author\":{\"name\":{\"_eq\":\"Ann\"}}}}", "*", NULL,
         NULL},
        {"posts", "read", "{\"comments\":{\"_some\":{\"body\":\"other\"}}}", "*", NULL, NULL},
    };
    struct actor actor = actor_with(*state, LIST, 2);
    struct ask *ask = calloc(1, sizeof *ask);
    *ask = (struct ask){.collection = "comments", .query = "fields=body", .actor = &actor};
    expect_answer(state, AS_A, ask, "{\"data\":[{\"body\":\"second\"},{\"body\":\"first\"}]}");
    ask->collection = "posts";
    ask->query = "fields=title,comments.body";
    expect_answer(state, AS_A, ask, "{\"data\":[{\"title\":\"Two\",\"comments\":[]}]}");
    free(ask);
}

static void the_same_question_twice_uses_the_plan_again(void **state)
{
    for (int i = 0; i < 5; i++) {
        expect_list(state, AS_A, "posts", "fields=title&sort=id&limit=1",
                    "{\"data\":[{\"title\":\"One\"}]}");
        expect_list(state, AS_B, "posts", "fields=title&sort=id&limit=1",
                    "{\"data\":[{\"title\":\"Secret\"}]}");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        content_test(a_list_has_only_the_sites_own_rows),
        content_test(every_field_in_table_order_then_aliases),
        content_test(nested_fields_are_objects_and_lists),
        content_test(many_to_any_follows_the_collection),
        content_test(deep_narrows_what_is_nested),
        content_test(aliases_and_functions),
        content_test(meta_counts_rows),
        content_test(filters_find),
        content_test(bad_queries_are_refused_with_directus_sentences),
        content_test(queries_of_one_shape_share_a_plan_and_not_their_values),
        content_test(order_limit_page_and_offset),
        content_test(aggregates_group_and_count),
        content_test(search_looks_into_texts_numbers_and_ids),
        content_test(one_item_by_key),
        content_test(what_no_tenant_owns_is_invisible_to_a_site),
        content_test(the_library_is_shared_and_has_no_site),
        content_test(rules_hide_rows_and_fields),
        content_test(rules_may_reach_through_relations),
        content_test(the_same_question_twice_uses_the_plan_again),
    };
    return RUN_CONTENT_TESTS(tests);
}
