#include "factory/duplicates/duplicates.h"

#include "base/json/json_writer.h"
#include "factory/duplicates/duplicates_internal.h"

#include <assert.h>
#include <inttypes.h>

enum { EXAMPLES = 5, CONTAINED_SHINGLES_MIN = 20 };

/* Containment counts only above a minimum size: a few sentences occur in many articles. */
bool is_duplicate(const struct thresholds *thresholds, const struct shingle_set *a,
                  const struct shingle_set *b, struct shingle_match *ret)
{
    *ret = shingle_sets_match(a, b);
    uint32_t small = a->count < b->count ? a->count : b->count;
    bool is_contained =
        small >= CONTAINED_SHINGLES_MIN && ret->containment >= thresholds->containment;
    return ret->shared >= thresholds->min_shared &&
           (ret->jaccard >= thresholds->review || is_contained);
}

/* Synchronous scan */

struct few {
    struct article_set sets[DUPLICATES_DIRECT_MAX];
    uint32_t count;
};

static fiber_fn Err compare_all(struct ctx *ctx, const struct thresholds *thresholds,
                                const struct few *few, struct duplicate *ret, uint32_t *ret_count)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < few->count; i++)
        for (uint32_t j = i + 1; j < few->count; j++) {
            const struct article_set *a = &few->sets[i];
            const struct article_set *b = &few->sets[j];
            struct shingle_match match;
            TRY(fiber_breathe(ctx));
            if (is_duplicate(thresholds, &a->set, &b->set, &match))
                ret[count++] = (struct duplicate){
                    .a = a->id,
                    .b = b->id,
                    .match = match,
                    .examples = shingle_examples(ctx->arena, &a->set, &b->set, EXAMPLES)};
        }
    *ret_count = count;
    return OK;
}

static fiber_fn Err store_now(struct ctx *ctx, const struct thresholds *thresholds, Str batch,
                              struct duplicate_report *report)
{
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(ctx, &tx));
    for (uint32_t from = 0; from < report->found; from += DUPLICATE_FLAGS_PAGE) {
        uint32_t left = report->found - from;
        uint32_t created;
        TRY(duplicate_flags_store(&tx, thresholds, batch, report->list + from,
                                  left < DUPLICATE_FLAGS_PAGE ? left : DUPLICATE_FLAGS_PAGE,
                                  &created));
        report->created += created;
    }
    TRY(duplicates_log(&tx, report, batch));
    return db_commit(&tx);
}

static Str batch_of(struct ctx *ctx, const struct duplicate_request *request)
{
    return uuid_text(ctx->arena, uuid_is_nil(request->queue) ? uuid_make() : request->queue);
}

static fiber_fn Err scan_now(struct ctx *ctx, const struct duplicate_request *request,
                             const Uuid *ids, uint32_t count, struct duplicate_report *ret)
{
    *ret = (struct duplicate_report){.scanned = count};
    if (count < 2)
        return OK;
    struct thresholds thresholds;
    TRY(thresholds_read(ctx, request, &thresholds));
    struct few *few = arena_new(ctx->arena, struct few);
    TRY(article_sets_load(ctx, ids, count, (uint32_t)request->words, WITHOUT_MINHASHES, few->sets,
                          &few->count));
    struct duplicate *list =
        arena_array(ctx->arena, struct duplicate, (size_t)count * (count - 1) / 2);
    TRY(compare_all(ctx, &thresholds, few, list, &ret->found));
    ret->list = list;
    return store_now(ctx, &thresholds, batch_of(ctx, request), ret);
}

/* Scan as a job */

struct scan_payload {
    double threshold; /* 0: the site's setting */
    int64_t min_shared;
    Uuid queue_id; /* scan the articles of this queue, or batch_ids; neither: the whole site */
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

Err duplicates_payload_read(struct ctx *ctx, const struct job *job, struct duplicate_request *ret)
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

/* Two concurrent scans of the same articles would do the same work twice. */
static Str dedup_key_of(struct ctx *ctx, const struct duplicate_request *request)
{
    if (request->id_count > 0)
        return STR_NONE;
    if (uuid_is_nil(request->queue))
        return JOB_SCAN_DUPLICATES.name;
    return job_dedup_key(ctx->arena, &JOB_SCAN_DUPLICATES, uuid_text(ctx->arena, request->queue));
}

static fiber_fn Err enqueue(struct ctx *ctx, const struct duplicate_request *request,
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

fiber_fn Err duplicates_scan(struct ctx *ctx, const struct duplicate_request *request,
                             struct duplicate_report *ret, int64_t *ret_job)
{
    assert(ctx->scope.kind == SCOPE_SITE && request->id_count <= DUPLICATES_IDS_MAX);
    Uuid *ids = arena_array(ctx->arena, Uuid, DUPLICATE_IDS_PAGE);
    uint32_t count;
    TRY(duplicate_ids_page(ctx, request, (Uuid){0}, ids, &count));
    *ret_job = 0;
    if (count > DUPLICATES_DIRECT_MAX)
        return enqueue(ctx, request, ret_job);
    return scan_now(ctx, request, ids, count, ret);
}
