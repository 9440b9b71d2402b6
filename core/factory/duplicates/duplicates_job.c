/*
 * The scan as a job: signatures, candidates, the exact comparison, then flags and the end of the
 * job in one transaction. What it keeps from page to page lies in an arena of its own; ctx->arena
 * is given back after every page.
 */
#include "base/json/json_writer.h"
#include "factory/duplicates/duplicates_internal.h"
#include "factory/duplicates/near_pairs.h"
#include "gen/sql.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

/* Queueing */

struct scan_payload {
    double threshold; /* 0: the site's */
    int64_t min_shared;
    Uuid queue_id; /* its articles, or those; neither: the whole site */
    const Uuid *batch_ids;
    uint32_t batch_ids_count;
};
static const struct job_field SCAN_FIELDS[] = {
    JOB_REAL(struct scan_payload, threshold, 1),
    JOB_INT(struct scan_payload, min_shared, 1, INT32_MAX, 3),
    JOB_UUID(struct scan_payload, queue_id, JOB_OPTIONAL),
    JOB_UUIDS(struct scan_payload, batch_ids, DUPLICATES_IDS_MAX),
};
const struct job_kind JOB_SCAN_DUPLICATES =
    JOB_KIND("scan-duplicates", duplicates_run, JOB_OF_SITE, 900, JOB_NORMAL,
             "Compares the articles of a site and flags those that are too similar.",
             JOB_PAYLOAD(struct scan_payload, SCAN_FIELDS));

/* Two scans of the same articles at once would do the same work twice. */
static Str dedup_key_of(struct ctx *ctx, const struct duplicate_request *request)
{
    if (request->id_count > 0)
        return STR_NONE;
    if (uuid_is_nil(request->queue))
        return JOB_SCAN_DUPLICATES.name;
    return job_dedup_key(ctx->arena, &JOB_SCAN_DUPLICATES, uuid_text(ctx->arena, request->queue));
}

fiber_fn Err duplicates_enqueue(struct ctx *ctx, const struct duplicate_request *request,
                                int64_t *ret_job)
{
    if (request->words != SHINGLE_WORDS)
        return fail(ctx, ERR_FAILED_VALIDATION,
                    "ngram_size is %d for more than %d articles: their signatures are made so.",
                    SHINGLE_WORDS, DUPLICATES_DIRECT_MAX);
    struct scan_payload payload = {
        .threshold = request->review,
        .min_shared = request->min_shared,
        .queue_id = request->queue,
        .batch_ids = request->ids,
        .batch_ids_count = request->id_count,
    };
    struct job_spec spec;
    TRY(job_spec_make(ctx, &JOB_SCAN_DUPLICATES, &payload, &spec));
    spec.dedup_key = dedup_key_of(ctx, request);
    int64_t job;
    TRY(job_enqueue_now(ctx, &spec, &job));
    if (job == 0)
        return fail(ctx, ERR_CONFLICT, "A scan of these articles is already waiting or running.");
    *ret_job = job;
    return OK;
}

/* The job */

enum {
    LANES = 2, /* one waits for PostgreSQL while the texts of the other are read */
    TEXTS_PAGE = 200,
    MARKS_PAGE = 2000,
    BLOCK_TEXTS_MAX = 200, /* compared at a time */
    EXAMPLES = 5,
};
/* What part of the work a phase is, in percent, for whoever watches. */
enum { READ_UNTIL = 55, SEARCHED_UNTIL = 85, COMPARED_UNTIL = 100 };

struct scan {
    struct ctx *ctx;
    struct job *job;
    struct arena *kept;
    struct duplicate_request request;
    struct thresholds thresholds;
    struct near_pairs *near;
    Uuid *ids; /* by the number that the article has in `near` */
    uint32_t count;
    uint32_t max;
    uint32_t scanned; /* articles without a text too */
    struct duplicate *found;
    uint32_t found_count;
    bool is_cut_off; /* there were more candidates than flags are allowed */
};

