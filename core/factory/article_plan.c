#include "factory/article_plan.h"

#include "base/ctx.h"
#include "gen/sql.h"
#include "io/db.h"
#include "io/reactor.h"

#include <assert.h>
#include <stdlib.h>

/* The public part comes first, so that the one pointer serves both. One thread owns it all. */
struct plan {
    struct article_plan plan;
    struct arena *arena;
    uint32_t references;
    Uuid site;
    Str version;
    uint64_t used_at;
};

/* reactor->slots[SLOT_FACTORY] */
struct plans {
    struct plan *plans[ARTICLE_PLANS_MAX];
    uint64_t clock;
    struct gate load_gate; /* one load at a time, however many jobs ask for it */
};

static void plan_release(void *arg)
{
    struct plan *plan = arg;
    assert(plan->references > 0);
    if (--plan->references > 0)
        return;
    library_unref(plan->plan.library);
    arena_destroy(plan->arena);
}

static void plans_free(void *arg)
{
    struct plans *plans = arg;
    for (uint32_t i = 0; i < ARTICLE_PLANS_MAX; i++)
        if (plans->plans[i] != NULL)
            plan_release(plans->plans[i]);
    free(plans);
}

static struct plans *plans_of(struct reactor *reactor)
{
    if (reactor->slots[SLOT_FACTORY] == NULL) {
        struct plans *plans = calloc(1, sizeof *plans);
        if (plans == NULL)
            abort();
        gate_init(&plans->load_gate, 1);
        reactor_keep(reactor, SLOT_FACTORY, plans, plans_free);
    }
    return reactor->slots[SLOT_FACTORY];
}

/* Where the plan of this campaign is, or where it may go. */
static struct plan **place_of(struct plans *plans, Uuid site, Uuid campaign)
{
    struct plan **oldest = &plans->plans[0];
    for (uint32_t i = 0; i < ARTICLE_PLANS_MAX; i++) {
        struct plan **place = &plans->plans[i];
        if (*place != NULL && uuid_eq((*place)->site, site) &&
            uuid_eq((*place)->plan.campaign.id, campaign))
            return place;
        if (*oldest != NULL && (*place == NULL || (*place)->used_at < (*oldest)->used_at))
            oldest = place;
    }
    return oldest;
}

static const struct plan *plan_find(struct plans *plans, Uuid site, Uuid campaign, Str version)
{
    struct plan *plan = *place_of(plans, site, campaign);
    if (plan == NULL || !uuid_eq(plan->site, site) || !uuid_eq(plan->plan.campaign.id, campaign) ||
        !str_eq(plan->version, version))
        return NULL;
    plan->used_at = ++plans->clock;
    return plan;
}

static const struct article_plan *plan_hold(struct ctx *ctx, const struct plan *plan)
{
    struct plan *held = (struct plan *)(uintptr_t)plan;
    held->references++;
    arena_defer(ctx->arena, plan_release, held);
    return &held->plan;
}

static Err structure_of(struct ctx *ctx, const struct campaign *campaign, const Str **ret,
                        uint32_t *ret_count)
{
    const struct json *json = NULL;
    if (campaign->structure.len > 0)
        TRY(json_parse(ctx, campaign->structure, JSON_LIMITS_DEFAULT, &json));
    uint32_t len = json_len(json);
    Str *slots = arena_array(ctx->arena, Str, len + 1);
    uint32_t count = 0;
    for (uint32_t i = 0; i < len; i++)
        if (json_kind(json_at(json, i)) == JSON_STRING)
            slots[count++] = json_str(json_at(json, i));
    *ret = count > 0 ? slots : LIBRARY_DEFAULT_STRUCTURE;
    *ret_count = count > 0 ? count : LIBRARY_DEFAULT_SLOTS;
    return OK;
}

