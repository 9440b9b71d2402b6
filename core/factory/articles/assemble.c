#include "factory/articles/assemble.h"

#include "base/system/ctx.h"
#include "factory/text/text.h"
#include "io/fiber/fiber.h"

#include <assert.h>

enum { CHOICES_MAX = 1024 * 1024 };

struct assembler {
    struct arena *arena;
    const struct library *library;
    const struct article_request *request;
    struct spin_env env;
    Random *random;
    struct buf *html;
    struct buf *choices;
    struct spin_unresolved unresolved;
    bool *is_used; /* by fragment index */
    uint32_t *picked;
    uint32_t picked_count;
    uint32_t words;
};

Str word_count_status_name(enum word_count_status status)
{
    return status == WORDS_OPTIMAL ? STR("optimal") : STR("under_target");
}

static uint32_t usage_of(const struct assembler *assembler, uint32_t fragment)
{
    return assembler->request->usage != NULL ? assembler->request->usage[fragment] : 0;
}

/* Whether a fragment may still be used; extra fragments must not add a second title. */
static bool is_free(const struct assembler *assembler, uint32_t fragment, bool is_extra)
{
    return !assembler->is_used[fragment] &&
           !(is_extra && assembler->library->fragments[fragment].has_title);
}

/* Reservoir sampling: the n-th tie replaces the choice with probability 1/n, so all ties are
 * equally likely. Of modules, the first tie wins. */
static bool wins(struct assembler *assembler, uint32_t ties)
{
    if (assembler->request->path == PATH_MODULES)
        return ties == 1;
    return random_below(assembler->random, ties) == 0;
}

/* Picks the least used free fragment of the type; of several, one at random, or for modules the
 * first by id. False if none is free. */
static fiber_fn bool pick(struct assembler *assembler, const struct fragment_type *type,
                          bool is_extra, uint32_t *ret_fragment)
{
    fiber_pause();
    uint32_t least = UINT32_MAX;
    uint32_t ties = 0;
    for (uint32_t i = 0; i < type->fragment_count; i++) {
        uint32_t fragment = type->fragments[i];
        uint32_t usage = usage_of(assembler, fragment);
        if (!is_free(assembler, fragment, is_extra) || (ties > 0 && usage > least))
            continue;
        ties = ties > 0 && usage == least ? ties + 1 : 1;
        least = usage;
        if (wins(assembler, ties))
            *ret_fragment = fragment;
    }
    return ties > 0;
}

static fiber_fn void append(struct assembler *assembler, uint32_t fragment)
{
    assembler->is_used[fragment] = true;
    assembler->picked[assembler->picked_count++] = fragment;
    if (assembler->html->len > 0)
        buf_put(assembler->html, STR("\n\n"));
    size_t from = assembler->html->len;
    const struct fragment *source = &assembler->library->fragments[fragment];
    for (uint32_t i = 0; i < source->spin_count; i++) {
        fiber_pause();
        spin_expand(source->spins[i], &assembler->env, assembler->random, assembler->html,
                    assembler->choices, &assembler->unresolved);
    }
    Str html = buf_str(assembler->html);
    assembler->words += text_word_count(str_slice(html, from, html.len));
}

static fiber_fn bool fill_slot(struct assembler *assembler, uint32_t slot, bool is_extra)
{
    const struct library *library = assembler->library;
    uint32_t fragment = 0;
    if (!pick(assembler, &library->types[library->slots[slot]], is_extra, &fragment))
        return false;
    append(assembler, fragment);
    return true;
}

/* The last slot ends the article, and extra fragments go before it. So its fragment is picked
 * before them and appended after them. */
static fiber_fn bool reserve_closing(struct assembler *assembler, uint32_t *ret_fragment)
{
    const struct library *library = assembler->library;
    uint32_t type = library->slots[library->slot_count - 1];
    if (!pick(assembler, &library->types[type], false, ret_fragment))
        return false;
    assembler->is_used[*ret_fragment] = true;
    return true;
}

static bool needs_words(const struct assembler *assembler)
{
    return assembler->words < assembler->request->target_words && !assembler->html->is_full;
}

/*
 * Repeats the structure while words are missing and fragments are left. Call first for the types
 * that the structure repeats, then for those that it contains once.
 */
