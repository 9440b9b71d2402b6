/* The statements of the duplicate scan. */
#include "access/audit/audit.h"
#include "base/json/json.h"
#include "factory/duplicates/duplicates_internal.h"
#include "gen/sql.h"
#include "io/fiber/offload.h"
#include "io/reactor/reactor.h"

#include <assert.h>
#include <inttypes.h>

enum { EXAMPLES_BYTES_MAX = 4000 };
static_assert((int)DUPLICATES_IDS_MAX <= (int)DUPLICATE_IDS_PAGE,
              "all ids of a request must fit into one page");

fiber_fn Err thresholds_read(struct ctx *ctx, const struct duplicate_request *request,
                             struct thresholds *ret)
{
    assert(ctx->scope.kind == SCOPE_SITE && request->min_shared > 0);
    struct rows rows;
    TRY(db_query(ctx, &SQL_DUPLICATE_THRESHOLDS, ARGS(db_uuid(ctx->scope.site)), &rows));
    if (rows.count == 0)
        return fail(ctx, ERR_NOT_FOUND, "There is no such site.");
    *ret = (struct thresholds){
        .review = row_real(&rows, 0, DUPLICATE_THRESHOLDS_REVIEW),
        .block = row_real(&rows, 0, DUPLICATE_THRESHOLDS_BLOCK),
        .containment = row_real(&rows, 0, DUPLICATE_THRESHOLDS_CONTAINMENT),
        .min_shared = (uint32_t)request->min_shared,
    };
    if (request->review > 0)
        ret->review = request->review;
    return OK;
}

/* Which articles */

static fiber_fn Err query_ids(struct ctx *ctx, const struct duplicate_request *request, Uuid after,
                              struct rows *ret)
{
    DbArg site = db_uuid(ctx->scope.site);
    if (request->id_count > 0)
        return db_query(ctx, &SQL_DUPLICATE_IDS_NAMED,
                        ARGS(site, db_uuid_array(ctx->arena, request->ids, request->id_count)),
                        ret);
    if (uuid_is_nil(request->queue))
        return db_query(ctx, &SQL_DUPLICATE_IDS_OF_SITE, ARGS(site, db_uuid(after)), ret);
    TRY(db_query(ctx, &SQL_DUPLICATE_IDS_OF_QUEUE,
                 ARGS(site, db_uuid(after), db_uuid(request->queue)), ret));
    if (ret->count > 0 || !uuid_is_nil(after))
        return OK;
    return db_query(ctx, &SQL_DUPLICATE_IDS_OF_TEST_BATCH, ARGS(site, db_uuid(request->queue)),
                    ret);
}

static fiber_fn Err check_queue(struct ctx *ctx, Uuid queue)
{
    struct rows rows;
    TRY(db_query(ctx, &SQL_DUPLICATE_QUEUE_EXISTS, ARGS(db_uuid(ctx->scope.site), db_uuid(queue)),
                 &rows));
    return rows.count > 0 ? OK : fail(ctx, ERR_NOT_FOUND, "There is no such queue.");
}

fiber_fn Err duplicate_ids_page(struct ctx *ctx, const struct duplicate_request *request,
                                Uuid after, Uuid ret[DUPLICATE_IDS_PAGE], uint32_t *ret_count)
{
    if (!uuid_is_nil(request->queue) && uuid_is_nil(after))
        TRY(check_queue(ctx, request->queue));
    struct rows rows = {0};
    if (request->id_count == 0 || uuid_is_nil(after))
        TRY(query_ids(ctx, request, after, &rows));
    if (uuid_is_nil(after) && rows.count < request->id_count)
        return fail(ctx, ERR_NOT_FOUND, "There is no such article.");
    for (uint32_t i = 0; i < rows.count; i++)
        ret[i] = row_uuid(&rows, i, DUPLICATE_IDS_OF_SITE_ID);
    *ret_count = rows.count;
    return OK;
}

/* Texts */

/* Masks of the previous row's campaign: articles are read by age, so consecutive rows usually share
 * it. */
struct campaign_masks {
    Uuid campaign;
    struct shingle_masks *masks;
};

static Err masks_of_campaign(struct ctx *ctx, const struct rows *rows, uint32_t row,
                             struct campaign_masks *memo)
{
    Uuid campaign = row_uuid(rows, row, DUPLICATE_TEXTS_CAMPAIGN_ID);
    if (memo->masks != NULL && uuid_eq(memo->campaign, campaign))
        return OK;
    memo->campaign = campaign;
    memo->masks = shingle_masks_make(ctx->arena, NULL);
    Str text = row_json(rows, row, DUPLICATE_TEXTS_NICHE_VARIABLES);
    if (text.len == 0)
        return OK;
    const struct json *variables;
    TRY(json_parse(ctx, text, (struct json_limits){JSON_DEPTH_MAX, UINT32_MAX}, &variables));
    shingle_masks_add_json(memo->masks, variables);
    return OK;
}

static Err read_set(struct ctx *ctx, const struct rows *rows, uint32_t row, uint32_t words,
                    struct campaign_masks *memo, struct article_set *ret)
{
    TRY(masks_of_campaign(ctx, rows, row, memo));
    struct shingle_masks *masks = shingle_masks_make(ctx->arena, memo->masks);
    shingle_masks_add(masks, row_text(rows, row, DUPLICATE_TEXTS_CITY));
    shingle_masks_add(masks, row_text(rows, row, DUPLICATE_TEXTS_COUNTY));
    shingle_masks_add(masks, row_text(rows, row, DUPLICATE_TEXTS_STATE));
    Str content = row_text(rows, row, DUPLICATE_TEXTS_CONTENT);
    *ret = (struct article_set){
        .id = row_uuid(rows, row, DUPLICATE_TEXTS_ID),
        .touched = row_int(rows, row, DUPLICATE_TEXTS_TOUCHED),
        .set = shingle_set_make(ctx->arena, content, masks, words),
    };
    return OK;
}

