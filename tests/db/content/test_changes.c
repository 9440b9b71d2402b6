/* The change feed: every path is known, nothing before its commit, nobody who commits late is
 * passed over, one claims, the steward trims. */
#include "../content_test.h"
#include "content/changes/changes.h"
#include "content/items/items.h"
#include "content/load/load.h"
#include "gen/sql.h"

#define A "aaaaaaaa-0000-7000-8000-00000000000a"
#define B "bbbbbbbb-0000-7000-8000-00000000000b"

enum { TEXT_MAX = 32768, WAIT_US = 20 * 1000 * 1000 };

/* What subscribers were given, a line a change: collection action site keys. */
struct heard {
    char text[TEXT_MAX];
    size_t len;
    uint32_t gaps;
    uint32_t accept; /* so many batches before the first one that is refused */
    uint32_t refuse; /* so many are */
};

static struct heard first, second;

static Err hear(struct ctx *ctx, const struct changes *changes, void *arg)
{
    struct heard *heard = arg;
    assert_non_null(ctx->reactor);
    if (heard->accept > 0) {
        heard->accept--;
    } else if (heard->refuse > 0) {
        heard->refuse--;
        changes_hint();
        return ERR_UNAVAILABLE;
    }
    heard->gaps += changes->has_gap;
    static const char *const ACTIONS[] = {"create", "update", "delete"};
    for (uint32_t i = 0; i < changes->count; i++) {
        const struct change *change = &changes->list[i];
        const char *site = uuid_eq(change->site, SITE_A)   ? "A"
                           : uuid_eq(change->site, SITE_B) ? "B"
                           : uuid_is_nil(change->site)     ? "-"
                                                           : "?";
        heard->len +=
            (size_t)snprintf(heard->text + heard->len, TEXT_MAX - heard->len, "%.*s %s %s",
                             STR_FMT(change->collection), ACTIONS[change->action], site);
        for (uint32_t k = 0; k < change->count && change->count < 10; k++)
            heard->len += (size_t)snprintf(heard->text + heard->len, TEXT_MAX - heard->len, " %.*s",
                                           STR_FMT(change->keys[k]));
        if (change->keys == NULL || change->count >= 10)
            heard->len += (size_t)snprintf(heard->text + heard->len, TEXT_MAX - heard->len,
                                           change->keys == NULL ? " *" : " (%u)", change->count);
        heard->len += (size_t)snprintf(heard->text + heard->len, TEXT_MAX - heard->len, "\n");
        assert_true(heard->len < TEXT_MAX);
    }
    return OK;
}

static int changes_setup(void **state)
{
    must_run(test_admin, CONTENT_ROWS);
    must_run(test_admin, "set role spark_owner; set spark.scope = 'platform'; delete from posts;"
                         "delete from headings; delete from nobodys; reset role");
    struct settings settings = test_settings();
    settings.changes_retention_h = 1;
    struct db_fixture *f = fixture_open(settings);
    test_offload = offload_new(1, 8);
    f->reactor.offload = test_offload;
    *state = f;
    first = second = (struct heard){0};
    changes_subscribe("first", CHANGES_ALL, hear, &first);
    changes_subscribe("second", CHANGES_UNANNOUNCED, hear, &second);
    return 0;
}

static int changes_teardown(void **state)
{
    struct db_fixture *f = *state;
    fiber_cancel_all(f->loop);
    turn_until_done(f);
    changes_unsubscribe_all();
    fixture_close(f);
    offload_free(test_offload);
    return 0;
}

#define changes_test(name) cmocka_unit_test_setup_teardown(name, changes_setup, changes_teardown)

static void hear_until(struct db_fixture *f, const struct heard *heard, size_t len)
{
    int64_t end_us = clock_now_us() + WAIT_US;
    changes_hint();
    while (heard->len < len) {
        loop_turn(f->loop, 100);
        if (clock_now_us() > end_us)
            give_up("heard only:\n%s", heard->text);
    }
}

/* Exactly this, after the reader has looked once more. */
static void must_hear(struct db_fixture *f, struct heard *heard, const char *want)
{
    hear_until(f, heard, strlen(want));
    assert_string_equal(heard->text, want);
    heard->text[heard->len = 0] = '\0';
}

