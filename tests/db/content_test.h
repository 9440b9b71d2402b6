/*
 * For tests of the content API: a small blog of two sites, with relations, a table of every type,
 * a shared library and a table that no tenant owns; and one call that asks and compares the answer.
 */
#pragma once

#include "access/grants/actor.h"
#include "access/grants/grants_build.h"
#include "content/items/items.h"
#include "content/schema/schema.h"
#include "db_test.h"
#include "io/fiber/offload.h"
#include "server/rest/rest_rows.h"

static const char CONTENT_TABLES[] =
    "set role spark_owner;"
    "create table sites (id uuid primary key, name text not null);"
    "select spark.protect_table('sites', 'id');"
    "create table authors (id uuid primary key default gen_random_uuid(), site_id uuid not null "
    " references sites, name varchar(100), bio text);"
    "select spark.protect_table('authors');"
    "create table posts (id uuid primary key default gen_random_uuid(), site_id uuid not null "
    " references sites, title varchar(40) not null, slug varchar(40), status varchar(20) not null "
    " default 'draft', published_at timestamptz, author uuid references authors on delete set "
    "null, "
    " word_count integer);"
    "select spark.protect_table('posts');"
    "create table comments (id serial primary key, site_id uuid not null, post uuid references "
    "posts "
    " on delete cascade, body text, sort integer);"
    "grant usage on sequence comments_id_seq to spark_tenant, spark_platform;"
    "select spark.protect_table('comments');"
    "create table kinds (id serial primary key, site_id uuid not null, name varchar(255) not null, "
    " code varchar(255) unique, n integer, big bigint, f real, d2 double precision, dec "
    "numeric(10,2), "
    " b boolean default false, d date, t time, dt timestamp, ts timestamptz, j json, jb jsonb, "
    " c text, u uuid, h varchar(255), s3 varchar(3), v varchar(255), made timestamptz, changed "
    " timestamptz, maker uuid);"
    "grant usage on sequence kinds_id_seq to spark_tenant, spark_platform;"
    "select spark.protect_table('kinds');"
    "create table snippets (id uuid primary key, site_id uuid not null, name text);"
    "select spark.protect_table('snippets', shared_read => true);"
    "create table nobodys (id serial primary key, name text);"
    "grant all on nobodys to spark_platform;"
    "grant usage on sequence nobodys_id_seq to spark_platform;"
    "create table headings (id uuid primary key, site_id uuid not null, title text);"
    "select spark.protect_table('headings');"
    "select spark.key_by_site('headings');"
    "create table blocks (id serial primary key, site_id uuid not null, post uuid references "
    "posts on delete cascade, "
    " item varchar(255), collection varchar(64));"
    "grant usage on sequence blocks_id_seq to spark_tenant, spark_platform;"
    "select spark.protect_table('blocks');"
    "create table settings (id serial primary key, site_id uuid not null, name text);"
    "grant usage on sequence settings_id_seq to spark_tenant, spark_platform;"
    "select spark.protect_table('settings');"
    "reset role;"
    "insert into directus_collections (collection, singleton) values ('settings', true);"
    "insert into directus_collections (collection) values ('authors'), ('posts'), ('comments'), "
    " ('kinds'), ('snippets'), ('nobodys'), ('headings'), ('blocks'), ('sites');"
    "insert into directus_relations (many_collection, many_field, one_collection, one_field, "
    " sort_field, one_deselect_action, one_collection_field, one_allowed_collections) values "
    " ('posts', 'author', 'authors', 'posts', null, 'nullify', null, null),"
    " ('comments', 'post', 'posts', 'comments', 'sort', 'nullify', null, null),"
    " ('blocks', 'post', 'posts', 'blocks', null, 'delete', null, null),"
    " ('blocks', 'item', null, null, null, 'nullify', 'collection', 'headings');"
    "insert into directus_fields (collection, field, special, validation) values "
    " ('kinds', 'c', 'cast-csv', null), ('kinds', 'h', 'hash', null),"
    " ('kinds', 'v', null, '{\"v\":{\"_regex\":\"^[a-z]+$\"}}'),"
    " ('kinds', 'made', 'date-created', null), ('kinds', 'changed', 'date-updated', null),"
    " ('kinds', 'maker', 'user-created', null);";