fiber_fn Err duplicates_offload(struct ctx *ctx, void (*fn)(void *arg), void *arg)
{
    struct offload *offload = ctx->reactor->offload;
    if (offload != NULL)
        return offload_run(ctx, offload, fn, arg);
    fn(arg);
    return OK;
}

struct sets_reading {
    struct ctx *ctx; /* its fiber waits, so this thread may use arena and diag */
    struct rows rows;
    uint32_t words;
    enum article_sets_want want;
    struct article_set *sets;
    Err err;
};

static Err read_sets(struct sets_reading *reading)
{
    struct campaign_masks memo = {0};
    for (uint32_t i = 0; i < reading->rows.count; i++) {
        struct article_set *set = &reading->sets[i];
        TRY(read_set(reading->ctx, &reading->rows, i, reading->words, &memo, set));
        if (reading->want == WITHOUT_MINHASHES || set->set.count == 0)
            continue;
        struct minhash *minhash = arena_new(reading->ctx->arena, struct minhash);
        minhash_make(&set->set, minhash);
        set->minhash = minhash;
    }
    return OK;
}

static void run_reading(void *arg)
{
    struct sets_reading *reading = arg;
    reading->err = read_sets(reading);
}

fiber_fn Err article_sets_load(struct ctx *ctx, const Uuid *ids, uint32_t count, uint32_t words,
                               enum article_sets_want want, struct article_set *ret,
                               uint32_t *ret_count)
{
    struct sets_reading reading = {.ctx = ctx, .words = words, .want = want, .sets = ret};
    TRY(db_query(ctx, &SQL_DUPLICATE_TEXTS,
                 ARGS(db_uuid(ctx->scope.site), db_uuid_array(ctx->arena, ids, count)),
                 &reading.rows));
    assert(reading.rows.count <= count);
    TRY(duplicates_offload(ctx, run_reading, &reading));
    TRY(reading.err);
    *ret_count = reading.rows.count;
    return OK;
}

/* Signatures */

fiber_fn Err signatures_store(struct ctx *ctx, const struct article_set *sets, uint32_t count)
{
    assert(count > 0);
    struct arena *arena = ctx->arena;
    Uuid *ids = arena_array(arena, Uuid, count);
    int64_t *touched = arena_array(arena, int64_t, count);
    int64_t *shingles = arena_array(arena, int64_t, count);
    struct minhash *rows = arena_array(arena, struct minhash, count);
    for (uint32_t i = 0; i < count; i++) {
        ids[i] = sets[i].id;
        touched[i] = sets[i].touched;
        shingles[i] = sets[i].set.count;
        if (sets[i].minhash != NULL)
            rows[i] = *sets[i].minhash;
    }
    Str bytes = str_of((const char *)rows, count * sizeof(struct minhash));
    return db_query(ctx, &SQL_SIGNATURES_STORE,
                    ARGS(db_uuid(ctx->scope.site), db_int4(SHINGLE_VERSION),
                         db_uuid_array(arena, ids, count), db_int_array(arena, touched, count),
                         db_int_array(arena, shingles, count), db_bytes(bytes)),
                    NULL);
}

/* Flags */

static int64_t millionths(double share)
{
    return (int64_t)(share * 1e6 + 0.5);
}

fiber_fn Err duplicate_flags_store(struct db_tx *tx, const struct thresholds *thresholds, Str batch,
                                   const struct duplicate *list, uint32_t count,
                                   uint32_t *ret_created)
{
    assert(count > 0 && count <= DUPLICATE_FLAGS_PAGE);
    struct arena *arena = tx->ctx->arena;
    Uuid *a = arena_array(arena, Uuid, count);
    Uuid *b = arena_array(arena, Uuid, count);
    int64_t *scores = arena_array(arena, int64_t, count);
    int64_t *contained = arena_array(arena, int64_t, count);
    Str *examples = arena_array(arena, Str, count);
    for (uint32_t i = 0; i < count; i++) {
        a[i] = list[i].a;
        b[i] = list[i].b;
        scores[i] = millionths(list[i].match.jaccard);
        contained[i] = millionths(list[i].match.containment);
        examples[i] = str_cut(list[i].examples, EXAMPLES_BYTES_MAX);
    }
    struct rows rows;
    TRY(db_tx_query(tx, &SQL_DUPLICATE_FLAGS_STORE,
                    duplicate_flags_store_args(arena,
                                               &(struct duplicate_flags_store_args){
                                                   .site = tx->ctx->scope.site,
                                                   .a = {a, count},
                                                   .b = {b, count},
                                                   .scores = {scores, count},
                                                   .contained = {contained, count},
                                                   .examples = {examples, count},
                                                   .block_from = thresholds->block,
                                                   .batch = batch,
                                               }),
                    &rows));
    *ret_created = (uint32_t)row_int(&rows, 0, DUPLICATE_FLAGS_STORE_CREATED);
    return OK;
}

fiber_fn Err duplicates_log(struct db_tx *tx, const struct duplicate_report *report, Str batch)
{
    struct ctx *ctx = tx->ctx;
    Str details = str_printf(ctx->arena,
                             "{\"articles_scanned\":%" PRIu32 ",\"collisions_found\":%" PRIu32
                             ",\"flags_created\":%" PRIu32 "}",
                             report->scanned, report->found, report->created);
    return audit_write(tx, &(struct audit){.action = STR("duplicates_scanned"),
                                           .entity_type = STR("quality_flags"),
                                           .entity_id = batch,
                                           .details = details,
                                           .level = "success"});
}
