/*
 * Spintax: one parser makes one tree, so the result does not depend on the order of passes.
 *
 *   text    := { literal | alt | var | gram }
 *   alt     := '{' text '|' text { '|' text } '}'       options may be empty
 *   var     := '{' IDENT '}'  |  '{{' IDENT [ '|' default ] '}}'
 *   gram    := '[[' IDENT [ ':' text ] ']]'
 *   IDENT   := [A-Za-z_][A-Za-z0-9_]*     default := characters without { } |
 *
 * '{{' starts a variable only if all of it matches; otherwise it is two nested groups. A balanced
 * group without '|' that is not a variable is text, as is '[[' that does not start a token.
 *
 * A variable is looked up in the given layers (struct spin_vars), then its default is used;
 * otherwise it stays as it was written and is reported. Values are data: spintax in them is not
 * parsed.
 *
 * A spin is immutable, holds its own copy of the text, lives in the arena in which it was made and
 * may be expanded by several threads at once. Pure; recursion is bounded by SPIN_DEPTH_MAX.
 */
#pragma once

#include "base/crypto/random.h"
#include "base/memory/arena.h"
#include "base/system/err.h"
#include "base/text/buf.h"
#include "base/text/str.h"

enum {
    SPIN_TEMPLATE_MAX = 64 * 1024, /* bytes */
    SPIN_DEPTH_MAX = 16,           /* nested groups */
    SPIN_OPTIONS_MAX = 256,        /* per group */
    SPIN_OUTPUT_MAX = 1024 * 1024, /* bytes */
    SPIN_NOTES_MAX = 32,
    SPIN_UNRESOLVED_MAX = 64,
};

struct spin;

/* Valid, but rarely intended: shown to the author of the template. */
enum spin_note_kind {
    SPIN_NOTE_EMPTY_OPTION,
    SPIN_NOTE_STRAY_PIPE,   /* '|' outside braces */
    SPIN_NOTE_PLAIN_BRACES, /* a group that is neither alternation nor variable */
};

struct spin_note {
    enum spin_note_kind kind;
    uint32_t position; /* character of the template, from 1 */
};

const char *spin_note_text(enum spin_note_kind kind);

/* For templates that a user submits: ERR_INVALID_SPINTAX with note "position" (from 1) if braces do
 * not match or a limit is exceeded. */
Err spin_parse(struct ctx *ctx, Str text, const struct spin **ret);

/* For stored templates: invalid parts stay text, and so does a template longer than
 * SPIN_TEMPLATE_MAX. Never fails. */
const struct spin *spin_parse_lenient(struct arena *arena, Str text);

Str spin_source(const struct spin *spin);
/* The number of groups, names and tokens. */
uint32_t spin_parts(const struct spin *spin);
uint32_t spin_notes(const struct spin *spin, const struct spin_note **ret);

/* The variables in the template, lower case, each once. `is_required`: at least one occurrence has
 * no default. */
struct spin_name {
    Str name;
    bool is_required;
};
uint32_t spin_names(const struct spin *spin, const struct spin_name **ret);

/* The environment for expanding a template. */
struct spin_env {
    const struct spin_vars *vars;          /* may be NULL */
    const struct grammar_variant *variant; /* NULL: neutral */
    bool is_html;                          /* escape values, except components */
};

/* Unknown variables, which stay as they are in the text; each once, at most SPIN_UNRESOLVED_MAX.
 * Zeroed is empty. */
struct spin_unresolved {
    struct arena *arena; /* must be set */
    Str *names;
    uint32_t count;
};

/* The number of texts: product over a sequence, sum over options. Saturates at UINT64_MAX. */
uint64_t spin_count(const struct spin *spin, const struct spin_vars *vars, struct arena *scratch);

/* The number of choices in the template, including nested ones and variables with several terms. */
uint32_t spin_slots(const struct spin *spin, const struct spin_vars *vars);

/* Precomputed spin counts, for unranking one template many times with one `env`, which it
 * references. Belongs to one fiber. */
