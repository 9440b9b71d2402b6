/*
 * JSON as YAML in block style, for schemas under version control; and back.
 */
#ifndef GOD_YAML_H
#define GOD_YAML_H

#include <spark/spark.h>

/* Every string that YAML could interpret as another type is quoted, so that a YAML reader gets the
 * same values. SPARK_FAILED when the text exceeds 32 MiB. */
spark_status yaml_of_json(const spark_api *api, spark_call *call, const spark_json *json,
                          spark_str *ret);

/* Any YAML with one document, including JSON. SPARK_BAD_INPUT gives line and column of malformed
 * input, aliases, anchors, tags and nesting deeper than 14 levels; also for input larger than 16
 * MiB. */
spark_status json_of_yaml(const spark_api *api, spark_call *call, spark_str yaml,
                          const spark_json **json);

#endif
