#include "factory/duplicates/shingle_words.h"

#include "base/json/json.h"
#include "base/text/ascii.h"
#include "factory/text/text.h"

#include <assert.h>

enum { SHORT_LETTERS_MAX = 2 };
#define HASH_START UINT64_C(0xCBF29CE484222325)
#define HASH_STEP UINT64_C(0x100000001B3)
#define MASK_HASH UINT64_C(0x6D61736B6D61736B) /* the one word that all values become */

/* Reading */

struct reader {
    char *out;
    size_t len;
    uint64_t hash;
    struct shingle_word *words;
    uint32_t count;
    uint32_t max;
    uint32_t letters; /* of the current word; 0: none */
    size_t start;
};

static void end_word(struct reader *r)
{
    if (r->letters == 0)
        return;
    r->words[r->count++] = (struct shingle_word){
        .hash = shingle_mix(r->hash),
        .start = (uint32_t)r->start,
        .len = (uint32_t)(r->len - r->start),
        .letters = r->letters,
    };
    r->out[r->len++] = ' ';
    r->letters = 0;
}

static void put_letter(struct reader *r, const char *bytes, size_t len)
{
    if (r->letters++ == 0) {
        r->start = r->len;
        r->hash = HASH_START;
    }
    for (size_t i = 0; i < len; i++) {
        r->out[r->len++] = bytes[i];
        r->hash = (r->hash ^ (unsigned char)bytes[i]) * HASH_STEP;
    }
}

/* The letter or digit in lower case; 0: a separator. */
static char ascii_letter(char c)
{
    return ascii_is_alnum(c) ? ascii_lower(c) : '\0';
}

/* Combining marks and invisible characters. */
static bool is_silent(uint32_t codepoint)
{
    return (codepoint >= 0x300 && codepoint <= 0x36F) || codepoint == 0xAD ||
           (codepoint >= 0x200B && codepoint <= 0x200D) || codepoint == 0x2060;
}

static size_t encode(uint32_t codepoint, char *bytes)
{
    if (codepoint < 0x80) {
        bytes[0] = (char)codepoint;
        return 1;
    }
    size_t len = codepoint < 0x800 ? 2 : codepoint < 0x10000 ? 3 : 4;
    static const unsigned char LEADS[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = len - 1; i > 0; i--) {
        bytes[i] = (char)(0x80 | (codepoint & 0x3F));
        codepoint >>= 6;
    }
    bytes[0] = (char)(LEADS[len] | codepoint);
    return len;
}

static void put_codepoint(struct reader *r, uint32_t codepoint)
{
    if (is_silent(codepoint))
        return;
    char bytes[4] = {0};
    if (codepoint < 0x80) {
        bytes[0] = ascii_letter((char)codepoint);
        if (bytes[0] == 0)
            end_word(r);
        else
            put_letter(r, bytes, 1);
    } else if (!text_is_letter(codepoint)) {
        end_word(r);
    } else {
        put_letter(r, bytes, encode(text_base_letter(codepoint), bytes));
    }
}

static void put_text(struct reader *r, Str text)
{
    for (size_t at = 0; at < text.len && r->count < r->max;) {
        char c = text.data[at];
        if ((unsigned char)c >= 0x80) {
            put_codepoint(r, text_next_codepoint(text, &at));
            continue;
        }
        at++;
        char letter = ascii_letter(c);
        if (letter == 0)
            end_word(r);
        else
            put_letter(r, &letter, 1);
    }
}

static void read_html(struct reader *r, Str html)
{
    struct html_scan scan = html_scan(html);
    for (struct html_piece piece = html_next(&scan); piece.kind != HTML_END && r->count < r->max;
         piece = html_next(&scan)) {
        if (piece.kind == HTML_TEXT)
            put_text(r, piece.source);
        else if (piece.kind == HTML_ENTITY)
            put_codepoint(r, piece.codepoint);
        else
            end_word(r);
    }
    if (r->count < r->max)
        end_word(r);
}

/* Sized for the worst case: removing an accent can add at most one byte. */
static struct reader reader_make(struct arena *arena, Str html)
{
    size_t words = html.len / 2 + 1; /* a letter and a separator each */
    struct reader reader = {.max = words < SHINGLE_TEXT_WORDS_MAX ? (uint32_t)words
                                                                  : SHINGLE_TEXT_WORDS_MAX};
    reader.words = arena_alloc_raw(arena, reader.max * sizeof(struct shingle_word));
    reader.out = arena_alloc_raw(arena, html.len * 2 + 16);
    return reader;
}

