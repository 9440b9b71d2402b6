/* Changing the schema: what is made, what is refused, and whose rows a new table holds. */
#include "ddl_test.h"

static Err run_relation(struct platform platform, const struct json *body, struct change *change)
{
    Str relation;
    TRY(relation_create(platform, body, &relation));
    keep_answer(change, relation);
    return OK;
}

static void must_refuse(void **state, const char *body, const char *sentence)
{
    Err err = make(state, body);
    if (err != ERR_INVALID_PAYLOAD || strcmp(the_change.sentence, sentence) != 0)
        give_up("%s\n got  %s: %s\n want %s", body, err_info(err)->name, the_change.sentence,
                sentence);
}

static Err relate(void **state, const char *body)
{
    the_change.run = run_relation;
    the_change.body = body;
    return act(*state, AS_PLATFORM, change_body, &the_change);
}

static void must_relate(void **state, const char *body)
{
    Err err = relate(state, body);
    if (err != OK)
        give_up("%s: %s: %s", body, err_info(err)->name, the_change.sentence);
}

static void must_not_relate(void **state, const char *body, const char *sentence)
{
    Err err = relate(state, body);
    if (err != ERR_INVALID_PAYLOAD || strcmp(the_change.sentence, sentence) != 0)
        give_up("%s\n got  %s: %s\n want %s", body, err_info(err)->name, the_change.sentence,
                sentence);
}

static void expect_sql(const char *sql, const char *want)
{
    const char *got = must_ask(test_admin, sql);
    if (strcmp(got, want) != 0)
        give_up("%s\n got  %s\n want %s", sql, got, want);
}

static void a_collection_is_made_with_its_fields(void **state)
{
    int64_t epoch = atoll(must_ask(test_admin, "select epoch from spark.epoch"));
    must_make(
        state,
        "{\"collection\":\"kinds2\",\"meta\":{\"icon\":\"box\"},\"schema\":{},\"fields\":["
        "{\"field\":\"id\",\"type\":\"uuid\",\"schema\":{\"is_primary_key\":true},"
        "\"meta\":{\"special\":[\"uuid\"],\"hidden\":true}},"
        "{\"field\":\"s\",\"type\":\"string\",\"schema\":{\"max_length\":40,\"is_nullable\":false,"
        "\"default_value\":\"x'); drop table posts; --\"},\"meta\":{}},"
        "{\"field\":\"n\",\"type\":\"integer\",\"schema\":{\"default_value\":5,"
        "\"is_indexed\":true},\"meta\":{}},"
        "{\"field\":\"big\",\"type\":\"bigInteger\",\"schema\":{},\"meta\":{}},"
        "{\"field\":\"f\",\"type\":\"float\",\"schema\":{},\"meta\":{}},"
        "{\"field\":\"dec\",\"type\":\"decimal\",\"schema\":{\"numeric_precision\":10,"
        "\"numeric_scale\":2},\"meta\":{}},"
        "{\"field\":\"b\",\"type\":\"boolean\",\"schema\":{\"default_value\":false},\"meta\":{}},"
        "{\"field\":\"ts\",\"type\":\"timestamp\",\"schema\":{\"default_value\":\"now()\"}},"
        "{\"field\":\"dt\",\"type\":\"dateTime\"},{\"field\":\"d\",\"type\":\"date\"},"
        "{\"field\":\"t\",\"type\":\"time\"},{\"field\":\"j\",\"type\":\"json\"},"
        "{\"field\":\"c\",\"type\":\"csv\"},{\"field\":\"h\",\"type\":\"hash\"},"
        "{\"field\":\"u\",\"type\":\"uuid\",\"schema\":{\"is_unique\":true}},"
        "{\"field\":\"group of things\",\"type\":\"text\",\"schema\":{\"comment\":\"it's\"}},"
        "{\"field\":\"notes\",\"type\":\"alias\",\"meta\":{\"special\":[\"alias\",\"no-data\"]}}"
        "]}");
    assert_int_equal(the_change.fields, 17);
    expect_sql("select string_agg(format_type(atttypid, atttypmod), ',' order by attnum)"
               "  from pg_attribute where attrelid = 'kinds2'::regclass and attnum > 0",
               "uuid,character varying(40),integer,bigint,real,numeric(10,2),boolean,"
               "timestamp with time zone,timestamp without time zone,date,"
               "time without time zone,json,text,character varying(255),uuid,text");
    must_run(test_admin, "begin; set local role spark_platform; insert into kinds2 default values; "
                         "commit");
    expect_sql("begin; set local role spark_platform; select s || n || b from kinds2",
               "x'); drop table posts; --5false");
    must_run(test_admin, "rollback");
    expect_sql("select string_agg(field || ':' || coalesce(special, ''), ',' order by sort)"
               "  from directus_fields where collection = 'kinds2'",
               "id:uuid,s:,n:,big:,f:,dec:,b:,notes:alias,no-data");
    expect_sql("select icon || accountability || collapse from directus_collections"
               " where collection = 'kinds2'",
               "boxallopen");
    expect_sql("select relowner::regrole::text || relrowsecurity || relforcerowsecurity"
               "  from pg_class where oid = 'kinds2'::regclass",
               "spark_ownertruetrue");
    assert_true(atoll(must_ask(test_admin, "select epoch from spark.epoch")) != epoch);
    drop("kinds2");
}