static fiber_fn Err library_load(struct ctx *ctx, const struct campaign *campaign,
                                 const struct library **ret)
{
    struct rows rows;
    TRY(db_query(ctx, &SQL_PLAN_FRAGMENTS,
                 ARGS(db_uuid(ctx->scope.site), db_uuid(campaign->id),
                      db_int((int64_t)LIBRARY_FRAGMENTS_MAX + 1)),
                 &rows));
    struct fragment_source *sources =
        arena_array(ctx->arena, struct fragment_source, rows.count + 1);
    for (uint32_t i = 0; i < rows.count; i++)
        sources[i] = (struct fragment_source){
            .id = row_uuid(&rows, i, PLAN_FRAGMENTS_ID),
            .type = row_text(&rows, i, PLAN_FRAGMENTS_TYPE),
            .body = row_text(&rows, i, PLAN_FRAGMENTS_BODY),
        };
    const Str *structure;
    uint32_t slot_count;
    TRY(structure_of(ctx, campaign, &structure, &slot_count));
    return library_make(ctx, sources, rows.count, structure, slot_count, ret);
}

static Str keep(struct arena *arena, Str s)
{
    return s.data == NULL ? s : str_dup(arena, s);
}

/* What later requests read must not live in this one's arena. */
static void campaign_keep(struct arena *arena, struct campaign *campaign)
{
    Str *texts[] = {
        &campaign->status,          &campaign->name,          &campaign->headline_root,
        &campaign->niche_variables, &campaign->location_mode, &campaign->location_target,
        &campaign->structure,       &campaign->site_name,     &campaign->site_url};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        *texts[i] = keep(arena, *texts[i]);
}

static fiber_fn Err plan_fill(struct ctx *ctx, Uuid campaign_id, struct plan *plan)
{
    struct article_plan *made = &plan->plan;
    TRY(campaign_find(ctx, campaign_id, &made->campaign));
    campaign_keep(plan->arena, &made->campaign);
    TRY(campaign_vars(ctx, plan->arena, &made->campaign, &made->vars));
    TRY(library_load(ctx, &made->campaign, &made->library));
    made->usage = arena_array(plan->arena, uint32_t, made->library->fragment_count + 1);
    return OK;
}

static fiber_fn Err plan_load(struct ctx *ctx, struct plans *plans, Uuid campaign, Str version,
                              const struct plan **ret)
{
    struct arena *arena = arena_create();
    struct plan *plan = arena_new(arena, struct plan);
    *plan = (struct plan){.arena = arena, .references = 1, .site = ctx->scope.site};
    plan->version = str_dup(arena, version);
    Err err = plan_fill(ctx, campaign, plan);
    if (err != OK) {
        plan_release(plan);
        return err;
    }
    struct plan **place = place_of(plans, plan->site, campaign);
    if (*place != NULL)
        plan_release(*place);
    *place = plan;
    plan->used_at = ++plans->clock;
    *ret = plan;
    return OK;
}

fiber_fn Err article_plan_get(struct ctx *ctx, Uuid campaign, const struct article_plan **ret)
{
    assert(ctx->scope.kind == SCOPE_SITE);
    struct plans *plans = plans_of(ctx->reactor);
    Uuid site = ctx->scope.site;
    struct rows rows;
    TRY(db_query(ctx, &SQL_PLAN_VERSION, ARGS(db_uuid(site), db_uuid(campaign)), &rows));
    Str version = row_text(&rows, 0, PLAN_VERSION_VERSION);

    const struct plan *plan = plan_find(plans, site, campaign, version);
    if (plan == NULL) {
        TRY(gate_enter(ctx, &plans->load_gate));
        struct gate *SCOPED_GATE held = &plans->load_gate;
        assert(held != NULL);
        plan = plan_find(plans, site, campaign, version);
        if (plan == NULL)
            TRY(plan_load(ctx, plans, campaign, version, &plan));
    }
    *ret = plan_hold(ctx, plan);
    return OK;
}
