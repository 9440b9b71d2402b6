/*
 * The two things that belong together in a data folder: the secrets of an installation and the
 * database that was made with them. What a first start makes without a question is never made again
 * in place of something that was lost: that is said, with what to do about it.
 *
 *   DATA/secrets.env    ADMIN_TOKEN, ADMIN_PASSWORD, SECRET: those that the environment has not
 *   DATA/first-start    from the first moment of a first start until its database is made: one that
 *                       was interrupted goes on where it stopped
 */
#pragma once

#include "base/system/ctx.h"

struct installation {
    const char *data;
    const char *postgres;  /* STORE/postgres; NULL: the database is elsewhere */
    bool may_make_secrets; /* spark up --new-secrets */
    bool may_make_database;
    bool is_first_start; /* set by installation_check */
};

/* Refuses what is incomplete, damaged or readable by others (ERR_CONFIG), or begins a first start.
 * `needs_secrets` is false where only the servers are started. */
Err installation_check(struct ctx *ctx, struct installation *installation, bool needs_secrets);

/* Sets ADMIN_TOKEN, ADMIN_PASSWORD and SECRET: from the environment, from the file, or newly made
 * and then kept in the file. *ret_made: something new was made. */
Err installation_secrets(struct ctx *ctx, const struct installation *installation, bool *ret_made);

/* The database has been made: the first start is over. */
Err installation_complete(struct ctx *ctx, const struct installation *installation);