static void run_as_owner(const char *sql)
{
    must_run(test_admin, "set role spark_owner; set spark.scope = 'platform'");
    must_run(test_admin, sql);
    must_run(test_admin, "reset role");
}

/* The first look only remembers where to begin: a change after it is heard, those before are not.
 */
static void begin(struct db_fixture *f)
{
    changes_start(&f->reactor);
    while (second.len == 0) {
        run_as_owner("insert into nobodys (name) values ('begin')");
        changes_hint();
        for (int i = 0; i < 20 && second.len == 0; i++)
            loop_turn(f->loop, 20);
    }
    run_as_owner("insert into nobodys (id, name) values (-1, 'end')");
    int64_t end_us = clock_now_us() + WAIT_US;
    while (strstr(first.text, "- -1\n") == NULL || strstr(second.text, "- -1\n") == NULL) {
        changes_hint();
        loop_turn(f->loop, 20);
        assert_true(clock_now_us() < end_us);
    }
    first = second = (struct heard){0};
}

#define POST(n) "00000000-0000-4000-8000-00000000000" n

static void sites_keys_and_actions_are_those_of_the_rows(void **state)
{
    struct db_fixture *f = *state;
    begin(f);
    run_as_owner("insert into posts (id, site_id, title) values ('" POST(
        "1") "', '" A "', 'x');"
             "insert into posts (id, site_id, title) values ('" POST("2") "', '" B "', 'x');");
    must_hear(f, &second, "posts create A " POST("1") "\nposts create B " POST("2") "\n");
    run_as_owner("update posts set title = 'y' where id = '" POST("1") "'");
    must_hear(f, &second, "posts update A " POST("1") "\n");
    run_as_owner("update posts set title = 'y' where false");
    run_as_owner("delete from posts where id = '" POST("2") "'");
    must_hear(f, &second, "posts delete B " POST("2") "\n");
    run_as_owner("insert into nobodys (id, name) values (7, 'x')");
    must_hear(f, &second, "nobodys create - 7\n");
    run_as_owner("insert into headings (id, site_id) values ('" POST(
        "3") "', '" A "');"
             "update headings set site_id = '" B "'");
    hear_until(f, &second, 1);
    hear_until(f, &second, strlen("headings create A " POST("3") "\n") * 3);
    assert_non_null(strstr(second.text, "headings update A " POST("3") "\n"));
    assert_non_null(strstr(second.text, "headings update B " POST("3") "\n"));
    run_as_owner("truncate headings");
    second.text[second.len = 0] = '\0';
    must_hear(f, &second, "headings delete - *\n");
}

/* The order of keys and sites within a statement is not promised. */
static void rows_that_change_together_are_named_once_and_moved_ones_for_both_sites(void **state)
{
    struct db_fixture *f = *state;
    begin(f);
    run_as_owner("insert into headings (id, site_id) values ('" POST("8") "', '" A "'), ('" POST(
        "9") "', '" A "')");
    must_hear(f, &second, "headings create A " POST("8") " " POST("9") "\n");
    const size_t one = strlen("headings update A " POST("8") " " POST("9") "\n");
    run_as_owner("update headings set title = 'y'");
    hear_until(f, &second, one);
    assert_int_equal(second.len, one);
    assert_non_null(strstr(second.text, "headings update A "));
    second.text[second.len = 0] = '\0';
    run_as_owner("update headings set site_id = '" B "'");
    hear_until(f, &second, 2 * one);
    assert_int_equal(second.len, 2 * one);
    assert_non_null(strstr(second.text, "headings update A "));
    assert_non_null(strstr(second.text, "headings update B "));
}

static void many_keys_are_not_named(void **state)
{
    struct db_fixture *f = *state;
    begin(f);
    run_as_owner("insert into posts (site_id, title) select '" A
                 "', i from generate_series(1, 1000) i");
    must_hear(f, &second, "posts create A (1000)\n");
    run_as_owner("insert into posts (site_id, title) select '" A
                 "', i from generate_series(1, 1001) i");
    must_hear(f, &second, "posts create A *\n");
}

