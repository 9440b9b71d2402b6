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
#include "factory/spin/grammar.h"
#include "factory/spin/spin_vars.h"

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
/* Groups, names and tokens: what each text of it has to be asked about. */
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
