#include "factory/text/text.h"

#include <assert.h>
#include <utf8proc.h>

enum { REPLACEMENT = 0xFFFD };

uint32_t text_next_codepoint(Str text, size_t *at)
{
    assert(*at < text.len);
    unsigned char c = (unsigned char)text.data[*at];
    if (c < 0x80) {
        (*at)++;
        return c;
    }
    utf8proc_int32_t codepoint = REPLACEMENT;
    utf8proc_ssize_t len = utf8proc_iterate((const utf8proc_uint8_t *)text.data + *at,
                                            (utf8proc_ssize_t)(text.len - *at), &codepoint);
    *at += len > 0 ? (size_t)len : 1;
    return len > 0 ? (uint32_t)codepoint : REPLACEMENT;
}

void text_put_codepoint(struct buf *out, uint32_t codepoint)
{
    if (codepoint < 0x80) {
        buf_put_char(out, (char)codepoint);
        return;
    }
    utf8proc_uint8_t bytes[4];
    utf8proc_ssize_t len = utf8proc_encode_char((utf8proc_int32_t)codepoint, bytes);
    assert(len > 0);
    buf_put(out, str_of((const char *)bytes, (size_t)len));
}

bool text_is_space(uint32_t codepoint)
{
    if (codepoint < 0x80)
        return codepoint == ' ' || (codepoint >= '\t' && codepoint <= '\r');
    return codepoint == 0xA0 || codepoint == 0x1680 ||
           (codepoint >= 0x2000 && codepoint <= 0x200A) || codepoint == 0x2028 ||
           codepoint == 0x2029 || codepoint == 0x202F || codepoint == 0x205F ||
           codepoint == 0x3000 || codepoint == 0xFEFF;
}

static bool is_ascii(Str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] >= 0x80)
            return false;
    return true;
}

/*
 * Converts valid UTF-8 to code points; utf8proc reports the number of them. The array has room for
 * the NUL that utf8proc_reencode writes after the text.
 */
static size_t decompose(struct arena *arena, Str text, utf8proc_option_t options,
                        utf8proc_int32_t **ret)
{
    const utf8proc_uint8_t *bytes = (const utf8proc_uint8_t *)text.data;
    utf8proc_ssize_t len = (utf8proc_ssize_t)text.len;
    utf8proc_ssize_t count = utf8proc_decompose(bytes, len, NULL, 0, options);
    assert(count >= 0);
    utf8proc_int32_t *codepoints = arena_array(arena, utf8proc_int32_t, (size_t)count + 1);
    utf8proc_ssize_t written = utf8proc_decompose(bytes, len, codepoints, count, options);
    assert(written == count);
    *ret = codepoints;
    return (size_t)written;
}

static Str compose(struct arena *arena, Str text)
{
    const utf8proc_option_t options = UTF8PROC_STABLE | UTF8PROC_COMPOSE;
    utf8proc_int32_t *codepoints;
    size_t count = decompose(arena, text, options, &codepoints);
    utf8proc_ssize_t len = utf8proc_reencode(codepoints, (utf8proc_ssize_t)count, options);
    assert(len >= 0);
    return str_of((const char *)codepoints, (size_t)len);
}

/* Fast path: visible ASCII with single spaces, as most headlines are, is already normalised. */
static bool is_normal_ascii(Str text)
{
    bool was_space = true;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c < ' ' || c >= 0x7F || (c == ' ' && was_space))
            return false;
        was_space = c == ' ';
    }
    return text.len == 0 || !was_space;
}

Str text_normalise(struct arena *arena, Str text)
{
    if (is_normal_ascii(text))
        return text;
    struct buf *out = buf_in_arena(arena, text.len * 3 + 16);
    bool owes_space = false;
    for (size_t at = 0; at < text.len;) {
        uint32_t codepoint = text_next_codepoint(text, &at);
        if (text_is_space(codepoint)) {
            owes_space = out->len > 0;
            continue;
        }
        if (owes_space)
            buf_put_char(out, ' ');
        owes_space = false;
        text_put_codepoint(out, codepoint);
    }
    return is_ascii(buf_str(out)) ? buf_str(out) : compose(arena, buf_str(out));
}

/* ASCII replacements for letters that have no decomposition; NULL for all others. */
static const char *plain_letters(int32_t codepoint)
{
    switch (codepoint) {
    case 0xE6:
        return "ae";
    case 0xF8:
        return "o";
    case 0xF0:
    case 0x111:
        return "d";
    case 0xFE:
        return "th";
    case 0x127:
        return "h";
    case 0x131:
        return "i";
    case 0x142:
        return "l";
    case 0x14B:
        return "n";
    case 0x153:
        return "oe";
    default:
        return NULL;
    }
}

