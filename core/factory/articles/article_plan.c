#include "factory/articles/article_plan.h"

#include "base/system/ctx.h"
#include "io/reactor/reactor.h"

#include <assert.h>
#include <stdlib.h>

/* The public part must be the first member: callers have a pointer to it. A plan belongs to one
 * thread. */
struct plan {
    struct article_plan plan;
    struct arena *arena;
    uint32_t references;
    Uuid site;
    Str choice; /* plan_choice as text */
    uint64_t used_at;
};

/* One per thread. */
struct plans {
    struct plan *plans[ARTICLE_PLANS_MAX];
    uint64_t clock;
    struct gate load_gate; /* serialises loads, so that no plan is loaded twice */
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

static void plans_init(void *object, struct reactor *reactor)
{
    (void)reactor;
    struct plans *plans = object;
    gate_init(&plans->load_gate, 1);
}

static struct reactor_slot slot = {
    .size = sizeof(struct plans),
    .init = plans_init,
    .release = plans_free,
};

static struct plans *plans_of(struct reactor *reactor)
{
    return reactor_slot(reactor, &slot);
}

struct key {
    Uuid site;
    Uuid campaign;
    Str choice;
};

static bool is_of(const struct plan *plan, const struct key *key)
{
    return plan != NULL && uuid_eq(plan->site, key->site) &&
           uuid_eq(plan->plan.campaign.id, key->campaign) && str_eq(plan->choice, key->choice);
}

/* The slot of the plan, or the slot to replace: a free one, else the least recently used. */
static struct plan **place_of(struct plans *plans, const struct key *key)
{
    struct plan **oldest = &plans->plans[0];
    for (uint32_t i = 0; i < ARTICLE_PLANS_MAX; i++) {
        struct plan **place = &plans->plans[i];
        if (is_of(*place, key))
            return place;
        if (*oldest != NULL && (*place == NULL || (*place)->used_at < (*oldest)->used_at))
            oldest = place;
    }
    return oldest;
}

static const struct plan *plan_find(struct plans *plans, const struct key *key, Str version)
{
    struct plan *plan = *place_of(plans, key);
    if (!is_of(plan, key) || !str_eq(plan->plan.version, version))
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

/* The version was read before the rows: if a row changes in between, the next request loads the
 * plan again. */
static fiber_fn Err plan_load(struct ctx *ctx, struct plans *plans, const struct key *key,
                              const struct plan_choice *choice, Str version,
                              const struct plan **ret)
{
    struct arena *arena = arena_create();
    struct plan *plan = arena_new(arena, struct plan);
    *plan = (struct plan){.arena = arena, .references = 1, .site = key->site};
    plan->choice = str_dup(arena, key->choice);
    plan->plan.version = str_dup(arena, version);
    Err err = article_plan_fill(ctx, arena, key->campaign, choice, &plan->plan);
    if (err != OK) {
        plan_release(plan);
        return err;
    }
    struct plan **place = place_of(plans, key);
    if (*place != NULL)
        plan_release(*place);
    *place = plan;
    plan->used_at = ++plans->clock;
    *ret = plan;
    return OK;
}

static Str choice_text(struct arena *arena, const struct plan_choice *choice)
{
    const char *path = choice->is_modules ? "modules" : "";
    const struct avatar_choice *avatar = choice->avatar;
    if (avatar == NULL || !avatar_is_chosen(avatar))
        return str_from_z(path);
    Str id = uuid_text(arena, avatar->id);
    return str_printf(arena, "%s/%.*s/%.*s/%.*s", path, STR_FMT(id), STR_FMT(avatar->variant_type),
                      STR_FMT(avatar->key));
}

fiber_fn Err article_plan_choose(struct ctx *ctx, Uuid campaign, const struct plan_choice *choice,
                                 const struct article_plan **ret)
{
    assert(ctx->scope.kind == SCOPE_SITE);
    struct plan_choice own = {0};
    choice = choice != NULL ? choice : &own;
    struct plans *plans = plans_of(ctx->reactor);
    struct key key = {ctx->scope.site, campaign, choice_text(ctx->arena, choice)};
    Str version;
    TRY(article_plan_version(ctx, campaign, choice, &version));

    const struct plan *plan = plan_find(plans, &key, version);
    if (plan == NULL) {
        TRY(gate_enter(ctx, &plans->load_gate));
        struct gate *SCOPED_GATE held = &plans->load_gate;
        assert(held != NULL);
        plan = plan_find(plans, &key, version);
        if (plan == NULL)
            TRY(plan_load(ctx, plans, &key, choice, version, &plan));
    }
    *ret = plan_hold(ctx, plan);
    return OK;
}

fiber_fn Err article_plan_get(struct ctx *ctx, Uuid campaign, const struct article_plan **ret)
{
    return article_plan_choose(ctx, campaign, NULL, ret);
}
