#include "factory/spin/spin_tree.h"

#include <assert.h>

/*
 * The counts of every node and option. Counting and unranking use the same order: in a sequence the
 * last node varies fastest; in a group the options are consecutive.
 */
struct spin_plan {
    const struct spin *spin;
    struct spin_env env;
    uint64_t *node_counts;   /* by node id */
    uint64_t *option_counts; /* by option id */
    uint32_t *chosen;        /* by node id: scratch memory of spin_unrank */
};

static uint64_t product(uint64_t a, uint64_t b)
{
    uint64_t result;
    return __builtin_mul_overflow(a, b, &result) ? UINT64_MAX : result;
}

static uint64_t sum(uint64_t a, uint64_t b)
{
    uint64_t result;
    return __builtin_add_overflow(a, b, &result) ? UINT64_MAX : result;
}

/* A grammar token has as many texts as its argument; pronouns ignore their argument. */
static bool takes_argument(const struct spin_node *node)
{
    return node->option_count > 0 && (node->form == GRAMMAR_A_AN || node->form == GRAMMAR_CAP);
}

static uint64_t count_sequence(const struct spin_plan *plan, const struct spin_vars *vars,
                               const struct spin_option *option, uint32_t depth);

static uint64_t count_node(const struct spin_plan *plan, const struct spin_vars *vars,
                           const struct spin_node *node, uint32_t depth)
{
    if (node->kind == SPIN_LITERAL)
        return 1;
    if (node->kind == SPIN_ALT) {
        uint64_t total = 0;
        for (uint32_t i = 0; i < node->option_count; i++)
            total = sum(total, count_sequence(plan, vars, &node->options[i], depth + 1));
        return total;
    }
    if (takes_argument(node))
        return count_sequence(plan, vars, &node->options[0], depth + 1);
    if (node->form != GRAMMAR_NONE)
        return 1;
    const struct spin_value *value = spin_vars_find(vars, node->name);
    return value != NULL ? value->count : 1;
}

static uint64_t count_sequence(const struct spin_plan *plan, const struct spin_vars *vars,
                               const struct spin_option *option, uint32_t depth)
{
    assert(depth <= SPIN_DEPTH_MAX);
    uint64_t total = 1;
    for (const struct spin_node *node = option->first; node != NULL; node = node->next) {
        uint64_t count = count_node(plan, vars, node, depth);
        plan->node_counts[node->id] = count;
        total = product(total, count);
    }
    plan->option_counts[option->id] = total;
    return total;
}

struct spin_plan *spin_plan_make(struct arena *arena, const struct spin *spin,
                                 const struct spin_env *env)
{
    assert(spin != NULL && env != NULL);
    size_t nodes = (size_t)spin->node_count + 1; /* an empty template has none */
    struct spin_plan *plan = arena_new(arena, struct spin_plan);
    *plan = (struct spin_plan){
        .spin = spin,
        .env = *env,
        .node_counts = arena_array(arena, uint64_t, nodes),
        .option_counts = arena_array(arena, uint64_t, spin->option_count),
        .chosen = arena_array(arena, uint32_t, nodes),
    };
    (void)count_sequence(plan, env->vars, &spin->root, 0);
    return plan;
}

uint64_t spin_plan_count(const struct spin_plan *plan)
{
    return plan->option_counts[plan->spin->root.id];
}

uint64_t spin_count(const struct spin *spin, const struct spin_vars *vars, struct arena *scratch)
{
    ArenaMark mark = arena_mark(scratch);
    uint64_t count =
        spin_plan_count(spin_plan_make(scratch, spin, &(struct spin_env){.vars = vars}));
    arena_rewind(scratch, mark);
    return count;
}

static uint32_t slots_of(const struct spin_option *option, const struct spin_vars *vars,
                         uint32_t depth)
{
    assert(depth <= SPIN_DEPTH_MAX);
    uint32_t slots = 0;
    for (const struct spin_node *node = option->first; node != NULL; node = node->next) {
        if (node->kind == SPIN_LITERAL)
            continue;
        if (node->kind == SPIN_ALT) {
            slots++;
            for (uint32_t i = 0; i < node->option_count; i++)
                slots += slots_of(&node->options[i], vars, depth + 1);
        } else if (takes_argument(node)) {
            slots += slots_of(&node->options[0], vars, depth + 1);
        } else if (node->form == GRAMMAR_NONE) {
            const struct spin_value *value = spin_vars_find(vars, node->name);
            slots += value != NULL && value->count > 1 ? 1 : 0;
        }
    }
    return slots;
}

uint32_t spin_slots(const struct spin *spin, const struct spin_vars *vars)
{
    assert(spin != NULL);
    return slots_of(&spin->root, vars, 0);
}

/* Stores the choice of each node on the path. Works from the last node to the first, so that a
 * saturated product does no harm: the first nodes get the remaining index. */
static void rank_sequence(struct spin_plan *plan, const struct spin_option *option, uint64_t index,
                          uint32_t depth)
{
    assert(depth <= SPIN_DEPTH_MAX);
    for (const struct spin_node *node = option->last; node != NULL; node = node->previous) {
        uint64_t digit = index % plan->node_counts[node->id];
        index /= plan->node_counts[node->id];
        if (node->kind == SPIN_ALT) {
            uint32_t i = 0;
            while (digit >= plan->option_counts[node->options[i].id])
                digit -= plan->option_counts[node->options[i++].id];
            assert(i < node->option_count);
            plan->chosen[node->id] = i;
            rank_sequence(plan, &node->options[i], digit, depth + 1);
        } else if (takes_argument(node)) {
            rank_sequence(plan, &node->options[0], digit, depth + 1);
        } else {
            plan->chosen[node->id] = (uint32_t)digit;
        }
    }
}

void spin_unrank(struct spin_plan *plan, uint64_t index, struct buf *out,
                 struct spin_unresolved *unresolved)
{
    assert(index < spin_plan_count(plan));
    rank_sequence(plan, &plan->spin->root, index, 0);
    spin_walk(&(struct spin_walk){.env = &plan->env,
                                  .chosen = plan->chosen,
                                  .out = out,
                                  .unresolved = unresolved,
                                  .start = out->len},
              &plan->spin->root);
}
