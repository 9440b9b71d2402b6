/*
 * A text in YAML: plain where no reader can take it for anything else, else in single quotes;
 * several lines as a literal block, long ones folded; what YAML can't print in double quotes.
 */
#include "base/memory/array.h"
#include "base/text/ascii.h"
#include "base/text/utf8.h"
#include "server/rest/export.h"

#include <assert.h>

enum { LINE_WIDTH = 80, LINE_WIDTH_MIN = 40 };

static bool is_word(Str text, const char *words)
{
    Str rest = str_from_z(words);
    Str word;
    while (str_next(&rest, ' ', &word))
        if (str_eq(word, text))
            return true;
    return false;
}

static size_t digits_at(Str text, size_t at, const char *digits)
{
    size_t from = at;
    while (at < text.len && strchr(digits, text.data[at]) != NULL && text.data[at] != '\0')
        at++;
    return at - from;
}

/* 12, 0x1f, 1_000, 1.5e3, .5, 10:20 */
static bool is_number(Str text)
{
    size_t at = text.len > 0 && (text.data[0] == '-' || text.data[0] == '+');
    Str rest = str_slice(text, at, text.len);
    static const struct {
        const char *prefix;
        const char *digits;
    } BASES[] = {{"0x", "0123456789abcdefABCDEF_"}, {"0o", "01234567_"}, {"0b", "01_"}};
    for (size_t i = 0; i < COUNT_OF(BASES); i++)
        if (str_starts_with(rest, str_from_z(BASES[i].prefix)) && rest.len > 2)
            return 2 + digits_at(rest, 2, BASES[i].digits) == rest.len;
    size_t whole = digits_at(rest, 0, "0123456789_");
    if (whole > 0 && rest.data[0] == '_')
        return false;
    if (whole == rest.len)
        return whole > 0;
    if (rest.data[whole] == ':') /* 10:20:30, which older readers take for a number */
        return whole > 0 && digits_at(rest, 0, "0123456789_:.") == rest.len;
    size_t fraction = 0;
    at = whole;
    if (rest.data[at] == '.') {
        fraction = digits_at(rest, at + 1, "0123456789_");
        at += 1 + fraction;
    }
    if (whole + fraction == 0)
        return false;
    if (at < rest.len && (rest.data[at] | 0x20) == 'e') {
        at++;
        at += at < rest.len && (rest.data[at] == '-' || rest.data[at] == '+');
        size_t exponent = digits_at(rest, at, "0123456789");
        return exponent > 0 && at + exponent == rest.len;
    }
    return at == rest.len;
}

/* 2024-02-29, 2024-02-29T10:20:30Z */
static bool is_moment(Str text)
{
    static const char SHAPE[] = "dddd-dd-dd";
    if (text.len < sizeof SHAPE - 1)
        return false;
    for (size_t i = 0; i < sizeof SHAPE - 1; i++)
        if (SHAPE[i] == 'd' ? !ascii_is_digit(text.data[i]) : text.data[i] != SHAPE[i])
            return false;
    Str time = str_slice(text, sizeof SHAPE - 1, text.len);
    ptrdiff_t colon = str_find_char(time, ':');
    bool has_seconds =
        colon >= 0 && str_find_char(str_slice(time, (size_t)colon + 1, time.len), ':') >= 0;
    return time.len == 0 || (has_seconds && digits_at(time, 0, "0123456789:.+- \tTtZ") == time.len);
}

static bool is_ambiguous(Str text)
{
    return is_word(
               text,
               "~ null Null NULL true True TRUE false False FALSE << .nan .NaN .NAN "
               ".inf .Inf .INF -.inf -.Inf -.INF +.inf +.Inf +.INF y Y yes Yes YES on On ON n N "
               "no No NO off Off OFF") ||
           is_number(text) || is_moment(text);
}

/* Printable in YAML; line breaks are judged by the caller. */
static bool is_printable(const unsigned char *s, size_t step)
{
    if (step == 0)
        return false;
    if (step == 1)
        return s[0] >= ' ' && s[0] < 0x7F;
    if (step == 2)
        return s[0] > 0xC2 || s[1] > 0xA0;
    bool is_separator = s[0] == 0xE2 && s[1] == 0x80 && (s[2] == 0xA8 || s[2] == 0xA9);
    bool is_unusable =
        s[0] == 0xEF && ((s[1] == 0xBB && s[2] == 0xBF) || (s[1] == 0xBF && s[2] >= 0xBE));
    return step == 4 || (!is_separator && !is_unusable);
}

struct look {
    bool is_plain;
    bool is_printable;
    bool has_breaks;
    bool is_long; /* a line that can be folded */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Whether `c`, between its neighbours, may stand in a plain scalar. */
static bool is_plain_at(Str text, size_t i)
{
    char c = text.data[i];
    if (c == ':')
        return i + 1 < text.len && !is_blank(text.data[i + 1]);
    return c != '#' || (i > 0 && !is_blank(text.data[i - 1]));
}

static struct look look_at(Str text, uint32_t width)
{
    struct look look = {.is_plain = !is_blank(text.data[0]) && !is_blank(text.data[text.len - 1]) &&
                                    strchr("-?:,[]{}#&*!|=>'\"%@`", text.data[0]) == NULL,
                        .is_printable = true};
    size_t start = 0;
    size_t characters = 0;
    for (size_t i = 0; i < text.len;) {
        size_t step = utf8_step((const unsigned char *)text.data + i, text.len - i);
        bool is_break = text.data[i] == '\n';
        if (!is_break && !is_printable((const unsigned char *)text.data + i, step))
            look.is_printable = false;
        look.is_plain &= is_break || is_plain_at(text, i);
        look.has_breaks |= is_break;
        characters =
            is_break ? 0 : characters + (step == 4 ? 2 : 1); /* UTF-16, as JavaScript counts */
        start = is_break ? i + 1 : start;
        i += step == 0 ? 1 : step;
        if (characters > width && text.data[start] != ' ')
            look.is_long = true;
    }
    return look;
}

static void put_single(struct buf *out, Str text)
{
    buf_put_char(out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\'')
            buf_put_char(out, '\'');
        buf_put_char(out, text.data[i]);
    }
    buf_put_char(out, '\'');
}

