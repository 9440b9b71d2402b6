/*
 * Directus' /schema/diff and /schema/apply: what differs between a snapshot and the schema, and a
 * difference carried out. A difference is told against one state of the schema, which its hash
 * names: it is applied to that one only, unless it is forced.
 *
 * Applied, the records give the snapshot that is wanted; from there on the way is that of
 * schema_apply.
 */
#include "access/audit/audit.h"
#include "base/crypto/crypto.h"
#include "base/memory/array.h"
#include "content/ddl/apply_internal.h"
#include "content/ddl/ddl.h"
#include "content/ddl/ddl_internal.h"
#include "content/ddl/diff_internal.h"
#include "io/fiber/json_apart.h"

#include <assert.h>

enum { DIFF_MAX = 64 * 1024 * 1024, HASH_BYTES = 20 };

enum section { COLLECTIONS, FIELDS, SYSTEM_FIELDS, RELATIONS, SECTIONS };

static const Str NAMES[SECTIONS] = {
    [COLLECTIONS] = STR_INIT("collections"),
    [FIELDS] = STR_INIT("fields"),
    [SYSTEM_FIELDS] = STR_INIT("systemFields"),
    [RELATIONS] = STR_INIT("relations"),
};

static const Str MEMBERS[SECTIONS] = {
    [COLLECTIONS] = STR_INIT("collection meta schema"),
    [FIELDS] = STR_INIT("collection field type meta schema name"),
    [SYSTEM_FIELDS] = STR_INIT("collection field schema"),
    [RELATIONS] = STR_INIT("collection field related_collection meta schema"),
};

static Str text_of(const struct json *entry, const char *key)
{
    const struct json *value = json_get(entry, str_from_z(key));
    return json_kind(value) == JSON_STRING ? json_str(value) : STR_NONE;
}

static Str key_of(struct arena *arena, enum section section, const struct json *entry)
{
    assert(section < SECTIONS);
    Str collection = text_of(entry, "collection");
    if (section == COLLECTIONS)
        return collection;
    return str_printf(arena, "%.*s.%.*s", STR_FMT(collection), STR_FMT(text_of(entry, "field")));
}

static fiber_fn struct map *index_of(struct ctx *ctx, enum section section,
                                     const struct json *snapshot)
{
    assert(section < SECTIONS);
    struct map *map = map_in_arena(ctx->arena);
    const struct json *list = json_get(snapshot, NAMES[section]);
    for (uint32_t i = 0; i < json_len(list); i++) {
        fiber_pause();
        const struct json *entry = json_at(list, i);
        map_put(map, key_of(ctx->arena, section, entry), (void *)(uintptr_t)entry);
    }
    return map;
}

/* Names one state of the schema; opaque to clients, as long as Directus'. */
static fiber_fn Str hash_of(struct ctx *ctx, const struct json *snapshot)
{
    Sha256 digest = sha256(json_text_apart(ctx, snapshot));
    static_assert(HASH_BYTES <= sizeof digest.bytes, "a part of the digest");
    return hex_text(ctx->arena, digest.bytes, HASH_BYTES);
}

/* The difference ------------------------------------------------------------------------------- */

struct differ {
    struct ctx *ctx;
    struct json_writer w;
    const struct json *current;
    const struct json *wanted;
    struct own own;
    const struct map *now[SECTIONS];
    const struct map *then[SECTIONS];
    uint32_t count;
};

static void entry_begin(struct differ *d, enum section section, const struct json *entry)
{
    assert(entry != NULL && section < SECTIONS);
    json_object_begin(&d->w);
    json_field_str(&d->w, "collection", text_of(entry, "collection"));
    if (section != COLLECTIONS)
        json_field_str(&d->w, "field", text_of(entry, "field"));
    if (section == RELATIONS) {
        json_key(&d->w, STR("related_collection"));
        json_put_value(&d->w, json_get(entry, STR("related_collection")));
    }
    json_key(&d->w, STR("diff"));
    json_array_begin(&d->w);
    d->count++;
}

