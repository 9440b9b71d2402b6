/*
 * The prepared statements of a connection, and arguments in libpq's format.
 *
 * A named statement (SQL_…) is prepared at its first use, a compiled statement at its third. A
 * session has at most 500 names: nothing is deallocated, because PgBouncer does not see DEALLOCATE
 * and libpq 15 cannot send Close. When the names are used up and unnamed statements have become
 * common, the session is replaced by a fresh one (is_worn).
 */
#pragma once

#include "io/pg/db.h"

enum {
    STATEMENT_NAMES_MAX = 500,
    STATEMENT_TABLE_SIZE = 1024, /* twice the maximum: short probes */
    STATEMENT_SEEN_SIZE = 2048,
    STATEMENT_SEEN_MIN = 3,
    STATEMENT_PREPARES_MAX = 16, /* of one statement in one session; after that it stays unnamed */
    STATEMENT_MISSES_MAX = 20000,
    STATEMENT_NAME_SIZE = 16,
};

struct db_statement {
    uint64_t hash;
    char *key; /* its name, or the SQL of a compiled statement */
    uint32_t *oids;
    uint32_t arg_count;
    uint32_t number; /* part of its name on the server */
    char name[STATEMENT_NAME_SIZE];
    uint32_t prepares;
    bool is_prepared;
};

struct statement_cache {
    struct db_statement **table; /* STATEMENT_TABLE_SIZE */
    uint32_t *seen;              /* STATEMENT_SEEN_SIZE: counts uses before preparing */
    uint32_t entries;
    uint32_t names;  /* assigned in this session */
    uint32_t misses; /* statements sent unnamed because the names were used up */
};

void statement_cache_init(struct statement_cache *cache);
void statement_cache_finish(struct statement_cache *cache);
/* The entry to send it by, or NULL: send it unnamed. If it is not prepared, Parse must precede
 * it. */
struct db_statement *statement_find(struct statement_cache *cache,
                                    const struct statement *statement, struct db_args args);
/* The server no longer has the statement, or never created it. */
void statement_forget(struct db_statement *statement, uint32_t number);
bool statement_cache_is_worn(const struct statement_cache *cache);

/* Arguments in libpq's format. One per thread, reused for each message. */
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
