/*
 * Shared by the files of the extension.
 */
#ifndef GOD_H
#define GOD_H

#include <spark/spark.h>

struct god_route {
    spark_str method;
    spark_str pattern;
    spark_body body;
    spark_endpoint_fn *run;
};
/* Registers routes with the god guard. They take all input from the body: query parameters are
 * refused, because an ignored one may have been a restriction (dry_run). */
spark_status god_add(const spark_api *host, spark_registry *registry,
                     const struct god_route *routes, size_t count);

spark_status god_reply(const spark_api *api, spark_call *call, spark_str body);
/* Reads the body, which must be an object with no members other than `known`
 * (spark_api.json_check). */
spark_status god_read(const spark_api *api, spark_call *call, const spark_request *request,
                      spark_str known, const spark_json **body);
/* "2024-12-29T23:56:42.000Z" */
spark_str god_timestamp(const spark_api *api, spark_call *call);

/* operate.c: fields, an overview, permissions, and SQL if the operator has enabled it. */
spark_status operate_start(const spark_api *host, spark_registry *registry);

/* apply.c: applies a snapshot. */
spark_status apply_start(const spark_api *host, spark_registry *registry);

#endif
