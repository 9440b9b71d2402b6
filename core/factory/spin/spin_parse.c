#include "base/memory/map.h"
#include "base/system/ctx.h"
#include "factory/spin/spin_tree.h"

#include <assert.h>

/* Builds the tree from paired lexemes; this cannot fail. */
struct builder {
    struct arena *arena;
    struct spin *spin;
    struct spin_lexemes lexemes;
    struct spin_node *tail; /* last node of the current sequence; NULL: none */
    struct map *seen;       /* names → struct spin_name */
    uint32_t at;
};

static void build_sequence(struct builder *builder, struct spin_option *option, uint32_t depth);

uint32_t spin_position(Str text, size_t offset)
{
    return (uint32_t)str_count_codepoints(str_slice(text, 0, offset)) + 1;
}

void spin_note_add(struct spin *spin, enum spin_note_kind kind, size_t offset)
{
    if (spin->note_count < SPIN_NOTES_MAX)
        spin->notes[spin->note_count++] =
            (struct spin_note){kind, spin_position(spin->text, offset)};
}

const char *spin_note_text(enum spin_note_kind kind)
{
    switch (kind) {
    case SPIN_NOTE_EMPTY_OPTION:
        return "an option is empty";
    case SPIN_NOTE_STRAY_PIPE:
        return "a '|' stands outside braces";
    case SPIN_NOTE_PLAIN_BRACES:
        return "braces hold neither options nor a name and stay as they are";
    }
    return "";
}

static struct spin *spin_new(struct arena *arena, Str text)
{
    struct spin *spin = arena_new(arena, struct spin);
    spin->text = str_dup(arena, text);
    return spin;
}

static void build(struct arena *arena, struct spin *spin, struct spin_lexemes lexemes)
{
    struct builder builder = {
        .arena = arena, .spin = spin, .lexemes = lexemes, .seen = map_in_arena(arena)};
    uint32_t names_max = 0;
    for (uint32_t i = 0; i < lexemes.count; i++)
        names_max += lexemes.items[i].kind == LEX_VAR || lexemes.items[i].kind == LEX_TOKEN ||
                     lexemes.items[i].kind == LEX_TOKEN_OPEN;
    spin->names = arena_array(arena, struct spin_name, names_max);
    build_sequence(&builder, &spin->root, 0);
    assert(builder.at == lexemes.count);
}

static Err refuse(struct ctx *ctx, Str text, struct spin_fault fault)
{
    uint32_t position = spin_position(text, fault.offset);
    Err err = fail(ctx, ERR_INVALID_SPINTAX, "Invalid spintax: %s (character %u).", fault.sentence,
                   position);
    fail_note_json(ctx, "position", str_printf(ctx->arena, "%u", position));
    return err;
}

Err spin_parse(struct ctx *ctx, Str text, const struct spin **ret)
{
    assert(ctx != NULL && ret != NULL);
    if (text.len > SPIN_TEMPLATE_MAX)
        return refuse(ctx, text,
                      (struct spin_fault){"it is longer than 64 KiB", SPIN_TEMPLATE_MAX});
    if (!str_is_utf8(text))
        return refuse(ctx, STR(""), (struct spin_fault){"it is not valid UTF-8", 0});

    struct spin *spin = spin_new(ctx->arena, text);
    struct spin_lexemes lexemes = spin_lex(ctx->arena, spin);
    if (lexemes.fault.sentence != NULL)
        return refuse(ctx, text, lexemes.fault);
    build(ctx->arena, spin, lexemes);
    *ret = spin;
    return OK;
}

const struct spin *spin_parse_lenient(struct arena *arena, Str text)
{
    assert(arena != NULL);
    struct spin *spin = spin_new(arena, text);
    if (text.len > SPIN_TEMPLATE_MAX) {
        struct spin_lexeme whole = {.kind = LEX_TEXT, .len = (uint32_t)text.len};
        build(arena, spin, (struct spin_lexemes){.items = &whole, .count = 1});
    } else {
        build(arena, spin, spin_lex(arena, spin));
    }
    return spin;
}

uint32_t spin_parts(const struct spin *spin)
{
    return spin->part_count;
}

Str spin_source(const struct spin *spin)
{
    return spin->text;
}

uint32_t spin_notes(const struct spin *spin, const struct spin_note **ret)
{
    *ret = spin->notes;
    return spin->note_count;
}

uint32_t spin_names(const struct spin *spin, const struct spin_name **ret)
{
    *ret = spin->names;
    return spin->name_count;
}

