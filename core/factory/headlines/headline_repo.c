#include "access/audit/audit.h"
#include "base/json/json_writer.h"
#include "base/system/clock.h"
#include "factory/headlines/headline_write.h"
#include "gen/sql.h"
#include "io/pg/db.h"

#include <assert.h>
#include <inttypes.h>

enum { LAST_WORD_US = 1000 * 1000 };

fiber_fn Err headline_log(struct ctx *ctx, const struct campaign *campaign,
                          const struct headline_result *result)
{
    Str details = str_printf(ctx->arena,
                             "{\"inserted\":%" PRIu64 ",\"processed\":%" PRIu64
                             ",\"next_offset\":%" PRIu64 "}",
                             result->inserted, result->processed, result->next_offset);
    return audit_now(ctx, &(struct audit){.action = STR("headlines_generated"),
                                          .entity_type = STR("campaign_masters"),
                                          .entity_id = uuid_text(ctx->arena, campaign->id),
                                          .details = details,
                                          .level = "success"});
}

/* Moves the cursor even if the client has disconnected: stored headlines need not be generated
 * again. */
static fiber_fn Err move_cursor(struct ctx *ctx, const struct headline_space *space,
                                const struct headline_range *range, Err err)
{
    if (err == OK)
        return headline_cursor_move(ctx, space, range->done_until);
    SCOPED_SHIELD struct fiber_shield shield =
        fiber_shield_begin(ctx, clock_now_us() + LAST_WORD_US);
    err_ignore(headline_cursor_move(ctx, space, range->done_until),
               "the caller returns the error of the run");
    return err;
}

static uint64_t start_of(const struct headline_space *space, const struct headline_run *wanted)
{
    uint64_t start = space->is_of_campaign ? space->campaign->headline_cursor : 0;
    if (wanted->has_offset)
        start = wanted->offset;
    return start < space->total ? start : space->total;
}

fiber_fn Err headlines_generate(struct ctx *ctx, const struct campaign *campaign,
                                const struct headline_run *wanted, struct headline_result *ret)
{
    struct headline_space space;
    TRY(headline_space_open(ctx, campaign, wanted, &space));
    struct headline_range range = {.from = start_of(&space, wanted), .page = STR_NONE};
    uint64_t left = space.total - range.from;
    range.to = range.from + (left < wanted->max ? left : wanted->max);
    TRY(move_cursor(ctx, &space, &range, headline_range_write(ctx, &space, &range)));
    *ret = (struct headline_result){
        .numbers = headline_space_numbers(ctx, &space),
        .offset = range.from,
        .next_offset = range.done_until,
        .processed = range.done_until - range.from,
        .inserted = range.inserted,
        .existed = range.existed,
        .was_truncated = range.done_until < space.total,
        .page = range.page,
    };
    if (ret->inserted == 0)
        return OK;
    TRY(headline_log(ctx, campaign, ret));
    err_ignore(db_query(ctx, &SQL_STATISTICS_REFRESH, NO_ARGS, NULL),
               "statistics only speed up later queries; the headlines are stored");
    return OK;
}

fiber_fn Err headlines_preview(struct ctx *ctx, const struct campaign *campaign,
                               const struct headline_run *wanted, uint32_t count,
                               struct headline_numbers *ret_numbers, uint64_t *ret_stored,
                               Str *ret_page)
{
    assert(count <= HEADLINES_PREVIEW_MAX);
    struct headline_space space;
    TRY(headline_space_open(ctx, campaign, wanted, &space));
    struct rows rows;
    TRY(db_query(ctx, &SQL_HEADLINES_COUNT, ARGS(db_uuid(ctx->scope.site), db_uuid(campaign->id)),
                 &rows));

    struct buf *out = buf_in_arena(ctx->arena, (size_t)HEADLINES_PREVIEW_MAX * HEADLINE_MAX * 2);
    struct json_writer w = json_writer(out);
    json_array_begin(&w);
    for (uint64_t i = 0; i < count && i < space.total; i++) {
        TRY(fiber_breathe(ctx));
        const struct headline_source *source = headline_space_at(&space, i);
        struct headline headline;
        TRY(headline_at(ctx, source->headlines, i - source->first, &headline));
        json_put_str(&w, headline.text);
    }
    json_array_end(&w);
    TRY(buf_check(ctx, out, "preview"));
    *ret_numbers = headline_space_numbers(ctx, &space);
    *ret_stored = (uint64_t)row_int(&rows, 0, HEADLINES_COUNT_COUNT);
    *ret_page = buf_str(out);
    return OK;
}
