#include "factory/spin/spin.h"
#include "factory/text/text.h"

#include <assert.h>

enum { LOOK_BACK_MAX = 256 };

static const Str FORM_NAMES[GRAMMAR_FORM_COUNT] = {
    [GRAMMAR_PRONOUN] = STR_INIT("pronoun"),
    [GRAMMAR_PPRONOUN] = STR_INIT("ppronoun"),
    [GRAMMAR_POSPRONOUN] = STR_INIT("pospronoun"),
    [GRAMMAR_ISARE] = STR_INIT("isare"),
    [GRAMMAR_HAS_HAVE] = STR_INIT("has_have"),
    [GRAMMAR_DOES_DO] = STR_INIT("does_do"),
    [GRAMMAR_A_AN] = STR_INIT("a_an"),
    [GRAMMAR_CAP] = STR_INIT("cap"),
};

static const struct grammar_variant VARIANTS[] = {
    [GRAMMAR_NEUTRAL] = {.words = {[GRAMMAR_PRONOUN] = STR_INIT("they"),
                                   [GRAMMAR_PPRONOUN] = STR_INIT("them"),
                                   [GRAMMAR_POSPRONOUN] = STR_INIT("their"),
                                   [GRAMMAR_ISARE] = STR_INIT("are"),
                                   [GRAMMAR_HAS_HAVE] = STR_INIT("have"),
                                   [GRAMMAR_DOES_DO] = STR_INIT("do")}},
    [GRAMMAR_MALE] = {.words = {[GRAMMAR_PRONOUN] = STR_INIT("he"),
                                [GRAMMAR_PPRONOUN] = STR_INIT("him"),
                                [GRAMMAR_POSPRONOUN] = STR_INIT("his"),
                                [GRAMMAR_ISARE] = STR_INIT("is"),
                                [GRAMMAR_HAS_HAVE] = STR_INIT("has"),
                                [GRAMMAR_DOES_DO] = STR_INIT("does")}},
    [GRAMMAR_FEMALE] = {.words = {[GRAMMAR_PRONOUN] = STR_INIT("she"),
                                  [GRAMMAR_PPRONOUN] = STR_INIT("her"),
                                  [GRAMMAR_POSPRONOUN] = STR_INIT("her"),
                                  [GRAMMAR_ISARE] = STR_INIT("is"),
                                  [GRAMMAR_HAS_HAVE] = STR_INIT("has"),
                                  [GRAMMAR_DOES_DO] = STR_INIT("does")}},
};

const struct grammar_variant *grammar_variant(enum grammar_gender gender)
{
    assert(gender <= GRAMMAR_FEMALE);
    return &VARIANTS[gender];
}

enum grammar_gender grammar_gender(Str name)
{
    if (str_eq_nocase(name, STR("male")))
        return GRAMMAR_MALE;
    return str_eq_nocase(name, STR("female")) ? GRAMMAR_FEMALE : GRAMMAR_NEUTRAL;
}

enum grammar_form grammar_form(Str name)
{
    for (int form = GRAMMAR_NONE + 1; form < GRAMMAR_FORM_COUNT; form++)
        if (str_eq_nocase(name, FORM_NAMES[form]))
            return (enum grammar_form)form;
    return GRAMMAR_NONE;
}

Str grammar_form_name(enum grammar_form form)
{
    assert(form < GRAMMAR_FORM_COUNT);
    return FORM_NAMES[form];
}

void grammar_capitalise(struct buf *out, size_t from)
{
    assert(from <= out->len);
    size_t at = from + text_word_start(str_slice(buf_str(out), from, out->len));
    if (at < out->len)
        text_capitalise_at(out->data + at, out->len - at);
}

/* The position of the '<' of the tag that ends at text[end - 1]; `end` if there is none nearby. */
static size_t tag_start(Str text, size_t end)
{
    assert(end > 0 && text.data[end - 1] == '>');
    size_t floor = end > LOOK_BACK_MAX ? end - LOOK_BACK_MAX : 0;
    for (size_t i = end - 1; i-- > floor;)
        if (text.data[i] == '<')
            return i;
    return end;
}

/* A full stop after a single letter does not end a sentence: "e.g.", "U.S.". */
static bool is_abbreviation(Str text, size_t stop)
{
    if (text.data[stop] != '.' || stop == 0)
        return false;
    bool is_one = stop == 1 || text.data[stop - 2] == '.' || text.data[stop - 2] == ' ';
    return is_one && text_is_letter((unsigned char)text.data[stop - 1]);
}

static bool is_skipped(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '"' || c == '\'' || c == '(';
}

bool grammar_starts_sentence(Str text)
{
    bool saw_gap = false;
    size_t end = text.len;
    while (end > 0 && text.len - end < LOOK_BACK_MAX) {
        char c = text.data[end - 1];
        if (c == '>') {
            size_t start = tag_start(text, end);
            if (start == end)
                return false;
            struct html_scan scan = html_scan(str_slice(text, start, end));
            if (!html_is_inline(html_next(&scan).tag))
                return true; /* a block, a list item or a line break starts a sentence */
            end = start;
        } else if (is_skipped(c)) {
            saw_gap = saw_gap || c == ' ' || c == '\n';
            end--;
        } else {
            return saw_gap && (c == '.' || c == '!' || c == '?') && !is_abbreviation(text, end - 1);
        }
    }
    return end == 0;
}
