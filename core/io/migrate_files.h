/*
 * The migrations that the binary carries: the lines of schema/manifest, in their order. A line is
 * "system <path>" or "pack <path>"; the path is the migration's name for ever.
 */
#pragma once

#include "base/err.h"

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