static unsigned code_point(const unsigned char *s, size_t step)
{
    static const unsigned char FIRST[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    if (step == 0)
        return s[0];
    unsigned code = s[0] & FIRST[step];
    for (size_t i = 1; i < step; i++)
        code = code << 6 | (s[i] & 0x3F);
    return code;
}

static void put_escape(struct buf *out, unsigned code)
{
    static const struct {
        unsigned code;
        char letter;
    } SHORT[] = {{0, '0'},     {7, 'a'},    {8, 'b'},    {9, 't'},      {10, 'n'},
                 {11, 'v'},    {12, 'f'},   {13, 'r'},   {27, 'e'},     {'"', '"'},
                 {'\\', '\\'}, {0x85, 'N'}, {0xA0, '_'}, {0x2028, 'L'}, {0x2029, 'P'}};
    for (size_t i = 0; i < COUNT_OF(SHORT); i++) {
        if (code == SHORT[i].code) {
            buf_printf(out, "\\%c", SHORT[i].letter);
            return;
        }
    }
    buf_printf(out, code > 0xFF ? "\\u%04X" : "\\x%02X", code);
}

static void put_double(struct buf *out, Str text)
{
    buf_put_char(out, '"');
    for (size_t i = 0; i < text.len;) {
        const unsigned char *s = (const unsigned char *)text.data + i;
        size_t step = utf8_step(s, text.len - i);
        if (*s != '"' && *s != '\\' && is_printable(s, step))
            buf_put(out, str_slice(text, i, i + step));
        else
            put_escape(out, code_point(s, step));
        i += step == 0 ? 1 : step;
    }
    buf_put_char(out, '"');
}

static void put_indent(struct buf *out, uint32_t indent)
{
    buf_put_char(out, '\n');
    for (uint32_t i = 0; i < indent; i++)
        buf_put_char(out, ' ');
}

/* Breaks one line at spaces, so that its parts have at most `width` characters where that is
 * possible. */
static void put_folded_line(struct buf *out, Str line, uint32_t width, uint32_t indent)
{
    size_t start = 0;
    size_t last = 0; /* the last space that still fits */
    size_t characters = 0;
    for (size_t i = 0; i < line.len && line.data[0] != ' '; i++) {
        bool is_place = line.data[i] == ' ' && i > 0 && i + 1 < line.len &&
                        line.data[i + 1] != ' ' && line.data[i - 1] != ' ';
        if (is_place && characters > width && last > start) {
            buf_put(out, str_slice(line, start, last));
            put_indent(out, indent);
            start = last + 1;
            characters = i - start;
        }
        if (is_place)
            last = i;
        characters += ((unsigned char)line.data[i] & 0xC0) != 0x80;
    }
    if (characters > width && last > start) {
        buf_put(out, str_slice(line, start, last));
        put_indent(out, indent);
        start = last + 1;
    }
    buf_put(out, str_slice(line, start, line.len));
}

static void put_block(struct buf *out, Str text, uint32_t width, uint32_t indent, bool is_folded)
{
    bool ends_with_break = str_ends_with(text, STR("\n"));
    bool keeps_more = ends_with_break && (text.len == 1 || text.data[text.len - 2] == '\n');
    buf_put_char(out, is_folded ? '>' : '|');
    if (text.data[0] == ' ')
        buf_put_char(out, '2'); /* the first line has spaces of its own */
    if (keeps_more || !ends_with_break)
        buf_put_char(out, keeps_more ? '+' : '-');
    Str rest = ends_with_break ? str_slice(text, 0, text.len - 1) : text;
    Str line;
    bool was_indented = true;
    for (bool is_first = true; str_next(&rest, '\n', &line); is_first = false) {
        bool is_indented = line.len == 0 || line.data[0] == ' ';
        if (is_folded && !is_first && !was_indented && !is_indented)
            buf_put_char(out, '\n');
        if (line.len == 0) {
            buf_put_char(out, '\n');
        } else {
            put_indent(out, indent);
            if (is_folded)
                put_folded_line(out, line, width, indent);
            else
                buf_put(out, line);
        }
        was_indented = is_indented;
    }
}

void yaml_put_text(struct buf *out, Str text, uint32_t indent, bool is_key)
{
    if (text.len == 0) {
        buf_put(out, STR("''"));
        return;
    }
    uint32_t most = indent + LINE_WIDTH_MIN > LINE_WIDTH ? LINE_WIDTH_MIN : LINE_WIDTH - indent;
    struct look look = look_at(text, most);
    bool is_block = !is_key && (look.has_breaks || look.is_long);
    if (!look.is_printable || (is_key && look.has_breaks))
        put_double(out, text);
    else if (is_block)
        put_block(out, text, most, indent, look.is_long);
    else if (look.is_plain && !is_ambiguous(text))
        buf_put(out, text);
    else
        put_single(out, text);
}