static void what_is_rolled_back_was_no_change(void **state)
{
    struct db_fixture *f = *state;
    begin(f);
    run_as_owner("begin; insert into posts (site_id, title) values ('" A "', 'x'); rollback");
    run_as_owner("begin; savepoint s; insert into posts (site_id, title) values ('" A "', 'x');"
                 "rollback to s; insert into nobodys (id, name) values (8, 'x'); commit");
    must_hear(f, &second, "nobodys create - 8\n");
}

static void nobody_who_commits_late_is_passed_over(void **state)
{
    struct db_fixture *f = *state;
    begin(f);
    PGconn *late = must_connect(test_url);
    PGconn *later = must_connect(test_url);
    must_run(late, "set role spark_owner; set spark.scope = 'platform'; begin;"
                   "insert into nobodys (id, name) values (11, 'late')");
    must_run(later, "set role spark_owner; set spark.scope = 'platform'; begin;"
                    "insert into nobodys (id, name) values (12, 'later')");
    run_as_owner("insert into nobodys (id, name) values (13, 'soon')");
    must_hear(f, &second, "nobodys create - 13\n");
    run_as_owner("insert into nobodys (id, name) values (14, 'soon')");
    must_hear(f, &second, "nobodys create - 14\n");
    must_run(later, "commit");
    must_hear(f, &second, "nobodys create - 12\n");
    must_run(late, "commit");
    must_hear(f, &second, "nobodys create - 11\n");
    PQfinish(late);
    PQfinish(later);
}

static void more_than_a_page_arrives_in_its_order(void **state)
{
    struct db_fixture *f = *state;
    begin(f);
    enum { COUNT = 450 };
    run_as_owner(
        "do $$ begin for i in 1000..1449 loop insert into nobodys (id, name) values (i, 'x'); "
        "end loop; end $$");
    hear_until(f, &second, COUNT * strlen("nobodys create - 1000\n"));
    const char *at = second.text;
    for (int i = 1000; i < 1000 + COUNT; i++) {
        char line[64];
        snprintf(line, sizeof line, "nobodys create - %d\n", i);
        assert_memory_equal(at, line, strlen(line));
        at += strlen(line);
    }
}

static void what_a_subscriber_refuses_comes_again(void **state)
{
    struct db_fixture *f = *state;
    begin(f);
    second.refuse = 2;
    run_as_owner("insert into nobodys (id, name) values (21, 'x')");
    must_hear(f, &second, "nobodys create - 21\n");
    assert_string_equal(first.text,
                        "nobodys create - 21\nnobodys create - 21\nnobodys create - 21\n");
}

static void a_page_that_was_taken_does_not_come_again(void **state)
{
    struct db_fixture *f = *state;
    begin(f);
    second.accept = 1;
    second.refuse = 1;
    run_as_owner(
        "do $$ begin for i in 1000..1299 loop insert into nobodys (id, name) values (i, 'x'); "
        "end loop; end $$");
    char want[TEXT_MAX];
    size_t len = 0;
    for (int i = 1000; i < 1300; i++)
        len += (size_t)snprintf(want + len, sizeof want - len, "nobodys create - %d\n", i);
    must_hear(f, &second, want);
}

static Err create_body(struct ctx *ctx, void *arg)
{
    ctx_be(ctx, &TEST_ADMIN, ctx->scope);
    const struct json *items;
    TRY(json_parse(ctx, str_from_z(arg), JSON_LIMITS_DEFAULT, &items));
    struct bulk_result result;
    return bulk_insert((struct platform){ctx}, STR("posts"), items, true, &result);
}

static void a_bulk_load_is_known_by_its_keys_and_announced_by_its_writer(void **state)
{
    struct db_fixture *f = *state;
    begin(f);
    struct actor_fiber *actor = actor_start(
        f, AS_PLATFORM, create_body,
        "[{\"id\":\"" POST("4") "\",\"site_id\":\"" A
                                "\",\"title\":\"x\"},{\"id\":\"" POST("5") "\",\"site_id\":\"" A
                                                                           "\",\"title\":\"x\"}]");
    while (!actor->has_ended)
        loop_turn(f->loop, 100);
    assert_int_equal(actor->result, OK);
    must_hear(f, &first, "posts create A " POST("4") " " POST("5") "\n");
    assert_string_equal(must_ask(test_admin, "select bool_and(is_announced) from spark.changes "
                                             "where keys @> array['" POST("4") "']"),
                        "t");
}