struct spin_plan;
struct spin_plan *spin_plan_make(struct arena *arena, const struct spin *spin,
                                 const struct spin_env *env);
uint64_t spin_plan_count(const struct spin_plan *plan);

/* Appends text number `index` < count to `out`: the last choice varies fastest. `unresolved` may be
 * NULL. */
void spin_unrank(struct spin_plan *plan, uint64_t index, struct buf *out,
                 struct spin_unresolved *unresolved);

/* Expands to a random text: each choice is uniform within its group. Appends the text to `out`, and
 * the choices in order to `choices` (may be NULL), as canonical bytes for the uniqueness hash. */
void spin_expand(const struct spin *spin, const struct spin_env *env, Random *random,
                 struct buf *out, struct buf *choices, struct spin_unresolved *unresolved);

/*
 * Variables: layers, each falling back to the one below. A variable with several terms is a
 * dictionary: it multiplies combinations as an alternation does. Usual layers, top first: location,
 * year, niche variables, dictionaries.
 *
 * Names are case-insensitive. Layers and values are not copied: they live as long as the caller's
 * arena. One fiber writes; then many may read. Pure.
 */

enum { SPIN_TERMS_MAX = 10000 };

struct spin_value {
    const Str *terms;
    uint32_t count;
    bool is_html; /* a trusted component: inserted into HTML unescaped */
};

struct spin_vars;

struct spin_vars *spin_vars_make(struct arena *arena, const struct spin_vars *below /* or NULL */);

/* Replaces an earlier value in the same layer. An empty text counts as unset: a default in the
 * template takes precedence. */
void spin_vars_set(struct spin_vars *vars, Str name, Str text);
void spin_vars_set_html(struct spin_vars *vars, Str name, Str html);

/* Without terms the variable stays unknown. Terms beyond SPIN_TERMS_MAX are ignored. */
void spin_vars_set_terms(struct spin_vars *vars, Str name, const Str *terms, uint32_t count);

/* `lower_name` must be lower case. NULL if no layer has it, or if vars is NULL. */
const struct spin_value *spin_vars_find(const struct spin_vars *vars, Str lower_name);

/*
 * Grammar tokens: pronouns and verbs that agree with an avatar, articles, capitals. Pure.
 *
 * Templates write [[PRONOUN]] or [[PRONOUN:AVATAR]] (the argument is ignored), [[A_AN:word]] → "an
 * apple", [[CAP:word]] → "Word". [[CITY]] and the like are variables.
 */

enum grammar_form {
    GRAMMAR_NONE, /* not in the table: a variable */
    GRAMMAR_PRONOUN,
    GRAMMAR_PPRONOUN,
    GRAMMAR_POSPRONOUN,
    GRAMMAR_ISARE,
    GRAMMAR_HAS_HAVE,
    GRAMMAR_DOES_DO,
    GRAMMAR_A_AN,
    GRAMMAR_CAP,
    GRAMMAR_FORM_COUNT
};

enum grammar_gender { GRAMMAR_NEUTRAL, GRAMMAR_MALE, GRAMMAR_FEMALE };

/* The words of one avatar variant, by form; A_AN and CAP have none. */
struct grammar_variant {
    Str words[GRAMMAR_FORM_COUNT];
};

const struct grammar_variant *grammar_variant(enum grammar_gender gender);

/* "male", "Female" …; anything else is neutral. */
enum grammar_gender grammar_gender(Str name);

/* Finds a form by its name in any case; GRAMMAR_NONE if it is not in the table. */
enum grammar_form grammar_form(Str name);
Str grammar_form_name(enum grammar_form form); /* "has_have": key in avatar_variants.data */

/* "a" or "an", by the initial sound of `text`; skips tags and quotes before the word. */
Str grammar_article(Str text);

/* Whether a word appended to `text` would start a sentence. Looks back at most 256 bytes. */
bool grammar_starts_sentence(Str text);

/* Upper-cases the first letter of out[from, …), skipping tags and quotes. */
void grammar_capitalise(struct buf *out, size_t from);
