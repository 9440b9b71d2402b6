#include "base/json/json_writer.h"
#include "base/memory/map.h"
#include "base/system/clock.h"
#include "factory/articles/article_store.h"
#include "factory/articles/modules.h"
#include "gen/sql.h"

#include <assert.h>
#include <stddef.h>

/* How many texts to try for one headline if its text or slug is already taken. */
enum { ATTEMPTS_MAX = 6 };

/* The drafts of one round; those that could not be stored get a new text in the next round. */
struct round {
    struct article_draft drafts[ARTICLE_BATCH_MAX];
    uint32_t count;
    uint32_t attempt;
    const struct place_list *places;
    uint32_t *usage; /* the plan's counts plus those of this transaction */
    int64_t now_us;
};

static Str modules_json(struct arena *arena, const struct article_plan *plan,
                        const struct article_draft *draft)
{
    if (plan->path != PATH_MODULES)
        return STR_NONE;
    const struct assembly *assembly = &draft->assembly;
    struct buf *out = buf_in_arena(arena, ((size_t)assembly->fragment_count + 1) * 40);
    struct json_writer w = json_writer(out);
    json_array_begin(&w);
    for (uint32_t i = 0; i < assembly->fragment_count; i++)
        json_put_uuid(&w, plan->library->fragments[assembly->fragments[i]].id);
    json_array_end(&w);
    return buf_str(out);
}

/* Collects one Str member of all drafts; an empty one is stored as null. */
static struct db_texts texts_at(struct arena *arena, const struct round *round, size_t offset)
{
    Str *texts = arena_array(arena, Str, round->count);
    for (uint32_t i = 0; i < round->count; i++) {
        memcpy(&texts[i], (const char *)&round->drafts[i] + offset, sizeof texts[i]);
        if (texts[i].len == 0)
            texts[i] = STR_NONE;
    }
    return (struct db_texts){texts, round->count};
}

/* Columns that are not a Str member of the draft. */
struct columns {
    Uuid ids[ARTICLE_BATCH_MAX], headlines[ARTICLE_BATCH_MAX];
    int64_t words[ARTICLE_BATCH_MAX];
    Str statuses[ARTICLE_BATCH_MAX], hashes[ARTICLE_BATCH_MAX], modules[ARTICLE_BATCH_MAX];
};

static struct columns *columns_of(struct arena *arena, const struct article_plan *plan,
                                  const struct round *round)
{
    struct columns *columns = arena_new(arena, struct columns);
    for (uint32_t i = 0; i < round->count; i++) {
        const struct article_draft *draft = &round->drafts[i];
        columns->ids[i] = draft->id;
        columns->headlines[i] = draft->headline.id;
        columns->words[i] = draft->assembly.words;
        columns->statuses[i] = word_count_status_name(draft->assembly.words_status);
        columns->hashes[i] = hex_text(arena, draft->assembly.generation_hash.bytes, sizeof(Sha256));
        columns->modules[i] = modules_json(arena, plan, draft);
    }
    return columns;
}

/* 0; does not compile for another type. */
#define IS_STR(value) _Generic((value), Str : 0)
#define TEXTS_OF(member)                                                                           \
    texts_at(ctx->arena, round,                                                                    \
             offsetof(struct article_draft, member) +                                              \
                 IS_STR(((const struct article_draft *)NULL)->member))

static fiber_fn Err store(struct ctx *ctx, struct db_tx *tx, const struct article_batch *batch,
                          const struct round *round, struct rows *ret_rows)
{
    const struct assembled *assembled = batch->assembled;
    const struct campaign *campaign = &batch->plan->campaign;
    uint32_t count = round->count;
    struct columns *columns = columns_of(ctx->arena, batch->plan, round);
    struct articles_store_args args = {
        .site = ctx->scope.site,
        .campaign = campaign->id,
        .campaign_site = campaign->owner,
        .generation = batch->generation,
        .status = assembled != NULL ? STR("draft") : STR("qc"),
        .published = assembled != NULL ? &assembled->publish_us : NULL,
        .modified = assembled != NULL ? &assembled->modified_us : NULL,
        .ids = {columns->ids, count},
        .headlines = {columns->headlines, count},
        .titles = TEXTS_OF(title),
        .slugs = TEXTS_OF(slug),
        .contents = TEXTS_OF(assembly.html),
        .meta_titles = TEXTS_OF(meta_title),
        .meta_descriptions = TEXTS_OF(meta_description),
        .word_counts = {columns->words, count},
        .word_count_statuses = {columns->statuses, count},
        .cities = TEXTS_OF(location.city),
        .counties = TEXTS_OF(location.county),
        .states = TEXTS_OF(location.state),
        .svgs = TEXTS_OF(svg),
        .alts = TEXTS_OF(alt),
        .schemas = TEXTS_OF(schema_json),
        .hashes = {columns->hashes, count},
        .provenances = TEXTS_OF(provenance),
        .modules = {columns->modules, count},
    };
    return db_tx_query(tx, &SQL_ARTICLES_STORE, articles_store_args(ctx->arena, &args), ret_rows);
}