static void a_bad_field_leaves_nothing_behind(void **state)
{
    must_refuse(state,
                "{\"collection\":\"half\",\"schema\":{},\"meta\":{},\"fields\":["
                "{\"field\":\"a\",\"type\":\"integer\",\"schema\":{\"default_value\":\"x\"}}]}",
                "Invalid payload. Invalid input syntax for type integer: \"x\".");
    expect_sql("select count(*) from directus_collections where collection = 'half'", "0");
    expect_sql("select to_regclass('half') is null", "t");
    must_make(state, "{\"collection\":\"half\",\"schema\":{},\"meta\":{}}");
    drop("half");
}

static void refusals_are_directus_sentences(void **state)
{
    must_refuse(state, "{\"schema\":{}}", "Invalid payload. \"collection\" is required.");
    must_refuse(state, "{\"collection\":\"directus_x\",\"schema\":{}}",
                "Invalid payload. Collections can't start with \"directus_\".");
    must_refuse(state, "{\"collection\":\"posts\",\"schema\":{}}",
                "Invalid payload. Collection \"posts\" already exists.");
    must_refuse(
        state,
        "{\"collection\":\"n\",\"schema\":{},\"fields\":[{\"field\":\"a\",\"type\":\"nope\"}]}",
        "Invalid payload. Illegal type passed: \"nope\".");
    must_refuse(state, "{\"collection\":\"a/b\",\"schema\":{}}",
                "Invalid payload. Collection name can't contain \"/\".");
    must_refuse(state, "{\"collection\":\"a\\\"b\",\"schema\":{}}",
                "Invalid payload. \"collection\" can't contain the character at position 2 of "
                "\"a\"b\".");
    must_refuse(
        state,
        "{\"collection\":\"n\",\"schema\":{},\"fields\":[{\"field\":\"a\",\"type\":\"text\"},"
        "{\"field\":\"a\",\"type\":\"text\"}]}",
        "Invalid payload. Field \"a\" already exists in collection \"n\".");
    must_refuse(state,
                "{\"collection\":\"n\",\"schema\":{},\"fields\":[{\"field\":\"ctid\","
                "\"type\":\"text\"}]}",
                "Invalid payload. \"ctid\" is a name that PostgreSQL reserves.");
    must_refuse(state,
                "{\"collection\":\"n\",\"schema\":{},\"fields\":[{\"field\":\"g\","
                "\"type\":\"geometry.Point\"}]}",
                "Invalid payload. Field \"g\" of the type \"geometry.Point\" needs the extension "
                "PostGIS, which this database does not have (CREATE EXTENSION postgis).");
}