static bool is_of_site(const struct scan *scan)
{
    return scan->request.id_count == 0 && uuid_is_nil(scan->request.queue);
}

static fiber_fn Err show(struct ctx *ctx, struct scan *scan, uint64_t done, uint64_t total,
                         uint32_t from, uint32_t until)
{
    uint64_t part = total > 0 ? done * (until - from) / total : until - from;
    return job_progress(ctx, scan->job, (int64_t)(from + part), COMPARED_UNTIL);
}

/* The lanes share `arg`; each takes of it what no other has taken. */
static fiber_fn Err run_lanes(struct scan *scan, GroupFn *lane, void *arg)
{
    struct group group;
    group_init(&group, scan->ctx);
    for (uint32_t i = 0; i < LANES; i++)
        group_spawn(&group, scan->ctx, "duplicates", lane, arg);
    return group_join(scan->ctx, &group);
}

static Err scan_open(struct scan *scan, uint64_t articles)
{
    if (articles > DUPLICATES_ARTICLES_MAX)
        return fail(scan->ctx, ERR_TOO_LARGE,
                    "%" PRIu64 " articles are more than the %d that one scan compares.", articles,
                    DUPLICATES_ARTICLES_MAX);
    scan->max = (uint32_t)articles;
    scan->near = near_pairs_make(scan->kept, scan->max, scan->thresholds.review,
                                 scan->thresholds.containment);
    scan->ids = arena_alloc_raw(scan->kept, (articles + 1) * sizeof(Uuid));
    return OK;
}

/* An article that came into being since they were counted is for the next scan. */
static void scan_put(struct scan *scan, Uuid id, const struct minhash *minhash, uint32_t shingles,
                     bool is_old)
{
    scan->scanned++;
    if (shingles == 0 || scan->count == scan->max)
        return;
    near_pairs_put(scan->near, minhash, shingles, is_old);
    scan->ids[scan->count++] = id;
}

static fiber_fn Err list_ids(struct scan *scan, Uuid **ret, uint32_t *ret_count)
{
    uint32_t max = DUPLICATES_ARTICLES_MAX;
    Uuid *ids = arena_alloc_raw(scan->kept, (max + DUPLICATE_IDS_PAGE) * sizeof(Uuid));
    uint32_t count = 0;
    for (uint32_t read = DUPLICATE_IDS_PAGE; read == DUPLICATE_IDS_PAGE && count <= max;
         count += read) {
        ArenaMark mark = arena_mark(scan->ctx->arena);
        Uuid after = count > 0 ? ids[count - 1] : (Uuid){0};
        TRY(duplicate_ids_page(scan->ctx, &scan->request, after, ids + count, &read));
        arena_rewind(scan->ctx->arena, mark);
    }
    *ret = ids;
    *ret_count = count;
    return OK;
}

/* Reads these articles' texts; for a scan of the site their signatures are stored. */
static fiber_fn Err put_texts(struct ctx *ctx, struct scan *scan, const Uuid *ids, uint32_t count)
{
    ArenaMark mark = arena_mark(ctx->arena);
    struct article_set *sets = arena_array(ctx->arena, struct article_set, count);
    static const struct minhash EMPTY;
    TRY(article_sets_load(ctx, ids, count, SHINGLE_WORDS, WITH_MINHASHES, sets, &count));
    for (uint32_t i = 0; i < count; i++)
        scan_put(scan, sets[i].id, sets[i].minhash != NULL ? sets[i].minhash : &EMPTY,
                 sets[i].set.count, false);
    if (count > 0 && is_of_site(scan))
        TRY(signatures_store(ctx, sets, count));
    arena_rewind(ctx->arena, mark);
    return OK;
}

struct reading {
    struct scan *scan;
    const Uuid *ids;
    uint32_t count;
    uint32_t at;
    const bool *is_signed; /* NULL: none is */
};

