/*
 * Grammar tokens: pronouns and verbs that agree with an avatar, articles, capitals. Pure.
 *
 * Templates write [[PRONOUN]] or [[PRONOUN:AVATAR]] (the argument only says whose it is),
 * [[A_AN:word]] → "an apple", [[CAP:word]] → "Word". [[CITY]] and the like are variables.
 */
#pragma once

#include "base/text/buf.h"
#include "base/text/str.h"

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