static void without_a_key_there_is_an_integer_that_counts_itself(void **state)
{
    must_make(state, "{\"collection\":\"counted\",\"schema\":{},\"meta\":{},"
                     "\"fields\":[{\"field\":\"name\",\"type\":\"string\",\"meta\":{}}]}");
    assert_int_equal(the_change.fields, 1);
    struct ask create = {
        .verb = VERB_CREATE, .collection = "counted", .body = "{\"name\":\"first\"}", .query = ""};
    expect_answer(state, AS_PLATFORM, &create, "{\"data\":{\"id\":1,\"name\":\"first\"}}");
    expect_sql("select hidden::text || readonly || interface || sort from directus_fields"
               " where collection = 'counted' and field = 'id'",
               "truetruenumeric1");
    drop("counted");
}

static void no_schema_makes_a_folder(void **state)
{
    must_make(state, "{\"collection\":\"shelf\",\"schema\":null,\"meta\":{\"note\":\"n\"}}");
    expect_sql("select note || (to_regclass('shelf') is null) from directus_collections"
               " where collection = 'shelf'",
               "ntrue");
    drop("shelf");
}

#define SITE_FIELD                                                                                 \
    "{\"field\":\"site_id\",\"type\":\"uuid\",\"schema\":{\"foreign_key_table\":\"sites\"},"       \
    "\"meta\":{}}"
#define UUID_KEY                                                                                   \
    "{\"field\":\"id\",\"type\":\"uuid\",\"schema\":{\"is_primary_key\":true},"                    \
    "\"meta\":{\"special\":[\"uuid\"]}}"

static void rows_of_a_new_collection_belong_to_their_sites(void **state)
{
    must_make(state, "{\"collection\":\"shops\",\"schema\":{},\"meta\":{},\"fields\":[" UUID_KEY
                     "," SITE_FIELD ",{\"field\":\"name\",\"type\":\"string\",\"meta\":{}}]}");
    expect_sql(
        "select site_column || shared_read from spark.collections where collection = 'shops'",
        "site_idfalse");
    struct ask create = {.verb = VERB_CREATE,
                         .collection = "shops",
                         .body = "{\"name\":\"mine\"}",
                         .query = "fields=name,site_id"};
    expect_answer(state, AS_A, &create,
                  "{\"data\":{\"name\":\"mine\",\"site_id\":"
                  "\"aaaaaaaa-0000-7000-8000-00000000000a\"}}");
    create.body = "{\"name\":\"theirs\"}";
    assert_int_equal(ask_run(state, AS_B, &create), OK);
    expect_list(state, AS_A, "shops", "fields=name", "{\"data\":[{\"name\":\"mine\"}]}");
    expect_list(state, AS_PLATFORM, "shops", "fields=name&sort=name",
                "{\"data\":[{\"name\":\"mine\"},{\"name\":\"theirs\"}]}");
    expect_list(state, AS_NONE, "shops", "fields=name", "{\"data\":[]}");
    /* And with the compiler's predicate taken out, row security says the same. */
    must_run(test_admin, "begin; set local role spark_tenant; set local spark.site = "
                         "'aaaaaaaa-0000-7000-8000-00000000000a'");
    expect_sql("select string_agg(name, ',') from shops", "mine");
    must_run(test_admin, "rollback");
    drop("shops");
}

static void what_no_tenant_owns_stays_the_platforms(void **state)
{
    must_make(state, "{\"collection\":\"plans\",\"schema\":{},\"meta\":{},"
                     "\"fields\":[{\"field\":\"name\",\"type\":\"string\"}]}");
    struct ask create = {
        .verb = VERB_CREATE, .collection = "plans", .body = "{\"name\":\"gold\"}", .query = ""};
    assert_int_equal(ask_run(state, AS_PLATFORM, &create), OK);
    expect_list(state, AS_PLATFORM, "plans", "fields=name", "{\"data\":[{\"name\":\"gold\"}]}");
    expect_list(state, AS_NONE, "plans", "fields=name", "{\"data\":[{\"name\":\"gold\"}]}");
    struct ask list = {.verb = VERB_LIST, .collection = "plans", .query = ""};
    expect_refusal(state, AS_A, &list, ERR_FORBIDDEN, NULL);
    expect_sql("select has_table_privilege('spark_tenant', 'plans', 'select')", "f");
    drop("plans");
}