static uint32_t take_unsigned(struct reading *reading, Uuid page[TEXTS_PAGE])
{
    uint32_t filled = 0;
    for (; reading->at < reading->count && filled < TEXTS_PAGE; reading->at++)
        if (reading->is_signed == NULL || !reading->is_signed[reading->at])
            page[filled++] = reading->ids[reading->at];
    return filled;
}

static fiber_fn Err reading_lane(struct ctx *ctx, void *arg)
{
    struct reading *reading = arg;
    Uuid *page = arena_array(ctx->arena, Uuid, TEXTS_PAGE);
    for (;;) {
        uint32_t filled = take_unsigned(reading, page);
        if (filled == 0)
            return OK;
        TRY(put_texts(ctx, reading->scan, page, filled));
        TRY(show(ctx, reading->scan, reading->at, reading->count, 0, READ_UNTIL));
    }
}

/* All that are not signed yet. */
static fiber_fn Err read_texts(struct scan *scan, const Uuid *ids, uint32_t count,
                               const bool *is_signed)
{
    struct reading reading = {.scan = scan, .ids = ids, .count = count, .is_signed = is_signed};
    return run_lanes(scan, reading_lane, &reading);
}

/* Where one ascending list stands while another is gone through. */
struct cursor {
    const Uuid *ids;
    uint32_t count;
    uint32_t at;
    bool *is_signed;
};

static bool cursor_finds(struct cursor *cursor, Uuid id)
{
    while (cursor->at < cursor->count && memcmp(&cursor->ids[cursor->at], &id, sizeof id) < 0)
        cursor->at++;
    return cursor->at < cursor->count && uuid_eq(cursor->ids[cursor->at], id);
}

/* Old is who was in a scan that found all this one looks for. */
static void put_signature(struct scan *scan, const struct rows *rows, uint32_t row,
                          struct cursor *cursor)
{
    Uuid id = row_uuid(rows, row, SIGNATURES_LIST_ARTICLE_ID);
    if (!cursor_finds(cursor, id))
        return;
    cursor->is_signed[cursor->at] = true;
    struct minhash minhash = {0};
    uint32_t len;
    const char *bytes = row_bytes(rows, row, SIGNATURES_LIST_ROWS, &len);
    if (len == sizeof minhash)
        memcpy(&minhash, bytes, len);
    bool is_old = !row_is_null(rows, row, SIGNATURES_LIST_SCANNED_THRESHOLD) &&
                  row_real(rows, row, SIGNATURES_LIST_SCANNED_THRESHOLD) <= scan->thresholds.review;
    scan_put(scan, id, &minhash, (uint32_t)row_int(rows, row, SIGNATURES_LIST_SHINGLES), is_old);
}

static fiber_fn Err list_signatures(struct scan *scan, struct cursor *cursor)
{
    struct ctx *ctx = scan->ctx;
    Uuid after = {0};
    for (uint32_t read = SIGNATURES_PAGE; read == SIGNATURES_PAGE;) {
        ArenaMark mark = arena_mark(ctx->arena);
        struct rows rows;
        TRY(db_query(ctx, &SQL_SIGNATURES_LIST,
                     ARGS(db_uuid(ctx->scope.site), db_uuid(after), db_int4(SHINGLE_VERSION)),
                     &rows));
        read = rows.count;
        for (uint32_t i = 0; i < read; i++)
            put_signature(scan, &rows, i, cursor);
        if (read > 0)
            after = row_uuid(&rows, read - 1, SIGNATURES_LIST_ARTICLE_ID);
        arena_rewind(ctx->arena, mark);
        TRY(fiber_breathe(ctx));
    }
    return OK;
}

