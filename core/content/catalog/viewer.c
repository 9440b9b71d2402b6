#include "content/catalog/viewer.h"

#include "content/catalog/catalog.h"

#include <assert.h>

fiber_fn Err viewer_of(struct ctx *ctx, struct viewer *ret)
{
    *ret = (struct viewer){.is_site = ctx->scope.kind == SCOPE_SITE};
    if (ctx->actor != NULL) {
        ret->grants = ctx->actor->grants;
        ret->is_admin = ctx->actor->is_admin;
    }
    return schema_current(ctx, &ret->schema);
}

/* Folders and tables without a key have no collection in the snapshot. */
bool viewer_knows(const struct viewer *viewer, Str name)
{
    assert(viewer->schema != NULL);
    const struct collection *collection = schema_find(viewer->schema, name);
    if (collection == NULL)
        return false;
    if (!viewer->is_site || collection->is_system)
        return true;
    return collection->site != NULL || collection->is_shared_read;
}

static const struct grant *grant_of(const struct viewer *viewer, Str collection)
{
    assert(collection.len > 0);
    return viewer->grants == NULL ? NULL : grants_find(viewer->grants, collection, ACTION_READ);
}

bool viewer_sees(const struct viewer *viewer, Str collection)
{
    assert(viewer->schema != NULL);
    if (viewer->is_admin)
        return !viewer->is_site || viewer_knows(viewer, collection);
    return viewer_knows(viewer, collection) && grant_of(viewer, collection) != NULL;
}

bool viewer_sees_field(const struct viewer *viewer, Str collection, Str field)
{
    assert(collection.len > 0 && field.len > 0);
    if (!viewer_sees(viewer, collection))
        return false;
    return viewer->is_admin || grant_allows_field(grant_of(viewer, collection), field);
}

Err viewer_require_known(struct ctx *ctx, const struct viewer *viewer, Str collection)
{
    if (viewer_knows(viewer, collection))
        return OK;
    return schema_forbidden_collection(ctx, collection, STR_NONE);
}

Err viewer_require_read(struct ctx *ctx, const struct viewer *viewer, Str collection)
{
    if (viewer_sees(viewer, collection))
        return OK;
    return fail(ctx, ERR_FORBIDDEN,
                "You don't have permission to perform \"read\" for collection \"%.*s\" or it does "
                "not exist.",
                STR_FMT(collection));
}

fiber_fn Err catalog_require(struct ctx *ctx, Str collection)
{
    struct viewer viewer;
    TRY(viewer_of(ctx, &viewer));
    return viewer_require_known(ctx, &viewer, collection);
}
