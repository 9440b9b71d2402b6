/*
 * The steps of `spark up`, in order. Each says its own line; all of them share one supervisor,
 * which knows what is already running when a later step fails.
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

/* Folders, lock, settings, the port, what is left of an earlier start; then secrets. Nothing that
 * lasts is made before all of that is right. */
Err up_prepare(struct up *up, Str data);
/* PostgreSQL and Redis of our own where no address is given; then the addresses are known. */
Err up_backends(struct up *up);
/* A database elsewhere is waited for; then FORCE_FRESH_INSTALL, migrations, and whether SECRET is
 * the one that was used before. */
Err up_database(struct up *up);
/* Server and workers, until the server answers. */
Err up_faces(struct up *up);
