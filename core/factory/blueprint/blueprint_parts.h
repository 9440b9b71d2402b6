/* The parts of a site's blueprint and the names of their rows; private to blueprint_*.c. */
#pragma once

#include "base/crypto/uuid.h"
#include "base/memory/map.h"
#include "content/schema/schema.h"
#include "factory/blueprint/blueprint.h"
#include "io/pg/db.h"

enum blueprint_kind {
    BLUEPRINT_PLAIN, /* in blueprint.def: determined by the column's type */
    BLUEPRINT_TEXT,
    BLUEPRINT_SPINTAX,
    BLUEPRINT_INT,
    BLUEPRINT_REAL,
    BLUEPRINT_BOOL,
    BLUEPRINT_CHOICE,
    BLUEPRINT_JSON,
    BLUEPRINT_ARRAY,
    BLUEPRINT_OBJECT,
    BLUEPRINT_DATE,
    BLUEPRINT_TIME,
    BLUEPRINT_REF,   /* the name of another row */
    BLUEPRINT_NAME,  /* the same, where the column holds the name itself */
    BLUEPRINT_PLACE, /* {"state": name} or {"county": name} */
};

enum {
    B_KEY = 1,
    B_OR = 2,
    B_HASHED = 4, /* the key is hashed because it is long */
    B_EMPTY = 8,  /* may be an empty text, but not null */
    B_OUT = 16,
    B_ONE = 32,
    B_TAKEN = 64,
    B_NEEDED = 128, /* must be present and not null */
};
enum blueprint_identity { B_NAMED, B_LOOSE, B_SINGLE, B_SETTINGS };

/* A row of blueprint.def. */
struct blueprint_rule {
    Str column;
    int flags;
    enum blueprint_kind kind;
    const char *choices;
};

struct blueprint_part_info {
    Str name;
    Str collection;
    enum blueprint_identity identity;
    uint32_t most;
    const struct blueprint_rule *rules;
    uint32_t rule_count;
};
const struct blueprint_part_info *blueprint_part_info(enum blueprint_part part);

/* A column that is included. */
struct blueprint_field {
    Str name;
    enum blueprint_kind kind;
    int64_t least;
    int64_t most;
    int flags;
    Str default_sql; /* STR_NONE: none */
    Str choices;
    enum blueprint_part target; /* of a REF or NAME */
    Str site_column; /* column with the site of the target row; empty: the target is never in the
                        library */
};

/* The columns of all parts according to the schema snapshot; key columns first, in their order. */
struct blueprint_layout {
    const struct collection *collections[BLUEPRINT_PARTS];
    struct blueprint_field *fields[BLUEPRINT_PARTS];
    uint32_t counts[BLUEPRINT_PARTS];
};
fiber_fn Err blueprint_layout_read(struct ctx *ctx, const struct blueprint_layout **ret);
bool blueprint_is_choice(const struct blueprint_field *field, Str text);

/* blueprint_sql.c: statements for the columns of a layout; $1 is the site. `wanted` has a bit for
 * each part. */
/* Returns part, id, key of the existing rows; $2: maximum number of rows. */
struct statement blueprint_keys_sql(struct arena *arena, const struct blueprint_layout *layout,
                                    uint64_t wanted);
/* Returns part, row as JSON, oldest first; $2: maximum number of rows; $3: maximum number of bytes
 * (the row that exceeds it is still returned). */
struct statement blueprint_rows_sql(struct arena *arena, const struct blueprint_layout *layout,
                                    uint64_t wanted);
/* Inserts rows; $2: the rows as a JSON array, with ids. */
struct statement blueprint_add_sql(struct arena *arena, const struct blueprint_layout *layout,
                                   enum blueprint_part part);

/* Whether the part is one object in the document instead of an array. */
bool blueprint_is_single(enum blueprint_part part);

/* A named row. */
struct blueprint_row {
    enum blueprint_part part;
    Uuid id;
    Str natural; /* built from its key columns */
    Str label;   /* natural, with a number if it is not the first */
};

/* The rows of one site: by label within a part, and by id. */
struct blueprint_names {
    struct arena *arena;
    struct map *labels[BLUEPRINT_PARTS];
    struct map *counts[BLUEPRINT_PARTS];
    struct map *ids; /* key: lower-case text of the id */
};
void blueprint_names_init(struct blueprint_names *names, struct arena *arena);
/* The label for the next row with the name `natural`. */
Str blueprint_names_next(struct blueprint_names *names, enum blueprint_part part, Str natural);
struct blueprint_row *blueprint_names_add(struct blueprint_names *names, enum blueprint_part part,
                                          Uuid id, Str natural);
const struct blueprint_row *blueprint_names_find(const struct blueprint_names *names,
                                                 enum blueprint_part part, Str label);
const struct blueprint_row *blueprint_names_of_id(const struct blueprint_names *names, Str id);

/* Loads the names of `site`'s rows, for parts with a bit in `wanted`. ERR_TOO_LARGE. */
fiber_fn Err blueprint_names_load(struct db_tx *tx, const struct blueprint_layout *layout,
                                  Uuid site, uint64_t wanted, struct blueprint_names *names);
/* Parts whose rows have names; and those of them that the library may own and other rows may refer
 * to. */
uint64_t blueprint_named_parts(void);
uint64_t blueprint_library_parts(const struct blueprint_layout *layout);

/* The prefix of "<part>/<label>" and "site". */
#define BLUEPRINT_TOKEN "spark:blueprint/"
