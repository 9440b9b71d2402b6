/* Builds the statement that writes links: texts, records and work log entries of a page of
 * articles. */
#include "access/audit/audit.h"
#include "base/crypto/crypto.h"
#include "base/json/json_writer.h"
#include "base/text/buf.h"
#include "factory/links/links_store.h"
#include "gen/sql.h"
#include "io/pg/db.h"

#include <assert.h>

enum { ANCHORS_SHOWN_MAX = 65536 };

void link_change_hash(struct arena *arena, Str old, struct link_change *change)
{
    Sha256 hash = sha256(old);
    change->old_hash = hex_text(arena, hash.bytes, sizeof hash.bytes);
}

/* Columns of articles. */
struct texts {
    Uuid *ids;
    Str *contents;
    Str *hashes;
    Str *details;
};

/* Columns of links. */
struct records {
    int64_t *articles; /* index of each link's article, from 1 */
    Uuid *ids;
    Uuid *targets;
    Str *hrefs;
    Str *anchors;
    int64_t *words;
    uint32_t count;
};

static Str details_of(struct arena *arena, Uuid batch, const struct links_result *links)
{
    struct buf *out = buf_in_arena(arena, (size_t)links->count * ANCHORS_SHOWN_MAX * 6 + 256);
    struct json_writer w = json_writer(out);
    json_object_begin(&w);
    json_field_int(&w, "links_inserted", links->count);
    json_key(&w, STR("anchors"));
    json_array_begin(&w);
    for (uint32_t i = 0; i < links->count; i++)
        json_put_str(&w, links->made[i].anchor);
    json_array_end(&w);
    json_field_uuid(&w, "batch_id", batch);
    json_object_end(&w);
    assert(!out->is_full);
    return buf_str(out);
}

static struct texts texts_of(struct arena *arena, Uuid batch, struct link_change *changes,
                             uint32_t count)
{
    struct texts texts = {
        .ids = arena_array(arena, Uuid, count),
        .contents = arena_array(arena, Str, count),
        .hashes = arena_array(arena, Str, count),
        .details = arena_array(arena, Str, count),
    };
    for (uint32_t i = 0; i < count; i++) {
        texts.ids[i] = changes[i].article;
        texts.contents[i] = changes[i].links.html;
        texts.hashes[i] = changes[i].old_hash;
        texts.details[i] = details_of(arena, batch, &changes[i].links);
    }
    return texts;
}

static struct records records_of(struct arena *arena, const struct link_change *changes,
                                 uint32_t count)
{
    uint32_t total = 0;
    for (uint32_t i = 0; i < count; i++)
        total += changes[i].links.count;
    struct records records = {
        .articles = arena_array(arena, int64_t, total),
        .ids = arena_array(arena, Uuid, total),
        .targets = arena_array(arena, Uuid, total),
        .hrefs = arena_array(arena, Str, total),
        .anchors = arena_array(arena, Str, total),
        .words = arena_array(arena, int64_t, total),
    };
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < changes[i].links.count; j++) {
            const struct link_made *made = &changes[i].links.made[j];
            uint32_t n = records.count++;
            records.articles[n] = i + 1;
            records.ids[n] = uuid_make();
            records.targets[n] = made->target->id;
            records.hrefs[n] = made->target->href;
            records.anchors[n] = made->anchor;
            records.words[n] = made->word;
        }
    return records;
}

static void mark_stored(struct link_change *changes, uint32_t count, const struct rows *rows)
{
    for (uint32_t row = 0; row < rows->count; row++) {
        Uuid id = row_uuid(rows, row, LINKS_STORE_ID);
        for (uint32_t i = 0; i < count; i++)
            if (uuid_eq(changes[i].article, id))
                changes[i].is_stored = true;
    }
}

fiber_fn Err links_store(struct ctx *ctx, Uuid batch, struct link_change *changes, uint32_t count)
{
    assert(count > 0 && count <= LINK_CHANGES_MAX);
    struct arena *arena = ctx->arena;
    struct texts texts = texts_of(arena, batch, changes, count);
    struct records records = records_of(arena, changes, count);
    struct rows rows;
    TRY(db_query(ctx, &SQL_LINKS_STORE,
                 links_store_args(arena,
                                  &(struct links_store_args){
                                      .site = ctx->scope.site,
                                      .articles = {texts.ids, count},
                                      .contents = {texts.contents, count},
                                      .hashes = {texts.hashes, count},
                                      .details = {texts.details, count},
                                      .batch = batch,
                                      .link_articles = {records.articles, records.count},
                                      .link_ids = {records.ids, records.count},
                                      .targets = {records.targets, records.count},
                                      .hrefs = {records.hrefs, records.count},
                                      .anchors = {records.anchors, records.count},
                                      .positions = {records.words, records.count},
                                      .audit_user = audit_user(ctx),
                                      .audit_actor = audit_actor(ctx),
                                      .audit_ip = audit_ip(ctx),
                                  }),
                 &rows));
    mark_stored(changes, count, &rows);
    return OK;
}
