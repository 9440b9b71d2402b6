#include "io/pg/lanes/db_flow.h"

#include "base/system/range.h"

#include <assert.h>
#include <stdlib.h>

enum {
    COST_KEPT_US = 300 * 1000 * 1000, /* kept this long without another execution */
    SECOND = 1000 * 1000,
};

static uint64_t flow_id(const Scope *scope, const Uuid *account);
static uint64_t hash_of(const Uuid *uuid);
static struct flow *flow_new(struct flow_table *table, uint64_t id);
static void make_newest(struct flow_table *table, struct flow *flow);
static void unlink_age(struct flow_table *table, struct flow *flow);
static void forget_oldest(struct flow_table *table);
static void forget(struct flow_table *table, struct flow *flow);
static const struct cost *set_of(const struct flow_table *table, uint64_t key);

struct flow *flow_take(struct flow_table *table, const Scope *scope, const Uuid *account)
{
    uint64_t id = flow_id(scope, account);
    struct flow *flow = table->newest;
    if (flow == NULL || flow->id != id) {
        flow = table->buckets[id % FLOW_BUCKETS];
        while (flow != NULL && flow->id != id)
            flow = flow->next;
        if (flow == NULL)
            flow = flow_new(table, id);
        else
            unlink_age(table, flow);
        make_newest(table, flow);
        flow->is_own = scope->kind == SCOPE_PLATFORM && account == NULL;
    }
    flow->requests++;
    return flow;
}

static uint64_t flow_id(const Scope *scope, const Uuid *account)
{
    if (scope->kind == SCOPE_SITE)
        return hash_of(&scope->site);
    if (scope->kind == SCOPE_NONE)
        return str_hash(STR("none"));
    return account == NULL ? str_hash(STR("platform")) : hash_of(account);
}

static uint64_t hash_of(const Uuid *uuid)
{
    return str_hash(str_of((const char *)uuid->bytes, sizeof(uuid->bytes)));
}

static struct flow *flow_new(struct flow_table *table, uint64_t id)
{
    if (table->count >= FLOWS_MAX)
        forget_oldest(table);
    struct flow *flow = calloc(1, sizeof(*flow));
    if (flow == NULL)
        abort();
    flow->id = id;
    for (uint32_t kind = 0; kind < LANE_KINDS; kind++)
        flow->queues[kind].flow = flow;
    flow->next = table->buckets[id % FLOW_BUCKETS];
    table->buckets[id % FLOW_BUCKETS] = flow;
    table->count++;
    return flow;
}

static void make_newest(struct flow_table *table, struct flow *flow)
{
    assert(table->newest != flow);
    flow->newer = NULL;
    flow->older = table->newest;
    if (table->newest != NULL)
        table->newest->newer = flow;
    else
        table->oldest = flow;
    table->newest = flow;
}

static void unlink_age(struct flow_table *table, struct flow *flow)
{
    assert((flow->newer != NULL) == (table->newest != flow));
    assert((flow->older != NULL) == (table->oldest != flow));
    if (flow->newer != NULL)
        flow->newer->older = flow->older;
    else
        table->newest = flow->older;
    if (flow->older != NULL)
        flow->older->newer = flow->newer;
    else
        table->oldest = flow->newer;
}

/* Flows with requests are kept, regardless of their number: it is bounded by the number of
 * requests. */
static void forget_oldest(struct flow_table *table)
{
    for (struct flow *flow = table->oldest; flow != NULL; flow = flow->newer) {
        if (flow->requests > 0)
            continue;
        forget(table, flow);
        return;
    }
}

static void forget(struct flow_table *table, struct flow *flow)
{
    assert(table->count > 0 && flow->requests == 0);
    struct flow **place = &table->buckets[flow->id % FLOW_BUCKETS];
    while (*place != flow)
        place = &(*place)->next;
    *place = flow->next;
    unlink_age(table, flow);
    table->count--;
    free(flow);
}

void flow_release(struct flow_table *table, struct flow *flow)
{
    assert(flow->requests > 0);
    flow->requests--;
    if (flow->requests == 0 && table->count > FLOWS_MAX)
        forget(table, flow);
}

void flow_table_finish(struct flow_table *table)
{
    struct flow *newer;
    for (struct flow *flow = table->oldest; flow != NULL; flow = newer) {
        newer = flow->newer;
        assert(flow->requests == 0);
        forget(table, flow);
    }
}

void debt_add(struct debt *debt, int64_t us, int64_t pay_per_s, int64_t max, int64_t now_us)
{
    assert(us >= 0);
    int64_t sum = debt_left(debt, pay_per_s, now_us) + us;
    *debt = (struct debt){min_i64(sum, max), now_us};
}

int64_t debt_left(const struct debt *debt, int64_t pay_per_s, int64_t now_us)
{
    assert(debt->us >= 0);
    if (debt->us == 0)
        return 0;
    int64_t left = debt->us - (now_us - debt->at_us) / SECOND * pay_per_s -
                   (now_us - debt->at_us) % SECOND * pay_per_s / SECOND;
    return max_i64(left, 0);
}

static const struct cost *set_of(const struct flow_table *table, uint64_t key)
{
    return &table->costs[key % (COSTS_MAX / COST_WAYS) * COST_WAYS];
}

int64_t cost_find(const struct flow_table *table, uint64_t key, int64_t now_us)
{
    assert(key != 0);
    const struct cost *set = set_of(table, key);
    for (uint32_t i = 0; i < COST_WAYS; i++)
        if (set[i].key == key)
            return now_us - set[i].at_us < COST_KEPT_US ? set[i].us : 0;
    return 0;
}

void cost_note(struct flow_table *table, uint64_t key, int64_t us, int64_t now_us)
{
    assert(key != 0 && us >= 0);
    struct cost *set = (struct cost *)(uintptr_t)set_of(table, key);
    struct cost *place = &set[0];
    for (uint32_t i = 0; i < COST_WAYS; i++) {
        if (set[i].key == key) {
            place = &set[i];
            break;
        }
        if (set[i].at_us < place->at_us)
            place = &set[i];
    }
    int64_t before = cost_find(table, key, now_us);
    int64_t sunk = (before + us) / 2;
    *place = (struct cost){key, max_i64(us, sunk), now_us};
}
