/*
 * Reading the feed. A snapshot says which transactions are visible: all below its xmax, except
 * those listed as in progress. A transaction that became visible between two snapshots has an id at
 * or above the first snapshot's xmax, or was in progress in the first snapshot.
 */
#include "base/settings/settings.h"
#include "base/system/clock.h"
#include "base/text/buf.h"
#include "content/changes/changes_internal.h"
#include "gen/sql.h"
#include "io/pg/db.h"
#include "io/reactor/reactor.h"

#include <assert.h>
#include <stdlib.h>

/* A call ends well before the deadline of its ctx; the next call continues. */
enum { PAGE = 200, PAGES_A_TURN = 20 };
/* 21 digits for each of the connections that PostgreSQL can have. */
#define SNAPSHOT_MAX ((size_t)262143 * 21)

struct reader {
    bool wants_all;
    struct buf seen;    /* the snapshot up to which everything has been delivered; empty at first */
    int64_t seen_at_us; /* when it was taken */
    struct buf until;   /* upper bound of the delivery in progress; empty: none */
    int64_t until_at_us;
    int64_t after; /* seq of the last row delivered up to `until` */
};

static fiber_fn Err deliver_until(struct platform platform, struct reader *reader);
static fiber_fn Err deliver_page(struct platform platform, const struct rows *rows);
static struct change change_of(struct ctx *ctx, const struct rows *rows, uint32_t row);
static void begin_until(struct reader *reader, Str snapshot, int64_t at_us);
static void end_until(struct reader *reader);
static bool may_be_trimmed(const struct ctx *ctx, const struct reader *reader);

struct reader *changes_reader_new(bool wants_all)
{
    struct reader *reader = calloc(1, sizeof(*reader));
    if (reader == NULL)
        abort();
    reader->wants_all = wants_all;
    buf_init(&reader->seen, SNAPSHOT_MAX);
    buf_init(&reader->until, SNAPSHOT_MAX);
    return reader;
}

void changes_reader_free(struct reader *reader)
{
    buf_finish(&reader->seen);
    buf_finish(&reader->until);
    free(reader);
}

fiber_fn Err changes_read(struct ctx *ctx, struct reader *reader)
{
    struct platform platform = reactor_platform(ctx);
    int64_t asked_at_us = clock_now_us();
    struct rows rows;
    TRY(db_query_platform(platform, &SQL_CHANGES_LOOK,
                          ARGS(db_text_or_null(buf_str(&reader->seen))), &rows));
    assert(rows.count == 1);
    Str now = row_text(&rows, 0, CHANGES_LOOK_SNAPSHOT);
    bool is_first = reader->seen.len == 0;
    if (!is_first && (row_bool(&rows, 0, CHANGES_LOOK_IS_OLDER) || may_be_trimmed(ctx, reader))) {
        TRY(changes_deliver(ctx, &(struct changes){.has_gap = true}));
        begin_until(reader, now, asked_at_us);
        end_until(reader);
        return OK;
    }
    if (!changes_has_more(reader))
        begin_until(reader, now, asked_at_us);
    if (!is_first && row_bool(&rows, 0, CHANGES_LOOK_HAS_CHANGES))
        return deliver_until(platform, reader);
    end_until(reader);
    return OK;
}

bool changes_has_more(const struct reader *reader)
{
    return reader->until.len > 0;
}

static void begin_until(struct reader *reader, Str snapshot, int64_t at_us)
{
    buf_clear(&reader->until);
    buf_put(&reader->until, snapshot);
    assert(!reader->until.is_full);
    reader->until_at_us = at_us;
    reader->after = 0;
}

static void end_until(struct reader *reader)
{
    assert(changes_has_more(reader));
    buf_clear(&reader->seen);
    buf_put(&reader->seen, buf_str(&reader->until));
    reader->seen_at_us = reader->until_at_us;
    buf_clear(&reader->until);
}

/* Whether the steward may have deleted changes that this reader has not read. */
static bool may_be_trimmed(const struct ctx *ctx, const struct reader *reader)
{
    int64_t kept_us = ctx->reactor->settings->changes_retention_h * 3600 * SECOND_US;
    return clock_now_us() - reader->seen_at_us >= kept_us;
}

/* Later pages use the same snapshot as the first one, so they are consistent with it. A delivered
 * page is not read again when a later page fails; otherwise a feed that takes longer than one call
 * would start over forever. */
static fiber_fn Err deliver_until(struct platform platform, struct reader *reader)
{
    struct arena *arena = platform.ctx->arena;
    for (int page = 0; page < PAGES_A_TURN; page++) {
        ArenaMark mark = arena_mark(arena);
        struct rows rows;
        TRY(db_query_platform(platform, &SQL_CHANGES_BETWEEN,
                              ARGS(db_text(buf_str(&reader->seen)),
                                   db_text(buf_str(&reader->until)), db_int(reader->after),
                                   db_bool(reader->wants_all)),
                              &rows));
        TRY(deliver_page(platform, &rows));
        if (rows.count < PAGE) {
            end_until(reader);
            return OK;
        }
        reader->after = row_int(&rows, rows.count - 1, CHANGES_BETWEEN_SEQ);
        arena_rewind(arena, mark);
    }
    return OK;
}

static fiber_fn Err deliver_page(struct platform platform, const struct rows *rows)
{
    struct ctx *ctx = platform.ctx;
    if (rows->count == 0)
        return OK;
    struct change *list = arena_array(ctx->arena, struct change, rows->count);
    for (uint32_t i = 0; i < rows->count; i++) {
        TRY(fiber_breathe(ctx));
        list[i] = change_of(ctx, rows, i);
    }
    return changes_deliver(ctx, &(struct changes){.list = list, .count = rows->count});
}

static enum change_action action_of(Str name)
{
    if (str_eq(name, STR("create")))
        return CHANGE_CREATE;
    return str_eq(name, STR("update")) ? CHANGE_UPDATE : CHANGE_DELETE;
}

static struct change change_of(struct ctx *ctx, const struct rows *rows, uint32_t row)
{
    struct change change = {
        .xid = row_text(rows, row, CHANGES_BETWEEN_XID),
        .seq = row_int(rows, row, CHANGES_BETWEEN_SEQ),
        .site = row_uuid(rows, row, CHANGES_BETWEEN_SITE),
        .collection = row_text(rows, row, CHANGES_BETWEEN_COLLECTION),
        .action = action_of(row_text(rows, row, CHANGES_BETWEEN_ACTION)),
        .is_announced = row_bool(rows, row, CHANGES_BETWEEN_IS_ANNOUNCED),
    };
    if (row_is_null(rows, row, CHANGES_BETWEEN_KEYS))
        return change;
    change.count = row_text_array(ctx->arena, rows, row, CHANGES_BETWEEN_KEYS, &change.keys);
    return change;
}
