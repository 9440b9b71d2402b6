/*
 * What the token of a share may read: of each row that the share reaches, the fields that its role
 * grants on that row, and its creator, too. Everything is read anew with each request: the rows it
 * reaches change with the item.
 */
#include "access/grants/grants_build.h"
#include "access/identity/identity.h"
#include "access/identity/policies.h"
#include "base/json/json_build.h"
#include "base/memory/array.h"
#include "base/text/buf.h"
#include "gen/sql.h"
#include "io/pg/db.h"
#include "io/reactor/reactor.h"

#include <assert.h>

enum { RULE_MAX = 64 * 1024, FIELDS_MAX = 64 * 1024 };

/* Permissions of one side: the role, or the creator. */
struct side {
    bool is_all; /* an administrator, or nobody who could bound it */
    Uuid user;   /* the creator: whom "$CURRENT_USER" means in its conditions; nil: the role's */
    Uuid role;
    bool is_creator;
    struct policies policies;
    struct rows chain; /* the creator's role and those above it */
    struct rows rows;
};

static fiber_fn Err side_load(struct ctx *ctx, Str ip, struct side *side)
{
    assert(ctx->actor == NULL);
    struct platform platform = reactor_platform(ctx);
    if (uuid_is_nil(side->user) && uuid_is_nil(side->role))
        TRY(policies_of_public(ctx, ip, &side->policies));
    else
        TRY(policies_of_user(ctx, side->user, side->role, ip, &side->policies));
    side->is_all = side->policies.is_admin;
    if (side->is_all)
        return OK;
    if (side->is_creator)
        TRY(db_query_platform(platform, &SQL_ACCESS_ROLE_CHAIN, ARGS(db_uuid(side->role)),
                              &side->chain));
    return db_query_platform(
        platform, &SQL_ACCESS_PERMISSIONS,
        ARGS(db_uuid_array(ctx->arena, side->policies.ids, side->policies.count)), &side->rows);
}

/* One permission to read; of an administrator: everything. */
struct bound {
    const struct json *filter; /* NULL: every row */
    Str fields;
};

/* A condition with the creator in place of its variables: whoever reads with the token is another.
 * One that looks into the creator's row fits nobody. */
struct resolved {
    const struct side *creator;
    struct json_builder *out;
    bool is_impossible;
};

static void put_roles(struct ctx *ctx, struct resolved *r)
{
    for (uint32_t i = 0; i < r->creator->chain.count; i++) {
        Uuid role = row_uuid(&r->creator->chain, i, ACCESS_ROLE_CHAIN_ID);
        json_build_str(r->out, uuid_text(ctx->arena, role));
    }
}

static void put_policies(struct ctx *ctx, struct resolved *r)
{
    const struct policies *policies = &r->creator->policies;
    assert(policies->count <= POLICIES_MAX);
    for (uint32_t i = 0; i < policies->count; i++)
        json_build_str(r->out, uuid_text(ctx->arena, policies->ids[i]));
}

static void put_id(struct ctx *ctx, struct resolved *r, Uuid id)
{
    r->is_impossible |= uuid_is_nil(id);
    json_build_str(r->out, uuid_text(ctx->arena, id));
}

static void put_text(struct ctx *ctx, struct resolved *r, Str text, bool is_in_list)
{
    bool is_roles = str_eq(text, STR("$CURRENT_ROLES"));
    bool is_list = is_roles || str_eq(text, STR("$CURRENT_POLICIES"));
    if (is_list && !is_in_list)
        json_build_array_begin(r->out);
    if (is_roles)
        put_roles(ctx, r);
    else if (is_list)
        put_policies(ctx, r);
    else if (str_eq(text, STR("$CURRENT_USER")))
        put_id(ctx, r, r->creator->user);
    else if (str_eq(text, STR("$CURRENT_ROLE")))
        put_id(ctx, r, r->creator->role);
    else
        json_build_str(r->out, text);
    if (is_list && !is_in_list)
        json_build_array_end(r->out);
    bool is_known =
        is_list || str_eq(text, STR("$CURRENT_USER")) || str_eq(text, STR("$CURRENT_ROLE"));
    r->is_impossible |= !is_known && str_find(text, STR("$CURRENT_")) >= 0;
}