/* Keeps slug characters; other characters cause one dash before the next one. */
static void slug_put(struct buf *out, bool *owes_dash, int32_t codepoint)
{
    bool is_plain =
        (codepoint >= 'a' && codepoint <= 'z') || (codepoint >= '0' && codepoint <= '9');
    const char *letters = is_plain ? NULL : plain_letters(codepoint);
    if (!is_plain && letters == NULL) {
        *owes_dash = out->len > 0;
        return;
    }
    if (*owes_dash)
        buf_put_char(out, '-');
    *owes_dash = false;
    if (is_plain)
        buf_put_char(out, (char)codepoint);
    else
        buf_put_z(out, letters);
}

/* Truncates at a dash, unless the first word alone is too long. */
static Str slug_cut(Str slug)
{
    if (slug.len <= TEXT_SLUG_MAX)
        return slug;
    size_t cut = TEXT_SLUG_MAX;
    while (cut > 0 && slug.data[cut] != '-')
        cut--;
    return str_slice(slug, 0, cut > 0 ? cut : TEXT_SLUG_MAX);
}

Str text_slug(struct arena *arena, Str text, Str fallback)
{
    Str clean = text_normalise(arena, text);
    utf8proc_int32_t *codepoints;
    size_t count = decompose(arena, clean,
                             UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE |
                                 UTF8PROC_STRIPMARK | UTF8PROC_CASEFOLD,
                             &codepoints);
    struct buf *out = buf_in_arena(arena, count * 3 + 16);
    bool owes_dash = false;
    for (size_t i = 0; i < count; i++)
        slug_put(out, &owes_dash, codepoints[i]);
    return out->len > 0 ? slug_cut(buf_str(out)) : fallback;
}

void text_capitalise_at(char *text, size_t len)
{
    assert(len > 0);
    size_t at = 0;
    uint32_t codepoint = text_next_codepoint(str_of(text, len), &at);
    utf8proc_uint8_t bytes[4];
    utf8proc_ssize_t written =
        utf8proc_encode_char(utf8proc_toupper((utf8proc_int32_t)codepoint), bytes);
    if (written == (utf8proc_ssize_t)at)
        memcpy(text, bytes, at);
}

bool text_is_letter(uint32_t codepoint)
{
    if (codepoint < 0x80)
        return (codepoint >= 'a' && codepoint <= 'z') || (codepoint >= 'A' && codepoint <= 'Z');
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)codepoint);
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

uint32_t text_base_letter(uint32_t codepoint)
{
    utf8proc_int32_t parts[8] = {(utf8proc_int32_t)codepoint};
    int last_class = 0;
    utf8proc_ssize_t count = utf8proc_decompose_char((utf8proc_int32_t)codepoint, parts, 8,
                                                     UTF8PROC_DECOMPOSE, &last_class);
    assert(count >= 0);
    return (uint32_t)utf8proc_tolower(parts[0]);
}

uint32_t text_fold(uint32_t codepoint)
{
    enum { DOTTED_CAPITAL_I = 0x130 }; /* folds to itself: "i" with a dot has two code points */
    if (codepoint < 0x80)
        return codepoint >= 'A' && codepoint <= 'Z' ? codepoint + 32 : codepoint;
    utf8proc_int32_t parts[8];
    int last_class = 0;
    utf8proc_ssize_t count = utf8proc_decompose_char((utf8proc_int32_t)codepoint, parts, 8,
                                                     UTF8PROC_CASEFOLD, &last_class);
    if (count == 1)
        return (uint32_t)parts[0];
    if (codepoint == DOTTED_CAPITAL_I)
        return codepoint;
    return (uint32_t)utf8proc_tolower((utf8proc_int32_t)codepoint);
}

bool text_is_word(uint32_t codepoint)
{
    enum { SOFT_HYPHEN = 0xAD, NON_JOINER = 0x200C, JOINER = 0x200D };
    if (codepoint < 0x80)
        return text_is_letter(codepoint) || (codepoint >= '0' && codepoint <= '9') ||
               codepoint == '_';
    if (codepoint == SOFT_HYPHEN || codepoint == NON_JOINER || codepoint == JOINER)
        return true;
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)codepoint);
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_PC;
}
