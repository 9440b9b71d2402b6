/* Snapshots of the schema: their form, as text and as a value, and their limits. */
#include "base/json/json_memory.h"
#include "ddl_test.h"

static Err run_snapshot(struct platform platform, const struct json *body, struct change *change)
{
    (void)body;
    Str snapshot;
    TRY(schema_snapshot_text(platform, &snapshot));
    keep_answer(change, snapshot);
    const struct json *parsed;
    return json_parse(platform.ctx, snapshot, JSON_LIMITS_DEFAULT, &parsed);
}

static Err run_both_snapshots(struct platform platform, const struct json *body,
                              struct change *change)
{
    (void)body;
    struct arena *arena = platform.ctx->arena;
    Str text;
    const struct json *value;
    const struct json *parsed;
    TRY(schema_snapshot_text(platform, &text));
    TRY(schema_snapshot(platform, &value));
    TRY(json_parse(platform.ctx, text, JSON_LIMITS_DEFAULT, &parsed));
    if (!str_eq(json_text(arena, value), json_text(arena, parsed)))
        give_up("%.*s\n is not what the text says:\n%.*s", STR_FMT(json_text(arena, value)),
                STR_FMT(text));
    keep_answer(change, text);
    return OK;
}

static Err run_snapshot_value(struct platform platform, const struct json *body,
                              struct change *change)
{
    (void)body;
    (void)change;
    const struct json *value;
    return schema_snapshot(platform, &value);
}

static Err run_empty_wish(struct platform platform, const struct json *body, struct change *change)
{
    (void)change;
    Str result;
    return schema_apply(platform, &(struct schema_wish){body, true, false}, &result);
}

