#include "access/audit/audit.h"
#include "base/crypto/crypto.h"
#include "base/system/clock.h"
#include "factory/links/links_store.h"
#include "gen/sql.h"
#include "io/fiber/offload.h"
#include "io/pg/db.h"
#include "io/reactor/reactor.h"

#include <assert.h>

/* Above these limits the work takes milliseconds and runs in an offload thread. */
enum { TARGETS_AT_ONCE = 200, HTML_AT_ONCE = 16 * 1024 };

/* Targets */

static int64_t time_or_none(const struct rows *rows, uint32_t row, uint32_t column)
{
    return row_is_null(rows, row, column) ? 0 : row_time(rows, row, column);
}

static struct link_target read_target(struct arena *arena, const struct rows *rows, uint32_t row)
{
    struct link_target target = {
        .id = row_uuid(rows, row, LINK_TARGETS_ID),
        .href = row_text(rows, row, LINK_TARGETS_HREF),
        .priority = (int32_t)row_int(rows, row, LINK_TARGETS_PRIORITY),
        .max_per_article = (uint32_t)row_int(rows, row, LINK_TARGETS_MAX_PER_ARTICLE),
        .is_hub = row_bool(rows, row, LINK_TARGETS_IS_HUB),
        .post = row_uuid(rows, row, LINK_TARGETS_POST_ID),
        .post_us = time_or_none(rows, row, LINK_TARGETS_POST_TIME),
    };
    target.anchor_count = row_text_array(arena, rows, row, LINK_TARGETS_ANCHORS, &target.anchors);
    return target;
}

struct index_making {
    struct arena *arena;
    Str host;
    const struct link_target *targets;
    uint32_t count;
    struct link_index *index;
};

static void make_index(void *arg)
{
    struct index_making *making = arg;
    making->index = link_index_build(making->arena, making->host, making->targets, making->count);
}

fiber_fn Err links_index_of_site(struct ctx *ctx, const struct link_index **ret)
{
    assert(ctx->scope.kind == SCOPE_SITE);
    struct rows rows;
    TRY(db_query(ctx, &SQL_LINK_TARGETS, ARGS(db_uuid(ctx->scope.site), db_int(LINKS_TARGETS_MAX)),
                 &rows));
    struct link_target *targets = arena_array(ctx->arena, struct link_target, rows.count);
    struct index_making making = {.arena = ctx->arena, .host = STR(""), .targets = targets};
    for (uint32_t i = 0; i < rows.count; i++) {
        FIBER_BREATHE_EVERY(ctx, i, 64);
        targets[making.count] = read_target(ctx->arena, &rows, i);
        if (link_href_is_safe(targets[making.count].href))
            making.count++;
    }
    if (rows.count > 0 && !row_is_null(&rows, 0, LINK_TARGETS_HOST))
        making.host = row_text(&rows, 0, LINK_TARGETS_HOST);
    if (making.count <= TARGETS_AT_ONCE)
        make_index(&making);
    else
        TRY(offload_run(ctx, ctx->reactor->offload, make_index, &making));
    *ret = making.index;
    return OK;
}

/* Inserting */

struct link_article link_article_of(const struct rows *rows, uint32_t row)
{
    return (struct link_article){
        .html = row_text(rows, row, LINK_ARTICLE_CONTENT),
        .url = row_text(rows, row, LINK_ARTICLE_URL),
        .post = row_uuid(rows, row, LINK_ARTICLE_POST_ID),
        .published_us = time_or_none(rows, row, LINK_ARTICLE_PUBLISHED),
        .modified_us = time_or_none(rows, row, LINK_ARTICLE_MODIFIED),
        .now_us = clock_wall_us(),
    };
}

static fiber_fn Err read_article(struct ctx *ctx, Uuid id, struct link_article *ret)
{
    struct rows rows;
    TRY(db_query(ctx, &SQL_LINK_ARTICLE, ARGS(db_uuid(ctx->scope.site), db_uuid(id)), &rows));
    if (rows.count == 0)
        return fail(ctx, ERR_NOT_FOUND, "There is no such article.");
    *ret = link_article_of(&rows, 0);
    if (ret->html.len > LINK_HTML_MAX)
        return fail(ctx, ERR_TOO_LARGE, "The article is larger than %d bytes.", LINK_HTML_MAX);
    return OK;
}

static Err edited_meanwhile(struct ctx *ctx)
{
    return fail(ctx, ERR_CONFLICT, "The article has been edited in the meantime; try again.");
}

struct insertion {
    struct arena *arena; /* of the waiting fiber */
    const struct link_index *index;
    const struct link_article *article;
    struct link_limits limits;
    struct links_result result;
};

static void insert(void *arg)
{
    struct insertion *in = arg;
    in->result = links_insert(in->arena, in->index, in->article, in->limits);
}

/* Each word may be an anchor of many targets: uses an offload thread for long texts, and for any
 * text if there are many targets. */
