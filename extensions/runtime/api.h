/*
 * The functions of struct spark_api, grouped by file. Private to extensions/runtime/.
 */
#pragma once

#include "runtime/host_internal.h"

/* api.c: the table that every extension receives, and its functions. */
extern const spark_api HOST_API;

/* registry.c */
spark_status api_add_endpoint(spark_registry *registry, spark_str method, spark_str pattern,
                              spark_guard guard, spark_body body, spark_endpoint_fn *fn,
                              void *user);
spark_status api_add_job(spark_registry *registry, spark_str kind, uint32_t timeout_s,
                         spark_job_fn *fn, void *user);
spark_status api_add_filter(spark_registry *registry, spark_str collection, spark_str action,
                            spark_filter_fn *fn, void *user);
spark_status api_add_action(spark_registry *registry, spark_str collection, spark_str action,
                            spark_action_fn *fn, void *user);
spark_str api_setting(spark_registry *registry, spark_str name);

/* api_json.c */
spark_status api_json_parse(spark_call *call, spark_str text, const spark_json **json);
spark_json_kind api_json_kind(const spark_json *json);
const spark_json *api_json_get(const spark_json *object, spark_str key);
const spark_json *api_json_at(const spark_json *array, size_t index);
size_t api_json_length(const spark_json *json);
bool api_json_next(spark_member *member);
spark_str api_json_string(const spark_json *json);
int64_t api_json_integer(const spark_json *json);
bool api_json_boolean(const spark_json *json);
spark_str api_json_text(spark_call *call, const spark_json *json);
spark_str api_json_quote(spark_call *call, spark_str text);
spark_status api_json_check(spark_call *call, const spark_json *object, spark_str known);

/* api_query.c */
spark_status api_query(spark_call *call, spark_str sql, const spark_arg *args, size_t arg_count,
                       spark_rows **rows);
size_t api_row_count(const spark_rows *rows);
size_t api_column_count(const spark_rows *rows);
int64_t api_rows_affected(const spark_rows *rows);
bool api_is_null(const spark_rows *rows, size_t row, size_t column);
spark_str api_value(const spark_rows *rows, size_t row, size_t column);
spark_status api_finish_job(spark_call *call, const spark_statement *effects, size_t count,
                            spark_str result_json);

/* api_platform.c */
spark_status api_create_collection(spark_call *call, const spark_json *definition,
                                   size_t *fields_created);
spark_status api_create_relation(spark_call *call, const spark_json *definition,
                                 spark_str *relation_json);
spark_status api_schema_snapshot(spark_call *call, spark_str *json);
spark_status api_create_field(spark_call *call, const spark_json *definition);
spark_status api_delete_field(spark_call *call, spark_str collection, spark_str field);
spark_status api_schema_apply(spark_call *call, const spark_json *snapshot, bool is_dry_run,
                              bool may_delete, spark_str *result_json);
spark_status api_bulk_insert(spark_call *call, spark_str collection, const spark_json *items,
                             bool atomic, spark_str *result_json);

/* api_notify.c */
spark_status api_log_work(spark_call *call, const spark_work *work);
spark_status api_count_up(spark_call *call, spark_str site_id, spark_str name, int64_t *value);
spark_status api_publish(spark_call *call, spark_str site_id, spark_str channel, spark_str message);