/* Masks */

struct phrase {
    uint64_t words[MASK_WORDS_MAX];
    uint32_t count;
};

struct shingle_masks {
    struct arena *arena;
    const struct shingle_masks *below;
    struct phrase *phrases;
    uint32_t count;
    uint64_t openers; /* Bloom filter of the first words of phrases: most words begin none */
};

struct shingle_masks *shingle_masks_make(struct arena *arena, const struct shingle_masks *below)
{
    struct shingle_masks *masks = arena_new(arena, struct shingle_masks);
    masks->arena = arena;
    masks->below = below;
    return masks;
}

void shingle_masks_add(struct shingle_masks *masks, Str value)
{
    enum { PHRASE_BYTES_MAX = 500 };
    if (value.len == 0 || value.len > PHRASE_BYTES_MAX || masks->count == MASKS_MAX)
        return;
    struct reader reader = reader_make(masks->arena, value);
    read_html(&reader, value);
    if (reader.count == 0 || reader.count > MASK_WORDS_MAX)
        return;
    if (masks->phrases == NULL)
        masks->phrases = arena_alloc_raw(masks->arena, MASKS_MAX * sizeof(struct phrase));
    struct phrase *phrase = &masks->phrases[masks->count++];
    phrase->count = reader.count;
    for (uint32_t i = 0; i < reader.count; i++)
        phrase->words[i] = reader.words[i].hash;
    masks->openers |= UINT64_C(1) << (phrase->words[0] & 63);
}

static void add_terms(struct shingle_masks *masks, Str terms)
{
    Str term;
    while (str_next(&terms, '|', &term))
        shingle_masks_add(masks, str_trim(term));
}

void shingle_masks_add_json(struct shingle_masks *masks, const struct json *variables)
{
    for (struct json_iter it = json_iter(variables); json_next(&it);) {
        if (json_kind(it.value) == JSON_STRING)
            add_terms(masks, json_str(it.value));
        for (uint32_t i = 0; json_kind(it.value) == JSON_ARRAY && i < json_len(it.value); i++)
            if (json_kind(json_at(it.value, i)) == JSON_STRING)
                add_terms(masks, json_str(json_at(it.value, i)));
    }
}

static bool begins_with(const struct shingle_word *words, uint32_t left, const struct phrase *p)
{
    if (p->count > left)
        return false;
    for (uint32_t i = 0; i < p->count; i++)
        if (words[i].hash != p->words[i])
            return false;
    return true;
}

/* The length of the longest masked value that begins here, in words; 0: none. */
static uint32_t masked_len(const struct shingle_masks *masks, const struct shingle_word *words,
                           uint32_t left)
{
    uint32_t longest = 0;
    for (; masks != NULL; masks = masks->below) {
        if ((masks->openers >> (words[0].hash & 63) & 1) == 0)
            continue;
        for (uint32_t i = 0; i < masks->count; i++)
            if (masks->phrases[i].count > longest && begins_with(words, left, &masks->phrases[i]))
                longest = masks->phrases[i].count;
    }
    return longest;
}

/* Works in place: writing never overtakes reading. */
static uint32_t mask_and_drop(struct shingle_word *words, uint32_t count,
                              const struct shingle_masks *masks)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count;) {
        uint32_t masked = masked_len(masks, words + i, count - i);
        struct shingle_word word = words[i];
        if (masked > 0) {
            const struct shingle_word *last = &words[i + masked - 1];
            word.len = last->start + last->len - word.start;
            word.hash = MASK_HASH;
        }
        if (masked > 0 || word.letters > SHORT_LETTERS_MAX)
            words[kept++] = word;
        i += masked > 0 ? masked : 1;
    }
    return kept;
}

struct shingle_words shingle_words_read(struct arena *arena, Str html,
                                        const struct shingle_masks *masks)
{
    Str text = str_slice(html, 0, UINT32_MAX / 2 - 16); /* offsets have 32 bits */
    struct reader reader = reader_make(arena, text);
    read_html(&reader, text);
    assert(reader.len <= text.len * 2 + 16);
    return (struct shingle_words){
        .text = str_of(reader.out, reader.len),
        .list = reader.words,
        .count = mask_and_drop(reader.words, reader.count, masks),
    };
}