/* Signatures as far as there are any, texts of the others. */
static fiber_fn Err read_articles(struct scan *scan)
{
    err_ignore(db_query(scan->ctx, &SQL_STATISTICS_REFRESH, NO_ARGS, NULL),
               "statistics make the next statements fast; they are right without");
    Uuid *ids;
    uint32_t count;
    TRY(list_ids(scan, &ids, &count));
    TRY(scan_open(scan, count));
    if (!is_of_site(scan))
        return read_texts(scan, ids, count, NULL);
    struct cursor cursor = {.ids = ids, .count = count};
    cursor.is_signed = arena_array(scan->kept, bool, (size_t)count + 1);
    TRY(list_signatures(scan, &cursor));
    return read_texts(scan, ids, count, cursor.is_signed);
}

/* Candidates */

struct step {
    struct near_pairs *near;
    uint32_t number;
};

static void run_step(void *arg)
{
    const struct step *step = arg;
    near_pairs_step(step->near, step->number);
}

/* Beside the loop: the other jobs of this thread go on. */
static fiber_fn Err search(struct scan *scan)
{
    uint32_t steps = near_pairs_steps(scan->near);
    for (uint32_t i = 0; i < steps; i++) {
        struct step step = {scan->near, i};
        TRY(duplicates_offload(scan->ctx, run_step, &step));
        TRY(show(scan->ctx, scan, i, steps, READ_UNTIL, SEARCHED_UNTIL));
    }
    return OK;
}

/* Comparing */

/* What the lanes share. */
struct comparing {
    struct scan *scan;
    const struct near_pair *pairs;
    uint32_t count;
    uint32_t at;
};

/* Candidates whose texts are in memory together, and what comes of them. Each lane has its own. */
struct block {
    struct ctx *ctx;
    const struct scan *scan;
    uint32_t *places; /* by an article's number: 1 + its place in the block; 0: not in it */
    uint32_t numbers[BLOCK_TEXTS_MAX];
    uint32_t count;
    const struct article_set *sets[BLOCK_TEXTS_MAX]; /* by place; NULL: gone */
    const struct near_pair *pairs;
    uint32_t pair_count;
    struct duplicate *found;
    uint32_t found_count;
};

static bool block_take(struct block *block, uint32_t number)
{
    if (block->places[number] != 0)
        return true;
    if (block->count == BLOCK_TEXTS_MAX)
        return false;
    block->numbers[block->count++] = number;
    block->places[number] = block->count;
    return true;
}

/* The next pairs, as many as fit. A last article without its partner does no harm. */
static void block_fill(struct block *block, struct comparing *comparing)
{
    uint32_t from = comparing->at;
    const struct near_pair *pairs = comparing->pairs;
    while (comparing->at < comparing->count && block_take(block, pairs[comparing->at].a) &&
           block_take(block, pairs[comparing->at].b))
        comparing->at++;
    block->pairs = pairs + from;
    block->pair_count = comparing->at - from;
}

static void block_empty(struct block *block)
{
    for (uint32_t i = 0; i < block->count; i++)
        block->places[block->numbers[i]] = 0;
    block->count = 0;
}

static int compare_ids(const void *x, const void *y)
{
    return memcmp(x, y, sizeof(Uuid));
}

static const struct article_set *find_set(const struct article_set *sets, uint32_t count, Uuid id)
{
    static_assert(offsetof(struct article_set, id) == 0,
                  "compare_ids compares what it begins with");
    return bsearch(&id, sets, count, sizeof *sets, compare_ids);
}

static fiber_fn Err block_load(struct ctx *ctx, struct block *block)
{
    struct arena *arena = ctx->arena;
    Uuid *ids = arena_array(arena, Uuid, block->count);
    struct article_set *sets = arena_array(arena, struct article_set, block->count);
    uint32_t count;
    for (uint32_t i = 0; i < block->count; i++)
        ids[i] = block->scan->ids[block->numbers[i]];
    TRY(article_sets_load(ctx, ids, block->count, SHINGLE_WORDS, WITHOUT_MINHASHES, sets, &count));
    for (uint32_t i = 0; i < block->count; i++)
        block->sets[i] = find_set(sets, count, ids[i]);
    return OK;
}

