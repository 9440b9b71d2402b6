#include "factory/blueprint/blueprint_parts.h"

#include "base/memory/array.h"
#include "base/system/ctx.h"

#include <assert.h>
#include <inttypes.h>

/* clang-format off */
#define PART(part, table, mode, rows) static const struct blueprint_rule RULES_##part[] = {
#define RULE(name, bits, type, some)                                                               \
    {.column = STR_INIT(#name), .flags = bits, .kind = BLUEPRINT_##type, .choices = some},
#define PART_END(part) {.choices = ""} };
#include "factory/blueprint/blueprint.def"
#undef PART
#undef RULE
#undef PART_END

static const struct blueprint_part_info PARTS[] = {
#define PART(part, table, mode, rows)                                                              \
    {.name = STR_INIT(#part), .collection = STR_INIT(#table), .identity = mode, .most = rows,      \
     .rules = RULES_##part, .rule_count = COUNT_OF(RULES_##part) - 1},
#define RULE(name, bits, type, some)
#define PART_END(part)
#include "factory/blueprint/blueprint.def"
#undef PART
#undef RULE
#undef PART_END
};
/* clang-format on */

const struct blueprint_part_info *blueprint_part_info(enum blueprint_part part)
{
    assert(part < BLUEPRINT_PARTS);
    return &PARTS[part];
}

bool blueprint_is_single(enum blueprint_part part)
{
    return blueprint_part_info(part)->most == 1;
}

Str blueprint_part_name(enum blueprint_part part)
{
    return blueprint_part_info(part)->name;
}

uint64_t blueprint_named_parts(void)
{
    uint64_t parts = 0;
    for (enum blueprint_part part = 0; part < BLUEPRINT_PARTS; part++)
        if (PARTS[part].identity == B_NAMED)
            parts |= (uint64_t)1 << part;
    return parts;
}

uint64_t blueprint_library_parts(const struct blueprint_layout *layout)
{
    uint64_t parts = (uint64_t)1 << BLUEPRINT_PART_states | (uint64_t)1 << BLUEPRINT_PART_counties;
    for (enum blueprint_part part = 0; part < BLUEPRINT_PARTS; part++)
        for (uint32_t i = 0; i < layout->counts[part]; i++)
            if (layout->fields[part][i].site_column.len > 0)
                parts |= (uint64_t)1 << layout->fields[part][i].target;
    return parts;
}

void blueprint_names_init(struct blueprint_names *names, struct arena *arena)
{
    names->arena = arena;
    names->ids = map_in_arena(arena);
    for (int part = 0; part < BLUEPRINT_PARTS; part++) {
        names->labels[part] = map_in_arena(arena);
        names->counts[part] = map_in_arena(arena);
    }
}

static uint32_t *counter_of(struct blueprint_names *names, enum blueprint_part part, Str natural)
{
    uint32_t *count = map_get(names->counts[part], natural);
    if (count == NULL) {
        count = arena_new(names->arena, uint32_t);
        (void)map_put(names->counts[part], str_dup(names->arena, natural), count);
    }
    return count;
}

Str blueprint_names_next(struct blueprint_names *names, enum blueprint_part part, Str natural)
{
    uint32_t *count = counter_of(names, part, natural);
    Str label;
    do {
        *count += 1;
        label = *count == 1 ? natural
                            : str_printf(names->arena, "%.*s#%" PRIu32, STR_FMT(natural), *count);
    } while (map_get(names->labels[part], label) != NULL);
    return label;
}

struct blueprint_row *blueprint_names_add(struct blueprint_names *names, enum blueprint_part part,
                                          Uuid id, Str natural)
{
    struct blueprint_row *row = arena_new(names->arena, struct blueprint_row);
    row->part = part;
    row->id = id;
    row->natural = str_dup(names->arena, natural);
    row->label = blueprint_names_next(names, part, row->natural);
    (void)map_put(names->labels[part], row->label, row);
    (void)map_put(names->ids, uuid_text(names->arena, id), row);
    return row;
}

const struct blueprint_row *blueprint_names_find(const struct blueprint_names *names,
                                                 enum blueprint_part part, Str label)
{
    return map_get(names->labels[part], label);
}

const struct blueprint_row *blueprint_names_of_id(const struct blueprint_names *names, Str id)
{
    Uuid uuid;
    char text[UUID_TEXT_LEN];
    if (id.len != UUID_TEXT_LEN || !uuid_parse(id, &uuid))
        return NULL;
    uuid_write(uuid, text);
    return map_get(names->ids, str_of(text, sizeof text));
}

fiber_fn Err blueprint_names_load(struct db_tx *tx, const struct blueprint_layout *layout,
                                  Uuid site, uint64_t wanted, struct blueprint_names *names)
{
    enum { PART, ID, KEY };
    struct ctx *ctx = tx->ctx;
    struct statement statement = blueprint_keys_sql(ctx->arena, layout, wanted);
    struct rows rows;
    TRY(db_tx_query(tx, &statement, ARGS(db_uuid(site), db_int(BLUEPRINT_SITE_ROWS_MAX + 1)),
                    &rows));
    if (rows.count > BLUEPRINT_SITE_ROWS_MAX)
        return fail(ctx, ERR_TOO_LARGE, "The site has more than %d rows that a blueprint names.",
                    BLUEPRINT_SITE_ROWS_MAX);
    for (uint32_t i = 0; i < rows.count; i++) {
        int64_t part = row_int(&rows, i, PART);
        assert(part >= 0 && part < BLUEPRINT_PARTS);
        (void)blueprint_names_add(names, (enum blueprint_part)part, row_uuid(&rows, i, ID),
                                  row_text(&rows, i, KEY));
        TRY(fiber_breathe(ctx));
    }
    return OK;
}
