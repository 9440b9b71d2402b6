/*
 * The schema that the binary carries. A migration is schema/migrations/NNNN_name.sql: applied once,
 * in the order of the numbers; its path is its name and never changes. schema/functions/name.sql
 * contains the latest body of functions: applied again whenever it changes. The prefix `pack_`
 * makes a file part of the factory's pack. schema/README.md says how to add one.
 */
#pragma once

#include "base/system/err.h"

struct ctx;
struct embedded_file;

struct schema_file {
    Str name; /* the path */
    /* The name under which the first releases recorded a migration (schema/renamed), or none. */
    Str old_name;
    Str sql;
    Str checksum; /* SHA-256 of the file, hex */
    bool is_pack;
};

struct migrations {
    struct schema_file *list; /* in the order of their numbers */
    uint32_t count;
    struct schema_file *functions; /* by name */
    uint32_t function_count;
};

/* Selects the schema files from `files`, which are sorted by path and terminated by an entry
 * without one. ERR_CONFIG if there is no migration, a name has no number, or two have the same
 * number. */
Err migrations_collect(struct ctx *ctx, const struct embedded_file *files, struct migrations *ret);
/* The files embedded in this binary. */
Err migrations_load(struct ctx *ctx, struct migrations *ret);
/* By its current or old name; NULL if there is none. */
const struct schema_file *migrations_find(const struct migrations *migrations, Str name);
/* A function file by its name without schema/functions/ and .sql. */
const struct schema_file *migrations_functions(const struct migrations *migrations, Str stem);

/* Compares the names in spark.migrations with `migrations`. ERR_CONFIG names missing migrations (of
 * the pack only if the pack is installed) or unknown ones. */
Err migrations_compare(struct ctx *ctx, const struct migrations *migrations, const Str *applied,
                       uint32_t applied_count);
/* The same for spark.functions; each element is name and checksum from SQL_FUNCTIONS_APPLIED,
 * separated by a space. */
#define SQL_FUNCTIONS_APPLIED "select name || ' ' || checksum from spark.functions order by name"
Err migrations_compare_functions(struct ctx *ctx, const struct migrations *migrations,
                                 const Str *applied, uint32_t applied_count);
