/*
 * The secrets of an installation and the database that was created with them belong together in a
 * data folder. A first start creates both without asking; later starts never replace a lost one,
 * but report it and how to fix it.
 *
 *   DATA/secrets.env    ADMIN_TOKEN, ADMIN_PASSWORD, SECRET, unless the environment has them
 *   DATA/first-start    exists from the beginning of the first start until its database is created,
 *                       so that an interrupted one can continue
 */
#pragma once

#include "base/system/ctx.h"

struct installation {
    const char *data;
    const char *postgres;  /* STORE/postgres; NULL: external database */
    bool may_make_secrets; /* spark up --new-secrets */
    bool may_make_database;
    bool is_first_start; /* set by installation_check */
};

/* Refuses incomplete or damaged data and secrets that others can read (ERR_CONFIG), or begins a
 * first start. `needs_secrets` is false if only the backends are started. */
Err installation_check(struct ctx *ctx, struct installation *installation, bool needs_secrets);

/* Sets ADMIN_TOKEN, ADMIN_PASSWORD and SECRET: from the environment, from the file, or newly
 * generated and stored in the file. *ret_made: something was generated. */
Err installation_secrets(struct ctx *ctx, const struct installation *installation, bool *ret_made);

/* Ends the first start: the database exists. */
Err installation_complete(struct ctx *ctx, const struct installation *installation);
