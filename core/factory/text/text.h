/*
 * Prose: counting its words, taking it out of HTML, cutting it where words end, making slugs.
 * utf8proc stays in text_unicode.c. Results live in the arena given. Nothing here waits.
 *
 * Bytes that are not UTF-8 become U+FFFD: what comes out is always valid.
 */
#pragma once

#include "base/memory/arena.h"
#include "base/text/ascii.h"
#include "base/text/buf.h"
#include "base/text/str.h"

enum { TEXT_SLUG_MAX = 100 };

/* Words a reader sees: tags are gaps, references decoded, Unicode white space separates. */
uint32_t text_word_count(Str html);

enum text_parts { TEXT_ALL, TEXT_WITHOUT_HEADINGS };

/* HTML as one line of plain text. Tags inside a line vanish, other tags become a space. */
Str text_plain(struct arena *arena, Str html, enum text_parts parts);
/* The beginning of the same: complete, or at least `min` bytes of it. */
Str text_plain_head(struct arena *arena, Str html, enum text_parts parts, size_t min);

/* White space collapsed to single spaces, none at the ends, Unicode normal form C. The text itself
 * when it is all that already. */
Str text_normalise(struct arena *arena, Str text);

/* At most `max` code points, cut where a word ends; within a word only if the first is longer. */
Str text_cut(Str text, size_t max);

/*
 * Lower-case a-z and 0-9, accents taken off, everything else one dash, at most TEXT_SLUG_MAX, cut
 * at a dash. `fallback` (of slug characters) when nothing is left.
 */
Str text_slug(struct arena *arena, Str text, Str fallback);

/* Where the first letter or digit of an HTML text stands, past tags; html.len if there is none. */
size_t text_word_start(Str html);

/* Upper-cases the letter at `text` where that keeps its length in bytes. */
void text_capitalise_at(char *text, size_t len);

/* & < > " ' as references, for HTML and XML alike. */
void text_escape(struct buf *out, Str text);

/* Code point at text[*at], moving *at past it; U+FFFD for one bad byte. `*at` < text.len. */
uint32_t text_next_codepoint(Str text, size_t *at);
void text_put_codepoint(struct buf *out, uint32_t codepoint);
bool text_is_space(uint32_t codepoint);
bool text_is_letter(uint32_t codepoint);
uint32_t text_base_letter(uint32_t codepoint); /* without its accents, lower case: É → e */
/* Simple case folding: one code point for one, Unicode's mappings C and S. */
uint32_t text_fold(uint32_t codepoint);
/* What words are made of: letters, marks, digits, connectors; joiners and soft hyphens inside. */
bool text_is_word(uint32_t codepoint);

/*
 * Reading HTML as a run of pieces: tags, character references, text. No tree, no memory: one pass,
 * linear whatever the input. Comments, and what stands inside <script> and <style>, belong to the
 * tag before them. A '<' that opens no tag is text; a tag that never ends swallows the rest, as in
 * browsers. Pure.
 */

enum html_piece_kind { HTML_END, HTML_TEXT, HTML_TAG, HTML_ENTITY };

struct html_piece {
    enum html_piece_kind kind;
    Str source;         /* the bytes as written */
    Str tag;            /* HTML_TAG: its name as written, empty for comments and doctypes */
    bool is_closing;    /* HTML_TAG: </…> */
    uint32_t codepoint; /* HTML_ENTITY */
};

struct html_scan {
    Str html;
    size_t at;
};

struct html_scan html_scan(Str html);
struct html_piece html_next(struct html_scan *scan);

/* Elements that stand inside a line of text: their tags separate no words for a reader. */
bool html_is_inline(Str tag);

/* Bytes before the closing tag of an element whose text is raw, `s` being what follows its opening
 * tag: "</name" and the end of a name. All of `s` when there is none. */
size_t html_raw_len(Str s, Str tag);

/* The first attribute of that name in an opening tag, as written; false if it has none. */
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