static void entry_end(struct differ *d)
{
    assert(d->count > 0);
    json_array_end(&d->w);
    json_object_end(&d->w);
}

/* With its collection it goes anyway; and what came with the platform stays. */
static bool goes_untold(const struct differ *d, enum section section, const struct json *entry)
{
    assert(section < SECTIONS && d->then[COLLECTIONS] != NULL);
    Str collection = text_of(entry, "collection");
    if (own_has_collection(&d->own, collection))
        return section == COLLECTIONS ||
               own_has_field(d->ctx->arena, &d->own, collection, text_of(entry, "field")) ||
               map_get(d->then[COLLECTIONS], collection) == NULL;
    return section != COLLECTIONS && map_get(d->then[COLLECTIONS], collection) == NULL;
}

/* Not there means not indexed. */
static void put_index(struct differ *d, const struct json *entry, bool is_now)
{
    assert(entry != NULL);
    entry_begin(d, SYSTEM_FIELDS, entry);
    json_object_begin(&d->w);
    json_field_str(&d->w, "kind", STR("E"));
    json_field_raw(&d->w, "path", STR("[\"schema\",\"is_indexed\"]"));
    json_field_bool(&d->w, "lhs", is_now);
    json_field_bool(&d->w, "rhs", !is_now);
    json_object_end(&d->w);
    entry_end(d);
}

static void put_one(struct differ *d, enum section section, const struct json *now,
                    const struct json *then)
{
    assert(now != NULL || then != NULL);
    if (section == SYSTEM_FIELDS) {
        if (now == NULL || then == NULL)
            put_index(d, now != NULL ? now : then, now != NULL);
        return;
    }
    if (now != NULL && then != NULL && apply_is_same(now, then))
        return;
    if (then == NULL && goes_untold(d, section, now))
        return;
    entry_begin(d, section, now != NULL ? now : then);
    diff_records_write(&d->w, now, then);
    entry_end(d);
}

static fiber_fn Err put_section(struct differ *d, enum section section)
{
    assert(d->now[section] != NULL && d->then[section] != NULL);
    struct arena *arena = d->ctx->arena;
    const struct json *now = json_get(d->current, NAMES[section]);
    const struct json *then = json_get(d->wanted, NAMES[section]);
    json_key(&d->w, NAMES[section]);
    json_array_begin(&d->w);
    for (uint32_t i = 0; i < json_len(now); i++) {
        TRY(fiber_breathe(d->ctx));
        const struct json *entry = json_at(now, i);
        put_one(d, section, entry, map_get(d->then[section], key_of(arena, section, entry)));
    }
    for (uint32_t i = 0; i < json_len(then); i++) {
        TRY(fiber_breathe(d->ctx));
        const struct json *entry = json_at(then, i);
        if (map_get(d->now[section], key_of(arena, section, entry)) == NULL)
            put_one(d, section, NULL, entry);
    }
    json_array_end(&d->w);
    return OK;
}

static Err version_check(struct ctx *ctx, const struct json *snapshot)
{
#define BYPASS ". You can bypass this check by passing the \"force\" query parameter"
    Str directus = text_of(snapshot, "directus");
    Str vendor = text_of(snapshot, "vendor");
    if (!str_eq(directus, SNAPSHOT_DIRECTUS))
        return fail(ctx, ERR_INVALID_PAYLOAD,
                    "Provided snapshot's directus version %.*s does not match the current "
                    "instance's version %.*s" BYPASS,
                    STR_FMT(directus), STR_FMT(SNAPSHOT_DIRECTUS));
    if (vendor.len == 0)
        return fail(ctx, ERR_INVALID_PAYLOAD,
                    "Provided snapshot does not contain the \"vendor\" property" BYPASS);
    if (!str_eq(vendor, SNAPSHOT_VENDOR))
        return fail(ctx, ERR_INVALID_PAYLOAD,
                    "Provided snapshot's vendor %.*s does not match the current instance's vendor "
                    "%.*s" BYPASS,
                    STR_FMT(vendor), STR_FMT(SNAPSHOT_VENDOR));
    return OK;
#undef BYPASS
}