/* `depth` is bounded by that of the text of the condition. */
static void put_resolved(struct ctx *ctx, struct resolved *r, const struct json *value,
                         bool is_in_list, uint32_t depth)
{
    assert(depth <= JSON_DEPTH_MAX);
    switch (json_kind(value)) {
    case JSON_OBJECT:
        json_build_object_begin(r->out);
        for (struct json_iter it = json_iter(value); json_next(&it);) {
            json_build_key(r->out, it.key);
            put_resolved(ctx, r, it.value, false, depth + 1);
        }
        json_build_object_end(r->out);
        return;
    case JSON_ARRAY:
        json_build_array_begin(r->out);
        for (uint32_t i = 0; i < json_len(value); i++)
            put_resolved(ctx, r, json_at(value, i), true, depth + 1);
        json_build_array_end(r->out);
        return;
    case JSON_STRING:
        put_text(ctx, r, json_str(value), is_in_list);
        return;
    default:
        json_build_value(r->out, value);
    }
}

static Err filter_read(struct ctx *ctx, const struct side *side, Str text, bool *ret_is_possible,
                       const struct json **ret)
{
    *ret = NULL;
    *ret_is_possible = true;
    if (text.len == 0)
        return OK;
    TRY(json_parse(ctx, text, JSON_LIMITS_DEFAULT, ret));
    if (!side->is_creator)
        return OK;
    struct resolved resolved = {.creator = side};
    TRY(json_builder_new(ctx, RULE_MAX, &resolved.out));
    put_resolved(ctx, &resolved, *ret, false, 0);
    *ret_is_possible = !resolved.is_impossible;
    return json_builder_end(ctx, resolved.out, ret);
}

static fiber_fn Err bound_at(struct ctx *ctx, const struct side *side, uint32_t index,
                             Str collection, bool *ret_is, struct bound *ret)
{
    assert(collection.len > 0);
    *ret = (struct bound){NULL, STR("*")};
    *ret_is = side->is_all && index == 0;
    if (side->is_all)
        return OK;
    if (!str_eq(row_text(&side->rows, index, ACCESS_PERMISSIONS_COLLECTION), collection) ||
        !str_eq(row_text(&side->rows, index, ACCESS_PERMISSIONS_ACTION), STR("read")))
        return OK;
    ret->fields = row_text(&side->rows, index, ACCESS_PERMISSIONS_FIELDS);
    return filter_read(ctx, side, row_json(&side->rows, index, ACCESS_PERMISSIONS_PERMISSIONS),
                       ret_is, &ret->filter);
}

static uint32_t bound_count(const struct side *side)
{
    assert(side->is_all || side->rows.columns > 0);
    return side->is_all ? 1 : side->rows.count;
}

static bool lists(Str fields, Str name)
{
    Str field;
    while (str_next(&fields, ',', &field)) {
        if (str_eq(str_trim(field), name) || str_eq(str_trim(field), STR("*")))
            return true;
    }
    return false;
}

/* The fields that both name. */
static Str common_fields(struct ctx *ctx, Str a, Str b)
{
    if (lists(a, STR("*")))
        return b;
    struct buf *out = buf_in_arena(ctx->arena, FIELDS_MAX);
    Str field;
    while (str_next(&a, ',', &field)) {
        if (lists(b, str_trim(field)))
            buf_printf(out, "%s%.*s", out->len == 0 ? "" : ",", STR_FMT(str_trim(field)));
    }
    return buf_str(out);
}

struct reach {
    Str collection;
    Str filter;
};

static void add_condition(struct json_builder *b, const struct json *condition)
{
    if (condition != NULL && !json_is_null(condition))
        json_build_value(b, condition);
}

static Err add_rule(struct ctx *ctx, struct grants *grants, const struct reach *reach,
                    const struct bound *a, const struct bound *b, Str fields)
{
    assert(reach->filter.len > 0);
    const struct json *filter;
    struct permission permission = {
        .collection = reach->collection, .action = STR("read"), .fields = fields};
    struct json_builder *builder;
    TRY(json_parse(ctx, reach->filter, JSON_LIMITS_DEFAULT, &filter));
    TRY(json_builder_new(ctx, RULE_MAX, &builder));
    json_build_object_begin(builder);
    json_build_key(builder, STR("_and"));
    json_build_array_begin(builder);
    add_condition(builder, filter);
    add_condition(builder, a->filter);
    add_condition(builder, b->filter);
    json_build_array_end(builder);
    json_build_object_end(builder);
    TRY(json_builder_end(ctx, builder, &permission.filter));
    grants_add(grants, ctx->arena, &permission);
    return OK;
}

