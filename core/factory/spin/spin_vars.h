/*
 * The names that a template may use: layers of variables, each looking below for what it lacks. A
 * variable with several terms is a dictionary: it multiplies combinations as an alternation does.
 * Usual layers, top first: location, year, niche variables, dictionaries.
 *
 * Names are found whatever their case. Layers and values are not copied: they live as long as the
 * arena of the caller. Written by one fiber, then read by many. Nothing here waits.
 */
#pragma once

#include "base/memory/arena.h"
#include "base/text/str.h"

enum { SPIN_TERMS_MAX = 10000 };

struct spin_value {
    const Str *terms;
    uint32_t count;
    bool is_html; /* a component of our own: put into HTML as it is */
};

struct spin_vars;

struct spin_vars *spin_vars_make(struct arena *arena, const struct spin_vars *below /* or NULL */);

/* A later value replaces an earlier one of the same layer. An empty text counts as "not given": a
 * default in the template wins over it. */
void spin_vars_set(struct spin_vars *vars, Str name, Str text);
void spin_vars_set_html(struct spin_vars *vars, Str name, Str html);

/* No terms: the name stays unknown. Beyond SPIN_TERMS_MAX the rest is left out. */
void spin_vars_set_terms(struct spin_vars *vars, Str name, const Str *terms, uint32_t count);

/* `lower_name` in lower case; NULL if no layer knows it. NULL vars know nothing. */
const struct spin_value *spin_vars_find(const struct spin_vars *vars, Str lower_name);
