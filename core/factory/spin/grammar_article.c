#include "base/memory/array.h"
#include "base/text/ascii.h"
#include "factory/spin/spin.h"
#include "factory/text/text.h"

#include <assert.h>

/*
 * The choice of "a" or "an" depends on the sound, which English spelling does not determine.
 * Checked in this order: numbers, words spelled letter by letter, the exceptions below, the first
 * letter.
 */

struct exception {
    Str prefix;    /* lower case; applies to words with this prefix … */
    bool is_whole; /* … or only to this exact word */
    bool takes_an;
};

static const struct exception EXCEPTIONS[] = {
    {STR_INIT("hour"), false, true},     {STR_INIT("honest"), false, true},
    {STR_INIT("honor"), false, true},    {STR_INIT("honour"), false, true},
    {STR_INIT("heir"), false, true},     {STR_INIT("uninstall"), false, true},
    {STR_INIT("unin"), false, true},     {STR_INIT("unim"), false, true},
    {STR_INIT("unident"), false, true},  {STR_INIT("uni"), false, false},
    {STR_INIT("use"), false, false},     {STR_INIT("using"), true, false},
    {STR_INIT("usable"), false, false},  {STR_INIT("usage"), false, false},
    {STR_INIT("usual"), false, false},   {STR_INIT("usur"), false, false},
    {STR_INIT("util"), false, false},    {STR_INIT("utopia"), false, false},
    {STR_INIT("ubiqu"), false, false},   {STR_INIT("uranium"), false, false},
    {STR_INIT("ukulele"), false, false}, {STR_INIT("eu"), false, false},
    {STR_INIT("ewe"), false, false},     {STR_INIT("one"), true, false},
    {STR_INIT("once"), true, false},     {STR_INIT("oneself"), true, false},
    {STR_INIT("ouija"), false, false},
};

/* Acronyms that are pronounced as words. */
static const Str SPOKEN[] = {
    STR_INIT("NASA"),  STR_INIT("NATO"),  STR_INIT("FIFA"), STR_INIT("LASIK"),
    STR_INIT("RAM"),   STR_INIT("REIT"),  STR_INIT("SIM"),  STR_INIT("SWAT"),
    STR_INIT("HIPAA"), STR_INIT("NAFTA"), STR_INIT("FEMA"), STR_INIT("LAN"),
};

enum { SPELLED_MAX = 4 };

/* The first sequence of letters, or of digits with thousands separators. */
static Str first_word(Str text)
{
    size_t from = text_word_start(text);
    if (from == text.len)
        return STR_NONE;
    bool is_number = ascii_is_digit(text.data[from]);
    size_t to = from;
    while (to < text.len) {
        size_t next = to;
        uint32_t codepoint = text_next_codepoint(text, &next);
        bool belongs = is_number ? codepoint == ',' || (codepoint >= '0' && codepoint <= '9')
                                 : text_is_letter(codepoint);
        if (!belongs)
            break;
        to = next;
    }
    return str_slice(text, from, to);
}

/* eight, eighty, eight hundred …; eleven and eighteen, also before "thousand" and "million" */
static bool number_takes_an(Str number)
{
    size_t digits = 0;
    for (size_t i = 0; i < number.len; i++)
        digits += ascii_is_digit(number.data[i]) ? 1 : 0;
    bool is_eleven_or_eighteen = number.len >= 2 && number.data[0] == '1' &&
                                 (number.data[1] == '1' || number.data[1] == '8');
    return number.data[0] == '8' || (is_eleven_or_eighteen && digits % 3 == 2);
}

/* "SEO", "HVAC", the "e" of "e-bike": pronounced letter by letter. */
static bool is_spelled(Str word)
{
    if (word.len == 1)
        return word.data[0] != 'a' && word.data[0] != 'o'; /* "o'clock", "a" itself */
    if (word.len > SPELLED_MAX + 1)
        return false;
    for (size_t i = 0; i < word.len; i++)
        if (!ascii_is_upper(word.data[i]) && !(i + 1 == word.len && word.data[i] == 's'))
            return false;
    for (size_t i = 0; i < COUNT_OF(SPOKEN); i++)
        if (str_eq(word, SPOKEN[i]))
            return false;
    return true;
}

static bool letter_name_starts_with_vowel(char c)
{
    return str_find_char(STR("aefhilmnorsx"), ascii_lower(c)) >= 0;
}

static bool word_takes_an(Str word)
{
    for (size_t i = 0; i < COUNT_OF(EXCEPTIONS); i++) {
        const struct exception *e = &EXCEPTIONS[i];
        bool fits = e->is_whole ? word.len == e->prefix.len : word.len >= e->prefix.len;
        if (fits && str_eq_nocase(str_slice(word, 0, e->prefix.len), e->prefix))
            return e->takes_an;
    }
    size_t at = 0;
    uint32_t letter = text_base_letter(text_next_codepoint(word, &at));
    return letter < 0x80 && str_find_char(STR("aeiou"), (char)letter) >= 0;
}

Str grammar_article(Str text)
{
    Str word = first_word(text);
    if (word.len == 0)
        return STR("a");
    bool takes_an = false;
    if (ascii_is_digit(word.data[0]))
        takes_an = number_takes_an(word);
    else if (is_spelled(word))
        takes_an = letter_name_starts_with_vowel(word.data[0]);
    else
        takes_an = word_takes_an(word);
    return takes_an ? STR("an") : STR("a");
}
