/*
 * export=csv and the other formats: the rows as a file, without an envelope. A row sink that writes
 * into the body of the reply as the rows come; CSV waits for the last row, because its first line
 * names the columns of all rows.
 */
#pragma once

#include "content/query/query.h"
#include "content/run/row_sink.h"
#include "server/http/reply.h"

/* The reply gets its type and its name (`attachment; filename="posts 20260229-102030.csv"`) with
 * the first row; an error before is an error. */
struct row_sink *rest_export(struct ctx *ctx, Str collection, enum query_export format,
                             struct reply *reply);