static Err members_check(struct ctx *ctx, Str where, const struct json *object, Str known)
{
    for (struct json_iter it = json_iter(object); json_next(&it);) {
        bool is_known = false;
        Str rest = known;
        Str name;
        while (str_next(&rest, ' ', &name))
            is_known = is_known || str_eq(name, it.key);
        if (!is_known)
            return fail(ctx, ERR_INVALID_PAYLOAD, "\"%.*s%.*s\" is not allowed", STR_FMT(where),
                        STR_FMT(it.key));
    }
    return OK;
}

static Err snapshot_check(struct ctx *ctx, const struct json *snapshot)
{
    const struct json *version = json_get(snapshot, STR("version"));
    if (version == NULL)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"version\" is required");
    if (json_kind(version) != JSON_INT || json_int(version) != 1)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"version\" must be [1]");
    if (json_get(snapshot, STR("directus")) == NULL)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"directus\" is required");
    for (uint32_t i = 0; i < SECTIONS; i++) {
        const struct json *list = json_get(snapshot, NAMES[i]);
        if (i != SYSTEM_FIELDS && list == NULL)
            return fail(ctx, ERR_INVALID_PAYLOAD, "\"%.*s\" is required", STR_FMT(NAMES[i]));
        if (list != NULL && json_kind(list) != JSON_ARRAY)
            return fail(ctx, ERR_INVALID_PAYLOAD, "\"%.*s\" must be an array", STR_FMT(NAMES[i]));
    }
    return members_check(ctx, STR(""), snapshot,
                         STR("version directus vendor collections fields systemFields relations"));
}

static fiber_fn Err entries_check(struct ctx *ctx, const struct json *snapshot)
{
    for (uint32_t s = 0; s < SECTIONS; s++) {
        const struct json *list = json_get(snapshot, NAMES[s]);
        for (uint32_t i = 0; i < json_len(list); i++) {
            TRY(fiber_breathe(ctx));
            const struct json *entry = json_at(list, i);
            if (json_kind(entry) != JSON_OBJECT)
                return fail(ctx, ERR_INVALID_PAYLOAD, "\"%.*s[%u]\" must be of type object",
                            STR_FMT(NAMES[s]), i);
            TRY(members_check(ctx, str_printf(ctx->arena, "%.*s[%u].", STR_FMT(NAMES[s]), i), entry,
                              MEMBERS[s]));
            if (text_of(entry, "collection").len == 0)
                return fail(ctx, ERR_INVALID_PAYLOAD, "\"%.*s[%u].collection\" is required",
                            STR_FMT(NAMES[s]), i);
            if (s != COLLECTIONS && text_of(entry, "field").len == 0)
                return fail(ctx, ERR_INVALID_PAYLOAD, "\"%.*s[%u].field\" is required",
                            STR_FMT(NAMES[s]), i);
        }
    }
    return OK;
}

/* Both of one moment. */
static fiber_fn Err state_load(struct platform platform, struct differ *d)
{
    SCOPED_TX struct db_tx tx = {0};
    TRY(ddl_begin_reading(platform, &tx));
    TRY(apply_own_load(&tx, &d->own));
    return ddl_snapshot(&tx, &d->current);
}