static struct spin_node *append(struct builder *builder, struct spin_option *option,
                                enum spin_kind kind, struct spin_lexeme lexeme)
{
    struct spin_node *node = arena_new(builder->arena, struct spin_node);
    node->kind = kind;
    node->id = builder->spin->node_count++;
    builder->spin->part_count += kind != SPIN_LITERAL;
    node->text = str_slice(builder->spin->text, lexeme.offset, (size_t)lexeme.offset + lexeme.len);
    node->previous = option->last;
    if (builder->tail != NULL && option->last != NULL)
        builder->tail->next = node;
    else
        option->first = node;
    option->last = node;
    builder->tail = node;
    return node;
}

/* Records a variable of the template; it is required unless every occurrence has a default. */
static void record_name(struct builder *builder, const struct spin_node *node)
{
    struct spin_name *name = map_get(builder->seen, node->name);
    if (name == NULL) {
        name = &builder->spin->names[builder->spin->name_count++];
        name->name = node->name;
        (void)map_put(builder->seen, node->name, name);
    }
    name->is_required = name->is_required || !node->has_fallback;
}

static void build_literal(struct builder *builder, struct spin_option *option,
                          struct spin_lexeme lexeme)
{
    struct spin_node *last = option->last != NULL ? builder->tail : NULL;
    if (last != NULL && last->kind == SPIN_LITERAL)
        last->text.len += lexeme.len; /* lexemes are contiguous */
    else
        (void)append(builder, option, SPIN_LITERAL, lexeme);
}

static void build_var(struct builder *builder, struct spin_option *option,
                      struct spin_lexeme lexeme)
{
    struct spin_node *node = append(builder, option, SPIN_VAR, lexeme);
    size_t braces = node->text.data[1] == '{' ? 2 : 1;
    Str inside = str_slice(node->text, braces, node->text.len - braces);
    ptrdiff_t pipe = str_find_char(inside, '|');
    node->has_fallback = pipe >= 0;
    if (pipe >= 0)
        node->fallback = str_slice(inside, (size_t)pipe + 1, inside.len);
    node->name = str_lower(builder->arena, pipe >= 0 ? str_slice(inside, 0, (size_t)pipe) : inside);
    record_name(builder, node);
}

/* Builds a group of `count` sequences; skips the lexeme that ends each. */
static void build_options(struct builder *builder, struct spin_node *node, uint32_t count,
                          uint32_t depth)
{
    struct spin_option *options = arena_array(builder->arena, struct spin_option, count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t begins_at = builder->at;
        build_sequence(builder, &options[i], depth + 1);
        if (options[i].first == NULL && node->kind == SPIN_ALT)
            spin_note_add(builder->spin, SPIN_NOTE_EMPTY_OPTION,
                          builder->lexemes.items[begins_at].offset);
        assert(builder->at < builder->lexemes.count);
        builder->at++;
    }
    node->options = options;
    node->option_count = count;
    builder->tail = node;
}

static void build_token(struct builder *builder, struct spin_option *option,
                        struct spin_lexeme lexeme, uint32_t depth)
{
    struct spin_node *node = append(builder, option, SPIN_TOKEN, lexeme);
    Str name = str_slice(node->text, 2, node->text.len);
    node->name = str_lower(builder->arena, str_slice(name, 0, spin_ident_len(name)));
    node->form = grammar_form(node->name);
    if (node->form == GRAMMAR_NONE)
        record_name(builder, node);
    if (lexeme.kind != LEX_TOKEN_OPEN)
        return;

    build_options(builder, node, 1, depth);
    struct spin_lexeme closer = builder->lexemes.items[builder->at - 1];
    node->text.len = (size_t)closer.offset + closer.len - lexeme.offset;
}

static void build_alt(struct builder *builder, struct spin_option *option,
                      struct spin_lexeme lexeme, uint32_t depth)
{
    struct spin_node *node = append(builder, option, SPIN_ALT, lexeme);
    build_options(builder, node, lexeme.partner + 1, depth);
}

static void build_sequence(struct builder *builder, struct spin_option *option, uint32_t depth)
{
    assert(depth <= SPIN_DEPTH_MAX);
    option->id = builder->spin->option_count++;
    while (builder->at < builder->lexemes.count) {
        struct spin_lexeme lexeme = builder->lexemes.items[builder->at];
        if (lexeme.kind == LEX_PIPE || lexeme.kind == LEX_CLOSE || lexeme.kind == LEX_TOKEN_CLOSE)
            return;
        builder->at++;
        if (lexeme.kind == LEX_TEXT)
            build_literal(builder, option, lexeme);
        else if (lexeme.kind == LEX_VAR)
            build_var(builder, option, lexeme);
        else if (lexeme.kind == LEX_OPEN)
            build_alt(builder, option, lexeme, depth);
        else
            build_token(builder, option, lexeme, depth);
    }
}
