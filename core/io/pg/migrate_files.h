/*
 * The migrations that the binary carries: the lines of schema/manifest, in their order. A line is
 * "system <path>" or "pack <path>"; the path is the migration's name for ever.
 */
#pragma once

#include "base/system/err.h"

struct ctx;

struct migration {
    Str name;
    Str sql;
    Str checksum; /* SHA-256 of the file, hex */
    bool is_pack;
};

struct migrations {
    struct migration *list;
    uint32_t count;
};

enum { MIGRATIONS_MAX = 1000 };

/* ERR_CONFIG when a line cannot be read, a name comes twice, or `find` knows no such file.
 * find(path, ret) gives a file's bytes. */
Err migrations_parse(struct ctx *ctx, Str manifest, bool (*find)(Str path, Str *ret),
                     struct migrations *ret);
/* Those embedded in this binary. */
Err migrations_load(struct ctx *ctx, struct migrations *ret);
const struct migration *migrations_find(const struct migrations *migrations, Str name);

/* What a database has, by its spark.migrations, against what this binary has. ERR_CONFIG names what
 * is missing (of the pack only where the pack is installed) or what the binary does not know. */
Err migrations_compare(struct ctx *ctx, const Str *applied, uint32_t applied_count);
/* The same for given migrations. */
Err migrations_judge(struct ctx *ctx, const struct migrations *migrations, const Str *applied,
                     uint32_t applied_count);