fiber_fn Err schema_diff(struct platform platform, const struct json *snapshot, bool is_forced,
                         Str *ret)
{
    struct ctx *ctx = platform.ctx;
    TRY(snapshot_check(ctx, snapshot));
    if (!is_forced)
        TRY(version_check(ctx, snapshot));
    TRY(entries_check(ctx, snapshot));
    struct differ d = {.ctx = ctx, .wanted = snapshot};
    TRY(state_load(platform, &d));
    for (uint32_t i = 0; i < SECTIONS; i++) {
        d.now[i] = index_of(ctx, (enum section)i, d.current);
        d.then[i] = index_of(ctx, (enum section)i, snapshot);
    }
    d.w = json_writer(buf_in_arena(ctx->arena, DIFF_MAX));
    json_object_begin(&d.w);
    json_field_str(&d.w, "hash", hash_of(ctx, d.current));
    json_key(&d.w, STR("diff"));
    json_object_begin(&d.w);
    for (uint32_t i = 0; i < SECTIONS; i++)
        TRY(put_section(&d, (enum section)i));
    json_object_end(&d.w);
    json_object_end(&d.w);
    TRY(buf_check(ctx, d.w.out, "The difference"));
    *ret = d.count == 0 ? STR_NONE : buf_str(d.w.out);
    return OK;
}

/* The difference, carried out ------------------------------------------------------------------ */

struct patcher {
    struct ctx *ctx;
    const struct json *current;
    const struct json *diff;
    const struct map *records[SECTIONS]; /* key → the entry of `diff` */
};

/* "N", "D" for a whole entry; "" for records inside one. */
static Str whole_kind(const struct json *entry)
{
    const struct json *first = json_at(json_get(entry, STR("diff")), 0);
    return json_get(first, STR("path")) == NULL ? text_of(first, "kind") : STR("");
}

static Err record_check(struct ctx *ctx, Str section, uint32_t entry, uint32_t index,
                        const struct json *record)
{
    Str kind = text_of(record, "kind");
    if (kind.len == 1 && strchr("NDEA", kind.data[0]) != NULL)
        return OK;
    return fail(ctx, ERR_INVALID_PAYLOAD,
                "\"diff.%.*s[%u].diff[%u].kind\" must be one of [N, D, E, A]", STR_FMT(section),
                entry, index);
}

static fiber_fn Err diff_check(struct ctx *ctx, const struct json *diff, uint32_t *ret_count)
{
    *ret_count = 0;
    for (uint32_t s = 0; s < SECTIONS; s++) {
        const struct json *list = json_get(diff, NAMES[s]);
        if (list == NULL)
            return fail(ctx, ERR_INVALID_PAYLOAD, "\"diff.%.*s\" is required", STR_FMT(NAMES[s]));
        if (json_kind(list) != JSON_ARRAY)
            return fail(ctx, ERR_INVALID_PAYLOAD, "\"diff.%.*s\" must be an array",
                        STR_FMT(NAMES[s]));
        for (uint32_t i = 0; i < json_len(list); i++) {
            TRY(fiber_breathe(ctx));
            const struct json *records = json_get(json_at(list, i), STR("diff"));
            if (json_kind(records) != JSON_ARRAY || json_len(records) == 0)
                return fail(ctx, ERR_INVALID_PAYLOAD, "\"diff.%.*s[%u].diff\" must be an array",
                            STR_FMT(NAMES[s]), i);
            for (uint32_t k = 0; k < json_len(records); k++)
                TRY(record_check(ctx, NAMES[s], i, k, json_at(records, k)));
        }
        *ret_count += json_len(list);
    }
    return OK;
}

static Str told(struct arena *arena, enum section section, const struct json *entry)
{
    assert(section < SECTIONS);
    Str collection = text_of(entry, "collection");
    Str field = text_of(entry, "field");
    if (section == COLLECTIONS)
        return str_printf(arena, "collection \"%.*s\"", STR_FMT(collection));
    if (section == RELATIONS && text_of(entry, "related_collection").len > 0)
        return str_printf(arena, "relation \"%.*s.%.*s-> %.*s\"", STR_FMT(collection),
                          STR_FMT(field), STR_FMT(text_of(entry, "related_collection")));
    return str_printf(arena, "%s \"%.*s.%.*s\"", section == RELATIONS ? "relation" : "field",
                      STR_FMT(collection), STR_FMT(field));
}