static void a_relation_cannot_cross_from_one_site_to_another(void **state)
{
    must_make(state, "{\"collection\":\"shops\",\"schema\":{},\"meta\":{},\"fields\":[" UUID_KEY
                     "," SITE_FIELD ",{\"field\":\"name\",\"type\":\"string\",\"meta\":{}}]}");
    must_make(state, "{\"collection\":\"desks\",\"schema\":{},\"meta\":{},\"fields\":[" UUID_KEY
                     "," SITE_FIELD ",{\"field\":\"shop\",\"type\":\"uuid\",\"meta\":{}}]}");
    must_relate(state,
                "{\"collection\":\"desks\",\"field\":\"shop\",\"related_collection\":\"shops\","
                "\"schema\":{\"on_delete\":\"SET NULL\"},\"meta\":{\"one_field\":null}}");
    expect_text(str_from_z(the_change.answer),
                "{\"collection\":\"desks\",\"field\":\"shop\",\"related_collection\":\"shops\","
                "\"schema\":{\"table\" : \"desks\", \"column\" : \"shop\", \"foreign_key_table\" : "
                "\"shops\", \"foreign_key_column\" : \"id\", \"constraint_name\" : "
                "\"desks_shop_foreign\", \"on_update\" : \"NO ACTION\", \"on_delete\" : \"SET "
                "NULL\"},\"meta\":{\"junction_field\" : null, \"many_collection\" : \"desks\", "
                "\"many_field\" : \"shop\", \"one_allowed_collections\" : null, \"one_collection\" "
                ": \"shops\", \"one_collection_field\" : null, \"one_deselect_action\" : "
                "\"nullify\", \"one_field\" : null, \"sort_field\" : null}}");
    struct ask create = {.verb = VERB_CREATE,
                         .collection = "shops",
                         .body = "{\"id\":\"d0000000-0000-4000-8000-000000000001\",\"name\":\"a\"}",
                         .query = "fields=id"};
    assert_int_equal(ask_run(state, AS_A, &create), OK);
    create.collection = "desks";
    create.body = "{\"shop\":\"d0000000-0000-4000-8000-000000000001\"}";
    expect_refusal(state, AS_B, &create, ERR_INVALID_FOREIGN_KEY, NULL);
    assert_int_equal(ask_run(state, AS_A, &create), OK);
    expect_list(state, AS_A, "desks", "fields=shop.name",
                "{\"data\":[{\"shop\":{\"name\":\"a\"}}]}");

    /* The row stays its site's when what it pointed to goes. */
    struct ask remove = {
        .verb = VERB_DELETE, .collection = "shops", .key = "d0000000-0000-4000-8000-000000000001"};
    assert_int_equal(ask_run(state, AS_A, &remove), OK);
    expect_list(state, AS_A, "desks", "fields=shop", "{\"data\":[{\"shop\":null}]}");
    drop("desks");
    drop("shops");
}

static void a_relation_to_sites_makes_a_collection_tenant_owned(void **state)
{
    must_make(state, "{\"collection\":\"late\",\"schema\":{},\"meta\":{\"tenant\":false},"
                     "\"fields\":[{\"field\":\"site_id\",\"type\":\"uuid\",\"meta\":{}}]}");
    struct ask list = {.verb = VERB_LIST, .collection = "late", .query = ""};
    expect_refusal(state, AS_A, &list, ERR_FORBIDDEN, NULL);
    must_relate(state, "{\"collection\":\"late\",\"field\":\"site_id\",\"related_collection\":"
                       "\"sites\",\"meta\":{}}");
    struct ask create = {
        .verb = VERB_CREATE, .collection = "late", .body = "{}", .query = "fields=id"};
    expect_answer(state, AS_A, &create, "{\"data\":{\"id\":1}}");
    expect_list(state, AS_A, "late", "fields=id", "{\"data\":[{\"id\":1}]}");
    expect_list(state, AS_B, "late", "fields=id", "{\"data\":[]}");
    drop("late");
}

