#include "base/memory/map.h"
#include "factory/spin/spin.h"

#include <assert.h>

struct spin_vars {
    struct arena *arena;
    struct map *values; /* lower-case name → struct spin_value */
    const struct spin_vars *below;
};

struct spin_vars *spin_vars_make(struct arena *arena, const struct spin_vars *below)
{
    assert(arena != NULL);
    struct spin_vars *vars = arena_new(arena, struct spin_vars);
    *vars = (struct spin_vars){.arena = arena, .values = map_in_arena(arena), .below = below};
    return vars;
}

static void put(struct spin_vars *vars, Str name, struct spin_value value)
{
    assert(vars != NULL && name.len > 0);
    struct spin_value *kept = arena_new(vars->arena, struct spin_value);
    *kept = value;
    (void)map_put(vars->values, str_lower(vars->arena, name), kept);
}

static const Str *one_term(struct spin_vars *vars, Str text)
{
    Str *term = arena_new(vars->arena, Str);
    *term = text;
    return term;
}

void spin_vars_set(struct spin_vars *vars, Str name, Str text)
{
    put(vars, name, (struct spin_value){.terms = one_term(vars, text), .count = 1});
}

void spin_vars_set_html(struct spin_vars *vars, Str name, Str html)
{
    put(vars, name,
        (struct spin_value){.terms = one_term(vars, html), .count = 1, .is_html = true});
}

void spin_vars_set_terms(struct spin_vars *vars, Str name, const Str *terms, uint32_t count)
{
    if (count == 0)
        return;
    assert(terms != NULL);
    put(vars, name,
        (struct spin_value){.terms = terms,
                            .count = count < SPIN_TERMS_MAX ? count : SPIN_TERMS_MAX});
}

const struct spin_value *spin_vars_find(const struct spin_vars *vars, Str lower_name)
{
    for (; vars != NULL; vars = vars->below) {
        const struct spin_value *value = map_get(vars->values, lower_name);
        if (value != NULL)
            return value;
    }
    return NULL;
}
