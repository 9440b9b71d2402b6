/*
 * The steps of `spark up`, in order. Each prints its own line. They share one supervisor, which
 * knows the running children if a later step fails.
 */
#pragma once

#include "base/settings/settings.h"
#include "cli/supervise/installation.h"
#include "cli/supervise/supervisor.h"

struct up {
    struct ctx *ctx;
    struct say say;
    struct places places;
    struct settings settings;
    struct installation installation;
    struct supervisor supervisor;
    int64_t started_us;
    bool has_backends_only; /* no secrets, no server */
    bool has_new_secrets;
    bool is_misused; /* the settings are wrong */
};

/* Folders, lock, settings, port, cleanup after an earlier start; then secrets. Nothing permanent is
 * created before the checks succeed. */
Err up_prepare(struct up *up, Str data);
/* Starts the embedded PostgreSQL and Redis if no address is given; then the addresses are known. */
Err up_backends(struct up *up);
/* Waits for an external database; then FORCE_FRESH_INSTALL, migrations, and the check that SECRET
 * is unchanged. */
Err up_database(struct up *up);
/* Starts server and workers, and waits until the server answers. */
Err up_front_ends(struct up *up);
