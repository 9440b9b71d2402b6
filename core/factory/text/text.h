/*
 * Prose: counting words, extracting text from HTML, truncating at the end of a word, making slugs.
 * Only text_unicode.c uses utf8proc. Results live in the given arena. Pure.
 *
 * Invalid UTF-8 bytes become U+FFFD: the output is always valid.
 */
#pragma once

#include "base/memory/arena.h"
#include "base/text/ascii.h"
#include "base/text/buf.h"
#include "base/text/str.h"

enum { TEXT_SLUG_MAX = 100 };

/* The number of visible words: every tag separates words, references are decoded, Unicode white
 * space separates. */
uint32_t text_word_count(Str html);

enum text_parts { TEXT_ALL, TEXT_WITHOUT_HEADINGS };

/* HTML as one line of plain text. Inline tags vanish, other tags become a space. */
Str text_plain(struct arena *arena, Str html, enum text_parts parts);
/* The start of that text: complete, or at least `min` bytes of it. */
Str text_plain_head(struct arena *arena, Str html, enum text_parts parts, size_t min);

/* Collapses white space to single spaces, none at the ends, in Unicode NFC. Returns the text itself
 * if it is already normalised. */
Str text_normalise(struct arena *arena, Str text);

/* At most `max` code points, truncated at the end of a word; inside a word only if the first word
 * is longer. */
Str text_cut(Str text, size_t max);

/*
 * a-z and 0-9 in lower case without accents; any other sequence becomes one dash; at most
 * TEXT_SLUG_MAX, truncated at a dash. `fallback` (of slug characters) if nothing is left.
 */
Str text_slug(struct arena *arena, Str text, Str fallback);

/* The offset of the first letter or digit of an HTML text, after tags; html.len if there is
 * none. */
size_t text_word_start(Str html);

/* Upper-cases the letter at `text` if that does not change its length in bytes. */
void text_capitalise_at(char *text, size_t len);

/* Escapes & < > " ' as references, for HTML and XML. */
void text_escape(struct buf *out, Str text);

/* The code point at text[*at]; moves *at past it; U+FFFD for an invalid byte. `*at` < text.len. */
uint32_t text_next_codepoint(Str text, size_t *at);
void text_put_codepoint(struct buf *out, uint32_t codepoint);
bool text_is_space(uint32_t codepoint);
bool text_is_letter(uint32_t codepoint);
uint32_t text_base_letter(uint32_t codepoint); /* without accents, lower case: É → e */
/* Simple case folding: one code point for one, Unicode's mappings C and S. */
uint32_t text_fold(uint32_t codepoint);
/* Whether it is part of a word: letters, marks, digits, connectors; also joiners and soft
 * hyphens. */
bool text_is_word(uint32_t codepoint);

/*
 * Scans HTML as a sequence of pieces: tags, character references, text. No tree and no allocation:
 * one pass, linear for any input. A comment, <script> or <style> is one piece with its content. A
 * '<' that does not start a tag is text; an unclosed tag swallows the rest, as in browsers. Pure.
 */

enum html_piece_kind { HTML_END, HTML_TEXT, HTML_TAG, HTML_ENTITY };

struct html_piece {
    enum html_piece_kind kind;
    Str source;         /* the source bytes */
    Str tag;            /* HTML_TAG: its name as written; empty for comments and doctypes */
    bool is_closing;    /* HTML_TAG: </…> */
    uint32_t codepoint; /* HTML_ENTITY */
};

struct html_scan {
    Str html;
    size_t at;
};

struct html_scan html_scan(Str html);
struct html_piece html_next(struct html_scan *scan);

/* Whether it is an inline element: its tags do not separate words. */
bool html_is_inline(Str tag);

/* The length of the content of a raw text element, `s` being the text after its start tag: up to
 * "</name" and the end of a name, or all of `s` if there is none. */
size_t html_raw_len(Str s, Str tag);

/* The first attribute of that name in a start tag, as written; false if there is none. */
bool html_attribute(Str tag, Str name, Str *ret);

/* h1 to h6 */
bool html_is_heading(Str tag);

/* The code point of "&name;", "&#39;" or "&#x27;" at the start of `s` and its length; 0: none. */
size_t html_entity(Str s, uint32_t *ret_codepoint);

/* White space of HTML: that of ASCII without the vertical tab. */
static inline bool html_is_space(char c)
{
    return c != '\v' && ascii_is_space(c);
}
