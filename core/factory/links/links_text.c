#include "base/text/ascii.h"
#include "factory/links/links_internal.h"
#include "factory/text/text.h"

#include <assert.h>

struct cutter {
    struct arena *arena;
    const struct link_vocabulary *vocabulary;
    struct link_vocabulary *growing; /* NULL: unknown words get no id */
    struct buf *tokens;
    struct buf *links;
    struct link_place place;
    uint32_t words;
    uint32_t space_id; /* id of a space, the most frequent token */
    struct link_element link;
    bool in_link;
    bool in_word;
    bool after_word;   /* only inline tags since the last word */
    bool is_ascii;     /* the word so far is ASCII */
    uint32_t from, to; /* byte range of the word */
    uint32_t word_len; /* above LINK_WORD_MAX: too long for any anchor */
    char word[LINK_WORD_MAX + 4];
};

static uint32_t token_count(const struct cutter *cut)
{
    return (uint32_t)(cut->tokens->len / sizeof(struct link_token));
}

static struct link_token *last_token(const struct cutter *cut)
{
    uint32_t count = token_count(cut);
    return count == 0 ? NULL : (struct link_token *)(void *)cut->tokens->data + (count - 1);
}

static void push(struct cutter *cut, enum link_token_kind kind, uint32_t from, uint32_t to,
                 uint32_t id)
{
    struct link_token token = {
        .kind = kind,
        .from = from,
        .to = to,
        .id = id,
        .words = cut->words,
        .is_free = link_place_is_free(&cut->place),
    };
    buf_put(cut->tokens, str_of((const char *)&token, sizeof token));
}

static uint32_t id_of(const struct cutter *cut, Str text)
{
    const uint32_t *known = map_get(cut->vocabulary->ids, text);
    if (known != NULL || cut->growing == NULL)
        return known == NULL ? 0 : *known;
    uint32_t *id = arena_new(cut->growing->arena, uint32_t);
    *id = ++cut->growing->count;
    map_put(cut->growing->ids, str_dup(cut->growing->arena, text), id);
    return *id;
}

static uint32_t word_id(const struct cutter *cut)
{
    if (cut->word_len > LINK_WORD_MAX)
        return 0;
    Str word = str_of(cut->word, cut->word_len);
    if (cut->is_ascii || word.len == 0)
        return word.len == 0 ? 0 : id_of(cut, word);
    ArenaMark mark = arena_mark(cut->arena);
    uint32_t id = id_of(cut, text_normalise(cut->arena, word));
    if (cut->growing == NULL)
        arena_rewind(cut->arena, mark);
    return id;
}

/* The part of the word before the last inline tags. */
static struct link_token *earlier_part(const struct cutter *cut)
{
    struct link_token *token = last_token(cut);
    while (token->kind == TOKEN_TAG)
        token--;
    assert(token->kind == TOKEN_WORD);
    return token;
}

/* A word that continues after a tag is one word for the count, and cannot be part of a link. */
static void end_word(struct cutter *cut)
{
    if (!cut->in_word)
        return;
    bool goes_on = cut->after_word;
    cut->in_word = false;
    cut->after_word = true;
    if (!goes_on) {
        push(cut, TOKEN_WORD, cut->from, cut->to, word_id(cut));
        cut->words++;
        return;
    }
    struct link_token *before = earlier_part(cut);
    before->is_part = true;
    before->id = 0;
    uint32_t words = before->words;
    push(cut, TOKEN_WORD, cut->from, cut->to, 0);
    last_token(cut)->is_part = true;
    last_token(cut)->words = words;
}

static void begin_word(struct cutter *cut, uint32_t from)
{
    if (cut->in_word)
        return;
    cut->in_word = true;
    cut->from = from;
    cut->word_len = 0;
    cut->is_ascii = true;
}

static void put_word_part(struct cutter *cut, uint32_t codepoint, uint32_t from, uint32_t to)
{
    enum { SOFT_HYPHEN = 0xAD };
    begin_word(cut, from);
    cut->to = to;
    if (codepoint == SOFT_HYPHEN || cut->word_len > LINK_WORD_MAX)
        return;
    uint32_t folded = text_fold(codepoint);
    if (folded < 0x80) {
        cut->word[cut->word_len++] = (char)folded;
        return;
    }
    cut->is_ascii = false;
    struct buf bytes = {.data = cut->word,
                        .len = cut->word_len,
                        .cap = sizeof cut->word,
                        .max = sizeof cut->word,
                        .is_borrowed = true};
    text_put_codepoint(&bytes, folded);
    cut->word_len = (uint32_t)bytes.len;
}

/* Maps typographic variants of quotes and dashes to one character. */
static uint32_t plain_mark(uint32_t codepoint)
{
    switch (codepoint) {
    case 0x2018:
    case 0x2019:
        return '\'';
    case 0x201C:
    case 0x201D:
        return '"';
    case 0x2010:
    case 0x2011:
        return '-';
    default:
        return codepoint;
    }
}

static void put_mark(struct cutter *cut, uint32_t codepoint, uint32_t from, uint32_t to)
{
    char bytes[4];
    struct buf text = {
        .data = bytes, .cap = sizeof bytes, .max = sizeof bytes, .is_borrowed = true};
    text_put_codepoint(&text, plain_mark(codepoint));
    push(cut, TOKEN_MARK, from, to, id_of(cut, buf_str(&text)));
    last_token(cut)->is_raw_amp = codepoint == '&' && to == from + 1;
}