/* Told against another state: why, where one of its entries says so. */
static fiber_fn Err state_refuse(const struct patcher *p)
{
    assert(p->current != NULL && p->diff != NULL);
    struct ctx *ctx = p->ctx;
    for (uint32_t s = 0; s < SECTIONS; s++) {
        const struct json *list = json_get(p->diff, NAMES[s]);
        const struct map *now = index_of(ctx, (enum section)s, p->current);
        for (uint32_t i = 0; i < json_len(list); i++) {
            TRY(fiber_breathe(ctx));
            const struct json *entry = json_at(list, i);
            bool is_there = map_get(now, key_of(ctx->arena, (enum section)s, entry)) != NULL;
            Str kind = whole_kind(entry);
            if (str_eq(kind, STR("N")) && is_there)
                return fail(ctx, ERR_INVALID_PAYLOAD,
                            "Provided diff is trying to create %.*s but it already exists. Please "
                            "generate a new diff and try again",
                            STR_FMT(told(ctx->arena, (enum section)s, entry)));
            if (str_eq(kind, STR("D")) && !is_there)
                return fail(ctx, ERR_INVALID_PAYLOAD,
                            "Provided diff is trying to delete %.*s but it does not exist. Please "
                            "generate a new diff and try again",
                            STR_FMT(told(ctx->arena, (enum section)s, entry)));
        }
    }
    return fail(ctx, ERR_INVALID_PAYLOAD,
                "Provided hash does not match the current instance's schema hash, indicating the "
                "schema has changed after this diff was generated. Please generate a new diff and "
                "try again or use the \"force\" query parameter to bypass this check");
}

/* With a collection go its fields and relations. */
static bool goes_with_collection(const struct patcher *p, enum section section,
                                 const struct json *entry)
{
    assert(p->records[COLLECTIONS] != NULL);
    if (section == COLLECTIONS)
        return false;
    const struct json *collection = map_get(p->records[COLLECTIONS], text_of(entry, "collection"));
    return collection != NULL && str_eq(whole_kind(collection), STR("D"));
}

static void build_entry(const struct patcher *p, enum section section, struct json_builder *b,
                        const struct json *entry)
{
    assert(entry != NULL && section < SECTIONS);
    const struct json *change = map_get(p->records[section], key_of(p->ctx->arena, section, entry));
    const struct json *records = json_get(change, STR("diff"));
    Str kind = change == NULL ? STR("") : whole_kind(change);
    if (str_eq(kind, STR("D")) || goes_with_collection(p, section, entry))
        return;
    if (change == NULL)
        json_build_value(b, entry);
    else if (str_eq(kind, STR("N")))
        json_build_value(b, json_get(json_at(records, 0), STR("rhs")));
    else
        diff_patch_build(b, entry, records);
}

static fiber_fn Err build_section(const struct patcher *p, enum section section,
                                  struct json_builder *b)
{
    assert(p->records[section] != NULL);
    const struct json *now = json_get(p->current, NAMES[section]);
    const struct json *list = json_get(p->diff, NAMES[section]);
    const struct map *known = index_of(p->ctx, section, p->current);
    json_build_key(b, NAMES[section]);
    json_build_array_begin(b);
    for (uint32_t i = 0; i < json_len(now); i++) {
        TRY(fiber_breathe(p->ctx));
        build_entry(p, section, b, json_at(now, i));
    }
    for (uint32_t i = 0; i < json_len(list) && section != SYSTEM_FIELDS; i++) {
        TRY(fiber_breathe(p->ctx));
        const struct json *entry = json_at(list, i);
        if (str_eq(whole_kind(entry), STR("N")) &&
            map_get(known, key_of(p->ctx->arena, section, entry)) == NULL)
            json_build_value(b, json_get(json_at(json_get(entry, STR("diff")), 0), STR("rhs")));
    }
    json_build_array_end(b);
    return OK;
}

