/*
 * Reading HTML as a run of pieces: tags, character references, text. No tree, no memory: one pass,
 * linear whatever the input. Comments, and what stands inside <script> and <style>, belong to the
 * tag before them. A '<' that opens no tag is text; a tag that never ends swallows the rest, as in
 * browsers. Pure.
 */
#pragma once

#include "base/text/ascii.h"
#include "base/text/str.h"

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

/* White space of HTML: that of ASCII without the vertical tab. */
static inline bool html_is_space(char c)
{
    return c != '\v' && ascii_is_space(c);
}

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
