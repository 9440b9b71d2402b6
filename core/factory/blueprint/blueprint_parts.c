#include "factory/blueprint/blueprint_parts.h"

#include "base/memory/array.h"
#include "base/system/ctx.h"
#include "gen/sql.h"

#include <assert.h>
#include <inttypes.h>

/* clang-format off */
#define PART(part, statement, identity, rows) static const struct blueprint_field FIELDS_##part[] = {
#define FIELD(column, type, low, high, without, bits, more)                                        \
    {.name = STR_INIT(#column), .kind = BLUEPRINT_##type, .least = low, .most = high,              \
     .fallback = without, .flags = bits, .extra = more},
#define PART_END(part) };
#include "factory/blueprint/blueprint.def"
#undef PART
#undef FIELD
#undef PART_END

static const struct blueprint_part_info PARTS[] = {
#define PART(part, statement, mode, rows)                                                          \
    {.name = STR_INIT(#part), .identity = mode, .most = rows, .fields = FIELDS_##part,             \
     .field_count = COUNT_OF(FIELDS_##part),                                \
     .add = &SQL_BLUEPRINT_ADD_##statement},
#define FIELD(column, type, low, high, without, bits, more)
#define PART_END(part)
#include "factory/blueprint/blueprint.def"
#undef PART
#undef FIELD
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

enum blueprint_part blueprint_target(const struct blueprint_field *field, Str *ret_site_column)
{
    Str rest = str_from_z(field->extra);
    Str name = STR_NONE;
    bool is_named = str_next(&rest, ' ', &name);
    assert(is_named);
    *ret_site_column = rest;
    for (enum blueprint_part part = 0; part < BLUEPRINT_PARTS; part++)
        if (str_eq(PARTS[part].name, name))
            return part;
    assert(false && "blueprint.def names a part that it does not have");
    return BLUEPRINT_PARTS;
}

uint64_t blueprint_library_parts(void)
{
    uint64_t parts = (uint64_t)1 << BLUEPRINT_PART_states | (uint64_t)1 << BLUEPRINT_PART_counties;
    for (enum blueprint_part part = 0; part < BLUEPRINT_PARTS; part++)
        for (uint32_t i = 0; i < PARTS[part].field_count; i++) {
            const struct blueprint_field *field = &PARTS[part].fields[i];
            Str site_column;
            if (field->kind != BLUEPRINT_REF && field->kind != BLUEPRINT_NAME)
                continue;
            enum blueprint_part target = blueprint_target(field, &site_column);
            if (site_column.len > 0)
                parts |= (uint64_t)1 << target;
        }
    return parts;
}

DbArg blueprint_part_list(struct arena *arena, uint64_t wanted)
{
    int64_t numbers[BLUEPRINT_PARTS];
    uint32_t count = 0;
    for (int64_t part = 0; part < BLUEPRINT_PARTS; part++)
        if ((wanted >> part & 1) != 0)
            numbers[count++] = part;
    return db_int_array(arena, numbers, count);
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

fiber_fn Err blueprint_names_load(struct db_tx *tx, Uuid site, uint64_t wanted,
                                  struct blueprint_names *names)
{
    struct ctx *ctx = tx->ctx;
    struct rows rows;
    TRY(db_tx_query(tx, &SQL_BLUEPRINT_KEYS,
                    ARGS(db_uuid(site), blueprint_part_list(ctx->arena, wanted),
                         db_int(BLUEPRINT_SITE_ROWS_MAX + 1)),
                    &rows));
    if (rows.count > BLUEPRINT_SITE_ROWS_MAX)
        return fail(ctx, ERR_TOO_LARGE, "The site has more than %d rows that a blueprint names.",
                    BLUEPRINT_SITE_ROWS_MAX);
    for (uint32_t i = 0; i < rows.count; i++) {
        int64_t part = row_int(&rows, i, BLUEPRINT_KEYS_PART);
        assert(part >= 0 && part < BLUEPRINT_PARTS);
        Str natural = row_text(&rows, i, BLUEPRINT_KEYS_KEY);
        (void)blueprint_names_add(names, (enum blueprint_part)part,
                                  row_uuid(&rows, i, BLUEPRINT_KEYS_ID),
                                  natural.data == NULL ? STR("") : natural);
        TRY(fiber_breathe(ctx));
    }
    return OK;
}