static bool was_stored(const struct rows *rows, Uuid id)
{
    for (uint32_t i = 0; i < rows->count; i++)
        if (uuid_eq(row_uuid(rows, i, ARTICLES_STORE_ID), id))
            return true;
    return false;
}

/* The next free slug after those that this transaction has already tried. */
static fiber_fn Err find_slug(struct ctx *ctx, struct db_tx *tx, struct map *numbers,
                              struct article_draft *draft)
{
    uintptr_t from = (uintptr_t)map_get(numbers, draft->slug_base);
    struct rows rows;
    TRY(db_tx_query(tx, &SQL_ARTICLE_SLUG_FREE,
                    ARGS(db_uuid(ctx->scope.site), db_text(draft->slug_base),
                         db_int4(from > 0 ? (int32_t)from : 1)),
                    &rows));
    if (rows.count == 0)
        return fail(ctx, ERR_CONFLICT, "There are too many articles named \"%.*s\".",
                    STR_FMT(draft->title));
    int64_t number = row_int(&rows, 0, ARTICLE_SLUG_FREE_NUMBER);
    draft->slug = row_text(&rows, 0, ARTICLE_SLUG_FREE_SLUG);
    (void)map_put(numbers, draft->slug_base, (void *)(uintptr_t)(number + 1));
    return OK;
}

/* The article's own date if it has one, otherwise today. */
static int64_t day_of(const struct article_batch *batch, const struct round *round,
                      const struct claimed_headline *headline)
{
    if (batch->assembled != NULL)
        return batch->assembled->publish_us;
    return batch->publish_us != NULL ? batch->publish_us[headline->place] : round->now_us;
}

static fiber_fn Err draft_again(struct ctx *ctx, const struct article_batch *batch,
                                const struct round *round, const struct claimed_headline *headline,
                                struct article_draft *ret)
{
    struct draft_request request = {
        .plan = batch->plan,
        .headline = *headline,
        .places = round->places,
        .usage = round->usage,
        .now_us = day_of(batch, round, headline),
        .seed = batch->assembled != NULL ? batch->assembled->seed : 0,
        .attempt = round->attempt,
    };
    TRY(article_draft_make(ctx, &request, ret));
    article_count_usage(&ret->assembly, round->usage);
    return OK;
}

/* Moves the stored drafts to `made`; the others stay in the round with a new text and slug. */
static fiber_fn Err sort_round(struct ctx *ctx, struct db_tx *tx, const struct article_batch *batch,
                               struct round *round, const struct rows *rows, struct map *numbers,
                               struct article_draft *made, uint32_t *made_count)
{
    uint32_t left = 0;
    round->attempt++;
    for (uint32_t i = 0; i < round->count; i++) {
        if (was_stored(rows, round->drafts[i].id)) {
            made[(*made_count)++] = round->drafts[i];
            continue;
        }
        article_uncount_usage(&round->drafts[i].assembly, round->usage);
        struct article_draft draft;
        TRY(draft_again(ctx, batch, round, &round->drafts[i].headline, &draft));
        TRY(find_slug(ctx, tx, numbers, &draft));
        round->drafts[left++] = draft;
    }
    round->count = left;
    return OK;
}

static fiber_fn Err retire(struct ctx *ctx, struct db_tx *tx, const struct round *round)
{
    Uuid *ids = arena_array(ctx->arena, Uuid, round->count);
    for (uint32_t i = 0; i < round->count; i++)
        ids[i] = round->drafts[i].headline.id;
    return db_tx_query(tx, &SQL_HEADLINES_RETIRE,
                       ARGS(db_uuid(ctx->scope.site), db_uuid_array(ctx->arena, ids, round->count)),
                       NULL);
}

/* Modules: the counts in the table. Fragments: the counts of this thread. */
static fiber_fn Err load_usage(struct ctx *ctx, struct db_tx *tx, const struct article_plan *plan,
                               struct round *round)
{
    const struct library *library = plan->library;
    round->usage = arena_array(ctx->arena, uint32_t, library->fragment_count + 1);
    if (library->fragment_count > 0)
        memcpy(round->usage, plan->usage, library->fragment_count * sizeof *round->usage);
    return plan->path == PATH_MODULES ? modules_usage(tx, library, round->usage) : OK;
}

static fiber_fn Err count_modules(struct ctx *ctx, struct db_tx *tx,
                                  const struct article_plan *plan,
                                  const struct article_draft *drafts, uint32_t count)
{
    if (plan->path != PATH_MODULES || count == 0)
        return OK;
    uint32_t *uses = arena_array(ctx->arena, uint32_t, plan->library->fragment_count + 1);
    for (uint32_t i = 0; i < count; i++)
        article_count_usage(&drafts[i].assembly, uses);
    return modules_count(tx, plan->library, uses);
}

/* Reads the campaign's places only if a headline has no location, which is rare. */
static fiber_fn Err load_places(struct ctx *ctx, const struct article_batch *batch,
                                const struct claimed_headline *headlines, uint32_t count,
                                struct place_list *places)
{
    bool is_needed = false;
    for (uint32_t i = 0; i < count; i++)
        is_needed = is_needed || headlines[i].location.len == 0;
    return is_needed ? campaign_places(ctx, &batch->plan->campaign, places) : OK;
}

