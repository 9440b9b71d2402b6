/*
 * Determines which columns a blueprint includes, and which values they allow, from the schema
 * snapshot, the constraints in PostgreSQL's catalogue and the rules of blueprint.def.
 */
#include "base/system/ctx.h"
#include "factory/blueprint/blueprint_parts.h"
#include "gen/sql.h"

#include <assert.h>

enum {
    /* Limits for columns that neither PostgreSQL nor the metadata limit. */
    TEXT_MAX = 1000000,
    SPINTAX_MAX = 65536,
    ELEMENTS_MAX = 10000,
    /* Ids, the times and users of changes, and secrets. */
    SPECIALS_OUT = SPECIAL_UUID | SPECIAL_SECRET | SPECIAL_DATE_CREATED | SPECIAL_DATE_UPDATED |
                   SPECIAL_USER_CREATED | SPECIAL_USER_UPDATED | SPECIAL_ROLE_CREATED |
                   SPECIAL_ROLE_UPDATED,
};

/* The default and the constraints of a column in PostgreSQL. */
struct limits {
    Str default_sql; /* STR_NONE: none */
    Str choices;     /* comma-separated; empty: any */
    Str json_kind;   /* "array" or "object"; empty: any */
    int64_t least;
    int64_t most;
};

struct reading {
    struct ctx *ctx;
    const struct schema *schema;
    struct map *limits; /* "collection.field" → struct limits */
    struct blueprint_layout *layout;
};

static const struct blueprint_rule NO_RULE = {.choices = ""};

static const struct blueprint_rule *rule_of(const struct blueprint_part_info *info, Str column)
{
    for (uint32_t i = 0; i < info->rule_count; i++)
        if (str_eq(info->rules[i].column, column))
            return &info->rules[i];
    return &NO_RULE;
}

/* Returns BLUEPRINT_PARTS if there is none. */
static enum blueprint_part part_of(Str collection)
{
    enum blueprint_part part = 0;
    while (part < BLUEPRINT_PARTS && !str_eq(blueprint_part_info(part)->collection, collection))
        part++;
    return part;
}

static bool travels(const struct field *field, const struct blueprint_part_info *info,
                    const struct blueprint_rule *rule)
{
    if ((rule->flags & B_OUT) != 0 || (info->identity == B_SETTINGS && rule == &NO_RULE))
        return false;
    if (!field->is_own || field->is_generated || field->is_key || field->is_site_half ||
        field == field->collection->site || (field->special & SPECIALS_OUT) != 0)
        return false;
    return field->reference != NULL ? part_of(field->reference->target->name) != BLUEPRINT_PARTS
                                    : field->relation == NULL;
}

static enum blueprint_kind kind_of(const struct field *field, const struct limits *limits)
{
    if (field->reference != NULL)
        return field->reference->target_field->is_key ? BLUEPRINT_REF : BLUEPRINT_NAME;
    switch (field->type_oid) {
    case OID_BOOL:
        return BLUEPRINT_BOOL;
    case OID_INT2:
    case OID_INT4:
    case OID_INT8:
        return BLUEPRINT_INT;
    case OID_FLOAT4:
    case OID_FLOAT8:
    case OID_NUMERIC:
        return BLUEPRINT_REAL;
    case OID_DATE:
        return BLUEPRINT_DATE;
    case OID_TIMESTAMP:
    case OID_TIMESTAMPTZ:
        return BLUEPRINT_TIME;
    case OID_JSON:
    case OID_JSONB:
        if (str_eq(limits->json_kind, STR("array")))
            return BLUEPRINT_ARRAY;
        return limits->json_kind.len > 0 ? BLUEPRINT_OBJECT : BLUEPRINT_JSON;
    default:
        return limits->choices.len > 0 ? BLUEPRINT_CHOICE : BLUEPRINT_TEXT;
    }
}

static void bound(struct blueprint_field *out, const struct field *field,
                  const struct limits *limits)
{
    bool may_be_empty = field->is_nullable || (out->flags & B_EMPTY) != 0 ||
                        str_starts_with(limits->default_sql, STR("''"));
    switch (out->kind) {
    case BLUEPRINT_TEXT:
    case BLUEPRINT_SPINTAX:
        out->least = may_be_empty ? 0 : 1;
        out->most = out->kind == BLUEPRINT_SPINTAX ? SPINTAX_MAX : TEXT_MAX;
        if (field->max_length > 0)
            out->most = field->max_length;
        return;
    case BLUEPRINT_ARRAY:
        out->most = ELEMENTS_MAX;
        return;
    default:
        out->least = limits->least;
        out->most = limits->most;
    }
}

static Str limits_name(const struct reading *reading, Str collection, Str field)
{
    return str_printf(reading->ctx->arena, "%.*s.%.*s", STR_FMT(collection), STR_FMT(field));
}

