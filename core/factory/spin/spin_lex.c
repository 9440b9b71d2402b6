#include "factory/spin/spin_tree.h"

#include <assert.h>

/*
 * One pass with a stack of open groups. A closed group is an alternation if it has a pipe,
 * otherwise plain text; an unclosed group is an error, and plain text for lenient parsing.
 */

struct frame {
    uint32_t lexeme; /* its opening lexeme */
    uint32_t last_pipe;
    uint32_t pipes;
    bool is_token;
    bool is_too_deep; /* stays text, but its closing brace must be found */
};

struct lexer {
    Str text;
    struct spin *spin;
    struct spin_lexemes out;
    struct frame *frames;
    uint32_t depth;
    uint32_t open_braces;
};

static void fault(struct lexer *lexer, const char *sentence, uint32_t offset)
{
    if (lexer->out.fault.sentence == NULL)
        lexer->out.fault = (struct spin_fault){sentence, offset};
}

size_t spin_ident_len(Str s)
{
    if (s.len == 0 || !spin_is_ident_start(s.data[0]))
        return 0;
    size_t len = 1;
    while (len < s.len && spin_is_ident(s.data[len]))
        len++;
    return len;
}

static bool has_at(Str s, size_t at, char c)
{
    return at < s.len && s.data[at] == c;
}

/* "{NAME}", "{{NAME}}" or "{{NAME|default}}" at the start of `s`; 0 if it is none of them. */
static size_t var_len(Str s)
{
    bool is_double = has_at(s, 1, '{');
    size_t at = is_double ? 2 : 1;
    size_t ident = spin_ident_len(str_slice(s, at, s.len));
    if (ident == 0)
        return 0;
    at += ident;
    if (!is_double)
        return has_at(s, at, '}') ? at + 1 : 0;
    if (has_at(s, at, '|'))
        for (at++; at < s.len && str_find_char(STR("{}|"), s.data[at]) < 0;)
            at++;
    return has_at(s, at, '}') && has_at(s, at + 1, '}') ? at + 2 : 0;
}

/* "[[NAME]]" or "[[NAME:" at the start of `s`; 0 if it is neither. */
static size_t token_len(Str s, bool *ret_is_whole)
{
    if (!has_at(s, 1, '['))
        return 0;
    size_t at = 2 + spin_ident_len(str_slice(s, 2, s.len));
    if (at == 2)
        return 0;
    *ret_is_whole = has_at(s, at, ']') && has_at(s, at + 1, ']');
    if (*ret_is_whole)
        return at + 2;
    return has_at(s, at, ':') ? at + 1 : 0;
}

static uint32_t emit(struct lexer *lexer, enum spin_lexeme_kind kind, size_t offset, size_t len)
{
    lexer->out.items[lexer->out.count] = (struct spin_lexeme){
        .kind = kind, .offset = (uint32_t)offset, .len = (uint32_t)len, .partner = LEX_NONE};
    return lexer->out.count++;
}

static void push(struct lexer *lexer, uint32_t opener, bool is_token)
{
    bool is_too_deep = lexer->depth >= SPIN_DEPTH_MAX;
    if (is_too_deep) {
        fault(lexer, "groups are nested deeper than 16", lexer->out.items[opener].offset);
        lexer->out.items[opener].kind = LEX_TEXT;
    }
    lexer->frames[lexer->depth++] = (struct frame){
        .lexeme = opener, .last_pipe = LEX_NONE, .is_token = is_token, .is_too_deep = is_too_deep};
    lexer->open_braces += is_token ? 0 : 1;
}

/* Turns the opening brace of the frame and its pipes into text. */
static void make_plain(struct lexer *lexer, const struct frame *frame)
{
    lexer->out.items[frame->lexeme].kind = LEX_TEXT;
    for (uint32_t pipe = frame->last_pipe; pipe != LEX_NONE;) {
        struct spin_lexeme *lexeme = &lexer->out.items[pipe];
        lexeme->kind = LEX_TEXT;
        pipe = lexeme->partner;
    }
}

static struct frame pop(struct lexer *lexer)
{
    assert(lexer->depth > 0);
    struct frame frame = lexer->frames[--lexer->depth];
    lexer->open_braces -= frame.is_token ? 0 : 1;
    return frame;
}

static void pop_unclosed(struct lexer *lexer)
{
    struct frame frame = pop(lexer);
    fault(lexer, frame.is_token ? "'[[' is never closed" : "'{' is never closed",
          lexer->out.items[frame.lexeme].offset);
    make_plain(lexer, &frame);
}