static fiber_fn Err build_wanted(const struct patcher *p, struct json_builder *b)
{
    static const char *const HEAD[] = {"version", "directus", "vendor"};
    json_build_object_begin(b);
    for (size_t i = 0; i < COUNT_OF(HEAD); i++) {
        json_build_key(b, str_from_z(HEAD[i]));
        json_build_value(b, json_get(p->current, str_from_z(HEAD[i])));
    }
    for (uint32_t s = 0; s < SECTIONS; s++)
        TRY(build_section(p, (enum section)s, b));
    json_build_object_end(b);
    return OK;
}

static fiber_fn Err wanted_of(const struct patcher *p, const struct json **ret)
{
    struct json_builder *measuring = json_builder_measuring(p->ctx);
    struct json_builder *b;
    TRY(build_wanted(p, measuring));
    TRY(json_builder_new(p->ctx, json_builder_bytes(measuring), &b));
    TRY(build_wanted(p, b));
    return json_builder_end(p->ctx, b, ret);
}

/* Indexes on fields of the system. */
static fiber_fn Err apply_system(struct db_tx *tx, const struct json *list)
{
    assert(tx->connection != NULL);
    for (uint32_t i = 0; i < json_len(list); i++) {
        const struct json *entry = json_at(list, i);
        const struct json *wanted = json_get(json_at(json_get(entry, STR("diff")), 0), STR("rhs"));
        TRY(ddl_index_system(tx, text_of(entry, "collection"), text_of(entry, "field"),
                             json_bool(wanted)));
    }
    return OK;
}

static fiber_fn Err carry_out(struct db_tx *tx, const struct patcher *p)
{
    assert(tx->connection != NULL && p->current != NULL);
    struct own own;
    struct diff diff;
    const struct json *wanted;
    TRY(wanted_of(p, &wanted));
    TRY(apply_own_load(tx, &own));
    TRY(apply_diff(p->ctx, wanted, p->current, &own, true, &diff));
    for (uint32_t i = 0; i < diff.count; i++)
        if (diff.list[i].kept != NULL)
            return fail(p->ctx, ERR_CONFLICT, "%.*s cannot be deleted: %s",
                        STR_FMT(diff.list[i].path), diff.list[i].kept);
    TRY(audit_write(
        tx, &(struct audit){.action = STR("schema_applied"), .entity_type = STR("schema")}));
    TRY(apply_steps(tx, &diff));
    TRY(apply_system(tx, json_get(p->diff, NAMES[SYSTEM_FIELDS])));
    return ddl_commit(tx);
}

fiber_fn Err schema_diff_apply(struct platform platform, const struct json *body, bool is_forced)
{
    struct ctx *ctx = platform.ctx;
    uint32_t count;
    const struct json *hash = json_get(body, STR("hash"));
    struct patcher p = {.ctx = ctx, .diff = json_get(body, STR("diff"))};
    if (json_kind(hash) != JSON_STRING)
        return fail(ctx, ERR_INVALID_PAYLOAD,
                    hash == NULL ? "\"hash\" is required" : "\"hash\" must be a string");
    if (json_kind(p.diff) != JSON_OBJECT)
        return fail(ctx, ERR_INVALID_PAYLOAD,
                    p.diff == NULL ? "\"diff\" is required" : "\"diff\" must be of type object");
    TRY(diff_check(ctx, p.diff, &count));
    if (count == 0)
        return OK;
    SCOPED_TX struct db_tx tx = {0};
    TRY(ddl_begin(platform, &tx));
    TRY(ddl_snapshot(&tx, &p.current));
    for (uint32_t s = 0; s < SECTIONS; s++)
        p.records[s] = index_of(ctx, (enum section)s, p.diff);
    if (!is_forced && !str_eq(json_str(hash), hash_of(ctx, p.current)))
        return state_refuse(&p);
    return carry_out(&tx, &p);
}
