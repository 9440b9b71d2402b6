/*
 * Migrations: forward-only SQL files, embedded in the binary, each applied in one transaction under
 * a lock and recorded with a checksum; then the functions whose bodies have changed, in one more
 * transaction. Blocking (libpq on the direct connection): for the command line and start-up only.
 */
#pragma once

#include "base/system/err.h"

struct ctx;

enum migrate_pack { PACK_IF_NEW, PACK_ALWAYS, PACK_NEVER };

struct migrate_result {
    uint32_t applied;
    uint32_t present;
    uint32_t functions; /* function files that were applied */
    bool installed_pack;
};

/* Migrates the database to the version of this binary: waits up to timeout_us for it to answer.
 * ERR_CONFIG when an applied file has changed, the database is newer than the binary, or privileges
 * are missing. */
Err migrate_run(struct ctx *ctx, Str direct_url, enum migrate_pack pack, int64_t timeout_us,
                struct migrate_result *ret);
