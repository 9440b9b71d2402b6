/* GET /api/admin/export-blueprint: a site as a blueprint, which another site can import. */
#include "base/system/ctx.h"
#include "base/system/range.h"
#include "factory/blueprint/blueprint.h"
#include "io/reactor/reactor.h"
#include "server/api/factory/factory.h"
#include "server/api/listing.h"
#include "server/dispatch/handlers.h"

static bool take_part(Str name, uint64_t *ret)
{
    for (enum blueprint_part part = 0; part < BLUEPRINT_PARTS; part++)
        if (str_eq(blueprint_part_name(part), name)) {
            *ret |= (uint64_t)1 << part;
            return true;
        }
    return false;
}

/* parts=campaigns,fragments; without it all of them. */
static Err parts_read(struct ctx *ctx, const struct request *request, uint64_t *ret)
{
    Str rest = request_query(ctx->arena, request, STR("parts"));
    Str name;
    *ret = 0;
    while (str_next(&rest, ',', &name))
        if (!take_part(str_trim(name), ret))
            return fail(ctx, ERR_INVALID_QUERY, "\"parts\": a blueprint has no part \"%.*s\"",
                        STR_FMT(name));
    if (*ret == 0)
        *ret = ((uint64_t)1 << BLUEPRINT_PARTS) - 1;
    return OK;
}

fiber_fn Err blueprint_export(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    Uuid named = {0};
    uint64_t parts;
    TRY(query_take_uuid(ctx, request, "site_id", "site", &named));
    TRY(parts_read(ctx, request, &parts));
    TRY(factory_enter(ctx, named, NULL));
    size_t most = (size_t)ctx->reactor->settings->bulk_body_max_bytes;
    reply_header(reply, STR("cache-control"), STR("no-store"));
    return blueprint_site_write(ctx, parts, min_size(most, REPLY_MAX), &reply->json);
}
