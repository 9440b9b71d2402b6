/*
 * What a database needs so that compiled filters can use indexes under row-level security
 * (docs/decisions/0012-row-security-and-indexes.md): functions marked LEAKPROOF, which requires a
 * superuser, and the extensions for trigram indexes.
 */
#pragma once

#include "cli/backends/sync_postgres.h"

/* The functions that are not marked yet, as "lower(text), …"; empty if all are. */
Err leakproof_missing(struct ctx *ctx, struct sync_postgres *postgres, Str *ret_functions);
/* Marks them; `postgres` must be a superuser's. Writes nothing if all are marked. */
Err leakproof_mark(struct ctx *ctx, struct sync_postgres *postgres);
/* The statements for this, for an operator to run as superuser. */
Str leakproof_sql(struct ctx *ctx, Str functions);

/* For pg_trgm and btree_gin: the extensions that the server offers but this database lacks, and
 * those that the server does not offer, each as "pg_trgm, …". */
Err trigram_missing(struct ctx *ctx, struct sync_postgres *postgres, Str *ret_offered,
                    Str *ret_absent);
/* Creates the offered ones. */
Err trigram_install(struct ctx *ctx, struct sync_postgres *postgres);