static fiber_fn Err add_reach(struct ctx *ctx, struct grants *grants, const struct reach *reach,
                              const struct side *role, const struct side *creator, uint32_t *count)
{
    struct bound a;
    struct bound b;
    bool is_bound;
    assert(reach->collection.len > 0);
    *count = 0;
    for (uint32_t i = 0; i < bound_count(role); i++) {
        TRY(bound_at(ctx, role, i, reach->collection, &is_bound, &a));
        for (uint32_t j = 0; is_bound && j < bound_count(creator); j++) {
            bool is_shared;
            TRY(bound_at(ctx, creator, j, reach->collection, &is_shared, &b));
            if (!is_shared)
                continue;
            TRY(add_rule(ctx, grants, reach, &a, &b, common_fields(ctx, a.fields, b.fields)));
            ++*count;
        }
    }
    return OK;
}

static fiber_fn Err grants_make(struct ctx *ctx, const struct identity *share,
                                const struct side *role, const struct side *creator,
                                const struct grants **ret)
{
    static const Str SCHEMA[] = {STR_INIT("directus_collections"), STR_INIT("directus_fields"),
                                 STR_INIT("directus_relations")};
    static const struct bound ALL = {0};
    struct grants *grants = grants_new(ctx->arena);
    struct rows rows;
    DbArg site = share->scope.kind == SCOPE_SITE ? db_uuid(share->scope.site) : db_null();
    TRY(db_query_platform(reactor_platform(ctx), &SQL_SHARE_REACH,
                          ARGS(db_uuid(share->share), site), &rows));
    for (uint32_t i = 0; i < rows.count; i++) {
        struct reach reach = {row_text(&rows, i, SHARE_REACH_COLLECTION),
                              row_text(&rows, i, SHARE_REACH_FILTER)};
        uint32_t count;
        TRY(add_reach(ctx, grants, &reach, role, creator, &count));
        if (i == 0 && count == 0) /* the item exists, but none of its fields are granted */
            TRY(add_rule(ctx, grants, &reach, &ALL, &ALL, STR("")));
    }
    for (size_t i = 0; i < COUNT_OF(SCHEMA); i++) {
        struct permission all = {
            .collection = SCHEMA[i], .action = STR("read"), .fields = STR("*")};
        grants_add(grants, ctx->arena, &all);
    }
    *ret = grants;
    return OK;
}

fiber_fn Err identity_of_share(struct ctx *ctx, struct access_cache *cache, Uuid share, Str ip,
                               struct identity *ret, bool *ret_cacheable)
{
    struct rows rows;
    *ret_cacheable = false;
    TRY(db_query_platform(reactor_platform(ctx), &SQL_SHARE_FIND, ARGS(db_uuid(share)), &rows));
    if (rows.count == 0 || !row_bool(&rows, 0, SHARE_FIND_IS_OF_ACTIVE))
        return fail_plain(ctx, ERR_INVALID_CREDENTIALS);
    *ret = (struct identity){
        .kind = ACTOR_SHARE,
        .role = row_uuid(&rows, 0, SHARE_FIND_ROLE),
        .share = share,
        .scope = {.kind = SCOPE_NONE},
        .site_epoch = row_int(&rows, 0, SHARE_FIND_SITE_EPOCH),
    };
    if (!row_is_null(&rows, 0, SHARE_FIND_OF_SITE)) {
        Uuid site = row_uuid(&rows, 0, SHARE_FIND_OF_SITE);
        if (!uuid_eq(site, UUID_LIBRARY_SITE))
            TRY(identity_site_check(ctx, cache, site));
        ret->scope = (Scope){.kind = SCOPE_SITE, .site = site};
    }
    struct side role = {.role = ret->role};
    struct side creator = {
        .user = row_uuid(&rows, 0, SHARE_FIND_CREATOR),
        .role = row_uuid(&rows, 0, SHARE_FIND_CREATOR_ROLE),
        .is_creator = true,
        .is_all = row_bool(&rows, 0, SHARE_FIND_IS_UNBOUND),
    };
    TRY(side_load(ctx, ip, &role));
    if (!creator.is_all)
        TRY(side_load(ctx, ip, &creator));
    return grants_make(ctx, ret, &role, &creator, &ret->grants);
}
