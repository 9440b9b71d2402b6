/*
 * The app-access minimum beside the rows of directus_permissions: the filter of the request chooses
 * among its rules, as among the rows.
 */
#include "access/grants/app_access.h"
#include "base/json/json_build.h"
#include "base/memory/array.h"
#include "content/filter/filter_eval.h"
#include "content/rights/rights.h"

#include <assert.h>

struct minimum_row {
    struct filter_subject subject; /* must be first: filter_eval passes it back */
    const struct json *collection;
    const struct json *action;
    const struct json *permissions;
    const struct json *validation; /* NULL: null */
    const struct json *fields;
};

/* The statement has checked that the name is a field. */
static bool find_value(const struct filter_subject *subject, Str name, struct filter_datum *ret)
{
    const struct minimum_row *row = (const struct minimum_row *)subject;
    const struct {
        Str name;
        enum field_type type;
        const struct json *value;
    } members[] = {
        {STR("collection"), FIELD_STRING, row->collection},
        {STR("action"), FIELD_STRING, row->action},
        {STR("permissions"), FIELD_JSON, row->permissions},
        {STR("validation"), FIELD_JSON, row->validation},
        {STR("fields"), FIELD_CSV, row->fields},
    };
    *ret = (struct filter_datum){
        .is_present = true, .type = FIELD_STRING, .group = field_group_of(FIELD_STRING)};
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        if (!str_eq(members[i].name, name))
            continue;
        ret->type = members[i].type;
        ret->group = field_group_of(members[i].type);
        ret->value = members[i].value;
    }
    return true;
}

static fiber_fn Err no_variable(const struct filter_subject *subject, Str text, Str *ret)
{
    (void)subject;
    (void)text;
    *ret = STR_NONE;
    return OK;
}

static fiber_fn Err is_chosen(struct ctx *ctx, const struct app_access *rule,
                              const struct filter_value *filter, bool *ret)
{
    struct minimum_row row = {.subject = {find_value, no_variable, NULL}};
    TRY(json_of_str(ctx, rule->collection, &row.collection));
    TRY(json_of_str(ctx, rule->action, &row.action));
    TRY(json_of_str(ctx, rule->fields, &row.fields));
    TRY(json_parse(ctx, rule->filter, JSON_LIMITS_DEFAULT, &row.permissions));
    if (rule->validation.len > 0)
        TRY(json_parse(ctx, rule->validation, JSON_LIMITS_DEFAULT, &row.validation));
    return filter_eval(ctx, filter, FILTER_OF_ROWS, &row.subject, ret);
}

fiber_fn Err rights_put_minimum(struct ctx *ctx, const struct filter_value *filter,
                                struct json_writer *w)
{
    uint32_t count;
    const struct app_access *rules = app_access_rules(&count);
    for (uint32_t i = 0; i < count; i++) {
        bool is_wanted = true;
        if (filter != NULL)
            TRY(is_chosen(ctx, &rules[i], filter, &is_wanted));
        if (is_wanted)
            app_access_put(w, &rules[i]);
    }
    assert(count > 0);
    return OK;
}
