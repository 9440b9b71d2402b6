/*
 * Any bytes as a template: the strict and the lenient parser, counting, unranking, expanding. What
 * the strict parser takes, the lenient one must read alike; what it refuses must not crash.
 */
#include "base/system/ctx.h"
#include "factory/spin/spin.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct spin_vars *make_vars(struct arena *arena)
{
    static const Str TERMS[] = {STR_INIT("one"), STR_INIT("{two|2}"), STR_INIT("")};
    struct spin_vars *vars = spin_vars_make(arena, NULL);
    spin_vars_set_terms(vars, STR("d"), TERMS, 3);
    spin_vars_set(vars, STR("v"), STR("<value> $& [[CAP:x]]"));
    spin_vars_set(vars, STR("e"), STR(""));
    return vars;
}

static void expand(struct arena *arena, const struct spin *spin, const struct spin_env *env)
{
    struct spin_plan *plan = spin_plan_make(arena, spin, env);
    uint64_t count = spin_plan_count(plan);
    assert(count > 0);
    const uint64_t indexes[] = {0, count / 2, count - 1};
    struct spin_unresolved unresolved = {.arena = arena};
    struct buf *out = buf_in_arena(arena, SPIN_OUTPUT_MAX);
    for (size_t i = 0; i < sizeof(indexes) / sizeof(indexes[0]); i++) {
        buf_clear(out);
        spin_unrank(plan, indexes[i], out, &unresolved);
    }
    Random random = random_seeded(count);
    buf_clear(out);
    spin_expand(spin, env, &random, out, buf_in_arena(arena, SPIN_OUTPUT_MAX), &unresolved);
    assert(unresolved.count <= SPIN_UNRESOLVED_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_create();
    struct ctx ctx = {.arena = arena};
    Str text = str_of((const char *)data, size);
    struct spin_env env = {.vars = make_vars(arena), .is_html = size % 2 == 0};

    const struct spin *strict = NULL;
    Err err = spin_parse(&ctx, text, &strict);
    const struct spin *lenient = spin_parse_lenient(arena, text);
    assert(err == OK || err == ERR_INVALID_SPINTAX);
    if (err == OK) {
        expand(arena, strict, &env);
        assert(spin_count(strict, env.vars, arena) == spin_count(lenient, env.vars, arena));
    }
    expand(arena, lenient, &env);
    arena_destroy(arena);
    return 0;
}
