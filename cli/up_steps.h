/*
 * The steps of `spark up`, in order. Each says its own line; all of them share one supervisor,
 * which knows what is already running when a later step fails.
 */
#pragma once

#include "base/settings.h"
#include "cli/supervisor.h"

struct up {
    struct ctx *ctx;
    struct say say;
    struct places places;
    struct settings settings;
    struct supervisor supervisor;
    int64_t started_us;
    bool has_new_secrets;
};

/* Folders, lock, configuration file and secrets into the environment, settings. */
Err up_prepare(struct up *up, Str data, Str config, bool needs_secrets);
/* PostgreSQL and Redis of our own where no address is given; then the addresses are known. */
Err up_backends(struct up *up);
/* FORCE_FRESH_INSTALL and migrations. */
Err up_database(struct up *up);
/* Server and workers, until the server answers. */
Err up_faces(struct up *up);
