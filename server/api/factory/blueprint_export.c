/* GET /api/admin/export-blueprint: a site as a blueprint, which another site can import. */
#include "base/system/ctx.h"
#include "base/system/range.h"
#include "factory/blueprint/blueprint.h"
#include "gen/routes/factory.h"
#include "io/reactor/reactor.h"

static bool take_part(Str name, uint64_t *ret)
{
    for (enum blueprint_part part = 0; part < BLUEPRINT_PARTS; part++)
        if (str_eq(blueprint_part_name(part), name)) {
            *ret |= (uint64_t)1 << part;
            return true;
        }
    return false;
}

/* parts=campaigns,fragments; all parts if absent. */
Err route_blueprint_export_check(struct ctx *ctx, struct blueprint_export_input *input)
{
    Str rest = input->parts;
    Str name;
    while (str_next(&rest, ',', &name))
        if (!take_part(str_trim(name), &input->part_mask))
            return fail(ctx, ERR_INVALID_QUERY, "\"parts\": a blueprint has no part \"%.*s\"",
                        STR_FMT(name));
    if (input->part_mask == 0)
        input->part_mask = ((uint64_t)1 << BLUEPRINT_PARTS) - 1;
    return OK;
}

fiber_fn Err route_blueprint_export(struct ctx *ctx, const struct request *request,
                                    const struct blueprint_export_input *input, struct reply *reply)
{
    (void)request;
    size_t most = (size_t)ctx->reactor->settings->bulk_body_max_bytes;
    reply_header(reply, STR("cache-control"), STR("no-store"));
    return blueprint_site_write(ctx, input->part_mask, min_size(most, REPLY_MAX), &reply->json);
}
