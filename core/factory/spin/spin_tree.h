/*
 * The tree that spin_parse makes; private to spin*.c. Nodes have dense ids, so that counts and
 * choices are plain arrays outside the immutable tree.
 */
#pragma once

#include "base/text/ascii.h"
#include "factory/spin/spin.h"

enum spin_kind {
    SPIN_LITERAL,
    SPIN_ALT,   /* options: two or more */
    SPIN_VAR,   /* no options */
    SPIN_TOKEN, /* at most one option: its argument */
};

struct spin_option {
    const struct spin_node *first;
    const struct spin_node *last;
    uint32_t id;
};

struct spin_node {
    const struct spin_node *next;
    const struct spin_node *previous;
    Str text; /* source text: the literal itself, or the text of an unresolved variable */
    Str name; /* variable or token, lower case */
    Str fallback;
    const struct spin_option *options;
    uint32_t option_count;
    uint32_t id;
    enum spin_kind kind;
    enum grammar_form form;
    bool has_fallback;
};

struct spin {
    Str text;
    struct spin_option root;
    uint32_t node_count;
    uint32_t part_count;   /* nodes other than literals */
    uint32_t option_count; /* number of option ids, including the root */
    struct spin_note notes[SPIN_NOTES_MAX];
    uint32_t note_count;
    struct spin_name *names;
    uint32_t name_count;
};

/* A lexeme; spin_lex pairs groups, so that building the tree cannot fail. */
enum spin_lexeme_kind {
    LEX_TEXT,
    LEX_OPEN,       /* '{' of an alternation; `partner` = pipes in it */
    LEX_PIPE,       /* `partner` = index of the previous pipe of its group, or LEX_NONE */
    LEX_CLOSE,      /* '}' of an alternation */
    LEX_VAR,        /* a whole variable */
    LEX_TOKEN,      /* [[NAME]] */
    LEX_TOKEN_OPEN, /* [[NAME: */
    LEX_TOKEN_CLOSE,
};
#define LEX_NONE UINT32_MAX

struct spin_lexeme {
    enum spin_lexeme_kind kind;
    uint32_t offset;
    uint32_t len;
    uint32_t partner;
};

struct spin_fault {
    const char *sentence; /* NULL: none */
    uint32_t offset;
};

struct spin_lexemes {
    struct spin_lexeme *items;
    uint32_t count;
    struct spin_fault fault; /* the first one; lenient parsing continues */
};

/* Splits spin->text into lexemes and pairs them; adds notes to the spin. Allocates in `arena`. */
struct spin_lexemes spin_lex(struct arena *arena, struct spin *spin);

void spin_note_add(struct spin *spin, enum spin_note_kind kind, size_t offset);

/* The number of the character at byte `offset`, from 1. */
uint32_t spin_position(Str text, size_t offset);

/* One walk through the tree. Either `random` chooses, or `chosen` has the option of each node
 * id. */
struct spin_walk {
    const struct spin_env *env;
    Random *random;
    const uint32_t *chosen;
    struct buf *out;
    struct buf *choices;                /* may be NULL */
    struct spin_unresolved *unresolved; /* may be NULL */
    size_t start;                       /* start of this text in `out`, which starts a sentence */
};
void spin_walk(struct spin_walk *walk, const struct spin_option *root);

static inline bool spin_is_ident_start(char c)
{
    return ascii_is_letter(c) || c == '_';
}

static inline bool spin_is_ident(char c)
{
    return spin_is_ident_start(c) || ascii_is_digit(c);
}

/* The length of the IDENT at the start of `s`; 0: none. */
size_t spin_ident_len(Str s);
