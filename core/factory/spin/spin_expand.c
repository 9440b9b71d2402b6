#include "factory/spin/spin_tree.h"
#include "factory/text/text.h"

#include <assert.h>

static void walk_sequence(struct spin_walk *walk, const struct spin_option *option, uint32_t depth);

void spin_expand(const struct spin *spin, const struct spin_env *env, Random *random,
                 struct buf *out, struct buf *choices, struct spin_unresolved *unresolved)
{
    assert(spin != NULL && random != NULL);
    spin_walk(&(struct spin_walk){.env = env,
                                  .random = random,
                                  .out = out,
                                  .choices = choices,
                                  .unresolved = unresolved,
                                  .start = out->len},
              &spin->root);
}

void spin_walk(struct spin_walk *walk, const struct spin_option *root)
{
    assert(walk->env != NULL && walk->out != NULL);
    assert((walk->random == NULL) != (walk->chosen == NULL));
    walk_sequence(walk, root, 0);
}

/* Four bytes per choice, least significant first: the same on every machine. */
static void record(struct spin_walk *walk, uint32_t choice)
{
    if (walk->choices == NULL)
        return;
    char bytes[4];
    for (uint32_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)((choice >> (8 * i)) & 0xFF);
    buf_put(walk->choices, str_of(bytes, sizeof(bytes)));
}

static uint32_t choose(struct spin_walk *walk, const struct spin_node *node, uint32_t count)
{
    assert(count > 0);
    uint32_t choice =
        walk->chosen != NULL ? walk->chosen[node->id] : (uint32_t)random_below(walk->random, count);
    assert(choice < count);
    record(walk, choice);
    return choice;
}

static void report_unresolved(struct spin_unresolved *unresolved, Str name)
{
    if (unresolved == NULL || unresolved->count == SPIN_UNRESOLVED_MAX)
        return;
    for (uint32_t i = 0; i < unresolved->count; i++)
        if (str_eq(unresolved->names[i], name))
            return;
    if (unresolved->names == NULL)
        unresolved->names = arena_array(unresolved->arena, Str, SPIN_UNRESOLVED_MAX);
    unresolved->names[unresolved->count++] = str_dup(unresolved->arena, name);
}

static void put_value(struct spin_walk *walk, Str text, bool is_html)
{
    if (walk->env->is_html && !is_html)
        text_escape(walk->out, text);
    else
        buf_put(walk->out, text);
}

static void walk_var(struct spin_walk *walk, const struct spin_node *node)
{
    const struct spin_value *value = spin_vars_find(walk->env->vars, node->name);
    if (value == NULL && !node->has_fallback) {
        buf_put(walk->out, node->text);
        report_unresolved(walk->unresolved, node->name);
        return;
    }
    Str text = STR_NONE;
    if (value != NULL)
        text = value->terms[value->count > 1 ? choose(walk, node, value->count) : 0];
    if (text.len > 0)
        put_value(walk, text, value->is_html);
    else
        buf_put(walk->out, node->fallback); /* text of the template, HTML like the rest */
}

static void walk_article(struct spin_walk *walk, const struct spin_node *node, uint32_t depth)
{
    size_t from = walk->out->len;
    walk_sequence(walk, &node->options[0], depth + 1);
    size_t len = walk->out->len - from;
    if (len == 0)
        return;

    Str article = grammar_article(str_slice(buf_str(walk->out), from, walk->out->len));
    buf_put(walk->out, article);
    buf_put_char(walk->out, ' ');
    if (walk->out->is_full)
        return;
    char *start = walk->out->data + from;
    memmove(start + article.len + 1, start, len);
    memcpy(start, article.data, article.len);
    start[article.len] = ' ';
}

static void walk_grammar(struct spin_walk *walk, const struct spin_node *node, uint32_t depth)
{
    size_t from = walk->out->len;
    Str before = str_slice(buf_str(walk->out), walk->start, from);
    bool starts_sentence = grammar_starts_sentence(before);
    if (node->form == GRAMMAR_CAP) {
        walk_sequence(walk, &node->options[0], depth + 1);
        starts_sentence = true;
    } else if (node->form == GRAMMAR_A_AN) {
        walk_article(walk, node, depth);
    } else {
        const struct grammar_variant *variant = walk->env->variant;
        if (variant == NULL)
            variant = grammar_variant(GRAMMAR_NEUTRAL);
        put_value(walk, variant->words[node->form], false);
    }
    if (starts_sentence)
        grammar_capitalise(walk->out, from);
}

static void walk_node(struct spin_walk *walk, const struct spin_node *node, uint32_t depth)
{
    bool lacks_argument =
        (node->form == GRAMMAR_A_AN || node->form == GRAMMAR_CAP) && node->option_count == 0;
    if (node->kind == SPIN_LITERAL) {
        buf_put(walk->out, node->text);
    } else if (node->kind == SPIN_ALT) {
        walk_sequence(walk, &node->options[choose(walk, node, node->option_count)], depth + 1);
    } else if (lacks_argument) {
        buf_put(walk->out, node->text);
        report_unresolved(walk->unresolved, node->name);
    } else if (node->form != GRAMMAR_NONE) {
        walk_grammar(walk, node, depth);
    } else {
        walk_var(walk, node);
    }
}

static void walk_sequence(struct spin_walk *walk, const struct spin_option *option, uint32_t depth)
{
    assert(depth <= SPIN_DEPTH_MAX);
    for (const struct spin_node *node = option->first; node != NULL; node = node->next) {
        if (walk->out->is_full)
            return;
        walk_node(walk, node, depth);
    }
}
