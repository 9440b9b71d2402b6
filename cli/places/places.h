/*
 * Where things lie: the data folder, what the embedded servers own, their sockets, the files beside
 * the binary.
 *
 *   DATA/secrets.env     what was generated once, 0600
 *   DATA/log/            logs of every process
 *   DATA/run/            the lock of the supervisor, the addresses, the workers' pages
 *   STORE/postgres       owned by the service user; STORE is DATA unless that user, when we are
 *   STORE/redis          root, cannot reach it: then a folder below /var/lib/spark
 *   SOCKETS              0700, short (sun_path holds 107 bytes), named after DATA
 */
#pragma once

#include "cli/process/process.h"

struct places {
    const char *data;
    const char *log;
    const char *run;
    const char *store;
    const char *sockets;
    struct service_user user;
};

/* Makes DATA, log and run. `data` may be relative; empty: $SPARK_DATA, else "var". */
Err places_make(struct ctx *ctx, Str data, struct places *ret);

/* Makes SOCKETS and decides on STORE; under the lock. */
Err places_make_store(struct ctx *ctx, struct places *places);

/* The data folder's path without making anything. */
const char *places_data(struct arena *arena, Str data);

/* One `spark up` per data folder: ERR_CONFIG names the other one. Held until this process ends,
 * however it ends. */
Err places_lock(struct ctx *ctx, const struct places *places);

/* What environment_source() says of those. */
#define PLACES_SOURCE "beside the binary"
/* Sets EXTENSIONS_PATH and STATIC_PATH, where unset, to what lies beside this binary; in the build
 * tree and in an installation. */
void places_export_defaults(struct arena *arena);

/* This binary. */
const char *places_self(struct arena *arena);

/* A NUL-terminated path made of parts. */
const char *path_format(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Makes a folder of the service user (0700); one that is there must be his. */
Err places_make_owned(struct ctx *ctx, const struct places *places, const char *path);