static void each_site_sees_its_own(void **state, const char *collection)
{
    struct ask create = {
        .verb = VERB_CREATE, .collection = collection, .body = "{}", .query = "fields=id"};
    expect_answer(state, AS_A, &create, "{\"data\":{\"id\":1}}");
    expect_list(state, AS_A, collection, "fields=id", "{\"data\":[{\"id\":1}]}");
    expect_list(state, AS_B, collection, "fields=id", "{\"data\":[]}");
    drop(collection);
}

static void a_field_named_site_id_gives_the_rows_to_sites(void **state)
{
    must_make(state, "{\"collection\":\"theirs\",\"schema\":{},\"meta\":{},\"fields\":["
                     "{\"field\":\"site_id\",\"type\":\"uuid\",\"meta\":{}}]}");
    each_site_sees_its_own(state, "theirs");
}

static void meta_tenant_gives_the_rows_to_sites(void **state)
{
    must_make(state, "{\"collection\":\"theirs\",\"schema\":{},\"meta\":{\"tenant\":true}}");
    each_site_sees_its_own(state, "theirs");
}

static void a_tenancy_that_cannot_be_is_refused(void **state)
{
    must_refuse(state, "{\"collection\":\"n\",\"schema\":{},\"meta\":{\"tenant\":\"owner\"}}",
                "Invalid payload. \"meta.tenant\" must be true, false or \"site_id\", the field "
                "that says whose a row is.");
    must_refuse(state,
                "{\"collection\":\"n\",\"schema\":{},\"meta\":{\"tenant\":true},\"fields\":["
                "{\"field\":\"site_id\",\"type\":\"string\"}]}",
                "Invalid payload. \"meta.tenant\" needs the field \"site_id\" to be of the type "
                "\"uuid\".");
}

static void a_relation_into_the_library_says_whose_it_is(void **state)
{
    must_run(test_admin, "set role spark_owner; alter table snippets add unique (site_id, id);"
                         "reset role");
    must_make(state, "{\"collection\":\"uses\",\"schema\":{},\"meta\":{},\"fields\":[" SITE_FIELD
                     ",{\"field\":\"snippet\",\"type\":\"uuid\",\"meta\":{}}]}");
    must_relate(state, "{\"collection\":\"uses\",\"field\":\"snippet\",\"related_collection\":"
                       "\"snippets\",\"meta\":{}}");
    struct ask create = {.verb = VERB_CREATE, .collection = "uses", .query = "fields=snippet.name"};
    create.body = "{\"snippet\":\"50000000-0000-4000-8000-000000000001\"}";
    expect_answer(state, AS_A, &create, "{\"data\":{\"snippet\":{\"name\":\"shared\"}}}");
    create.body = "{\"snippet\":\"50000000-0000-4000-8000-000000000002\"}";
    expect_answer(state, AS_A, &create, "{\"data\":{\"snippet\":{\"name\":\"own\"}}}");
    create.body = "{\"snippet\":\"50000000-0000-4000-8000-000000000003\"}";
    expect_refusal(state, AS_A, &create, ERR_INVALID_FOREIGN_KEY, NULL);
    drop("uses");
    must_run(test_admin, "set role spark_owner; alter table snippets drop constraint "
                         "snippets_site_id_id_key; reset role");
}

