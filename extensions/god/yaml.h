/*
 * JSON as YAML in block style, for people who keep the schema beside their code; and back.
 */
#ifndef GOD_YAML_H
#define GOD_YAML_H

#include <spark/spark.h>

/* Every string that YAML could read as something else is quoted, so that a YAML reader gets the
 * same values back. SPARK_FAILED when the text passes 32 MiB. */
spark_status yaml_of_json(const spark_api *api, spark_call *call, const spark_json *json,
                          spark_str *ret);

/* Any YAML of one document, JSON too. SPARK_BAD_INPUT names line and column of what is malformed,
 * of aliases, anchors and tags, and what is nested deeper than 14 levels or larger than 16 MiB. */
spark_status json_of_yaml(const spark_api *api, spark_call *call, spark_str yaml,
                          const spark_json **json);

#endif
