/*
 * Database access of the commands: in PLATFORM scope, in one transaction.
 */
#pragma once

#include "cli/backends/sync_postgres.h"
#include "cli/commands/command.h"
#include "io/pg/db.h"

/* Opens the database of the environment, or of a running `spark up`, and begins a transaction.
 * `needs` is a table that the command requires ("spark.jobs", "sites"). */
Err platform_begin(struct cli *cli, const char *needs, struct sync_postgres **ret);
Err platform_query(struct cli *cli, struct sync_postgres *postgres,
                   const struct statement *statement, const char *const *parameters,
                   uint32_t parameter_count, struct sync_rows *ret);
Err platform_commit(struct cli *cli, struct sync_postgres *postgres);

/* Finds the id of a site by its id or one of its hostnames; ERR_NOT_FOUND with a message. */
Err platform_site(struct cli *cli, struct sync_postgres *postgres, Str domain_or_id,
                  const char **ret_id);