static fiber_fn Err make_all(struct ctx *ctx, struct db_tx *tx, const struct article_batch *batch,
                             const struct claimed_headline *headlines, uint32_t count,
                             struct article_draft *made, uint32_t *made_count)
{
    assert(count <= ARTICLE_BATCH_MAX);
    struct place_list places = {0};
    TRY(load_places(ctx, batch, headlines, count, &places));
    struct round *round = arena_new(ctx->arena, struct round);
    *round = (struct round){.places = &places, .now_us = clock_wall_us()};
    TRY(load_usage(ctx, tx, batch->plan, round));
    uint32_t made_before = *made_count;
    for (uint32_t i = 0; i < count; i++) {
        TRY(draft_again(ctx, batch, round, &headlines[i], &round->drafts[i]));
        round->count++;
        TRY(fiber_breathe(ctx));
    }
    struct map *numbers = map_in_arena(ctx->arena);
    while (round->count > 0 && round->attempt < ATTEMPTS_MAX) {
        struct rows rows;
        TRY(store(ctx, tx, batch, round, &rows));
        TRY(sort_round(ctx, tx, batch, round, &rows, numbers, made, made_count));
    }
    TRY(count_modules(ctx, tx, batch->plan, made + made_before, *made_count - made_before));
    return round->count > 0 ? retire(ctx, tx, round) : OK;
}

static fiber_fn Err claim(struct ctx *ctx, struct db_tx *tx, Uuid campaign, uint32_t count,
                          struct claimed_headline *ret, uint32_t *ret_count)
{
    struct rows rows;
    TRY(db_tx_query(tx, &SQL_HEADLINES_CLAIM,
                    ARGS(db_uuid(ctx->scope.site), db_uuid(campaign), db_int(count)), &rows));
    assert(rows.count <= count);
    for (uint32_t i = 0; i < rows.count; i++) {
        struct headlines_claim_row row = headlines_claim_row(&rows, i);
        ret[i] = (struct claimed_headline){
            .id = row.id,
            .title = row.title,
            .text_hash = row.text_hash,
            .location = row.location,
        };
    }
    *ret_count = rows.count;
    return OK;
}

/* Assigns the free places of the batch; the place of a retired headline goes to one of the next
 * that are claimed. */
static void assign_places(struct claimed_headline *headlines, uint32_t count,
                          const struct article_draft *made, uint32_t made_count)
{
    bool is_taken[ARTICLE_BATCH_MAX] = {false};
    for (uint32_t i = 0; i < made_count; i++)
        is_taken[made[i].headline.place] = true;
    uint32_t place = 0;
    for (uint32_t i = 0; i < count; i++, place++) {
        while (is_taken[place])
            place++;
        assert(place < ARTICLE_BATCH_MAX);
        headlines[i].place = place;
    }
}

fiber_fn Err articles_make(struct ctx *ctx, struct db_tx *tx, const struct article_batch *batch,
                           uint32_t count, struct article_draft *ret_drafts, uint32_t *ret_count)
{
    assert(count > 0 && count <= ARTICLE_BATCH_MAX);
    struct claimed_headline *headlines = arena_array(ctx->arena, struct claimed_headline, count);
    uint32_t made = 0;
    uint32_t claimed = 1;
    /* Repeats only if some of the claimed headlines were retired. */
    while (made < count && claimed > 0) {
        TRY(claim(ctx, tx, batch->plan->campaign.id, count - made, headlines, &claimed));
        assign_places(headlines, claimed, ret_drafts, made);
        TRY(make_all(ctx, tx, batch, headlines, claimed, ret_drafts, &made));
    }
    *ret_count = made;
    return OK;
}

fiber_fn Err article_make_from(struct ctx *ctx, struct db_tx *tx, const struct article_batch *batch,
                               const struct claimed_headline *headline,
                               struct article_draft *ret_draft, bool *ret_made)
{
    uint32_t made = 0;
    TRY(make_all(ctx, tx, batch, headline, 1, ret_draft, &made));
    *ret_made = made == 1;
    return OK;
}

fiber_fn Err article_make_draft(struct ctx *ctx, struct db_tx *tx,
                                const struct article_batch *batch,
                                const struct claimed_headline *title,
                                struct article_draft *ret_draft)
{
    assert(batch->assembled != NULL && uuid_is_nil(title->id));
    /* Such titles repeat: the lock makes concurrent requests for the same slug wait. */
    TRY(db_tx_query(tx, &SQL_ARTICLE_TITLE_LOCK,
                    ARGS(db_uuid(ctx->scope.site), db_text(title->title)), NULL));
    uint32_t made = 0;
    TRY(make_all(ctx, tx, batch, title, 1, ret_draft, &made));
    if (made == 0)
        return fail(
            ctx, ERR_CONFLICT,
            "The campaign has this article already, with every text that its modules give.");
    return OK;
}

void articles_count_usage(const struct article_plan *plan, const struct article_draft *drafts,
                          uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        article_count_usage(&drafts[i].assembly, plan->usage);
}
