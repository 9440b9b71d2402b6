#include "base/clock.h"
#include "base/json_writer.h"
#include "factory/headline_store.h"
#include "factory/headlines.h"
#include "gen/sql.h"
#include "io/db.h"

#include <assert.h>
#include <inttypes.h>

/* What is left for the answer when a run ends early. */
enum { MARGIN_US = 5 * 1000 * 1000 };

struct run {
    const struct campaign *campaign;
    struct headlines *headlines;
    struct place_list places;
    Str template;
    bool moves_cursor;
};

static fiber_fn Err run_open(struct ctx *ctx, const struct campaign *campaign, Str root,
                             struct run *ret, struct headline_numbers *ret_numbers)
{
    ret->campaign = campaign;
    ret->moves_cursor = root.len == 0 || str_eq(root, campaign->headline_root);
    ret->template = root.len > 0 ? root : campaign->headline_root;
    if (str_trim(ret->template).len == 0)
        return fail(ctx, ERR_FAILED_VALIDATION,
                    "The campaign has no headline_spintax_root; set it, or send spintax_root.");
    const struct spin *spin;
    TRY(spin_parse(ctx, ret->template, &spin));
    const struct spin_vars *vars;
    TRY(campaign_vars(ctx, ctx->arena, campaign, &vars));
    TRY(campaign_places(ctx, campaign, &ret->places));
    struct headline_spec spec = {.spin = spin,
                                 .vars = vars,
                                 .locations = ret->places.locations,
                                 .location_count = ret->places.count};
    TRY(headlines_make(ctx, &spec, &ret->headlines));
    *ret_numbers = (struct headline_numbers){
        .template = ret->template,
        .slots = spin_slots(spin, vars),
        .combinations = headlines_texts(ret->headlines),
        .locations = headlines_location_count(ret->headlines),
        .total = headlines_count(ret->headlines),
    };
    return OK;
}

/* The texts of [from, to) as columns; what is too long for a title is left out. */
struct chunk {
    Uuid ids[HEADLINES_CHUNK];
    Str titles[HEADLINES_CHUNK];
    Str hashes[HEADLINES_CHUNK];
    Str locations[HEADLINES_CHUNK];
    uint32_t count;
};

static Err chunk_fill(struct ctx *ctx, struct run *run, uint64_t from, uint64_t to,
                      struct chunk *chunk)
{
    chunk->count = 0;
    for (uint64_t i = from; i < to; i++) {
        struct headline headline;
        TRY(headline_at(ctx, run->headlines, i, &headline));
        if (headline.text.len == 0 || str_count_codepoints(headline.text) > HEADLINE_TITLE_MAX)
            continue;
        uint32_t n = chunk->count++;
        chunk->ids[n] = uuid_make();
        chunk->titles[n] = headline.text;
        chunk->hashes[n] = hex_text(ctx->arena, headline.text_hash.bytes, sizeof(Sha256));
        chunk->locations[n] =
            run->places.count > 0 ? run->places.json[headline.location] : STR_NONE;
    }
    return OK;
}

/* Rows and cursor in one commit: a run that is cut short has done what its cursor says. */
static fiber_fn Err chunk_store(struct ctx *ctx, const struct run *run, const struct chunk *chunk,
                                uint64_t next, struct rows *ret_rows)
{
    const struct campaign *campaign = run->campaign;
    DbArg site = db_uuid(ctx->scope.site);
    DbArg id = db_uuid(campaign->id);
    struct db_args store = ARGS(site, id, db_uuid(campaign->owner), db_text(run->template),
                                db_uuid_array(ctx->arena, chunk->ids, chunk->count),
                                db_text_array(ctx->arena, chunk->titles, chunk->count),
                                db_text_array(ctx->arena, chunk->hashes, chunk->count),
                                db_text_array(ctx->arena, chunk->locations, chunk->count));
    struct db_args cursor = ARGS(site, id, db_int((int64_t)(next > INT64_MAX ? INT64_MAX : next)));
    struct db_batch batch = {.lane = DB_WRITE};
    db_batch_add(&batch, &SQL_HEADLINES_STORE, store, ret_rows);
    /* A campaign of the library is not the site's to change: there the caller keeps the offset. */
    if (run->moves_cursor && uuid_eq(campaign->owner, ctx->scope.site))
        db_batch_add(&batch, &SQL_HEADLINE_CURSOR_SET, cursor, NULL);
    return db_batch_run(ctx, &batch);
}

