/*
 * What the files of the extension share.
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
/* Routes with the guard of a god. They take all they take from the body: a parameter in the address
 * is refused, as one that is dropped may have been meant to hold something back (dry_run). */
spark_status god_add(const spark_api *host, spark_registry *registry,
                     const struct god_route *routes, size_t count);

spark_status god_reply(const spark_api *api, spark_call *call, spark_str body);
/* The body, which must be an object with no members but `known` (spark_api.json_check). */
spark_status god_read(const spark_api *api, spark_call *call, const spark_request *request,
                      spark_str known, const spark_json **body);
/* "2024-12-29T23:56:42.000Z" */
spark_str god_timestamp(const spark_api *api, spark_call *call);

/* operate.c: fields, an overview, permissions, and SQL where the operator allowed it. */
spark_status operate_start(const spark_api *host, spark_registry *registry);

/* apply.c: a snapshot, put back. */
spark_status apply_start(const spark_api *host, spark_registry *registry);

#endif