static void the_snapshot_has_directus_form(void **state)
{
    must_make(state, "{\"collection\":\"shelf\",\"schema\":{},\"meta\":{},\"fields\":["
                     "{\"field\":\"status\",\"type\":\"string\",\"schema\":{\"default_value\":"
                     "\"dra'ft\",\"is_indexed\":true},\"meta\":{\"interface\":\"input\"}}]}");
    the_change.run = run_snapshot;
    the_change.body = "{}";
    Err err = act(*state, AS_PLATFORM, change_body, &the_change);
    if (err != OK)
        give_up("%s", the_change.sentence);
    const char *parts[] = {
        "{\"version\":1,\"directus\":\"11.17.4\",\"vendor\":\"postgres\",\"collections\":[{"
        "\"collection\":\"authors\"",
        "\"schema\":{\"name\":\"shelf\"}",
        "{\"collection\":\"shelf\",\"field\":\"status\",\"type\":\"string\",\"meta\":{",
        "\"schema\":{\"name\" : \"status\", \"table\" : \"shelf\", \"data_type\" : \"character "
        "varying\", \"default_value\" : \"dra'ft\", \"max_length\" : 255, \"numeric_precision\" : "
        "null, \"numeric_scale\" : null, \"is_nullable\" : true, \"is_unique\" : false, "
        "\"is_indexed\" : true, \"is_primary_key\" : false, \"is_generated\" : false, "
        "\"generation_expression\" : null, \"has_auto_increment\" : false, \"foreign_key_table\" : "
        "null, \"foreign_key_column\" : null}",
        "\"has_auto_increment\" : true",
        "\"constraint_name\" : \"posts_author_fkey\"",
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (strstr(the_change.answer, parts[i]) == NULL)
            give_up("no %s in %s", parts[i], the_change.answer);
    assert_null(strstr(the_change.answer, "\"collection\":\"directus_users\",\"meta\""));
    drop("shelf");
}

/* What of PostgreSQL's JSON a reader and a writer would spell in another way, and a text that is
 * parsed on a thread. */
static void as_value_the_snapshot_is_what_its_text_says(void **state)
{
    must_make(state, "{\"collection\":\"shelf\",\"schema\":{},\"meta\":{},\"fields\":["
                     "{\"field\":\"price\",\"type\":\"decimal\",\"meta\":{}},"
                     "{\"field\":\"long\",\"type\":\"alias\",\"meta\":{}}]}");
    must_make(state, "{\"collection\":\"folder\",\"schema\":null,\"meta\":{}}");
    must_run(
        test_admin,
        "set role spark_owner; alter table shelf alter column price set default 0.50;"
        "create index directus_users_last_name_index on directus_users (last_name); reset role;"
        "update directus_fields set note = chr(9) || '\"' || chr(92) || chr(228) || chr(1), "
        "options = "
        "'{\"b\":1.50,\"a\":\"\\u00e4\\/\",\"long\":12345678901234567890,\"power\":1e5}'"
        " where collection = 'shelf' and field = 'price';"
        "update directus_fields set options = json_build_array(repeat('x', 300000))"
        " where collection = 'shelf' and field = 'long'");
    the_change.run = run_both_snapshots;
    the_change.body = "{}";
    Err err = act(*state, AS_PLATFORM, change_body, &the_change);
    must_run(test_admin,
             "set role spark_owner; drop index directus_users_last_name_index; reset role");
    if (err != OK)
        give_up("%s", the_change.sentence);
    const char *parts[] = {
        "\"default_value\" : 0.50,",
        "{\"b\":1.50,\"a\":\"\\u00e4\\/\",\"long\":12345678901234567890,\"power\":1e5}",
        "{\"collection\":\"directus_users\",\"field\":\"last_name\",\"schema\":{\"is_indexed\":"
        "true}}",
        "\"versioning\" : false},\"schema\":null}",
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (strstr(the_change.answer, parts[i]) == NULL)
            give_up("no %s in %s", parts[i], the_change.answer);
    drop("shelf");
    drop("folder");
}

static void expect_too_large(void **state, const char *sentence)
{
    Err err = act(*state, AS_PLATFORM, change_body, &the_change);
    if (err != ERR_TOO_LARGE || strncmp(the_change.sentence, sentence, strlen(sentence)) != 0)
        give_up("got  %s: %s\n want %s", err_info(err)->name, the_change.sentence, sentence);
}

static void a_snapshot_that_is_too_large_is_refused(void **state)
{
    must_make(state, "{\"collection\":\"shelf\",\"schema\":{},\"meta\":{},\"fields\":["
                     "{\"field\":\"long\",\"type\":\"alias\",\"meta\":{}}]}");
    must_run(test_admin, "update directus_fields set note = repeat('x', 33 * 1024 * 1024)"
                         " where collection = 'shelf' and field = 'long'");
    the_change.body = "{\"version\":1,\"collections\":[],\"fields\":[],\"relations\":[]}";
    the_change.run = run_snapshot;
    expect_too_large(state, "The snapshot of the schema is larger than 33554432 bytes.");

    /* As a value it is held to the memory of JSON trees, whether one text is long or many are. */
    must_run(test_admin, "update directus_fields set note = repeat('x', 4 * 1024 * 1024)"
                         " where collection = 'shelf' and field = 'long'");
    json_memory_set_limit(2 * 1024 * 1024);
    the_change.run = run_snapshot_value;
    expect_too_large(state, "The JSON text takes up to ");
    must_run(test_admin, "update directus_fields set note = repeat('x', 200 * 1024)"
                         " where collection in ('shelf', 'posts', 'kinds')");
    expect_too_large(state, "The JSON text takes up to ");
    the_change.run = run_empty_wish;
    expect_too_large(state, "The JSON text takes up to ");
    json_memory_set_limit(UINT64_MAX);
    must_run(test_admin, "update directus_fields set note = null");
    drop("shelf");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        content_test(the_snapshot_has_directus_form),
        content_test(as_value_the_snapshot_is_what_its_text_says),
        content_test(a_snapshot_that_is_too_large_is_refused),
    };
    return RUN_CONTENT_TESTS(tests);
}
