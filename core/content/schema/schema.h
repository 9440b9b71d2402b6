/*
 * The schema snapshot: collections, fields and relations as defined by the database and the
 * Directus metadata. Immutable, replaced as a whole when the epoch changes, loaded once even if
 * many fibers need it.
 */
#pragma once

#include "base/memory/map.h"
#include "base/system/ctx.h"
#include "content/filter/field_type.h"
#include "io/fiber/fiber.h"

enum field_special {
    SPECIAL_UUID = 1 << 0,
    SPECIAL_HASH = 1 << 1,
    SPECIAL_CONCEAL = 1 << 2,
    SPECIAL_DATE_CREATED = 1 << 3,
    SPECIAL_DATE_UPDATED = 1 << 4,
    SPECIAL_USER_CREATED = 1 << 5,
    SPECIAL_USER_UPDATED = 1 << 6,
    SPECIAL_CAST_JSON = 1 << 7,
    SPECIAL_CAST_CSV = 1 << 8,
    SPECIAL_CAST_BOOLEAN = 1 << 9,
    SPECIAL_NO_DATA = 1 << 10,
    SPECIAL_ROLE_CREATED = 1 << 11,
    SPECIAL_ROLE_UPDATED = 1 << 12,
    SPECIAL_ENCRYPT = 1 << 13,
    /* Values that are not shown; nothing is sorted, grouped or computed by them. */
    SPECIAL_SECRET = SPECIAL_HASH | SPECIAL_CONCEAL | SPECIAL_ENCRYPT,
};

struct collection;
struct filter_value;

/* By which index rows with one value of a field are found. */
enum field_index {
    INDEX_NONE,
    INDEX_IN_SITE, /* one that begins with the site, so only within a site */
    INDEX_ALONE,
};

struct field {
    Str name;
    enum field_type type;
    uint32_t special; /* enum field_special */
    bool is_alias;    /* no column */
    bool is_nullable;
    bool has_default;
    bool is_generated;
    bool is_key;
    bool is_hidden_site; /* the site column of a tenant-owned system table: never on the wire */
    bool is_account;     /* of directus_users outside the profile: written in PLATFORM scope only */
    bool is_searchable;
    bool is_own;       /* created by the platform's own migrations */
    bool is_site_half; /* holds the site of another column's target */
    enum field_index indexed;
    int32_t max_length; /* 0: none */
    uint32_t type_oid;
    uint32_t ordinal;                      /* position in the table; aliases after the columns */
    const struct filter_value *validation; /* NULL: none */
    const struct relation *relation;       /* NULL: a plain field */
    const struct reference *reference;     /* NULL: no foreign key */
    const struct collection *collection;
};

/* A foreign key of one column, or of one column and a site. */
struct reference {
    const struct collection *target;
    const struct field *target_field;
    const struct field *site_field; /* holds the referenced row's site; NULL: none */
};

enum relation_kind { RELATION_TO_ONE, RELATION_TO_MANY, RELATION_TO_ANY };

/* From the view of `field`: to-one through its own column, to-many through an alias. */
struct relation {
    enum relation_kind kind;
    const struct field *field;
    const struct collection *target;  /* NULL for RELATION_TO_ANY */
    const struct field *target_field; /* TO_ONE: the target's key; TO_MANY: the child's FK column */
    const struct field *sort_field;   /* TO_MANY, may be NULL */
    bool deselect_deletes;            /* TO_MANY: one_deselect_action = delete */
    bool keeps_site; /* TO_ONE: the foreign key includes the site, so the target is of the same site
                      */
    const struct field *collection_field; /* TO_ANY */
    const struct collection **allowed;    /* TO_ANY */
    uint32_t allowed_count;
};

struct collection {
    Str name;
    struct field **fields; /* columns in table order, then aliases */
    uint32_t field_count;
    struct map *fields_by_name;
    const struct field *key;
    const struct field *sort_field; /* may be NULL */
    const struct field *site;       /* the tenant column; NULL: not owned by tenants */
    bool is_shared_read;            /* rows of the library site are readable by every site */
    bool is_site_optional;          /* a row without a site belongs to no tenant */
    bool is_keyed_by_site;          /* a key is unique within its site, not across sites */
    bool is_read_only; /* only the platform writes it; writes through items are refused */
    bool is_audited;   /* configuration: each change is written to the work log */
    bool is_system;    /* directus_… */
    bool has_accounts; /* directus_users: rows are created in PLATFORM scope only */
    bool is_singleton;
    enum { TRACK_ALL, TRACK_ACTIVITY, TRACK_NOTHING } accountability;
};

struct schema {
    int64_t epoch;
    struct map *collections;
    struct map *role_parents; /* text of a role's id → Uuid of its parent (nil: none) */
    struct arena *arena;
    uint32_t references;
};

/* A role followed by its ancestors; at most ROLE_CHAIN_MAX. */
enum { ROLE_CHAIN_MAX = 32 };
uint32_t schema_role_chain(const struct schema *schema, Uuid role, Uuid out[ROLE_CHAIN_MAX]);

/* The snapshot of the current epoch; pins it to ctx (released with its arena) and sets ctx->epoch.
 * Waits only if it must be loaded. ERR_STALE_EPOCH when ctx is bound to another epoch (its actor's
 * grants are older): authenticate again. */
fiber_fn Err schema_current(struct ctx *ctx, const struct schema **ret);
/* The schema of now: after ERR_STALE_EPOCH, when the request has committed and cannot start again.
 */
fiber_fn Err schema_again(struct ctx *ctx, const struct schema **ret);
/* The epoch changed: the next schema_current loads. */
void schema_invalidate(struct ctx *ctx);

const struct collection *schema_find(const struct schema *schema, Str name); /* or NULL */
const struct field *collection_field(const struct collection *collection, Str name);

/* What came with Directus itself: people do not change it. */
bool schema_is_system(Str collection);
bool schema_is_system_field(Str collection, Str field);

/* Directus' message for a missing or unreadable collection, which are not distinguished. */
Err schema_forbidden_collection(struct ctx *ctx, Str name, Str queried_in);

/*
 * Type OIDs of PostgreSQL that the content API supports; they never change.
 */

enum {
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_NAME = 19,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_TEXT = 25,
    OID_JSON = 114,
    OID_FLOAT4 = 700,
    OID_FLOAT8 = 701,
    OID_BPCHAR = 1042,
    OID_VARCHAR = 1043,
    OID_DATE = 1082,
    OID_TIME = 1083,
    OID_TIMESTAMP = 1114,
    OID_TIMESTAMPTZ = 1184,
    OID_TIMETZ = 1266,
    OID_NUMERIC = 1700,
    OID_UUID = 2950,
    OID_JSONB = 3802,
};

/*
 * The content API's state of one thread: the snapshot, and the gate that makes its loading single
 * flight.
 */

struct reactor;

struct content_thread {
    struct schema *schema; /* NULL: not loaded yet */
    bool is_stale;
    uint64_t losses; /* db_losses at the time of loading */
    struct gate load_gate;
};

struct content_thread *content_thread(struct reactor *reactor); /* created on first use */
/* Takes over the caller's reference. */
void content_thread_set_schema(struct content_thread *thread, struct schema *schema);

/* Loads everything from the database; returns one reference. */
fiber_fn Err schema_load(struct ctx *ctx, struct schema **ret);

void schema_unref(void *schema);

/* The field type Directus derives from a column's type and special flags. */
enum field_type field_type_of(uint32_t type_oid, uint32_t special, Str special_text);
uint32_t field_special_of(Str special_text);
