/*
 * JSON as YAML in block style, for people who keep the schema beside their code.
 */
#ifndef GOD_YAML_H
#define GOD_YAML_H

#include <spark/spark.h>

/* Every string that YAML could read as something else is quoted, so that a YAML reader gets the
 * same values back. Empty when the text passes 64 MiB. */
spark_str yaml_of_json(const spark_api *api, spark_call *call, const spark_json *json);

#endif