static void relations_are_refused_with_directus_sentences(void **state)
{
    must_not_relate(
        state, "{\"collection\":\"posts\",\"field\":\"author\",\"related_collection\":\"authors\"}",
        "Invalid payload. Field \"author\" in collection \"posts\" already has an associated "
        "relationship.");
    must_not_relate(
        state, "{\"collection\":\"posts\",\"field\":\"zzz\",\"related_collection\":\"authors\"}",
        "Invalid payload. Field \"zzz\" doesn't exist in collection \"posts\".");
    must_not_relate(state,
                    "{\"collection\":\"posts\",\"field\":\"title\",\"related_collection\":\"zzz\"}",
                    "Invalid payload. Collection \"zzz\" doesn't exist.");
    must_not_relate(state,
                    "{\"collection\":\"zzz\",\"field\":\"title\",\"related_collection\":\"posts\"}",
                    "Invalid payload. Collection \"zzz\" doesn't exist.");
    must_not_relate(
        state, "{\"collection\":\"posts\",\"field\":\"title\",\"related_collection\":\"authors\"}",
        "Invalid payload. Field \"title\" is a column of the type character varying, but the key "
        "of \"authors\" is uuid.");
    must_not_relate(
        state,
        "{\"collection\":\"posts\",\"field\":\"title\",\"related_collection\":"
        "\"authors\",\"schema\":{\"on_delete\":\"EXPLODE\"}}",
        "Invalid payload. \"schema.on_delete\" must be one of [NO ACTION, SET NULL, SET "
        "DEFAULT, CASCADE, RESTRICT].");
}

static void of_two_that_make_the_same_one_wins(void **state)
{
    struct db_fixture *f = *state;
    static struct change twins[2];
    struct actor_fiber *fibers[2];
    for (int i = 0; i < 2; i++) {
        twins[i].run = run_collection;
        twins[i].body = "{\"collection\":\"twin\",\"schema\":{},\"meta\":{}}";
        fibers[i] = actor_start(f, AS_PLATFORM, change_body, &twins[i]);
    }
    turn_until_done(f);
    int made = (fibers[0]->result == OK) + (fibers[1]->result == OK);
    assert_int_equal(made, 1);
    const struct change *loser = &twins[fibers[0]->result == OK ? 1 : 0];
    expect_text(str_from_z(loser->sentence),
                "Invalid payload. Collection \"twin\" already exists.");
    drop("twin");
}

/* What the caller does next in the same request sees what it has made. */
static Err make_and_read(struct ctx *ctx, void *arg)
{
    (void)arg;
    ctx_be(ctx, &TEST_ADMIN, ctx->scope);
    const struct schema *schema;
    TRY(schema_current(ctx, &schema));
    const struct json *body;
    TRY(json_parse(ctx, STR("{\"collection\":\"soon\",\"schema\":{},\"meta\":{}}"),
                   JSON_LIMITS_DEFAULT, &body));
    uint32_t fields;
    TRY(collection_create((struct platform){ctx}, body, &fields));
    TRY(schema_current(ctx, &schema));
    assert_non_null(schema_find(schema, STR("soon")));
    return OK;
}

static void the_maker_sees_it_at_once(void **state)
{
    assert_int_equal(act(*state, AS_PLATFORM, make_and_read, NULL), OK);
    drop("soon");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        content_test(a_collection_is_made_with_its_fields),
        content_test(a_bad_field_leaves_nothing_behind),
        content_test(refusals_are_directus_sentences),
        content_test(a_field_named_site_id_gives_the_rows_to_sites),
        content_test(meta_tenant_gives_the_rows_to_sites),
        content_test(a_tenancy_that_cannot_be_is_refused),
        content_test(without_a_key_there_is_an_integer_that_counts_itself),
        content_test(no_schema_makes_a_folder),
        content_test(rows_of_a_new_collection_belong_to_their_sites),
        content_test(what_no_tenant_owns_stays_the_platforms),
        content_test(a_relation_cannot_cross_from_one_site_to_another),
        content_test(a_relation_to_sites_makes_a_collection_tenant_owned),
        content_test(a_relation_into_the_library_says_whose_it_is),
        content_test(relations_are_refused_with_directus_sentences),
        content_test(of_two_that_make_the_same_one_wins),
        content_test(the_maker_sees_it_at_once),
    };
    return RUN_CONTENT_TESTS(tests);
}