static void close_group(struct lexer *lexer, const struct frame *frame, uint32_t closer)
{
    struct spin_lexeme *opener = &lexer->out.items[frame->lexeme];
    if (frame->pipes == 0)
        spin_note_add(lexer->spin, SPIN_NOTE_PLAIN_BRACES, opener->offset);
    if (frame->pipes >= SPIN_OPTIONS_MAX)
        fault(lexer, "a group has more than 256 options", opener->offset);
    if (frame->is_too_deep || frame->pipes == 0 || frame->pipes >= SPIN_OPTIONS_MAX) {
        make_plain(lexer, frame);
        return;
    }
    opener->partner = frame->pipes;
    lexer->out.items[closer].kind = LEX_CLOSE;
}

static void lex_close_brace(struct lexer *lexer, size_t at)
{
    uint32_t closer = emit(lexer, LEX_TEXT, at, 1);
    if (lexer->open_braces == 0) {
        fault(lexer, "'}' closes nothing", (uint32_t)at);
        return;
    }
    while (lexer->frames[lexer->depth - 1].is_token)
        pop_unclosed(lexer); /* a token cannot end outside the group in which it started */
    struct frame frame = pop(lexer);
    close_group(lexer, &frame, closer);
}

static size_t lex_open_brace(struct lexer *lexer, Str rest, size_t at)
{
    size_t len = var_len(rest);
    if (len > 0) {
        (void)emit(lexer, LEX_VAR, at, len);
        return len;
    }
    push(lexer, emit(lexer, LEX_OPEN, at, 1), false);
    return 1;
}

static void lex_pipe(struct lexer *lexer, size_t at)
{
    struct frame *frame = lexer->depth > 0 ? &lexer->frames[lexer->depth - 1] : NULL;
    bool is_choice = frame != NULL && !frame->is_token;
    if (!is_choice)
        spin_note_add(lexer->spin, SPIN_NOTE_STRAY_PIPE, at);
    uint32_t pipe = emit(lexer, is_choice ? LEX_PIPE : LEX_TEXT, at, 1);
    if (is_choice) {
        lexer->out.items[pipe].partner = frame->last_pipe;
        frame->last_pipe = pipe;
        frame->pipes++;
    }
}

/* Brackets that do not start a token are text, one byte at a time: "[[[NAME]]" contains a token. */
static size_t lex_bracket(struct lexer *lexer, Str rest, size_t at)
{
    bool is_whole = false;
    size_t len = rest.data[0] == '[' ? token_len(rest, &is_whole) : 0;
    bool closes = rest.data[0] == ']' && has_at(rest, 1, ']') && lexer->depth > 0 &&
                  lexer->frames[lexer->depth - 1].is_token;
    if (closes) {
        struct frame frame = pop(lexer);
        (void)emit(lexer, frame.is_too_deep ? LEX_TEXT : LEX_TOKEN_CLOSE, at, 2);
        return 2;
    }
    if (len == 0) {
        (void)emit(lexer, LEX_TEXT, at, 1);
        return 1;
    }
    uint32_t lexeme = emit(lexer, is_whole ? LEX_TOKEN : LEX_TOKEN_OPEN, at, len);
    if (!is_whole)
        push(lexer, lexeme, true);
    return len;
}

static size_t plain_len(Str rest)
{
    size_t len = 1;
    while (len < rest.len && str_find_char(STR("{}|[]"), rest.data[len]) < 0)
        len++;
    return len;
}

static size_t lex_one(struct lexer *lexer, size_t at)
{
    Str rest = str_slice(lexer->text, at, lexer->text.len);
    switch (rest.data[0]) {
    case '{':
        return lex_open_brace(lexer, rest, at);
    case '}':
        lex_close_brace(lexer, at);
        return 1;
    case '|':
        lex_pipe(lexer, at);
        return 1;
    case '[':
    case ']':
        return lex_bracket(lexer, rest, at);
    default: {
        size_t len = plain_len(rest);
        (void)emit(lexer, LEX_TEXT, at, len);
        return len;
    }
    }
}

/* Upper bound: in the worst case, lexemes alternate with single special bytes. */
static size_t lexemes_max(Str text, size_t *ret_openers)
{
    size_t specials = 0;
    *ret_openers = 0;
    for (size_t i = 0; i < text.len; i++) {
        specials += str_find_char(STR("{}|[]"), text.data[i]) >= 0 ? 1 : 0;
        *ret_openers += text.data[i] == '{' || text.data[i] == '[' ? 1 : 0;
    }
    return 2 * specials + 1;
}

struct spin_lexemes spin_lex(struct arena *arena, struct spin *spin)
{
    assert(spin->text.len <= SPIN_TEMPLATE_MAX);
    size_t openers;
    size_t max = lexemes_max(spin->text, &openers);
    struct lexer lexer = {
        .text = spin->text,
        .spin = spin,
        .out.items = arena_array(arena, struct spin_lexeme, max),
        .frames = arena_array(arena, struct frame, openers + 1),
    };
    for (size_t at = 0; at < spin->text.len;)
        at += lex_one(&lexer, at);
    while (lexer.depth > 0)
        pop_unclosed(&lexer);
    assert(lexer.out.count <= max);
    return lexer.out;
}
