/*
 * Which statements a connection knows by name, and the arguments in the form libpq wants.
 *
 * A named statement (SQL_…) is prepared at its first use, a compiled shape when it was seen three
 * times. There are at most 500 names in the life of a session: nothing is deallocated, because
 * PgBouncer does not see DEALLOCATE and libpq 15 cannot send Close. When the names are used up and
 * unnamed statements have become common, the session is replaced by a fresh one (is_worn).
 */
#pragma once

#include "io/pg/db.h"

enum {
    STATEMENT_NAMES_MAX = 500,
    STATEMENT_TABLE_SIZE = 1024, /* twice as large: short probes */
    STATEMENT_SEEN_SIZE = 2048,
    STATEMENT_SEEN_MIN = 3,
    STATEMENT_PREPARES_MAX = 16, /* of one statement in one session; then it stays unnamed */
    STATEMENT_MISSES_MAX = 20000,
    STATEMENT_NAME_SIZE = 16,
};

struct db_statement {
    uint64_t hash;
    char *key; /* its name, or the SQL of a shape */
    uint32_t *oids;
    uint32_t arg_count;
    uint32_t number; /* in the name the server knows it by */
    char name[STATEMENT_NAME_SIZE];
    uint32_t prepares;
    bool is_prepared;
};

struct statement_cache {
    struct db_statement **table; /* STATEMENT_TABLE_SIZE */
    uint32_t *seen;              /* STATEMENT_SEEN_SIZE: shapes on their way to a name */
    uint32_t entries;
    uint32_t names;  /* given in this session */
    uint32_t misses; /* statements that went unnamed because the names were used up */
};

void statement_cache_init(struct statement_cache *cache);
void statement_cache_finish(struct statement_cache *cache);
/* The entry to send it by, or NULL: send it unnamed. If it is not prepared, Parse goes first. */
struct db_statement *statement_find(struct statement_cache *cache,
                                    const struct statement *statement, struct db_args args);
/* The server does not know it any more, or never got to know it. */
void statement_forget(struct db_statement *statement, uint32_t number);
bool statement_cache_is_worn(const struct statement_cache *cache);

/* Arguments as libpq wants them. One a thread, used again for each message. */
struct db_params {
    uint32_t *types;
    const char **values;
    int *lengths;
    int *formats;
    uint32_t capacity;
    char *text; /* NUL-terminated copies of text arguments */
    size_t text_size;
};
void db_params_set(struct db_params *params, struct db_args args);
void db_params_finish(struct db_params *params);