static void put_codepoint(struct cutter *cut, uint32_t codepoint, uint32_t from, uint32_t to)
{
    if (text_is_word(codepoint)) {
        put_word_part(cut, codepoint, from, to);
        return;
    }
    end_word(cut);
    cut->after_word = false;
    if (!text_is_space(codepoint)) {
        put_mark(cut, codepoint, from, to);
        return;
    }
    struct link_token *last = last_token(cut);
    if (last != NULL && last->kind == TOKEN_SPACE)
        last->to = to;
    else
        push(cut, TOKEN_SPACE, from, to, cut->space_id);
}

/* Appends the ASCII letters and digits at the start of `text`; returns their number. */
static size_t put_ascii_run(struct cutter *cut, Str text, uint32_t from)
{
    size_t len = 0;
    for (; len < text.len; len++) {
        char c = text.data[len];
        if (!ascii_is_alnum(c))
            break;
        if (len == 0)
            begin_word(cut, from);
        if (cut->word_len <= LINK_WORD_MAX)
            cut->word[cut->word_len++] = ascii_lower(c);
    }
    if (len > 0)
        cut->to = from + (uint32_t)len;
    return len;
}

static void put_text(struct cutter *cut, Str text, uint32_t from)
{
    for (size_t at = 0; at < text.len;) {
        at += put_ascii_run(cut, str_slice(text, at, text.len), from + (uint32_t)at);
        if (at == text.len)
            break;
        size_t start = at;
        uint32_t codepoint = text_next_codepoint(text, &at);
        put_codepoint(cut, codepoint, from + (uint32_t)start, from + (uint32_t)at);
    }
}

/* Tags */

/* Decodes character references into the arena. */
static Str decode(struct arena *arena, Str value)
{
    if (str_find_char(value, '&') < 0)
        return value;
    struct buf *out = buf_in_arena(arena, value.len * 3 + 16);
    for (size_t i = 0; i < value.len;) {
        uint32_t codepoint;
        size_t len = html_entity(str_slice(value, i, value.len), &codepoint);
        if (len > 0)
            text_put_codepoint(out, codepoint);
        else
            buf_put_char(out, value.data[i]);
        i += len > 0 ? len : 1;
    }
    return buf_str(out);
}

static void end_link(struct cutter *cut)
{
    if (!cut->in_link)
        return;
    cut->link.end = token_count(cut);
    buf_put(cut->links, str_of((const char *)&cut->link, sizeof cut->link));
    cut->in_link = false;
}

static void put_tag(struct cutter *cut, struct html_scan *scan, struct html_piece piece,
                    uint32_t from)
{
    end_word(cut);
    bool is_comment = str_starts_with(piece.source, STR("<!--"));
    if (!is_comment && !html_is_inline(piece.tag))
        cut->after_word = false;
    push(cut, TOKEN_TAG, from, from + (uint32_t)piece.source.len, 0);
    link_place_tag(&cut->place, scan, piece);
    if (!str_eq_nocase(piece.tag, STR("a")))
        return;
    end_link(cut);
    Str href;
    if (!piece.is_closing && html_attribute(piece.source, STR("href"), &href)) {
        cut->in_link = true;
        cut->link =
            (struct link_element){.href = decode(cut->arena, href), .first = token_count(cut)};
    }
}

static struct link_text finish(struct cutter *cut)
{
    end_word(cut);
    end_link(cut);
    return (struct link_text){
        .tokens = (const struct link_token *)(const void *)cut->tokens->data,
        .count = token_count(cut),
        .words = cut->words,
        .links = (const struct link_element *)(const void *)cut->links->data,
        .link_count = (uint32_t)(cut->links->len / sizeof(struct link_element)),
    };
}

static struct cutter cutter_for(struct arena *arena, const struct link_vocabulary *vocabulary,
                                size_t len)
{
    return (struct cutter){
        .arena = arena,
        .vocabulary = vocabulary,
        .tokens = buf_in_arena_from(arena, (len / 4 + 2) * sizeof(struct link_token),
                                    (len + 2) * sizeof(struct link_token)),
        .links = buf_in_arena(arena, (len + 2) * sizeof(struct link_element)),
    };
}

struct link_text link_text_cut(struct arena *arena, const struct link_vocabulary *vocabulary,
                               Str html)
{
    assert(html.len <= LINK_HTML_MAX);
    struct cutter cut = cutter_for(arena, vocabulary, html.len);
    cut.space_id = id_of(&cut, STR(" "));
    struct html_scan scan = html_scan(html);
    for (;;) {
        uint32_t from = (uint32_t)scan.at;
        struct html_piece piece = html_next(&scan);
        if (piece.kind == HTML_END)
            return finish(&cut);
        if (piece.kind == HTML_TEXT)
            put_text(&cut, piece.source, from);
        else if (piece.kind == HTML_ENTITY)
            put_codepoint(&cut, piece.codepoint, from, from + (uint32_t)piece.source.len);
        else
            put_tag(&cut, &scan, piece, from);
    }
}

struct link_text link_anchor_cut(struct arena *arena, struct link_vocabulary *vocabulary,
                                 Str anchor)
{
    struct cutter cut = cutter_for(arena, vocabulary, anchor.len);
    cut.growing = vocabulary->is_growing ? vocabulary : NULL;
    cut.space_id = id_of(&cut, STR(" "));
    put_text(&cut, text_normalise(arena, anchor), 0);
    return finish(&cut);
}
