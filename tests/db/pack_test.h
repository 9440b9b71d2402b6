/*
 * Tests of the factory against a database with the pack: sites that the file names, and from then
 * on the owner's eye on everything.
 */
#pragma once

#include "db_test.h"

#include <stdlib.h>

/* The pack in the database that the tests of this file share. */
static inline void pack_install(void)
{
    struct ctx ctx = {.arena = arena_create()};
    struct migrate_result result;
    Err err = migrate_run(&ctx, str_from_z(test_url), PACK_ALWAYS, 60 * SECOND_US, &result);
    if (err != OK)
        give_up("%.*s", STR_FMT(ctx.diag.last->reason));
    arena_destroy(ctx.arena);
}

/* A group's setup: a database, the pack, the rows of `sites`. */
static inline int pack_setup(void **state, const char *sites)
{
    if (database_setup(state) != 0)
        return 1;
    pack_install();
    must_run(test_admin, "set role spark_owner; set spark.scope = 'platform'");
    must_run(test_admin, sites);
    return 0;
}

/* What the first column of the first row says. */
static inline int64_t number(const char *sql)
{
    return strtoll(must_ask(test_admin, sql), NULL, 10);
}

/* Until no transaction of the lanes is left: what was cancelled rolls back behind its back. */
static inline void settle(struct db_fixture *f)
{
    while (
        number("select count(*) from pg_locks where pid <> pg_backend_pid() and "
               "locktype = 'virtualxid' and pid in (select l.pid from pg_locks l where "
               "l.database = (select oid from pg_database where datname = current_database()))") >
        0)
        loop_turn(f->loop, 10);
}
