/*
 * Inserts links into many articles, in pages of 50; one statement reads a page and one writes it.
 * Four workers run concurrently, so that PostgreSQL processes one page while an offload thread
 * processes the text of another.
 */
#include "base/memory/arena.h"
#include "factory/links/links_store.h"
#include "gen/sql.h"
#include "io/fiber/offload.h"
#include "io/pg/db.h"
#include "io/reactor/reactor.h"

#include <assert.h>

enum { WORKERS = 4 };

struct run {
    struct job *job;
    const struct link_index *index;
    const struct links_bulk *bulk;
    struct gate reading; /* serialises reading: a page begins where the previous one ends */
    Uuid last;           /* position in the campaign */
    uint32_t next;       /* position in the list */
    bool is_campaign_done;
    Uuid batch;
    struct links_total total;
};

/* The page of one worker. */
struct page {
    const struct run *run;
    struct arena *arena;
    struct rows rows;
    uint32_t asked;
    struct link_change changes[LINK_CHANGES_MAX];
    uint32_t count;
    uint32_t too_large;
};

/* Reading */

static fiber_fn Err read_campaign(struct ctx *ctx, struct run *run, struct page *page)
{
    TRY(db_query(ctx, &SQL_LINK_PAGE_OF_CAMPAIGN,
                 ARGS(db_uuid(ctx->scope.site), db_uuid(run->bulk->campaign), db_uuid(run->last)),
                 &page->rows));
    page->asked = page->rows.count;
    assert(page->asked <= LINK_CHANGES_MAX);
    if (page->asked == 0)
        run->is_campaign_done = true;
    else
        run->last = row_uuid(&page->rows, page->asked - 1, LINK_PAGE_OF_CAMPAIGN_ID);
    return OK;
}

static fiber_fn Err read_named(struct ctx *ctx, struct run *run, struct page *page)
{
    uint32_t left = run->bulk->count - run->next;
    page->asked = left < LINK_CHANGES_MAX ? left : LINK_CHANGES_MAX;
    if (page->asked == 0)
        return OK;
    const Uuid *ids = run->bulk->articles + run->next;
    run->next += page->asked;
    return db_query(ctx, &SQL_LINK_PAGE_NAMED,
                    ARGS(db_uuid(ctx->scope.site), db_uuid_array(ctx->arena, ids, page->asked)),
                    &page->rows);
}

/* An empty page means the end. */
static fiber_fn Err page_read(struct ctx *ctx, struct run *run, struct page *page)
{
    SCOPED_GATE struct gate *entered = NULL;
    TRY(gate_enter(ctx, &run->reading));
    entered = &run->reading;
    if (!uuid_is_nil(run->bulk->campaign) && !run->is_campaign_done)
        TRY(read_campaign(ctx, run, page));
    return page->asked > 0 ? OK : read_named(ctx, run, page);
}

/* Finding */

/* Copies the result to the page's arena, which outlives the scratch memory of the search. */
static struct links_result keep(struct arena *arena, const struct links_result *found)
{
    struct link_made *made = arena_array(arena, struct link_made, found->count);
    for (uint32_t i = 0; i < found->count; i++) {
        made[i] = found->made[i];
        made[i].anchor = str_dup(arena, made[i].anchor);
    }
    struct links_result kept = *found;
    kept.html = str_dup(arena, found->html);
    kept.made = made;
    return kept;
}

static void find_in_one(struct page *page, struct arena *scratch, uint32_t row)
{
    struct link_article article = link_article_of(&page->rows, row);
    if (article.html.len > LINK_HTML_MAX) {
        page->too_large++;
        return;
    }
    struct links_result found =
        links_insert(scratch, page->run->index, &article, page->run->bulk->limits);
    if (found.count == 0)
        return;
    struct link_change *change = &page->changes[page->count++];
    change->article = row_uuid(&page->rows, row, LINK_ARTICLE_ID);
    change->links = keep(page->arena, &found);
    link_change_hash(page->arena, article.html, change);
}

/* Runs in an offload thread while the fiber that owns the page waits. */
static void find_links(void *arg)
{
    struct page *page = arg;
    struct arena *scratch = arena_create();
    for (uint32_t row = 0; row < page->rows.count; row++) {
        find_in_one(page, scratch, row);
        arena_reset(scratch);
    }
    arena_destroy(scratch);
}

/* Writing */

/* Processes one article again that was edited after it was read. If it was deleted, or is edited
 * all the time, the other articles continue. */
static fiber_fn Err link_again(struct ctx *ctx, struct run *run, Uuid article)
{
    struct link_order order = {.limits = run->bulk->limits};
    struct links_stored stored = {0};
    Err err = links_insert_article(ctx, run->index, article, &order, &stored);
    if (err != OK && err != ERR_NOT_FOUND && err != ERR_CONFLICT && err != ERR_TOO_LARGE)
        return err;
    if (err != OK) {
        run->total.skipped++;
        diag_clear(ctx);
    }
    run->total.links += stored.links.count;
    return OK;
}

static fiber_fn Err page_write(struct ctx *ctx, struct run *run, struct page *page)
{
    if (page->count > 0)
        TRY(links_store(ctx, run->batch, page->changes, page->count));
    for (uint32_t i = 0; i < page->count; i++) {
        if (page->changes[i].is_stored)
            run->total.links += page->changes[i].links.count;
        else
            TRY(link_again(ctx, run, page->changes[i].article));
    }
    run->total.articles += page->asked;
    run->total.skipped += page->asked - page->rows.count + page->too_large;
    return OK;
}

static fiber_fn Err worker_run(struct ctx *ctx, void *arg)
{
    struct run *run = arg;
    for (;;) {
        ArenaMark mark = arena_mark(ctx->arena);
        struct page *page = arena_new(ctx->arena, struct page);
        page->run = run;
        page->arena = ctx->arena;
        TRY(page_read(ctx, run, page));
        if (page->asked == 0)
            return OK;
        TRY(offload_run(ctx, ctx->reactor->offload, find_links, page));
        TRY(page_write(ctx, run, page));
        TRY(job_progress(ctx, run->job, run->total.articles, 0));
        arena_rewind(ctx->arena, mark);
    }
}

fiber_fn Err links_bulk_insert(struct ctx *ctx, struct job *job, const struct link_index *index,
                               const struct links_bulk *bulk, struct links_total *ret)
{
    assert(ctx->scope.kind == SCOPE_SITE);
    struct run run = {.job = job, .index = index, .bulk = bulk, .batch = uuid_make()};
    gate_init(&run.reading, 1);
    struct group group;
    group_init(&group, ctx);
    for (uint32_t i = 0; i < WORKERS; i++)
        group_spawn(&group, ctx, "links", worker_run, &run);
    TRY(group_join(ctx, &group));
    *ret = run.total;
    return OK;
}
