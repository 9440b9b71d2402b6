/*
 * Paths: the data folder, the folders of the embedded servers, their sockets, the files beside the
 * binary.
 *
 *   DATA/secrets.env     generated secrets, 0600
 *   DATA/log/            logs of all processes
 *   DATA/run/            the supervisor's lock, the addresses, the crash pages
 *   STORE/postgres       owned by the service user; STORE is DATA unless spark runs as root and
 *   STORE/redis          that user cannot access DATA: then a folder in /var/lib/spark
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

/* Creates DATA, log and run. `data` may be relative; empty: $SPARK_DATA, else "var". */
Err places_make(struct ctx *ctx, Str data, struct places *ret);

/* Creates SOCKETS and determines STORE; call with the lock held. */
Err places_make_store(struct ctx *ctx, struct places *places);

/* The data folder's path; creates nothing. */
const char *places_data(struct arena *arena, Str data);

/* Allows one `spark up` per data folder: ERR_CONFIG names the other process. Held until this
 * process ends, however it ends. */
Err places_lock(struct ctx *ctx, const struct places *places);

/* The values of environment_source() for them. */
#define PLACES_SOURCE "beside the binary"
/* Sets EXTENSIONS_PATH and STATIC_PATH, if unset, to the folders beside this binary, in the build
 * tree or in an installation. */
void places_export_defaults(struct arena *arena);

/* The path of this binary. */
const char *places_self(struct arena *arena);

/* Formats a NUL-terminated path. */
const char *path_format(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Creates a folder of the service user (0700); an existing one must belong to that user. */
Err places_make_owned(struct ctx *ctx, const struct places *places, const char *path);
