#include "factory/duplicates/duplicates.h"

#include "factory/duplicates/duplicates_internal.h"

#include <assert.h>

enum { EXAMPLES = 5, CONTAINED_SHINGLES_MIN = 20 };

/* What a few sentences share says nothing of an article: they are contained in many. */
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

fiber_fn Err duplicates_scan(struct ctx *ctx, const struct duplicate_request *request,
                             struct duplicate_report *ret, int64_t *ret_job)
{
    assert(ctx->scope.kind == SCOPE_SITE && request->id_count <= DUPLICATES_IDS_MAX);
    Uuid *ids = arena_array(ctx->arena, Uuid, DUPLICATE_IDS_PAGE);
    uint32_t count;
    TRY(duplicate_ids_page(ctx, request, (Uuid){0}, ids, &count));
    *ret_job = 0;
    if (count > DUPLICATES_DIRECT_MAX)
        return duplicates_enqueue(ctx, request, ret_job);
    return scan_now(ctx, request, ids, count, ret);
}
