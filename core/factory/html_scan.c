#include "factory/html_scan.h"

#include <assert.h>

struct html_scan html_scan(Str html)
{
    return (struct html_scan){.html = html};
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_name_char(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == ':';
}

/* Whether the '<' at the start of `s` opens a tag, a comment or a doctype. */
static bool opens_tag(Str s)
{
    if (s.len < 2)
        return false;
    return is_letter(s.data[1]) || s.data[1] == '!' || s.data[1] == '?' ||
           (s.data[1] == '/' && s.len > 2 && is_letter(s.data[2]));
}

static size_t comment_end(Str s)
{
    ptrdiff_t end = str_find(str_slice(s, 4, s.len), STR("-->"));
    return end < 0 ? s.len : (size_t)end + 7;
}

/* A quote counts only right after '=': an apostrophe elsewhere in a tag is a slip of the writer. */
static size_t tag_end(Str s)
{
    char quote = 0;
    bool after_equals = false;
    for (size_t i = 1; i < s.len; i++) {
        char c = s.data[i];
        if (quote != 0) {
            if (c == quote)
                quote = 0;
        } else if (c == '>') {
            return i + 1;
        } else if (after_equals && (c == '"' || c == '\'')) {
            quote = c;
        }
        if (c != ' ')
            after_equals = quote == 0 && c == '=';
    }
    return s.len;
}

/* Where the text of <script> or <style> ends: before its closing tag. */
static size_t raw_text_len(Str s, Str tag)
{
    for (size_t i = 0; i + 2 + tag.len <= s.len; i++) {
        const char *found = memchr(s.data + i, '<', s.len - i);
        if (found == NULL)
            break;
        i = (size_t)(found - s.data);
        if (str_starts_with(str_slice(s, i, s.len), STR("</")) &&
            str_eq_nocase(str_slice(s, i + 2, i + 2 + tag.len), tag))
            return i;
    }
    return s.len;
}

static struct html_piece scan_tag(Str s)
{
    struct html_piece piece = {.kind = HTML_TAG};
    if (str_starts_with(s, STR("<!--"))) {
        piece.source = str_slice(s, 0, comment_end(s));
        return piece;
    }

    size_t end = tag_end(s);
    piece.is_closing = s.data[1] == '/';
    size_t from = piece.is_closing ? 2 : 1;
    size_t to = from;
    while (to < end && is_name_char(s.data[to]))
        to++;
    piece.tag = str_slice(s, from, to);

    bool is_raw = !piece.is_closing && (str_eq_nocase(piece.tag, STR("script")) ||
                                        str_eq_nocase(piece.tag, STR("style")));
    if (is_raw)
        end += raw_text_len(str_slice(s, end, s.len), piece.tag);
    piece.source = str_slice(s, 0, end);
    return piece;
}

static size_t text_len(Str s)
{
    size_t len = 1; /* the first byte was looked at: it opens nothing */
    while (len < s.len && s.data[len] != '<' && s.data[len] != '&')
        len++;
    return len;
}

struct html_piece html_next(struct html_scan *scan)
{
    assert(scan != NULL && scan->at <= scan->html.len);
    Str rest = str_slice(scan->html, scan->at, scan->html.len);
    struct html_piece piece = {.kind = HTML_END};
    if (rest.len == 0)
        return piece;

    size_t entity_len = 0;
    if (rest.data[0] == '<' && opens_tag(rest))
        piece = scan_tag(rest);
    else if (rest.data[0] == '&' && (entity_len = html_entity(rest, &piece.codepoint)) > 0)
        piece = (struct html_piece){.kind = HTML_ENTITY,
                                    .source = str_slice(rest, 0, entity_len),
                                    .codepoint = piece.codepoint};
    else
        piece =
            (struct html_piece){.kind = HTML_TEXT, .source = str_slice(rest, 0, text_len(rest))};

    assert(piece.source.len > 0);
    scan->at += piece.source.len;
    return piece;
}

bool html_is_inline(Str tag)
{
    static const Str INLINE[] = {
        STR_INIT("a"),    STR_INIT("abbr"), STR_INIT("b"),      STR_INIT("cite"), STR_INIT("code"),
        STR_INIT("del"),  STR_INIT("em"),   STR_INIT("i"),      STR_INIT("ins"),  STR_INIT("kbd"),
        STR_INIT("mark"), STR_INIT("q"),    STR_INIT("s"),      STR_INIT("samp"), STR_INIT("small"),
        STR_INIT("span"), STR_INIT("sub"),  STR_INIT("strong"), STR_INIT("sup"),  STR_INIT("time"),
        STR_INIT("u"),    STR_INIT("var"),
    };
    for (size_t i = 0; i < sizeof(INLINE) / sizeof(INLINE[0]); i++)
        if (str_eq_nocase(tag, INLINE[i]))
            return true;
    return false;
}

bool html_is_heading(Str tag)
{
    return tag.len == 2 && (tag.data[0] == 'h' || tag.data[0] == 'H') && tag.data[1] >= '1' &&
           tag.data[1] <= '6';
}