static const char CONTENT_ROWS[] =
    "begin; set local spark.scope = 'platform'; set local role spark_owner;"
    "truncate settings, sites, authors, posts, comments, kinds, snippets, headings, blocks, "
    "nobodys restart "
    "identity;"
    "insert into sites values ('aaaaaaaa-0000-7000-8000-00000000000a', 'Site A'),"
    " ('bbbbbbbb-0000-7000-8000-00000000000b', 'Site B'),"
    " ('00000000-0000-7000-8000-000000000001', 'Library');"
    "insert into authors (id, site_id, name, bio) values"
    " ('a0000000-0000-4000-8000-000000000001', 'aaaaaaaa-0000-7000-8000-00000000000a', 'Ann', 'Bio "
    "\"A\"'),"
    " ('a0000000-0000-4000-8000-000000000002', 'aaaaaaaa-0000-7000-8000-00000000000a', 'Bob', "
    "null),"
    " ('b0000000-0000-4000-8000-000000000001', 'bbbbbbbb-0000-7000-8000-00000000000b', 'Eve', "
    "null);"
    "insert into posts (id, site_id, title, slug, status, published_at, author, word_count) values"
    " ('00000000-0000-4000-8000-000000000001', 'aaaaaaaa-0000-7000-8000-00000000000a', 'One', "
    "'post-1', 'published', '2023-12-05T14:55:16Z', 'a0000000-0000-4000-8000-000000000001', 360),"
    " ('00000000-0000-4000-8000-000000000002', 'aaaaaaaa-0000-7000-8000-00000000000a', 'Two', "
    "'post-2', 'draft', '2024-12-29T23:56:42Z', 'a0000000-0000-4000-8000-000000000002', 51),"
    " ('00000000-0000-4000-8000-000000000003', 'aaaaaaaa-0000-7000-8000-00000000000a', 'Three', "
    "'post-3', 'draft', null, null, null),"
    " ('00000000-0000-4000-8000-00000000000b', 'bbbbbbbb-0000-7000-8000-00000000000b', 'Secret', "
    "'post-1', 'published', null, 'b0000000-0000-4000-8000-000000000001', 7);"
    "insert into comments (site_id, post, body, sort) values"
    " ('aaaaaaaa-0000-7000-8000-00000000000a', '00000000-0000-4000-8000-000000000001', 'second', "
    "2),"
    " ('aaaaaaaa-0000-7000-8000-00000000000a', '00000000-0000-4000-8000-000000000001', 'first', 1),"
    " ('aaaaaaaa-0000-7000-8000-00000000000a', '00000000-0000-4000-8000-000000000002', 'other', 1),"
    " ('bbbbbbbb-0000-7000-8000-00000000000b', '00000000-0000-4000-8000-00000000000b', 'hidden', "
    "1);"
    "insert into snippets values ('50000000-0000-4000-8000-000000000001', "
    "'00000000-0000-7000-8000-000000000001', 'shared'),"
    " ('50000000-0000-4000-8000-000000000002', 'aaaaaaaa-0000-7000-8000-00000000000a', 'own'),"
    " ('50000000-0000-4000-8000-000000000003', 'bbbbbbbb-0000-7000-8000-00000000000b', 'foreign');"
    "insert into headings values ('c0000000-0000-4000-8000-000000000001', "
    "'aaaaaaaa-0000-7000-8000-00000000000a', 'H1');"
    "insert into blocks (site_id, post, item, collection) values"
    " ('aaaaaaaa-0000-7000-8000-00000000000a', '00000000-0000-4000-8000-000000000001', "
    "'c0000000-0000-4000-8000-000000000001', 'headings');"
    "insert into nobodys (name) values ('x');"
    "reset role; delete from directus_revisions; delete from directus_activity;"
    "commit";