static void compare_pair(struct block *block, struct near_pair pair)
{
    const struct article_set *a = block->sets[block->places[pair.a] - 1];
    const struct article_set *b = block->sets[block->places[pair.b] - 1];
    struct shingle_match match;
    if (a == NULL || b == NULL || !is_duplicate(&block->scan->thresholds, &a->set, &b->set, &match))
        return;
    bool is_in_order = memcmp(&a->id, &b->id, sizeof a->id) < 0;
    block->found[block->found_count++] = (struct duplicate){
        .a = is_in_order ? a->id : b->id,
        .b = is_in_order ? b->id : a->id,
        .match = match,
        .examples = shingle_examples(block->ctx->arena, &a->set, &b->set, EXAMPLES)};
}

/* In an offload thread: the fiber that owns the block waits. */
static void compare_block(void *arg)
{
    struct block *block = arg;
    block->found = arena_array(block->ctx->arena, struct duplicate, block->pair_count);
    block->found_count = 0;
    for (uint32_t i = 0; i < block->pair_count; i++)
        compare_pair(block, block->pairs[i]);
}

static fiber_fn void keep_found(struct scan *scan, const struct block *block)
{
    for (uint32_t i = 0; i < block->found_count; i++) {
        fiber_pause(); /* the other lane adds its own behind these, or between them */
        struct duplicate found = block->found[i];
        found.examples = str_dup(scan->kept, found.examples);
        scan->found[scan->found_count++] = found;
    }
}

static fiber_fn Err comparing_lane(struct ctx *ctx, void *arg)
{
    struct comparing *comparing = arg;
    struct scan *scan = comparing->scan;
    struct block *block = arena_new(ctx->arena, struct block);
    *block = (struct block){.ctx = ctx, .scan = scan};
    block->places = arena_array(ctx->arena, uint32_t, (size_t)scan->count + 1);
    while (comparing->at < comparing->count) {
        ArenaMark mark = arena_mark(ctx->arena);
        block_fill(block, comparing);
        assert(block->pair_count > 0);
        TRY(block_load(ctx, block));
        TRY(duplicates_offload(ctx, compare_block, block));
        keep_found(scan, block);
        block_empty(block);
        arena_rewind(ctx->arena, mark);
        TRY(show(ctx, scan, comparing->at, comparing->count, SEARCHED_UNTIL, COMPARED_UNTIL - 1));
    }
    return OK;
}

/* In an offload thread: sixteen partners of half a million texts take their time. */
static void choose_likest(void *arg)
{
    struct comparing *comparing = arg;
    struct scan *scan = comparing->scan;
    comparing->pairs = near_pairs_likest(scan->near, scan->kept, DUPLICATES_FLAGS_MAX,
                                         &comparing->count, &scan->is_cut_off);
}

/* The likest, so that what one scan has no room for is no more alike than what it finds. */
static fiber_fn Err compare_found(struct scan *scan)
{
    struct comparing comparing = {.scan = scan};
    TRY(duplicates_offload(scan->ctx, choose_likest, &comparing));
    scan->found =
        arena_alloc_raw(scan->kept, ((size_t)comparing.count + 1) * sizeof(struct duplicate));
    return run_lanes(scan, comparing_lane, &comparing);
}

/* The end */

static fiber_fn Err store_flags(struct scan *scan, struct db_tx *tx, Str batch, uint32_t *ret)
{
    uint32_t created = 0;
    for (uint32_t from = 0; from < scan->found_count; from += DUPLICATE_FLAGS_PAGE) {
        ArenaMark mark = arena_mark(scan->ctx->arena);
        uint32_t left = scan->found_count - from;
        uint32_t added;
        TRY(duplicate_flags_store(tx, &scan->thresholds, batch, scan->found + from,
                                  left < DUPLICATE_FLAGS_PAGE ? left : DUPLICATE_FLAGS_PAGE,
                                  &added));
        created += added;
        arena_rewind(scan->ctx->arena, mark);
    }
    *ret = created;
    return OK;
}

