/*
 * What a database needs so that row security keeps no index from the filters that are compiled
 * (docs/decisions/0012-row-security-and-indexes.md): functions marked LEAKPROOF, which takes a
 * superuser, and the extensions that a trigram index is made with.
 */
#pragma once

#include "cli/backends/sync_postgres.h"

/* The functions that are not marked yet, as "lower(text), …"; empty when all are. */
Err leakproof_missing(struct ctx *ctx, struct sync_postgres *postgres, Str *ret_functions);
/* Marks those; `postgres` is a superuser's. Nothing is written when all are marked. */
Err leakproof_mark(struct ctx *ctx, struct sync_postgres *postgres);
/* The statements that do it, for an operator to run as superuser. */
Str leakproof_sql(struct ctx *ctx, Str functions);

/* Of pg_trgm and btree_gin: what the server offers and this database does not have, and what the
 * server does not even offer, each as "pg_trgm, …". */
Err trigram_missing(struct ctx *ctx, struct sync_postgres *postgres, Str *ret_offered,
                    Str *ret_absent);
/* Creates those that are offered. */
Err trigram_install(struct ctx *ctx, struct sync_postgres *postgres);
