/*
 * Spintax: one parser, one tree, so that the order of passes cannot matter.
 *
 *   text    := { literal | alt | var | gram }
 *   alt     := '{' text '|' text { '|' text } '}'       options may be empty
 *   var     := '{' IDENT '}'  |  '{{' IDENT [ '|' default ] '}}'
 *   gram    := '[[' IDENT [ ':' text ] ']]'
 *   IDENT   := [A-Za-z_][A-Za-z0-9_]*     default := characters without { } |
 *
 * '{{' opens a variable only if the whole of it matches; otherwise it is two nested groups. A
 * balanced group without '|' that is no variable is text, as is '[[' that opens no token.
 *
 * A variable is looked up in the layers given (spin_vars.h), then its default, then it stays as it
 * was written and is reported. Values are data: spintax inside them is not read again.
 *
 * A spin is immutable once made, holds its own copy of the text, lives in the arena it was made in
 * and may be expanded by many at once. Nothing here waits; recursion is bounded by SPIN_DEPTH_MAX.
 */
#pragma once

#include "base/crypto/random.h"
#include "base/memory/arena.h"
#include "base/system/err.h"
#include "base/text/buf.h"
#include "base/text/str.h"

enum {
    SPIN_TEMPLATE_MAX = 64 * 1024, /* bytes */
    SPIN_DEPTH_MAX = 16,           /* groups within groups */
    SPIN_OPTIONS_MAX = 256,        /* in one group */
    SPIN_OUTPUT_MAX = 1024 * 1024, /* bytes */
    SPIN_NOTES_MAX = 32,
    SPIN_UNRESOLVED_MAX = 64,
};

struct spin;

/* Legal, but rarely meant: shown to whoever writes the template. */
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

/* For templates that someone writes: ERR_INVALID_SPINTAX with note "position" (from 1) when braces
 * do not match or a limit is passed. */
Err spin_parse(struct ctx *ctx, Str text, const struct spin **ret);

/* For templates already stored: what cannot be read stays text, and so does the whole of one that
 * is longer than SPIN_TEMPLATE_MAX. Never fails. */
const struct spin *spin_parse_lenient(struct arena *arena, Str text);

Str spin_source(const struct spin *spin);
/* Groups, names and tokens: what each text of it must be asked about. */
uint32_t spin_parts(const struct spin *spin);
uint32_t spin_notes(const struct spin *spin, const struct spin_note **ret);

/* The variables that the template names, lower case, each once. `is_required`: somewhere without
 * a default. */
struct spin_name {
    Str name;
    bool is_required;
};
uint32_t spin_names(const struct spin *spin, const struct spin_name **ret);

/* What a template is resolved with. */
struct spin_env {
    const struct spin_vars *vars;          /* may be NULL */
    const struct grammar_variant *variant; /* NULL: neutral */
    bool is_html;                          /* values are escaped unless they are components */
};

/* Names left as they were written, each once, at most SPIN_UNRESOLVED_MAX. Zeroed is empty. */
struct spin_unresolved {
    struct arena *arena; /* must be set */
    Str *names;
    uint32_t count;
};

/* How many texts there are, not more than UINT64_MAX: product over a sequence, sum over options. */
uint64_t spin_count(const struct spin *spin, const struct spin_vars *vars, struct arena *scratch);

/* How many choices the template has, nested ones and names with several terms included. */
uint32_t spin_slots(const struct spin *spin, const struct spin_vars *vars);

/* The counts of every part, for many unrankings of one template under one `env`, which it keeps.
 * A plan belongs to one fiber. */
struct spin_plan;
struct spin_plan *spin_plan_make(struct arena *arena, const struct spin *spin,
                                 const struct spin_env *env);
uint64_t spin_plan_count(const struct spin_plan *plan);

/* Appends text number `index` < count to `out`: the last choice varies fastest. `unresolved` may be
 * NULL. */
void spin_unrank(struct spin_plan *plan, uint64_t index, struct buf *out,
                 struct spin_unresolved *unresolved);

/* A random text: each choice uniform within its group. Appends to `out`, and to `choices` (may be
 * NULL) what was chosen, in order, as a canonical sequence of bytes for the uniqueness hash. */
void spin_expand(const struct spin *spin, const struct spin_env *env, Random *random,
                 struct buf *out, struct buf *choices, struct spin_unresolved *unresolved);

/*
 * The names that a template may use: layers of variables, each looking below for what it lacks. A
 * variable with several terms is a dictionary: it multiplies combinations as an alternation does.
 * Usual layers, top first: location, year, niche variables, dictionaries.
 *
 * Names are found whatever their case. Layers and values are not copied: they live as long as the
 * arena of the caller. Written by one fiber, then read by many. Nothing here waits.
 */

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

/*
 * Grammar tokens: pronouns and verbs that agree with an avatar, articles, capitals. Pure.
 *
 * Templates write [[PRONOUN]] or [[PRONOUN:AVATAR]] (the argument only says whose it is),
 * [[A_AN:word]] → "an apple", [[CAP:word]] → "Word". [[CITY]] and the like are variables.
 */

enum grammar_form {
    GRAMMAR_NONE, /* not a word of the table: a variable */
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

/* By its name in any case; GRAMMAR_NONE if it is not a word of the table. */
enum grammar_form grammar_form(Str name);
Str grammar_form_name(enum grammar_form form); /* "has_have": the key in avatar_variants.data */

/* "a" or "an" by the sound that `text` starts with; tags and quotes before the word are passed. */
Str grammar_article(Str text);

/* Whether a word put at the end of `text` would open a sentence. Looks back 256 bytes at most. */
bool grammar_starts_sentence(Str text);

/* Upper-cases the first letter of out[from, …), passing tags and quotes. */
void grammar_capitalise(struct buf *out, size_t from);
