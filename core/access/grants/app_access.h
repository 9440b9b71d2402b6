/*
 * The app-access minimum: rules that every user with app access has besides its policies
 * (app_access.def). They are no rows of directus_permissions.
 */
#pragma once

#include "base/json/json_writer.h"
#include "base/text/str.h"

struct app_access {
    Str collection;
    Str action;
    Str filter;     /* JSON */
    Str validation; /* JSON, or empty */
    Str fields;     /* comma-separated */
};

const struct app_access *app_access_rules(uint32_t *ret_count);
/* One rule as GET /permissions shows it: an object without id, with `system: true`. */
void app_access_put(struct json_writer *w, const struct app_access *rule);
