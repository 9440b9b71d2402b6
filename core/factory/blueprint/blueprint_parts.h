/* The parts of a site's blueprint as tables, and the names of its rows; private to blueprint_*.c.
 */
#pragma once

#include "base/crypto/uuid.h"
#include "base/memory/map.h"
#include "factory/blueprint/blueprint.h"
#include "io/pg/db.h"

enum blueprint_kind {
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

enum { B_NEEDED = 1, B_KEY = 2, B_OR = 4, B_HASHED = 8 };
enum blueprint_identity { B_NAMED, B_LOOSE };

struct blueprint_field {
    Str name;
    enum blueprint_kind kind;
    int64_t least;
    int64_t most;
    const char *fallback; /* JSON; NULL: null */
    int flags;
    const char *extra;
};
/* Where a REF or NAME points; *ret_site_column is empty where the library is never meant. */
enum blueprint_part blueprint_target(const struct blueprint_field *field, Str *ret_site_column);

struct blueprint_part_info {
    Str name;
    enum blueprint_identity identity;
    uint32_t most;
    const struct blueprint_field *fields;
    uint32_t field_count;
    const struct statement *add;
};
const struct blueprint_part_info *blueprint_part_info(enum blueprint_part part);
/* One object in the document, and no array of them. */
bool blueprint_is_single(enum blueprint_part part);

/* A row that has a name. */
struct blueprint_row {
    enum blueprint_part part;
    Uuid id;
    Str natural; /* made of its key columns */
    Str label;   /* that, and a number if it is not the first */
};

/* The rows of one site: by label within a part, and by id. */
struct blueprint_names {
    struct arena *arena;
    struct map *labels[BLUEPRINT_PARTS];
    struct map *counts[BLUEPRINT_PARTS];
    struct map *ids; /* lower-case text of the id */
};
void blueprint_names_init(struct blueprint_names *names, struct arena *arena);
/* The label that the next row called `natural` gets. */
Str blueprint_names_next(struct blueprint_names *names, enum blueprint_part part, Str natural);
struct blueprint_row *blueprint_names_add(struct blueprint_names *names, enum blueprint_part part,
                                          Uuid id, Str natural);
const struct blueprint_row *blueprint_names_find(const struct blueprint_names *names,
                                                 enum blueprint_part part, Str label);
const struct blueprint_row *blueprint_names_of_id(const struct blueprint_names *names, Str id);

/* The names of `site`'s rows; only parts with a bit in `wanted`. ERR_TOO_LARGE. */
fiber_fn Err blueprint_names_load(struct db_tx *tx, Uuid site, uint64_t wanted,
                                  struct blueprint_names *names);
/* Parts whose rows the library may own and others refer to. */
uint64_t blueprint_library_parts(void);
DbArg blueprint_part_list(struct arena *arena, uint64_t wanted);

/* "spark:blueprint/" before "<part>/<label>" or "site". */
#define BLUEPRINT_TOKEN "spark:blueprint/"
