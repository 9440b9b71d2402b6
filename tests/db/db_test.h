/*
 * For tests of the PostgreSQL module: a database of their own on the server of
 * SPARK_TEST_DATABASE_URL, migrated, with one table that tenants own and one that nobody does;
 * a reactor with nothing but a loop and lanes; and fibers to run bodies in.
 */
#pragma once

#include "../unit/io/io_test.h"
#include "app/compose.h"
#include "base/settings/settings.h"
#include "base/system/log.h"
#include "io/fiber/loop.h"
#include "io/fiber/offload.h"
#include "io/pg/db.h"
#include "io/pg/migrate.h"
#include "io/redis/redis.h"
#include "io/setup/setup.h"
#include "support/ctx_be.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <unistd.h>

enum { TEST_ROWS = 100 };

struct db_fixture {
    struct loop *loop;
    struct arena *arena;
    struct settings settings;
    struct reactor reactor;
    struct actor_fiber *actors;
};

static char test_url[512]; /* of the test's own database */
static char test_name[64];
static PGconn *test_server; /* where that database was made */
static PGconn *test_admin;  /* in it */
static Uuid SITE_A, SITE_B;

/* cmocka's fail_msg is made of its fail, which is hidden here. */
#define give_up(...) (print_error(__VA_ARGS__), print_error("\n"), _fail(__FILE__, __LINE__))

static inline void must_run(PGconn *pg, const char *sql)
{
    PGresult *result = PQexec(pg, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        give_up("%s: %s", sql, PQresultErrorMessage(result));
    PQclear(result);
}

/* The first value of the first row, as text, in a static buffer. */
static inline const char *must_ask(PGconn *pg, const char *sql)
{
    static char answer[256];
    PGresult *result = PQexec(pg, sql);
    if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) < 1)
        give_up("%s: %s", sql, PQresultErrorMessage(result));
    snprintf(answer, sizeof(answer), "%s", PQgetvalue(result, 0, 0));
    PQclear(result);
    return answer;
}

static inline PGconn *must_connect(const char *url)
{
    PGconn *pg = PQconnectdb(url);
    if (PQstatus(pg) != CONNECTION_OK)
        give_up("%s", PQerrorMessage(pg));
    must_run(pg, "set client_min_messages = error");
    return pg;
}

/* The given server, another database. A URI or key=value. */
static inline void url_of_database(const char *url, const char *name)
{
    if (strncmp(url, "postgres", 8) != 0) {
        snprintf(test_url, sizeof(test_url), "%s dbname=%s", url, name);
        return;
    }
    const char *query = strchr(url, '?');
    size_t len = query != NULL ? (size_t)(query - url) : strlen(url);
    const char *host = strstr(url, "://") + 3;
    const char *slash = memchr(host, '/', len - (size_t)(host - url));
    if (slash != NULL)
        len = (size_t)(slash - url);
    snprintf(test_url, sizeof(test_url), "%.*s/%s%s", (int)len, url, name,
             query != NULL ? query : "");
}

static inline void migrate_test_database(void)
{
    struct ctx ctx = {.arena = arena_create()};
    struct migrate_result result;
    Err err = migrate_run(&ctx, str_from_z(test_url), PACK_NEVER, 30 * SECOND_US, &result);
    if (err != OK)
        give_up("%.*s", STR_FMT(ctx.diag.last->reason));
    arena_destroy(ctx.arena);
}

static inline int database_setup(void **state)
{
    (void)state;
    const char *url = getenv("SPARK_TEST_DATABASE_URL");
    if (url == NULL)
        give_up("set SPARK_TEST_DATABASE_URL to a server whose user may create databases");
    log_init(getenv("SPARK_TEST_VERBOSE") != NULL ? LOG_DEBUG : LOG_ERROR, "test");
    uuid_parse(STR("aaaaaaaa-0000-7000-8000-00000000000a"), &SITE_A);
    uuid_parse(STR("bbbbbbbb-0000-7000-8000-00000000000b"), &SITE_B);

    compose();
    test_server = must_connect(url);
    snprintf(test_name, sizeof(test_name), "spark_test_%ld", (long)getpid());
    char sql[128];
    snprintf(sql, sizeof(sql), "create database %s template template0", test_name);
    must_run(test_server, sql);
    url_of_database(url, test_name);
    migrate_test_database();
    test_admin = must_connect(test_url);
    must_run(test_admin,
             "set role spark_owner;"
             "create table items (site_id uuid not null, id bigint not null, name varchar(20), "
             " n int check (n >= 0), primary key (site_id, id), unique (site_id, name));"
             "select spark.protect_table('items');"
             "create table plain (id bigint primary key, name text not null unique, "
             " parent bigint references plain deferrable initially deferred);"
             "grant all on plain to spark_platform, spark_tenant;"
             "create table hits (id bigint primary key, n bigint not null);"
             "grant all on hits to spark_platform, spark_tenant;"
             "reset role");
    return 0;
}

/* Plain first: that one knows how to send autovacuum away, which is not ours to terminate; by force
 * then, for the sessions of tests that are just ending. */
static inline void drop_database(const char *name)
{
    enum { TRIES = 20 };
    char sql[128];
    for (int i = 0; i < TRIES; i++) {
        snprintf(sql, sizeof(sql), "drop database if exists %s%s", name,
                 i % 2 == 0 ? "" : " with (force)");
        PGresult *result = PQexec(test_server, sql);
        bool is_done = PQresultStatus(result) == PGRES_COMMAND_OK;
        PQclear(result);
        if (is_done)
            return;
    }
    must_run(test_server, sql);
}

