#include "factory/text/text.h"

#include <assert.h>

/* Bound for decoded text: a reference of at least 4 bytes becomes at most 4, and an invalid byte
 * becomes 3. */
static struct buf *scratch_buf(struct arena *arena, size_t input_len)
{
    return buf_in_arena(arena, input_len * 3 + 16);
}

static uint32_t count_text(Str text, bool *in_word)
{
    uint32_t words = 0;
    for (size_t at = 0; at < text.len;) {
        unsigned char c = (unsigned char)text.data[at];
        uint32_t codepoint = c;
        if (c < 0x80)
            at++;
        else
            codepoint = text_next_codepoint(text, &at);
        bool is_gap = text_is_space(codepoint);
        if (!is_gap && !*in_word)
            words++;
        *in_word = !is_gap;
    }
    return words;
}

uint32_t text_word_count(Str html)
{
    uint32_t words = 0;
    bool in_word = false;
    struct html_scan scan = html_scan(html);
    for (struct html_piece piece = html_next(&scan); piece.kind != HTML_END;
         piece = html_next(&scan)) {
        if (piece.kind == HTML_TEXT) {
            words += count_text(piece.source, &in_word);
        } else if (piece.kind == HTML_TAG || text_is_space(piece.codepoint)) {
            in_word = false;
        } else if (!in_word) {
            words++;
            in_word = true;
        }
    }
    return words;
}

/* Appends text and collapses white space to single spaces, none at the start. */
struct collapser {
    struct buf *out;
    bool owes_space;
};

static void collapse_codepoint(struct collapser *to, uint32_t codepoint)
{
    if (text_is_space(codepoint)) {
        to->owes_space = to->out->len > 0;
        return;
    }
    if (to->owes_space)
        buf_put_char(to->out, ' ');
    to->owes_space = false;
    text_put_codepoint(to->out, codepoint);
}

/* The number of ASCII word bytes at the start of `s`. */
static size_t ascii_run(Str s)
{
    size_t len = 0;
    while (len < s.len && (unsigned char)s.data[len] > ' ' && (unsigned char)s.data[len] < 0x7F)
        len++;
    return len;
}

static void collapse_text(struct collapser *to, Str text)
{
    for (size_t at = 0; at < text.len;) {
        size_t run = ascii_run(str_slice(text, at, text.len));
        if (run == 0) {
            collapse_codepoint(to, text_next_codepoint(text, &at));
            continue;
        }
        if (to->owes_space)
            buf_put_char(to->out, ' ');
        to->owes_space = false;
        buf_put(to->out, str_slice(text, at, at + run));
        at += run;
    }
}

Str text_plain(struct arena *arena, Str html, enum text_parts parts)
{
    return text_plain_head(arena, html, parts, SIZE_MAX);
}

Str text_plain_head(struct arena *arena, Str html, enum text_parts parts, size_t min)
{
    struct collapser to = {.out = scratch_buf(arena, html.len)};
    bool in_heading = false;
    struct html_scan scan = html_scan(html);
    for (struct html_piece piece = html_next(&scan); piece.kind != HTML_END && to.out->len < min;
         piece = html_next(&scan)) {
        if (piece.kind == HTML_TAG) {
            if (parts == TEXT_WITHOUT_HEADINGS && html_is_heading(piece.tag))
                in_heading = !piece.is_closing;
            if (!html_is_inline(piece.tag))
                to.owes_space = to.out->len > 0;
        } else if (in_heading) {
            continue;
        } else if (piece.kind == HTML_ENTITY) {
            collapse_codepoint(&to, piece.codepoint);
        } else {
            collapse_text(&to, piece.source);
        }
    }
    return buf_str(to.out);
}

/* The length of the first `max` code points, or the whole length. */
static size_t prefix_len(Str text, size_t max)
{
    size_t at = 0;
    for (size_t count = 0; count < max && at < text.len; count++)
        (void)text_next_codepoint(text, &at);
    return at;
}

Str text_cut(Str text, size_t max)
{
    size_t end = prefix_len(text, max);
    if (end == text.len)
        return text;
    size_t cut = end;
    while (cut > 0 && text.data[cut] != ' ')
        cut--;
    return str_trim(str_slice(text, 0, cut > 0 ? cut : end));
}

/* Offset of the first letter or digit in plain text; its length if there is none. */
static size_t letter_start(Str text)
{
    for (size_t at = 0; at < text.len;) {
        size_t start = at;
        uint32_t codepoint = text_next_codepoint(text, &at);
        if (text_is_letter(codepoint) || (codepoint >= '0' && codepoint <= '9'))
            return start;
    }
    return text.len;
}

size_t text_word_start(Str html)
{
    struct html_scan scan = html_scan(html);
    for (;;) {
        size_t at = scan.at;
        struct html_piece piece = html_next(&scan);
        if (piece.kind == HTML_END)
            return html.len;
        if (piece.kind != HTML_TEXT)
            continue;
        size_t start = letter_start(piece.source);
        if (start < piece.source.len)
            return at + start;
    }
}

void text_escape(struct buf *out, Str text)
{
    size_t from = 0;
    for (size_t i = 0; i < text.len; i++) {
        const char *reference = NULL;
        switch (text.data[i]) {
        case '&':
            reference = "&amp;";
            break;
        case '<':
            reference = "&lt;";
            break;
        case '>':
            reference = "&gt;";
            break;
        case '"':
            reference = "&quot;";
            break;
        case '\'':
            reference = "&#39;";
            break;
        default:
            continue;
        }
        buf_put(out, str_slice(text, from, i));
        buf_put_z(out, reference);
        from = i + 1;
    }
    buf_put(out, str_slice(text, from, text.len));
}