#define POST_1 "00000000-0000-4000-8000-000000000001"
#define POST_2 "00000000-0000-4000-8000-000000000002"
#define POST_3 "00000000-0000-4000-8000-000000000003"
#define POST_B "00000000-0000-4000-8000-00000000000b"
#define ANN "a0000000-0000-4000-8000-000000000001"

static inline int content_database_setup(void **state)
{
    if (database_setup(state) != 0)
        return 1;
    must_run(test_admin, CONTENT_TABLES);
    return 0;
}

static struct offload *test_offload;

static inline int content_setup(void **state)
{
    must_run(test_admin, CONTENT_ROWS);
    struct settings settings = test_settings();
    settings.query_limit_default = 100;
    settings.query_limit_max = 10000;
    struct db_fixture *f = fixture_open(settings);
    test_offload = offload_new(1, 8);
    f->reactor.offload = test_offload;
    *state = f;
    return 0;
}

static inline int content_teardown(void **state)
{
    struct db_fixture *f = *state;
    fixture_close(f);
    offload_free(test_offload);
    return 0;
}

#define content_test(name) cmocka_unit_test_setup_teardown(name, content_setup, content_teardown)
#define RUN_CONTENT_TESTS(tests)                                                                   \
    cmocka_run_group_tests(tests, content_database_setup, database_teardown)

enum verb {
    VERB_LIST,
    VERB_READ,
    VERB_CREATE,
    VERB_UPDATE,
    VERB_UPDATE_MANY,
    VERB_DELETE,
    VERB_DELETE_MANY
};

struct ask {
    enum verb verb;
    const char *collection;
    const char *key;
    const char *query;
    const char *body;
    const struct actor *actor; /* NULL: an administrator */
    bool is_system;
    char answer[64 * 1024];
    char sentence[4096]; /* of the first entry of the diag */
    bool has_body;
};

static struct actor TEST_ADMIN = {
    .kind = ACTOR_ADMIN,
    .is_admin = true,
    .may_write = true,
    .ip = STR_INIT("127.0.0.1"),
    .user_agent = STR_INIT("test"),
};

static inline Err dispatch(struct ctx *ctx, struct ask *ask, struct buf *out)
{
    struct items_target target = {str_from_z(ask->collection),
                                  ask->is_system ? ITEMS_SYSTEM : ITEMS_USER};
    struct query query;
    Str text = str_from_z(ask->query == NULL ? "" : ask->query);
    if (ask->verb == VERB_LIST || ask->verb == VERB_READ)
        query = query_unparsed(text); /* as the routes do, so that plans are shared by shape */
    else
        TRY(query_parse(ctx, text, &query));
    const struct json *body = NULL;
    if (ask->body != NULL)
        TRY(json_parse(ctx, str_from_z(ask->body), JSON_LIMITS_DEFAULT, &body));
    Str key = str_from_z(ask->key);
    struct rest_rows rows = rest_rows(out);
    Err err = OK;
    switch (ask->verb) {
    case VERB_LIST:
        err = items_list(ctx, target, &query, &rows.sink);
        break;
    case VERB_READ:
        err = items_read(ctx, target, key, &query, &rows.sink);
        break;
    case VERB_CREATE:
        err = items_create(ctx, target, body, &query, &rows.sink);
        break;
    case VERB_UPDATE:
        err = items_update(ctx, target, key, body, &query, &rows.sink);
        break;
    case VERB_UPDATE_MANY:
        err = items_update_many(ctx, target, body, &query, &rows.sink);
        break;
    case VERB_DELETE:
        err = items_delete(ctx, target, key);
        break;
    case VERB_DELETE_MANY:
        err = items_delete_many(ctx, target, body);
        break;
    }
    ask->has_body = rows.has_begun;
    return err;
}