static fiber_fn Err insert_offloaded(struct ctx *ctx, struct insertion *in)
{
    if (in->article->html.len > HTML_AT_ONCE || link_index_targets(in->index) > TARGETS_AT_ONCE)
        return offload_run(ctx, ctx->reactor->offload, insert, in);
    insert(in);
    return OK;
}

fiber_fn Err links_insert_article(struct ctx *ctx, const struct link_index *index, Uuid id,
                                  const struct link_order *order, struct links_stored *ret)
{
    assert(ctx->scope.kind == SCOPE_SITE);
    for (int i = 0; i < LINK_TRIES_MAX; i++) {
        struct link_article article;
        TRY(read_article(ctx, id, &article));
        struct insertion in = {
            .arena = ctx->arena, .index = index, .article = &article, .limits = order->limits};
        TRY(insert_offloaded(ctx, &in));
        struct links_stored stored = {.links = in.result};
        if (stored.links.count == 0 || order->is_dry_run) {
            *ret = stored;
            return OK;
        }
        stored.batch = uuid_make();
        struct link_change change = {.article = id, .links = stored.links};
        link_change_hash(ctx->arena, article.html, &change);
        TRY(links_store(ctx, stored.batch, &change, 1));
        if (change.is_stored) {
            *ret = stored;
            return OK;
        }
    }
    return edited_meanwhile(ctx);
}

/* Removing */

struct removal {
    struct arena *arena; /* of the waiting fiber */
    Uuid article;
    Str html; /* current text */
    struct rows records;
    Uuid *ids;
    Str without; /* text without the links */
    Sha256 hash;
    uint32_t removed;
};

static void take_out(void *arg)
{
    struct removal *removal = arg;
    struct arena *arena = removal->arena;
    uint32_t count = removal->records.count;
    removal->ids = arena_array(arena, Uuid, count);
    struct link_record *records = arena_array(arena, struct link_record, count);
    bool *is_removed = arena_array(arena, bool, count);
    for (uint32_t i = 0; i < count; i++) {
        removal->ids[i] = row_uuid(&removal->records, i, LINKS_OF_ARTICLE_ID);
        records[i] = (struct link_record){
            .href = row_text(&removal->records, i, LINKS_OF_ARTICLE_HREF),
            .anchor = row_text(&removal->records, i, LINKS_OF_ARTICLE_ANCHOR),
        };
    }
    removal->without = links_remove(arena, removal->html, records, count, is_removed);
    removal->hash = sha256(removal->html);
    removal->removed = 0;
    for (uint32_t i = 0; i < count; i++)
        removal->removed += is_removed[i] ? 1 : 0;
}

/* Each tag is compared with each record: long texts use an offload thread. */
static fiber_fn Err take_out_offloaded(struct ctx *ctx, struct removal *removal)
{
    if (removal->html.len > HTML_AT_ONCE)
        return offload_run(ctx, ctx->reactor->offload, take_out, removal);
    take_out(removal);
    return OK;
}

static fiber_fn Err store_without(struct ctx *ctx, const struct removal *removal,
                                  bool *ret_is_stored)
{
    struct rows rows;
    TRY(db_query(ctx, &SQL_LINKS_TAKE_OUT,
                 links_take_out_args(ctx->arena,
                                     &(struct links_take_out_args){
                                         .site = ctx->scope.site,
                                         .article = removal->article,
                                         .content = removal->without,
                                         .content_hash = str_of((const char *)removal->hash.bytes,
                                                                sizeof removal->hash.bytes),
                                         .links = {removal->ids, removal->records.count},
                                         .removed = removal->removed,
                                         .audit_user = audit_user(ctx),
                                         .audit_actor = audit_actor(ctx),
                                         .audit_ip = audit_ip(ctx),
                                     }),
                 &rows));
    *ret_is_stored = rows.count == 1;
    return OK;
}

fiber_fn Err links_remove_article(struct ctx *ctx, Uuid id, Uuid batch, uint32_t *ret_removed,
                                  uint32_t *ret_missing)
{
    assert(ctx->scope.kind == SCOPE_SITE);
    *ret_removed = *ret_missing = 0;
    for (int i = 0; i < LINK_TRIES_MAX; i++) {
        struct link_article article;
        TRY(read_article(ctx, id, &article));
        struct removal removal = {.arena = ctx->arena, .article = id, .html = article.html};
        TRY(db_query(ctx, &SQL_LINKS_OF_ARTICLE,
                     ARGS(db_uuid(ctx->scope.site), db_uuid(id),
                          uuid_is_nil(batch) ? db_null() : db_uuid(batch)),
                     &removal.records));
        if (removal.records.count == 0)
            return OK;
        bool is_stored;
        TRY(take_out_offloaded(ctx, &removal));
        TRY(store_without(ctx, &removal, &is_stored));
        if (is_stored) {
            *ret_removed = removal.removed;
            *ret_missing = removal.records.count - removal.removed;
            return OK;
        }
    }
    return edited_meanwhile(ctx);
}
