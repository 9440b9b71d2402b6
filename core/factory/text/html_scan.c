#include "base/memory/array.h"
#include "base/text/ascii.h"
#include "factory/text/text.h"

#include <assert.h>

struct html_scan html_scan(Str html)
{
    return (struct html_scan){.html = html};
}

/* Whether the character ends the name of a tag. */
static bool is_name_end(char c)
{
    return html_is_space(c) || c == '/' || c == '>';
}

/* Whether the '<' at the start of `s` opens a tag, a comment or a doctype. */
static bool opens_tag(Str s)
{
    if (s.len < 2)
        return false;
    return ascii_is_letter(s.data[1]) || s.data[1] == '!' || s.data[1] == '?' ||
           (s.data[1] == '/' && s.len > 2);
}

/* "</" without a letter, "<?", and "<!" without "--": browsers parse them as comments up to the
 * next '>'. */
static bool is_bogus_comment(Str s)
{
    return s.data[1] == '!' || s.data[1] == '?' ||
           (s.data[1] == '/' && !ascii_is_letter(s.data[2]));
}

/* "<!-->" and "<!--->" are complete comments, and "--!>" also ends one. */
static size_t comment_end(Str s)
{
    for (size_t i = 4; i < s.len; i++) {
        const char *found = memchr(s.data + i, '>', s.len - i);
        if (found == NULL)
            break;
        i = (size_t)(found - s.data);
        bool is_end = s.data[i - 1] == '-' && s.data[i - 2] == '-';
        bool is_odd_end =
            i >= 7 && s.data[i - 1] == '!' && s.data[i - 2] == '-' && s.data[i - 3] == '-';
        if (is_end || is_odd_end)
            return i + 1;
    }
    return s.len;
}

/* The state of the tag tokeniser. */
enum tag_part { TAG_NAME, BEFORE_NAME, NAME, AFTER_NAME, BEFORE_VALUE, VALUE };

/* The next state after a character that is neither '>' nor a quote before a value. */
static enum tag_part tag_step(enum tag_part part, char c)
{
    switch (part) {
    case TAG_NAME:
    case BEFORE_NAME:
        if (html_is_space(c) || c == '/')
            return BEFORE_NAME;
        return part == TAG_NAME ? TAG_NAME : NAME; /* a name may start with "=" */
    case NAME:
    case AFTER_NAME:
        if (c == '=')
            return BEFORE_VALUE;
        if (c == '/')
            return BEFORE_NAME;
        return html_is_space(c) ? AFTER_NAME : NAME;
    case BEFORE_VALUE:
        return html_is_space(c) ? BEFORE_VALUE : VALUE;
    case VALUE:
        return html_is_space(c) ? BEFORE_NAME : VALUE;
    }
    return part;
}

/*
 * Follows the tokeniser of the HTML standard: a quote counts only at the start of a value.
 * Otherwise text of an attribute could be taken for prose.
 */
static size_t tag_end(Str s, size_t name_start)
{
    char quote = 0;
    enum tag_part part = TAG_NAME;
    for (size_t i = name_start; i < s.len; i++) {
        char c = s.data[i];
        if (quote != 0) {
            if (c == quote) {
                quote = 0;
                part = BEFORE_NAME;
            }
        } else if (c == '>') {
            return i + 1;
        } else if (part == BEFORE_VALUE && (c == '"' || c == '\'')) {
            quote = c;
        } else {
            part = tag_step(part, c);
        }
    }
    return s.len;
}

/* Matches "<name" or "</name" (the prefix) followed by the end of a name. */
static bool names_tag(Str s, Str prefix, Str tag)
{
    size_t len = prefix.len + tag.len;
    return s.len > len && str_starts_with(s, prefix) &&
           str_eq_nocase(str_slice(s, prefix.len, len), tag) && is_name_end(s.data[len]);
}

size_t html_raw_len(Str s, Str tag)
{
    for (size_t i = 0; i < s.len; i++) {
        const char *found = memchr(s.data + i, '<', s.len - i);
        if (found == NULL)
            break;
        i = (size_t)(found - s.data);
        if (names_tag(str_slice(s, i, s.len), STR("</"), tag))
            return i;
    }
    return s.len;
}

/* In a script, "<!-- <script>" hides one "</script>"; old pages hid scripts this way. */
static size_t script_len(Str s)
{
    enum { PLAIN, ESCAPED, DOUBLY } state = PLAIN;
    for (size_t i = 0; i < s.len; i++) {
        Str rest = str_slice(s, i, s.len);
        if (s.data[i] == '-' && state != PLAIN && str_starts_with(rest, STR("-->"))) {
            state = PLAIN;
        } else if (s.data[i] == '<' && names_tag(rest, STR("</"), STR("script"))) {
            if (state != DOUBLY)
                return i;
            state = ESCAPED;
        } else if (s.data[i] == '<' && state == PLAIN && str_starts_with(rest, STR("<!--"))) {
            state = ESCAPED;
            i++; /* its dashes may be part of "-->" */
        } else if (s.data[i] == '<' && state == ESCAPED &&
                   names_tag(rest, STR("<"), STR("script"))) {
            state = DOUBLY;
        }
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

    if (is_bogus_comment(s)) {
        ptrdiff_t close = str_find_char(s, '>');
        piece.source = str_slice(s, 0, close < 0 ? s.len : (size_t)close + 1);
        return piece;
    }

    piece.is_closing = s.data[1] == '/';
    size_t from = piece.is_closing ? 2 : 1;
    size_t end = tag_end(s, from);
    size_t to = from;
    while (to < end && !is_name_end(s.data[to]))
        to++;
    piece.tag = str_slice(s, from, to);

    Str inside = str_slice(s, end, s.len);
    if (!piece.is_closing && str_eq_nocase(piece.tag, STR("script")))
        end += script_len(inside);
    else if (!piece.is_closing && str_eq_nocase(piece.tag, STR("style")))
        end += html_raw_len(inside, piece.tag);
    piece.source = str_slice(s, 0, end);
    return piece;
}

static size_t text_len(Str s)
{
    size_t len = 1; /* the first byte has been checked: it starts nothing */
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
    for (size_t i = 0; i < COUNT_OF(INLINE); i++)
        if (str_eq_nocase(tag, INLINE[i]))
            return true;
    return false;
}

bool html_is_heading(Str tag)
{
    return tag.len == 2 && (tag.data[0] == 'h' || tag.data[0] == 'H') && tag.data[1] >= '1' &&
           tag.data[1] <= '6';
}