static fiber_fn Err run_chunk(struct ctx *ctx, struct run *run, struct chunk *chunk, uint64_t to,
                              struct headline_result *result)
{
    TRY(chunk_fill(ctx, run, result->next_offset, to, chunk));
    struct rows rows;
    TRY(chunk_store(ctx, run, chunk, to, &rows));
    uint64_t inserted = (uint64_t)row_int(&rows, 0, HEADLINES_STORE_INSERTED);
    result->processed += to - result->next_offset;
    result->inserted += inserted;
    result->existed += chunk->count - inserted;
    result->next_offset = to;
    if (result->page.len == 0 && inserted > 0)
        result->page = row_json(&rows, 0, HEADLINES_STORE_PAGE);
    return fiber_breathe(ctx);
}

static bool is_late(const struct ctx *ctx)
{
    return ctx->deadline_us != 0 && clock_now_us() > ctx->deadline_us - MARGIN_US;
}

static fiber_fn Err log_run(struct ctx *ctx, const struct campaign *campaign,
                            const struct headline_result *result)
{
    Str details = str_printf(ctx->arena,
                             "{\"inserted\":%" PRIu64 ",\"processed\":%" PRIu64
                             ",\"next_offset\":%" PRIu64 "}",
                             result->inserted, result->processed, result->next_offset);
    return db_query(ctx, &SQL_WORK_LOG_ADD,
                    ARGS(db_uuid(ctx->scope.site), db_text(STR("headlines_generated")),
                         db_text(STR("campaign_masters")),
                         db_text(uuid_text(ctx->arena, campaign->id)), db_text(details),
                         db_text(STR("success")), db_null()),
                    NULL);
}

fiber_fn Err headlines_generate(struct ctx *ctx, const struct campaign *campaign,
                                const struct headline_run *wanted, struct headline_result *ret)
{
    struct run run = {0};
    struct headline_result result = {.page = STR_NONE};
    TRY(run_open(ctx, campaign, wanted->spintax_root, &run, &result.numbers));
    uint64_t total = result.numbers.total;
    uint64_t start = run.moves_cursor ? campaign->headline_cursor : 0;
    if (wanted->has_offset)
        start = wanted->offset;
    result.offset = start < total ? start : total;
    result.next_offset = result.offset;
    uint64_t left = total - result.offset;
    uint64_t end = result.offset + (left < wanted->max ? left : wanted->max);

    struct chunk *chunk = arena_new(ctx->arena, struct chunk);
    while (result.next_offset < end && !is_late(ctx)) {
        uint64_t to =
            end - result.next_offset > HEADLINES_CHUNK ? result.next_offset + HEADLINES_CHUNK : end;
        bool keeps_page = result.page.len == 0;
        ArenaMark mark = arena_mark(ctx->arena);
        TRY(run_chunk(ctx, &run, chunk, to, &result));
        /* The first page lives in the rows of its chunk. */
        if (!keeps_page || result.page.len == 0)
            arena_rewind(ctx->arena, mark);
    }
    result.was_truncated = result.next_offset < total;
    if (result.inserted > 0) {
        TRY(log_run(ctx, campaign, &result));
        err_ignore(db_query(ctx, &SQL_STATISTICS_REFRESH, NO_ARGS, NULL),
                   "statistics help whoever comes next; the headlines are stored");
    }
    *ret = result;
    return OK;
}

fiber_fn Err headlines_preview(struct ctx *ctx, const struct campaign *campaign, uint32_t count,
                               struct headline_numbers *ret_numbers, uint64_t *ret_stored,
                               Str *ret_page)
{
    assert(count <= HEADLINES_PREVIEW_MAX);
    struct run run = {0};
    struct headline_numbers numbers;
    TRY(run_open(ctx, campaign, STR_NONE, &run, &numbers));
    struct rows rows;
    TRY(db_query(ctx, &SQL_HEADLINES_COUNT, ARGS(db_uuid(ctx->scope.site), db_uuid(campaign->id)),
                 &rows));

    struct buf *out = buf_in_arena(ctx->arena, (size_t)HEADLINES_PREVIEW_MAX * HEADLINE_MAX * 2);
    struct json_writer w = json_writer(out);
    json_array_begin(&w);
    for (uint64_t i = 0; i < count && i < numbers.total; i++) {
        struct headline headline;
        TRY(headline_at(ctx, run.headlines, i, &headline));
        json_put_str(&w, headline.text);
    }
    json_array_end(&w);
    TRY(buf_check(ctx, out, "preview"));
    *ret_numbers = numbers;
    *ret_stored = (uint64_t)row_int(&rows, 0, HEADLINES_COUNT_COUNT);
    *ret_page = buf_str(out);
    return OK;
}
