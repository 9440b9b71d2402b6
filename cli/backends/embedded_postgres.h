/*
 * A PostgreSQL of our own: found, initialised once, configured at each start, on a unix socket
 * only. It needs neither TCP, systemd nor /dev/shm, and survives kill -9 of itself and of us.
 */
#pragma once

#include "cli/places/places.h"

struct embedded_postgres {
    const struct places *places;
    const char *programs; /* …/bin of the version that made the data */
    const char *folder;   /* STORE/postgres */
    const char *log;
    const char *url;       /* as the role spark: owner of the database, no superuser */
    const char *admin_url; /* as the superuser, for repair and tests */
    int version;           /* 150018 */
    bool is_new;
};

/* Finds or makes the cluster, clears what a killed predecessor left, starts it, waits until it
 * answers and makes sure that role and database spark exist, and that row security keeps no index
 * from a query there (leakproof.h). *ret_pid is our child. */
Err embedded_postgres_start(struct ctx *ctx, const struct places *places,
                            struct embedded_postgres *ret, pid_t *ret_pid);

/* Starts it again after it died; does not wait. */
Err embedded_postgres_launch(struct ctx *ctx, const struct embedded_postgres *postgres,
                             pid_t *ret_pid);

/* The signal that ends it at once but cleanly ("fast"). */
enum { EMBEDDED_POSTGRES_STOP = 2 /* SIGINT */ };
