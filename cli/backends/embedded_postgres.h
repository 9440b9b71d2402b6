/*
 * The embedded PostgreSQL: found, initialised once, configured at each start, on a unix socket
 * only. It needs neither TCP, systemd nor /dev/shm, and survives kill -9 of itself and of the
 * supervisor.
 */
#pragma once

#include "cli/places/places.h"

struct embedded_postgres {
    const struct places *places;
    const char *programs; /* …/bin of the version that created the data */
    const char *folder;   /* STORE/postgres */
    const char *log;
    const char *url;       /* as role spark, owner of the database, not a superuser */
    const char *admin_url; /* as superuser, for repair and tests */
    int version;           /* 150018 */
    bool is_new;
};

/* Finds or creates the cluster, cleans up after a killed supervisor, starts it, waits until it
 * answers, and makes sure that role and database spark exist and that row-level security does not
 * prevent the use of indexes (leakproof.h). *ret_pid is a child of this process. */
Err embedded_postgres_start(struct ctx *ctx, const struct places *places,
                            struct embedded_postgres *ret, pid_t *ret_pid);

/* Restarts it after it exited; does not wait. */
Err embedded_postgres_launch(struct ctx *ctx, const struct embedded_postgres *postgres,
                             pid_t *ret_pid);

/* The signal for a fast, clean shutdown ("fast"). */
enum { EMBEDDED_POSTGRES_STOP = 2 /* SIGINT */ };
