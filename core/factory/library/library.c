#include "factory/library/library.h"

#include "base/memory/array.h"
#include "base/memory/map.h"
#include "base/system/ctx.h"
#include "io/fiber/fiber.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

const Str LIBRARY_DEFAULT_STRUCTURE[] = {
    STR_INIT("intro_hook"),         STR_INIT("pillar_1_keyword"), STR_INIT("pillar_2_uniqueness"),
    STR_INIT("pillar_3_relevance"), STR_INIT("pillar_4_quality"), STR_INIT("pillar_5_authority"),
    STR_INIT("pillar_6_backlinks"), STR_INIT("faq_section"),
};
const uint32_t LIBRARY_DEFAULT_SLOTS = COUNT_OF(LIBRARY_DEFAULT_STRUCTURE);

/* The public struct must be the first member: callers have a pointer to it. */
struct library_owned {
    struct library library;
    struct arena *arena;
    atomic_uint references;
};

static struct library_owned *owned(const struct library *library)
{
    return (struct library_owned *)(uintptr_t)library;
}

const struct library *library_ref(const struct library *library)
{
    assert(library != NULL);
    atomic_fetch_add_explicit(&owned(library)->references, 1, memory_order_relaxed);
    return library;
}

void library_unref(const struct library *library)
{
    if (library == NULL)
        return;
    uint32_t before =
        atomic_fetch_sub_explicit(&owned(library)->references, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before == 1)
        arena_destroy(owned(library)->arena);
}

static int compare_sources(const void *left, const void *right)
{
    const struct fragment_source *const *a = left;
    const struct fragment_source *const *b = right;
    int order = memcmp((*a)->id.bytes, (*b)->id.bytes, sizeof((*a)->id.bytes));
    return order != 0 ? order : str_cmp((*a)->body, (*b)->body);
}

static Err check_limits(struct ctx *ctx, uint32_t source_count, uint32_t slot_count)
{
    if (slot_count == 0)
        return fail(ctx, ERR_INVALID_PAYLOAD, "The structure has no slots");
    if (slot_count > LIBRARY_SLOTS_MAX)
        return fail(ctx, ERR_INVALID_PAYLOAD, "The structure has %u slots, more than %d",
                    slot_count, LIBRARY_SLOTS_MAX);
    if (source_count > LIBRARY_FRAGMENTS_MAX)
        return fail(ctx, ERR_INVALID_PAYLOAD, "%u fragments are more than %d", source_count,
                    LIBRARY_FRAGMENTS_MAX);
    return OK;
}

/* Adds the types in the order of their first slot, and fills the slots. */
static void make_types(struct library_owned *made, const Str *structure, uint32_t slot_count)
{
    struct fragment_type *types = arena_array(made->arena, struct fragment_type, slot_count);
    uint32_t *slots = arena_array(made->arena, uint32_t, slot_count);
    uint32_t type_count = 0;
    for (uint32_t i = 0; i < slot_count; i++) {
        uint32_t type = 0;
        while (type < type_count && !str_eq(types[type].name, structure[i]))
            type++;
        if (type == type_count)
            types[type_count++].name = str_dup(made->arena, structure[i]);
        types[type].slot_count++;
        slots[i] = type;
    }
    made->library.types = types;
    made->library.type_count = type_count;
    made->library.slots = slots;
    made->library.slot_count = slot_count;
}

/* Sorts the rows by id, because articles must not depend on the order of rows. Drops types without
 * a slot. */
static const struct fragment_source **sort_sources(struct arena *arena,
                                                   const struct library *library,
                                                   const struct fragment_source *sources,
                                                   uint32_t source_count, uint32_t *ret_count)
{
    struct map *names = map_in_arena(arena);
    for (uint32_t i = 0; i < library->type_count; i++)
        (void)map_put(names, library->types[i].name, (void *)(uintptr_t)&library->types[i]);

    const struct fragment_source **sorted =
        arena_array(arena, const struct fragment_source *, source_count);
    uint32_t count = 0;
    for (uint32_t i = 0; i < source_count; i++)
        if (map_get(names, sources[i].type) != NULL)
            sorted[count++] = &sources[i];
    qsort(sorted, count, sizeof(*sorted), compare_sources);
    *ret_count = count;
    return sorted;
}

static fiber_fn const struct spin **parse(struct arena *arena, const Str *parts, uint32_t count)
{
    const struct spin **spins = arena_array(arena, const struct spin *, count);
    for (uint32_t i = 0; i < count; i++) {
        fiber_pause();
        spins[i] = spin_parse_lenient(arena, parts[i]);
    }
    return spins;
}

static fiber_fn void make_fragments(struct library_owned *made,
                                    const struct fragment_source **sorted, uint32_t count)
{
    struct fragment *fragments = arena_array(made->arena, struct fragment, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct fragment_source *source = sorted[i];
        bool is_block = source->parts != NULL;
        uint32_t part_count = is_block ? source->part_count : 1;
        fragments[i] = (struct fragment){
            .id = source->id,
            .spins = parse(made->arena, is_block ? source->parts : &source->body, part_count),
            .spin_count = part_count,
            .personal = source->personal,
            .has_title = str_find(source->body, STR("<h1")) >= 0,
        };
    }
    made->library.fragments = fragments;
    made->library.fragment_count = count;
}

static fiber_fn void assign_fragments(struct library_owned *made, struct fragment_type *type,
                                      const struct fragment_source **sorted, uint32_t count)
{
    fiber_pause();
    uint32_t *members = arena_array(made->arena, uint32_t, count);
    for (uint32_t i = 0; i < count; i++)
        if (str_eq(sorted[i]->type, type->name))
            members[type->fragment_count++] = i;
    type->fragments = members;
}

fiber_fn Err library_make(struct ctx *ctx, const struct fragment_source *sources,
                          uint32_t source_count, const Str *structure, uint32_t slot_count,
                          const struct library **ret)
{
    assert(structure != NULL && (sources != NULL || source_count == 0) && ret != NULL);
    TRY(check_limits(ctx, source_count, slot_count));

    struct arena *arena = arena_create();
    struct library_owned *made = arena_new(arena, struct library_owned);
    made->arena = arena;
    atomic_init(&made->references, 1);
    make_types(made, structure, slot_count);

    uint32_t count;
    const struct fragment_source **sorted =
        sort_sources(ctx->arena, &made->library, sources, source_count, &count);
    make_fragments(made, sorted, count);
    for (uint32_t i = 0; i < made->library.type_count; i++)
        assign_fragments(made, (struct fragment_type *)(uintptr_t)&made->library.types[i], sorted,
                         count);
    *ret = &made->library;
    return OK;
}

uint32_t library_missing(const struct library *library, struct arena *arena, const Str **ret)
{
    Str *names = arena_array(arena, Str, library->type_count);
    uint32_t count = 0;
    for (uint32_t i = 0; i < library->type_count; i++)
        if (library->types[i].fragment_count == 0)
            names[count++] = str_dup(arena, library->types[i].name);
    *ret = names;
    return count;
}
