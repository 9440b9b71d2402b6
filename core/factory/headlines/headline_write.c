/*
 * Several writers take chunks in turn: PostgreSQL processes some while the next one is generated
 * here. Rows are inserted in the order of their hashes; this improves index locality and keeps
 * concurrent writers from deadlocking.
 */
#include "factory/headlines/headline_write.h"

#include "base/system/clock.h"
#include "gen/sql.h"
#include "io/pg/db.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Time reserved for the response if a run ends early. */
enum { MARGIN_US = 5 * 1000 * 1000 };

struct made {
    Uuid id;
    Str title;
    Sha256 hash;
    uint32_t location;
};

struct write {
    const struct headline_space *space;
    struct headline_range *range;
    struct arena *arena; /* the caller's arena: outlives the writers */
    uint64_t next;       /* the first number that no writer has taken yet */
    uint64_t page_from;
};

struct writer {
    struct write *write;
    uint64_t at; /* the first number of its chunk */
    struct made rows[HEADLINES_CHUNK];
    uint32_t count;
};

static int by_hash(const void *left, const void *right)
{
    const struct made *a = left;
    const struct made *b = right;
    int order = memcmp(a->hash.bytes, b->hash.bytes, sizeof a->hash.bytes);
    /* Of equal texts the first one wins. */
    return order != 0 ? order : memcmp(a->id.bytes, b->id.bytes, sizeof a->id.bytes);
}

/* Omits texts that are too long for a title. */
static fiber_fn Err fill(struct ctx *ctx, struct writer *writer,
                         const struct headline_source *source, uint64_t to)
{
    writer->count = 0;
    for (uint64_t i = writer->at; i < to; i++) {
        TRY(fiber_breathe(ctx));
        struct headline headline;
        TRY(headline_at(ctx, source->headlines, i - source->first, &headline));
        if (headline.text.len == 0 || str_count_codepoints(headline.text) > HEADLINE_TITLE_MAX)
            continue;
        writer->rows[writer->count++] = (struct made){.id = uuid_make(),
                                                      .title = headline.text,
                                                      .hash = headline.text_hash,
                                                      .location = headline.location};
    }
    qsort(writer->rows, writer->count, sizeof writer->rows[0], by_hash);
    return fiber_breathe(ctx);
}

static fiber_fn Err store(struct ctx *ctx, const struct writer *writer,
                          const struct headline_source *source, struct rows *ret)
{
    const struct headline_space *space = writer->write->space;
    Uuid *ids = arena_array(ctx->arena, Uuid, writer->count + 1);
    Str *titles = arena_array(ctx->arena, Str, writer->count + 1);
    Str *hashes = arena_array(ctx->arena, Str, writer->count + 1);
    Str *locations = arena_array(ctx->arena, Str, writer->count + 1);
    for (uint32_t i = 0; i < writer->count; i++) {
        FIBER_BREATHE_EVERY(ctx, i, 64);
        const struct made *row = &writer->rows[i];
        ids[i] = row->id;
        titles[i] = row->title;
        hashes[i] = hex_text(ctx->arena, row->hash.bytes, sizeof row->hash.bytes);
        locations[i] = source->origin.locations > 0 ? space->places.json[row->location] : STR_NONE;
    }
    struct headlines_store_args args = {
        .site = ctx->scope.site,
        .campaign = space->campaign->id,
        .campaign_site = space->campaign->owner,
        .formula = source->origin.formula,
        .ids = {ids, writer->count},
        .titles = {titles, writer->count},
        .hashes = {hashes, writer->count},
        .locations = {locations, writer->count},
    };
    /* Made durable by the commit of the log or the cursor, before the client gets its response. */
    struct db_batch batch = {.lane = DB_WRITE};
    db_batch_add(&batch, &SQL_COMMIT_WITHOUT_WAITING, NO_ARGS, NULL);
    db_batch_add(&batch, &SQL_HEADLINES_STORE, headlines_store_args(ctx->arena, &args), ret);
    return db_batch_run(ctx, &batch);
}

static void account(struct writer *writer, uint64_t from, const struct rows *rows)
{
    struct write *write = writer->write;
    uint64_t inserted = (uint64_t)row_int(rows, 0, HEADLINES_STORE_INSERTED);
    write->range->inserted += inserted;
    write->range->existed += writer->count - inserted;
    if (inserted > 0 && from < write->page_from) {
        write->page_from = from;
        write->range->page = str_dup(write->arena, row_json(rows, 0, HEADLINES_STORE_PAGE));
    }
}

static fiber_fn Err write_chunk(struct ctx *ctx, struct writer *writer)
{
    struct write *write = writer->write;
    const struct headline_source *source = headline_space_at(write->space, write->next);
    uint64_t source_end = source->first + source->origin.total;
    uint64_t to = write->range->to;
    if (to > source_end)
        to = source_end;
    if (to - write->next > HEADLINES_CHUNK)
        to = write->next + HEADLINES_CHUNK;
    uint64_t from = write->next;
    writer->at = from;
    write->next = to;
    TRY(fill(ctx, writer, source, to));
    struct rows rows;
    TRY(store(ctx, writer, source, &rows));
    account(writer, from, &rows);
    writer->at = UINT64_MAX;
    return OK;
}

static bool is_late(const struct ctx *ctx)
{
    return ctx->deadline_us != 0 && clock_now_us() > ctx->deadline_us - MARGIN_US;
}

/* The first chunk has been checked against the epoch; the following ones skip the check, as in a
 * single-fiber run. */
static fiber_fn Err writer_run(struct ctx *ctx, void *arg)
{
    struct writer *writer = arg;
    ctx->has_committed = true;
    while (writer->write->next < writer->write->range->to && !is_late(ctx)) {
        ArenaMark mark = arena_mark(ctx->arena);
        TRY(write_chunk(ctx, writer));
        arena_rewind(ctx->arena, mark);
    }
    return OK;
}

fiber_fn Err headline_range_write(struct ctx *ctx, const struct headline_space *space,
                                  struct headline_range *range)
{
    assert(range->from <= range->to && range->to <= space->total);
    struct write write = {.space = space,
                          .range = range,
                          .arena = ctx->arena,
                          .next = range->from,
                          .page_from = UINT64_MAX};
    struct writer *writers = arena_array(ctx->arena, struct writer, HEADLINES_WRITERS);
    for (uint32_t i = 0; i < HEADLINES_WRITERS; i++) {
        writers[i].write = &write;
        writers[i].at = UINT64_MAX;
    }
    Err err = OK;
    if (range->from < range->to)
        err = write_chunk(ctx, &writers[0]);
    struct group group;
    group_init(&group, ctx);
    for (uint32_t i = 0; i < HEADLINES_WRITERS && err == OK && write.next < range->to; i++)
        group_spawn(&group, ctx, "headlines", writer_run, &writers[i]);
    Err joined = group_join(ctx, &group);
    if (err == OK)
        err = joined;
    range->done_until = write.next;
    for (uint32_t i = 0; i < HEADLINES_WRITERS; i++)
        if (writers[i].at < range->done_until)
            range->done_until = writers[i].at;
    return err;
}

fiber_fn Err headline_cursor_move(struct ctx *ctx, const struct headline_space *space,
                                  uint64_t next)
{
    if (!space->is_of_campaign || !uuid_eq(space->campaign->owner, ctx->scope.site))
        return OK;
    return db_query(ctx, &SQL_HEADLINE_CURSOR_SET,
                    ARGS(db_uuid(ctx->scope.site), db_uuid(space->campaign->id),
                         db_int((int64_t)(next > INT64_MAX ? INT64_MAX : next))),
                    NULL);
}