static fiber_fn void fill_up(struct assembler *assembler, bool takes_singles)
{
    const struct library *library = assembler->library;
    for (bool has_grown = true; has_grown && needs_words(assembler);) {
        has_grown = false;
        for (uint32_t slot = 0; slot < library->slot_count && needs_words(assembler); slot++) {
            bool is_single = library->types[library->slots[slot]].slot_count == 1;
            if (is_single == takes_singles && fill_slot(assembler, slot, true))
                has_grown = true;
        }
    }
}

/* Hashes fixed-width fields, then the choices: the same article has the same hash on every
 * machine. */
static Sha256 hash_generation(struct assembler *assembler)
{
    const struct article_request *request = assembler->request;
    size_t max = sizeof(Uuid) * ((size_t)assembler->picked_count + 1) + sizeof(Sha256) +
                 assembler->choices->len;
    struct buf *bytes = buf_in_arena(assembler->arena, max);
    buf_put(bytes, str_of((const char *)request->campaign.bytes, sizeof(Uuid)));
    buf_put(bytes, str_of((const char *)request->headline_hash.bytes, sizeof(Sha256)));
    for (uint32_t i = 0; i < assembler->picked_count; i++) {
        const struct fragment *fragment = &assembler->library->fragments[assembler->picked[i]];
        buf_put(bytes, str_of((const char *)fragment->id.bytes, sizeof(Uuid)));
    }
    buf_put(bytes, buf_str(assembler->choices));
    assert(!bytes->is_full);
    return sha256(buf_str(bytes));
}

static struct assembler assembler_make(struct ctx *ctx, const struct library *library,
                                       const struct article_request *request, Random *random)
{
    return (struct assembler){
        .arena = ctx->arena,
        .library = library,
        .request = request,
        .env = {.vars = request->vars, .variant = request->variant, .is_html = true},
        .random = random,
        .html = buf_in_arena(ctx->arena, SPIN_OUTPUT_MAX),
        .choices = buf_in_arena(ctx->arena, CHOICES_MAX),
        .unresolved = {.arena = ctx->arena},
        .is_used = arena_array(ctx->arena, bool, library->fragment_count),
        .picked = arena_array(ctx->arena, uint32_t, library->fragment_count),
    };
}

/* Fills every slot, adds extra fragments, appends the closing one; returns how many slots stayed
 * empty. */
static fiber_fn uint32_t write_article(struct assembler *assembler)
{
    uint32_t empty_slots = 0;
    for (uint32_t slot = 0; slot + 1 < assembler->library->slot_count; slot++)
        empty_slots += fill_slot(assembler, slot, false) ? 0 : 1;

    uint32_t closing = 0;
    bool has_closing = reserve_closing(assembler, &closing);
    if (assembler->request->path == PATH_FRAGMENTS) {
        fill_up(assembler, false);
        fill_up(assembler, true);
    }
    if (has_closing)
        append(assembler, closing);
    return empty_slots + (has_closing ? 0 : 1);
}

fiber_fn Err article_assemble(struct ctx *ctx, const struct library *library,
                              const struct article_request *request, Random *random,
                              struct assembly *ret)
{
    assert(library != NULL && request != NULL && random != NULL && ret != NULL);
    struct assembler assembler = assembler_make(ctx, library, request, random);
    uint32_t empty_slots = write_article(&assembler);
    TRY(buf_check(ctx, assembler.html, "article"));
    TRY(buf_check(ctx, assembler.choices, "list of choices"));
    if (assembler.picked_count == 0)
        return fail(ctx, ERR_CONFLICT, "The library has no fragment for any slot.");

    bool is_long_enough = assembler.words >= request->target_words;
    *ret = (struct assembly){
        .html = buf_str(assembler.html),
        .words = assembler.words,
        .words_status = is_long_enough ? WORDS_OPTIMAL : WORDS_UNDER_TARGET,
        .fragments = assembler.picked,
        .fragment_count = assembler.picked_count,
        .empty_slots = empty_slots,
        .unresolved = assembler.unresolved.names,
        .unresolved_count = assembler.unresolved.count,
        .choices = buf_str(assembler.choices),
        .generation_hash = hash_generation(&assembler),
    };
    return OK;
}

void article_count_usage(const struct assembly *assembly, uint32_t *usage)
{
    for (uint32_t i = 0; i < assembly->fragment_count; i++)
        usage[assembly->fragments[i]]++;
}

void article_uncount_usage(const struct assembly *assembly, uint32_t *usage)
{
    for (uint32_t i = 0; i < assembly->fragment_count; i++) {
        assert(usage[assembly->fragments[i]] > 0);
        usage[assembly->fragments[i]]--;
    }
}
