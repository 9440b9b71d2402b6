/*
 * What the token of a share may read: of each row that the share reaches, the fields that its role
 * grants on that row, and its creator, too. Everything is read anew with each request: the rows it
 * reaches change with the item.
 */
#include "access/grants/grants_build.h"
#include "access/identity/identity.h"
#include "access/identity/policies.h"
#include "access/identity/share_reach.h"
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

static bool is_read_of(const struct side *side, uint32_t index, Str collection)
{
    return str_eq(row_text(&side->rows, index, ACCESS_PERMISSIONS_COLLECTION), collection) &&
           str_eq(row_text(&side->rows, index, ACCESS_PERMISSIONS_ACTION), STR("read"));
}

static fiber_fn Err bound_at(struct ctx *ctx, const struct side *side, uint32_t index,
                             Str collection, bool *ret_is, struct bound *ret)
{
    assert(collection.len > 0);
    *ret = (struct bound){NULL, STR("*")};
    *ret_is = side->is_all && index == 0;
    if (side->is_all)
        return OK;
    if (!is_read_of(side, index, collection))
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

static void add_condition(struct json_builder *b, const struct json *condition)
{
    if (condition != NULL && !json_is_null(condition))
        json_build_value(b, condition);
}

static Err add_rule(struct ctx *ctx, struct grants *grants, const struct share_reach *reach,
                    const struct bound *a, const struct bound *b, Str fields)
{
    assert(reach->filter != NULL);
    struct permission permission = {
        .collection = reach->collection, .action = STR("read"), .fields = fields};
    struct json_builder *builder;
    TRY(json_builder_new(ctx, RULE_MAX, &builder));
    json_build_object_begin(builder);
    json_build_key(builder, STR("_and"));
    json_build_array_begin(builder);
    add_condition(builder, reach->filter);
    add_condition(builder, a->filter);
    add_condition(builder, b->filter);
    json_build_array_end(builder);
    json_build_object_end(builder);
    TRY(json_builder_end(ctx, builder, &permission.filter));
    grants_add(grants, ctx->arena, &permission);
    return OK;
}

/* What a token reads: what the rights of its role and those of its creator have in common. */
struct both {
    const struct side *role;
    const struct side *creator;
};

/* As in Directus, the fields that are granted of the item bound those of what it leads to. */
static fiber_fn Err add_reach(struct ctx *ctx, struct grants *grants,
                              const struct share_reach *reach, const struct both *both,
                              Str item_fields, uint32_t *count)
{
    struct bound a;
    struct bound b;
    bool is_bound;
    assert(reach->collection.len > 0);
    *count = 0;
    for (uint32_t i = 0; i < bound_count(both->role); i++) {
        TRY(bound_at(ctx, both->role, i, reach->collection, &is_bound, &a));
        for (uint32_t j = 0; is_bound && j < bound_count(both->creator); j++) {
            bool is_shared;
            TRY(bound_at(ctx, both->creator, j, reach->collection, &is_shared, &b));
            if (!is_shared)
                continue;
            Str fields = common_fields(ctx, a.fields, b.fields);
            TRY(add_rule(ctx, grants, reach, &a, &b, common_fields(ctx, item_fields, fields)));
            ++*count;
        }
    }
    return OK;
}

/* The fields of the collection that some permission to read grants, separated by commas; STR_NONE:
 * none grants it. */
static Str fields_of(struct ctx *ctx, const struct side *side, Str collection)
{
    if (side->is_all)
        return STR("*");
    struct buf *out = buf_in_arena(ctx->arena, FIELDS_MAX);
    bool is_granted = false;
    for (uint32_t i = 0; i < side->rows.count; i++) {
        if (!is_read_of(side, i, collection))
            continue;
        buf_printf(out, "%s%.*s", out->len == 0 ? "" : ",",
                   STR_FMT(row_text(&side->rows, i, ACCESS_PERMISSIONS_FIELDS)));
        is_granted = true;
    }
    Str fields = buf_str(out);
    return !is_granted ? STR_NONE : fields.data == NULL ? STR("") : fields;
}

/* The side that bounds the token where the other is all; NULL: both do, or neither. */
static const struct side *only_bound(const struct both *both)
{
    if (both->role->is_all == both->creator->is_all)
        return NULL;
    return both->role->is_all ? both->creator : both->role;
}

/* As in Directus, all permissions of the one side must agree then. */
static fiber_fn Err add_agreed(struct ctx *ctx, struct grants *grants,
                               const struct share_reach *reach, const struct side *side,
                               Str item_fields, uint32_t *count)
{
    struct json_builder *builder;
    assert(!side->is_all && reach->filter != NULL);
    struct bound agreed = {.fields = item_fields};
    *count = 0;
    TRY(json_builder_new(ctx, RULE_MAX, &builder));
    json_build_object_begin(builder);
    json_build_key(builder, STR("_and"));
    json_build_array_begin(builder);
    for (uint32_t i = 0; i < side->rows.count; i++) {
        bool is_bound;
        struct bound one;
        TRY(bound_at(ctx, side, i, reach->collection, &is_bound, &one));
        if (!is_read_of(side, i, reach->collection))
            continue;
        if (!is_bound)
            return OK; /* one that fits nobody */
        add_condition(builder, one.filter);
        agreed.fields = common_fields(ctx, agreed.fields, one.fields);
        ++*count;
    }
    json_build_array_end(builder);
    json_build_object_end(builder);
    TRY(json_builder_end(ctx, builder, &agreed.filter));
    static const struct bound ALL = {0};
    return *count == 0 ? OK : add_rule(ctx, grants, reach, &agreed, &ALL, agreed.fields);
}

struct knowledge {
    struct ctx *ctx;
    const struct both *both;
};

static bool side_knows(struct ctx *ctx, const struct side *side, Str collection, Str field)
{
    ArenaMark mark = arena_mark(ctx->arena);
    Str fields = fields_of(ctx, side, collection);
    bool is_known = fields.data != NULL && (field.data == NULL || lists(fields, field));
    arena_rewind(ctx->arena, mark);
    return is_known;
}

static bool both_know(const void *arg, Str collection, Str field)
{
    const struct knowledge *knowledge = arg;
    return side_knows(knowledge->ctx, knowledge->both->role, collection, field) &&
           side_knows(knowledge->ctx, knowledge->both->creator, collection, field);
}

/* Of the item; where one side alone bounds the token, those of its first permission. */
static Str item_fields_of(struct ctx *ctx, const struct both *both, Str collection)
{
    const struct side *side = only_bound(both);
    if (side == NULL)
        return common_fields(ctx, fields_of(ctx, both->role, collection),
                             fields_of(ctx, both->creator, collection));
    for (uint32_t i = 0; i < side->rows.count; i++)
        if (is_read_of(side, i, collection))
            return row_text(&side->rows, i, ACCESS_PERMISSIONS_FIELDS);
    return STR("");
}

static fiber_fn Err grants_make(struct ctx *ctx, Uuid share, const struct both *both,
                                const struct grants **ret)
{
    static const Str SCHEMA[] = {STR_INIT("directus_collections"), STR_INIT("directus_fields"),
                                 STR_INIT("directus_relations"), STR_INIT("directus_translations")};
    static const struct bound ALL = {0};
    struct grants *grants = grants_new(ctx->arena);
    const struct knowledge knowledge = {ctx, both};
    struct share_reach *first;
    Str item_fields = STR("");
    TRY(share_reach_find(ctx, share, both_know, &knowledge, &first));
    if (first != NULL)
        item_fields = item_fields_of(ctx, both, first->collection);
    for (const struct share_reach *reach = first; reach != NULL; reach = reach->next) {
        uint32_t count;
        if (only_bound(both) != NULL)
            TRY(add_agreed(ctx, grants, reach, only_bound(both), item_fields, &count));
        else
            TRY(add_reach(ctx, grants, reach, both, item_fields, &count));
        if (reach == first && count == 0) /* the item exists, but none of its fields are granted */
            TRY(add_rule(ctx, grants, reach, &ALL, &ALL, STR("")));
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
    return grants_make(ctx, share, &(struct both){&role, &creator}, &ret->grants);
}