static fiber_fn Err mark_page(struct scan *scan, struct db_tx *tx, const uint32_t *numbers,
                              uint32_t count)
{
    struct arena *arena = scan->ctx->arena;
    ArenaMark mark = arena_mark(arena);
    const struct minhash *minhashes = near_pairs_minhashes(scan->near);
    Uuid *ids = arena_array(arena, Uuid, count);
    struct minhash *rows = arena_array(arena, struct minhash, count);
    for (uint32_t i = 0; i < count; i++) {
        ids[i] = scan->ids[numbers[i]];
        rows[i] = minhashes[numbers[i]];
    }
    Str bytes = str_of((const char *)rows, count * sizeof(struct minhash));
    TRY(db_tx_query(tx, &SQL_SIGNATURES_MARK,
                    ARGS(db_uuid(scan->ctx->scope.site), db_real(scan->thresholds.review),
                         db_uuid_array(arena, ids, count), db_bytes(bytes)),
                    NULL));
    arena_rewind(arena, mark);
    return OK;
}

/* What was new. A scan that was cut off too: looking again would find the same likest pairs. */
static fiber_fn Err mark_scanned(struct scan *scan, struct db_tx *tx)
{
    uint32_t count;
    const uint32_t *numbers = near_pairs_new(scan->near, &count);
    for (uint32_t from = 0; from < count; from += MARKS_PAGE) {
        uint32_t left = count - from;
        TRY(mark_page(scan, tx, numbers + from, left < MARKS_PAGE ? left : MARKS_PAGE));
    }
    return OK;
}

static Str result_of(struct ctx *ctx, const struct duplicate_report *report)
{
    return str_printf(ctx->arena,
                      "{\"articles_scanned\":%" PRIu32 ",\"collisions_found\":%" PRIu32
                      ",\"flags_created\":%" PRIu32 ",\"is_cut_off\":%s}",
                      report->scanned, report->found, report->created,
                      report->is_cut_off ? "true" : "false");
}

static fiber_fn Err finish(struct scan *scan)
{
    struct ctx *ctx = scan->ctx;
    struct duplicate_report report = {
        .scanned = scan->scanned, .found = scan->found_count, .is_cut_off = scan->is_cut_off};
    Str batch = uuid_is_nil(scan->request.queue)
                    ? str_printf(ctx->arena, "job-%jd", (intmax_t)scan->job->id)
                    : uuid_text(ctx->arena, scan->request.queue);
    SCOPED_TX struct db_tx tx = {0};
    TRY(job_finish_begin(ctx, scan->job, &tx));
    TRY(store_flags(scan, &tx, batch, &report.created));
    if (is_of_site(scan))
        TRY(mark_scanned(scan, &tx));
    TRY(duplicates_log(&tx, &report, batch));
    return job_finish_commit(scan->job, &tx, result_of(ctx, &report));
}

/* Start */

static Err payload_read(struct ctx *ctx, const struct job *job, struct duplicate_request *ret)
{
    struct scan_payload payload;
    TRY(job_payload_read(ctx, &JOB_SCAN_DUPLICATES, job, &payload));
    *ret = (struct duplicate_request){
        .review = payload.threshold,
        .min_shared = payload.min_shared,
        .words = SHINGLE_WORDS,
        .queue = payload.queue_id,
        .ids = payload.batch_ids,
        .id_count = payload.batch_ids_count,
    };
    return OK;
}

fiber_fn Err duplicates_run(struct ctx *ctx, struct job *job)
{
    assert(ctx->scope.kind == SCOPE_SITE);
    struct scan scan = {.ctx = ctx, .job = job, .kept = arena_create_within(ctx->arena)};
    TRY(payload_read(ctx, job, &scan.request));
    TRY(thresholds_read(ctx, &scan.request, &scan.thresholds));
    TRY(read_articles(&scan));
    TRY(search(&scan));
    TRY(compare_found(&scan));
    return finish(&scan);
}
