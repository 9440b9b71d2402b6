#include "access/grants/app_access.h"

#include "base/memory/array.h"

#include <assert.h>

static const struct app_access RULES[] = {
#define APP_ACCESS(collection, action, filter, validation, fields)                                 \
    {STR_INIT(collection), STR_INIT(action), STR_INIT(filter), STR_INIT(validation),               \
     STR_INIT(fields)},
#include "access/grants/app_access.def"
#undef APP_ACCESS
};

const struct app_access *app_access_rules(uint32_t *ret_count)
{
    assert(ret_count != NULL);
    *ret_count = COUNT_OF(RULES);
    return RULES;
}

static void put_fields(struct json_writer *w, Str csv)
{
    json_array_begin(w);
    Str name;
    while (str_next(&csv, ',', &name))
        json_put_str(w, name);
    json_array_end(w);
}

void app_access_put(struct json_writer *w, const struct app_access *rule)
{
    assert(rule->filter.len > 0 && rule->fields.len > 0);
    json_object_begin(w);
    json_field_null(w, "policy");
    json_field_raw(w, "permissions", rule->filter);
    json_field_raw(w, "validation", rule->validation.len > 0 ? rule->validation : STR("null"));
    json_field_null(w, "presets");
    json_key(w, STR("fields"));
    put_fields(w, rule->fields);
    json_field_bool(w, "system", true);
    json_field_str(w, "collection", rule->collection);
    json_field_str(w, "action", rule->action);
    json_object_end(w);
}