static struct blueprint_field field_of(const struct reading *reading, const struct field *field,
                                       const struct blueprint_part_info *info,
                                       const struct blueprint_rule *rule)
{
    static const struct limits NO_LIMITS = {.least = INT64_MIN, .most = INT64_MAX};
    const struct limits *limits =
        map_get(reading->limits, limits_name(reading, info->collection, field->name));
    if (limits == NULL) /* a migration dropped the column after the snapshot */
        limits = &NO_LIMITS;
    struct blueprint_field out = {
        .name = field->name,
        .kind = rule->kind != BLUEPRINT_PLAIN ? rule->kind : kind_of(field, limits),
        .flags = rule->flags,
        .default_sql = limits->default_sql,
        .choices = rule->choices[0] != '\0' ? str_from_z(rule->choices) : limits->choices,
        .target = BLUEPRINT_PARTS,
    };
    if (!field->is_nullable && !field->has_default && info->identity != B_SETTINGS)
        out.flags |= B_NEEDED;
    if (field->reference != NULL) {
        const struct field *site = field->reference->site_field;
        out.target = part_of(field->reference->target->name);
        out.site_column = site != NULL && site != field->collection->site ? site->name : STR_NONE;
    }
    bound(&out, field, limits);
    return out;
}

/* The key columns, in the order of blueprint.def. */
static Err read_keys(const struct reading *reading, const struct collection *collection,
                     enum blueprint_part part)
{
    const struct blueprint_part_info *info = blueprint_part_info(part);
    struct blueprint_layout *layout = reading->layout;
    for (uint32_t i = 0; i < info->rule_count; i++) {
        const struct blueprint_rule *rule = &info->rules[i];
        const struct field *field = collection_field(collection, rule->column);
        if (field == NULL)
            return fail(reading->ctx, ERR_CONFIG, "the table %.*s has no column %.*s",
                        STR_FMT(info->collection), STR_FMT(rule->column));
        if ((rule->flags & (B_KEY | B_OR)) != 0)
            layout->fields[part][layout->counts[part]++] = field_of(reading, field, info, rule);
    }
    return OK;
}

static Err read_part(const struct reading *reading, enum blueprint_part part)
{
    const struct blueprint_part_info *info = blueprint_part_info(part);
    const struct collection *collection = schema_find(reading->schema, info->collection);
    if (collection == NULL || collection->site == NULL)
        return fail(reading->ctx, ERR_CONFIG, "the database has no table %.*s",
                    STR_FMT(info->collection));
    struct blueprint_layout *layout = reading->layout;
    layout->collections[part] = collection;
    layout->fields[part] =
        arena_array(reading->ctx->arena, struct blueprint_field, collection->field_count);
    TRY(read_keys(reading, collection, part));
    for (uint32_t i = 0; i < collection->field_count; i++) {
        const struct field *field = collection->fields[i];
        const struct blueprint_rule *rule = rule_of(info, field->name);
        if ((rule->flags & (B_KEY | B_OR)) == 0 && travels(field, info, rule))
            layout->fields[part][layout->counts[part]++] = field_of(reading, field, info, rule);
    }
    assert(layout->counts[part] > 0 && layout->counts[part] <= collection->field_count);
    return OK;
}

static int64_t limit_of(const struct rows *rows, uint32_t row, uint32_t column, int64_t none)
{
    return row_is_null(rows, row, column) ? none : row_int(rows, row, column);
}

static fiber_fn Err read_limits(struct reading *reading)
{
    struct ctx *ctx = reading->ctx;
    Str names[BLUEPRINT_PARTS];
    for (enum blueprint_part part = 0; part < BLUEPRINT_PARTS; part++)
        names[part] = blueprint_part_info(part)->collection;
    struct rows rows;
    TRY(db_query(ctx, &SQL_BLUEPRINT_COLUMN_RULES,
                 ARGS(db_text_array(ctx->arena, names, BLUEPRINT_PARTS)), &rows));
    reading->limits = map_in_arena(ctx->arena);
    for (uint32_t i = 0; i < rows.count; i++) {
        struct limits *limits = arena_new(ctx->arena, struct limits);
        *limits = (struct limits){
            .default_sql = row_text(&rows, i, BLUEPRINT_COLUMN_RULES_DEFAULT_SQL),
            .choices = row_text(&rows, i, BLUEPRINT_COLUMN_RULES_CHOICES),
            .json_kind = row_text(&rows, i, BLUEPRINT_COLUMN_RULES_JSON_KIND),
            .least = limit_of(&rows, i, BLUEPRINT_COLUMN_RULES_LEAST, INT64_MIN),
            .most = limit_of(&rows, i, BLUEPRINT_COLUMN_RULES_MOST, INT64_MAX),
        };
        (void)map_put(reading->limits,
                      limits_name(reading, row_text(&rows, i, BLUEPRINT_COLUMN_RULES_COLLECTION),
                                  row_text(&rows, i, BLUEPRINT_COLUMN_RULES_FIELD)),
                      limits);
    }
    return OK;
}

fiber_fn Err blueprint_layout_read(struct ctx *ctx, const struct blueprint_layout **ret)
{
    struct reading reading = {.ctx = ctx, .layout = arena_new(ctx->arena, struct blueprint_layout)};
    TRY(schema_current(ctx, &reading.schema));
    TRY(read_limits(&reading));
    for (enum blueprint_part part = 0; part < BLUEPRINT_PARTS; part++)
        TRY(read_part(&reading, part));
    *ret = reading.layout;
    return OK;
}

bool blueprint_is_choice(const struct blueprint_field *field, Str text)
{
    Str rest = field->choices;
    Str choice;
    while (str_next(&rest, ',', &choice))
        if (str_eq(choice, text))
            return true;
    return false;
}