static inline int database_teardown(void **state)
{
    (void)state;
    if (test_server == NULL)
        return 0; /* the setup has failed, and said why */
    PQfinish(test_admin);
    drop_database(test_name);
    PQfinish(test_server);
    return 0;
}

/* Every test starts from the same rows. */
static inline void reset_rows(void)
{
    must_run(test_admin, "begin; set local role spark_owner; set local spark.scope = 'platform';"
                         "delete from items; delete from plain; delete from hits;"
                         "insert into items select s::uuid, i, left(s, 1) || i, i "
                         " from unnest(array['aaaaaaaa-0000-7000-8000-00000000000a',"
                         " 'bbbbbbbb-0000-7000-8000-00000000000b']) s, generate_series(1, 100) i;"
                         "commit");
}

static inline struct settings test_settings(void)
{
    return (struct settings){
        .database_url = str_from_z(test_url),
        .server_threads = 1,
        .database_read_lanes = 2,
        .database_slow_lanes = 4,
        .read_lane_timeout_ms = 5000,
        .slow_lane_timeout_ms = 10000,
        .database_write_lanes = 4,
        .database_exclusive_lanes = 2,
        .statement_timeout_ms = 10000,
        .database_outage_timeout_ms = 20000,
    };
}

/* A body in a fiber of its own, with a ctx of its own. */
typedef Err DbBody(struct ctx *ctx, void *arg);
struct actor_fiber {
    struct ctx ctx;
    DbBody *body;
    void *arg;
    Err result;
    struct fiber *fiber;
    bool has_ended;
    struct actor_fiber *next;
};

static inline struct db_fixture *fixture_open(struct settings settings)
{
    struct db_fixture *f = calloc(1, sizeof(*f));
    f->loop = loop_new();
    f->arena = arena_create();
    f->settings = settings;
    f->reactor = (struct reactor){.loop = f->loop, .settings = &f->settings};
    f->reactor.db = db_new(f->loop, &f->settings, "spark test");
    return f;
}

static inline void fixture_close(struct db_fixture *f)
{
    assert_int_equal(fiber_count(f->loop), 0);
    for (struct actor_fiber *actor = f->actors; actor != NULL; actor = actor->next)
        arena_destroy(actor->ctx.arena); /* lets go of plans before their cache goes */
    reactor_release(&f->reactor);
    db_free(f->reactor.db);
    loop_free(f->loop);
    arena_destroy(f->arena);
    free(f);
}

static inline int db_setup(void **state)
{
    reset_rows();
    *state = fixture_open(test_settings());
    return 0;
}

static inline int db_teardown(void **state)
{
    fixture_close(*state);
    return 0;
}

#define db_test(name) cmocka_unit_test_setup_teardown(name, db_setup, db_teardown)

static inline void actor_main(void *arg)
{
    struct actor_fiber *actor = arg;
    actor->result = actor->body(&actor->ctx, actor->arg);
    actor->has_ended = true;
}

static inline struct actor_fiber *actor_start(struct db_fixture *f, Scope scope, DbBody *body,
                                              void *arg)
{
    struct actor_fiber *actor = arena_new(f->arena, struct actor_fiber);
    actor->next = f->actors;
    f->actors = actor;
    const struct ctx ctx = {.arena = arena_create(),
                            .reactor = &f->reactor,
                            .scope = scope,
                            .deadline_us = clock_now_us() + 20 * SECOND_US};
    memcpy(&actor->ctx, &ctx, sizeof ctx);
    actor->body = body;
    actor->arg = arg;
    actor->fiber = fiber_spawn(f->loop, "test", actor_main, actor);
    return actor;
}

static inline void turn_until_done(struct db_fixture *f)
{
    while (fiber_count(f->loop) > 0)
        loop_turn(f->loop, 1000);
}

/* Alone, to its end. */
static inline Err act(struct db_fixture *f, Scope scope, DbBody *body, void *arg)
{
    struct actor_fiber *actor = actor_start(f, scope, body, arg);
    turn_until_done(f);
    return actor->result;
}

#define AS_A ((Scope){SCOPE_SITE, SITE_A})
#define AS_B ((Scope){SCOPE_SITE, SITE_B})
#define AS_PLATFORM ((Scope){.kind = SCOPE_PLATFORM})
#define AS_NONE ((Scope){.kind = SCOPE_NONE})

static inline struct statement shape(const char *sql, enum db_lane lane)
{
    return (struct statement){.sql = sql, .lane = lane};
}

static inline Str last_reason(const struct ctx *ctx)
{
    return ctx->diag.last != NULL ? ctx->diag.last->reason : STR("");
}

static inline Str last_note(const struct ctx *ctx, const char *key)
{
    if (ctx->diag.last != NULL)
        for (struct diag_note *n = ctx->diag.last->notes; n != NULL; n = n->next)
            if (strcmp(n->key, key) == 0)
                return n->value;
    return STR_NONE;
}

static inline void expect_text(Str got, const char *want)
{
    if (!str_eq(got, str_from_z(want)))
        give_up("got \"%.*s\", want \"%s\"", STR_FMT(got), want);
}

#define RUN_DB_TESTS(tests) cmocka_run_group_tests(tests, database_setup, database_teardown)