static void cascades_and_triggers_are_announced_by_nobody_else(void **state)
{
    (void)state;
    run_as_owner("insert into posts (id, site_id, title) values ('" POST(
        "6") "', '" A "', 'x');"
             "insert into comments (site_id, post, body) values ('" A "', '" POST("6") "', 'x')");
    run_as_owner("/* announced delete posts */ delete from posts");
    assert_string_equal(must_ask(test_admin,
                                 "select string_agg(collection || ' ' || is_announced, ', ' "
                                 "order by collection) from spark.changes where action = "
                                 "'delete' and xid = (select max(xid) from spark.changes)"),
                        "comments false, posts true");
}

static Err claim_body(struct ctx *ctx, void *arg)
{
    struct rows rows;
    Str xid = str_from_z(must_ask(test_admin, "select max(xid) from spark.changes"));
    xid = str_dup(ctx->arena, xid);
    int64_t seq = strtoll(must_ask(test_admin, "select max(seq) from spark.changes"), NULL, 10);
    TRY(db_query_platform(
        reactor_platform(ctx), &SQL_CHANGES_CLAIM,
        ARGS(db_text_array(ctx->arena, &xid, 1), db_int_array(ctx->arena, &seq, 1)), &rows));
    *(uint32_t *)arg += rows.count;
    return OK;
}

static void one_claims_a_change(void **state)
{
    struct db_fixture *f = *state;
    run_as_owner("insert into nobodys (name) values ('x')");
    uint32_t claims = 0;
    for (int i = 0; i < 3; i++)
        actor_start(f, AS_NONE, claim_body, &claims);
    turn_until_done(f);
    assert_int_equal(claims, 1);
}

static Err trim_body(struct ctx *ctx, void *arg)
{
    (void)arg;
    return changes_trim(reactor_platform(ctx));
}

static void what_is_older_than_the_retention_goes(void **state)
{
    struct db_fixture *f = *state;
    run_as_owner("insert into nobodys (name) values ('x')");
    must_run(
        test_admin,
        "set role spark_owner; truncate spark.changes;"
        "insert into spark.changes (collection, action, is_announced, at) select 'old', 'create', "
        " false, now() - interval '61 minutes' from generate_series(1, 5001);"
        "insert into spark.changes (collection, action, is_announced) values ('new', 'create', "
        " false); reset role");
    assert_int_equal(act(f, AS_NONE, trim_body, NULL), OK);
    assert_string_equal(
        must_ask(test_admin, "select string_agg(collection, ',') from spark.changes"), "new");
}

static void a_reader_that_is_newer_than_the_server_hears_of_a_gap(void **state)
{
    struct db_fixture *f = *state;
    f->settings.changes_retention_h = 0; /* as if it had been away: whatever it read is too old */
    changes_start(&f->reactor);
    int64_t end_us = clock_now_us() + WAIT_US;
    while (second.gaps == 0) {
        changes_hint();
        loop_turn(f->loop, 20);
        assert_true(clock_now_us() < end_us);
    }
    assert_int_equal(second.len, 0);
}

static int content_changes_setup(void **state)
{
    if (database_setup(state) != 0)
        return 1;
    must_run(test_admin, CONTENT_TABLES);
    must_run(test_admin, "set role spark_owner; select spark.watch_table('nobodys'); reset role");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        changes_test(sites_keys_and_actions_are_those_of_the_rows),
        changes_test(rows_that_change_together_are_named_once_and_moved_ones_for_both_sites),
        changes_test(many_keys_are_not_named),
        changes_test(what_is_rolled_back_was_no_change),
        changes_test(nobody_who_commits_late_is_passed_over),
        changes_test(more_than_a_page_arrives_in_its_order),
        changes_test(what_a_subscriber_refuses_comes_again),
        changes_test(a_page_that_was_taken_does_not_come_again),
        changes_test(a_bulk_load_is_known_by_its_keys_and_announced_by_its_writer),
        changes_test(cascades_and_triggers_are_announced_by_nobody_else),
        changes_test(one_claims_a_change),
        changes_test(what_is_older_than_the_retention_goes),
        changes_test(a_reader_that_is_newer_than_the_server_hears_of_a_gap),
    };
    return cmocka_run_group_tests(tests, content_changes_setup, database_teardown);
}
