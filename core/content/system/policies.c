/*
 * Policies: their addresses. That an administrator remains, and that roles make no circle, is
 * checked by the database (schema/functions/administrators.sql).
 */
#include "access/limits/ip_range.h"
#include "content/system/system_rules.h"

#include <assert.h>

static bool is_valid(const struct json *addresses)
{
    if (json_kind(addresses) != JSON_ARRAY)
        return json_is_null(addresses);
    for (uint32_t i = 0; i < json_len(addresses); i++) {
        const struct json *address = json_at(addresses, i);
        if (json_kind(address) != JSON_STRING || !ip_range_is_valid(json_str(address)))
            return false;
    }
    return true;
}

static fiber_fn Err before(struct ctx *ctx, const struct rules_write *write,
                           const struct json **ret)
{
    assert(write->tx != NULL);
    *ret = write->body;
    if (is_valid(json_get(write->body, STR("ip_access"))))
        return OK;
    return fail(ctx, ERR_INVALID_PAYLOAD,
                "IP Access contains an incorrect value. Valid values are: IP addresses, IP ranges "
                "and CIDR blocks");
}

const struct collection_rules POLICIES_RULES = {
    .collection = STR_INIT("directus_policies"),
    .before = before,
};