static inline Err ask_body(struct ctx *ctx, void *arg)
{
    struct ask *ask = arg;
    ctx_be(ctx, ask->actor != NULL ? ask->actor : &TEST_ADMIN, ctx->scope);
    ctx->epoch = 0;
    struct buf *out = buf_in_arena(ctx->arena, sizeof ask->answer - 1);
    Err err = dispatch(ctx, ask, out);
    Str text = buf_str(out);
    memcpy(ask->answer, text.data, text.len);
    ask->answer[text.len] = '\0';
    ask->sentence[0] = '\0';
    for (struct diag_entry *e = ctx->diag.first; err != OK && e != NULL; e = e->next) {
        Str sentence = diag_message(ctx, e);
        size_t used = strlen(ask->sentence);
        snprintf(ask->sentence + used, sizeof ask->sentence - used, "%s%.*s", used > 0 ? "\n" : "",
                 STR_FMT(sentence));
    }
    return err;
}

static inline Err ask_run(void **state, Scope scope, struct ask *ask)
{
    return act(*state, scope, ask_body, ask);
}

static inline void expect_answer(void **state, Scope scope, struct ask *ask, const char *want)
{
    Err err = ask_run(state, scope, ask);
    if (err != OK)
        give_up("%s %s: %s: %s", ask->collection, ask->query, err_info(err)->name, ask->sentence);
    if (strcmp(ask->answer, want) != 0)
        give_up("%s?%s\n got  %s\n want %s", ask->collection, ask->query, ask->answer, want);
}

static inline void expect_refusal(void **state, Scope scope, struct ask *ask, Err want,
                                  const char *sentence)
{
    Err err = ask_run(state, scope, ask);
    if (err != want)
        give_up("%s?%s: got %s (%s%s), want %s", ask->collection, ask->query, err_info(err)->name,
                ask->sentence, ask->answer, err_info(want)->name);
    if (sentence != NULL && strcmp(ask->sentence, sentence) != 0)
        give_up("%s?%s\n got  %s\n want %s", ask->collection, ask->query, ask->sentence, sentence);
}

/* A list as an administrator. */
static inline void expect_list(void **state, Scope scope, const char *collection, const char *query,
                               const char *want)
{
    struct ask *ask = calloc(1, sizeof *ask);
    *ask = (struct ask){.collection = collection, .query = query};
    expect_answer(state, scope, ask, want);
    free(ask);
}

static inline void expect_list_refused(void **state, Scope scope, const char *collection,
                                       const char *query, Err want, const char *sentence)
{
    struct ask *ask = calloc(1, sizeof *ask);
    *ask = (struct ask){.collection = collection, .query = query};
    expect_refusal(state, scope, ask, want, sentence);
    free(ask);
}

/* An actor whose grants come from rows: {collection, action, filter, fields, …}. */
struct granted {
    const char *collection;
    const char *action;
    const char *filter;
    const char *fields;
    const char *validation;
    const char *presets;
};
static inline struct actor actor_with(struct db_fixture *f, const struct granted *list,
                                      size_t count)
{
    struct ctx ctx = {.arena = f->arena};
    struct grants *grants = grants_new(f->arena);
    for (size_t i = 0; i < count; i++) {
        struct permission permission = {.collection = str_from_z(list[i].collection),
                                        .action = str_from_z(list[i].action),
                                        .fields = str_from_z(list[i].fields)};
        struct {
            const char *text;
            const struct json **to;
        } parts[] = {{list[i].filter, &permission.filter},
                     {list[i].validation, &permission.validation},
                     {list[i].presets, &permission.presets}};
        for (size_t p = 0; p < 3; p++)
            if (parts[p].text != NULL)
                assert_int_equal(
                    json_parse(&ctx, str_from_z(parts[p].text), JSON_LIMITS_DEFAULT, parts[p].to),
                    OK);
        grants_add(grants, f->arena, &permission);
    }
    return (struct actor){.kind = ACTOR_USER, .may_write = true, .grants = grants};
}
