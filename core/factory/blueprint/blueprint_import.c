/*
 * Stores a site's blueprint: resolves names to ids and inserts the missing rows, one or more
 * statements per part. All in one transaction.
 */
#include "access/audit/audit.h"
#include "base/crypto/crypto.h"
#include "base/system/ctx.h"
#include "content/changes/changes.h"
#include "factory/blueprint/blueprint_check.h"
#include "factory/blueprint/blueprint_take.h"
#include "gen/sql.h"
#include "io/reactor/reactor.h"

#include <assert.h>
#include <inttypes.h>

/* The id that a row of the document gets. */
struct target {
    Uuid id;
    bool is_new;
};

struct import {
    struct ctx *ctx;
    struct db_tx *tx;
    const struct blueprint_layout *layout;
    const struct json *body;
    struct arena *kept;
    struct blueprint_names existing; /* rows that the site already has */
    struct blueprint_names supplied; /* rows of the document, new or existing */
    struct blueprint_names library;  /* rows of the library that may be referred to */
    struct target *targets[BLUEPRINT_PARTS];
};

/* Names */

static const struct blueprint_row *find(const struct import *in, enum blueprint_part part,
                                        Str label, bool is_library)
{
    if (is_library)
        return blueprint_names_find(&in->library, part, label);
    const struct blueprint_row *row = blueprint_names_find(&in->supplied, part, label);
    return row != NULL ? row : blueprint_names_find(&in->existing, part, label);
}

static Err resolve(struct import *in, Str where, Str field, enum blueprint_part part,
                   const struct json *value, const struct blueprint_row **ret, bool *ret_library)
{
    struct ctx *ctx = in->ctx;
    Str label = STR_NONE;
    const struct blueprint_row *row = NULL;
    if (blueprint_label_read(value, &label, ret_library))
        row = find(in, part, label, *ret_library);
    if (row != NULL) {
        *ret = row;
        return OK;
    }
    Str sentence = str_printf(ctx->arena, "names \"%.*s\", which is not among the %.*s of %s",
                              STR_FMT(label), STR_FMT(blueprint_part_name(part)),
                              *ret_library ? "the library" : "the blueprint or the site");
    return blueprint_refuse(ctx, where, str_z(ctx->arena, field), str_z(ctx->arena, sentence));
}

/* The value of an SQL literal: 'US'::character varying, 0. */
static Str default_text(Str sql)
{
    if (!str_starts_with(sql, STR("'")))
        return sql;
    Str rest = str_slice(sql, 1, sql.len);
    Str text = STR_NONE;
    (void)str_next(&rest, '\'', &text);
    return text;
}

static Err key_text(struct import *in, Str where, const struct blueprint_field *field,
                    const struct json *row, Str *ret)
{
    struct arena *arena = in->ctx->arena;
    const struct json *value = json_get(row, field->name);
    if (json_is_null(value)) {
        *ret = default_text(field->default_sql);
        return OK;
    }
    if (field->kind == BLUEPRINT_REF) {
        const struct blueprint_row *target;
        bool is_library;
        TRY(resolve(in, where, field->name, field->target, value, &target, &is_library));
        *ret = target->natural;
        return OK;
    }
    bool is_library;
    if (field->kind == BLUEPRINT_NAME) {
        (void)blueprint_label_read(value, ret, &is_library);
        return OK;
    }
    *ret = json_kind(value) == JSON_STRING ? json_str(value) : json_text(arena, value);
    if ((field->flags & B_HASHED) != 0) {
        Sha256 hash = sha256(*ret);
        *ret = hex_text(arena, hash.bytes, sizeof hash.bytes);
    }
    return OK;
}

/* Must give the same key as blueprint_keys_sql. */
static Err natural_of(struct import *in, enum blueprint_part part, Str where,
                      const struct json *row, Str *ret)
{
    enum { NATURAL_MAX = 64 * 1024 };
    struct buf *out = buf_in_arena(in->ctx->arena, NATURAL_MAX);
    bool has_group = false;
    for (uint32_t i = 0; i < in->layout->counts[part]; i++) {
        const struct blueprint_field *field = &in->layout->fields[part][i];
        if ((field->flags & B_KEY) != 0)
            has_group = false;
        else if ((field->flags & B_OR) == 0)
            continue;
        Str text;
        TRY(key_text(in, where, field, row, &text));
        if (text.len == 0 || has_group)
            continue;
        has_group = true;
        if (out->len > 0)
            buf_put_char(out, '/');
        buf_put(out, text);
    }
    *ret = buf_str(out);
    return buf_check(in->ctx, out, "name");
}

static fiber_fn Err name_row(struct import *in, enum blueprint_part part, uint32_t index)
{
    Str where = blueprint_where(in->ctx->arena, part, index);
    Str natural;
    TRY(natural_of(in, part, where, blueprint_row_at(in->body, part, index), &natural));
    struct blueprint_row *row = blueprint_names_add(&in->supplied, part, uuid_make(), natural);
    const struct blueprint_row *there = blueprint_names_find(&in->existing, part, row->label);
    if (there != NULL)
        row->id = there->id;
    in->targets[part][index] = (struct target){.id = row->id, .is_new = there == NULL};
    return OK;
}

static fiber_fn Err name_part(struct import *in, enum blueprint_part part)
{
    uint32_t count = blueprint_row_count(in->body, part);
    in->targets[part] = arena_array(in->kept, struct target, (size_t)count + 1);
    for (uint32_t i = 0; i < count; i++) {
        TRY(fiber_breathe(in->ctx));
        ArenaMark mark = arena_mark(in->ctx->arena);
        if (blueprint_part_info(part)->identity == B_NAMED)
            TRY(name_row(in, part, i));
        else
            in->targets[part][i] = (struct target){.id = uuid_make(), .is_new = true};
        arena_rewind(in->ctx->arena, mark);
    }
    return OK;
}

/* Rows */

struct place {
    Str where;
    Str field;
};

static Err put_token(struct import *in, struct json_writer *w, const struct place *at, Str text)
{
    struct ctx *ctx = in->ctx;
    Str rest = str_slice(text, sizeof BLUEPRINT_TOKEN - 1, text.len);
    if (str_eq(rest, STR("site"))) {
        json_put_uuid(w, ctx->scope.site);
        return OK;
    }
    Str name = STR_NONE;
    bool is_split = str_next(&rest, '/', &name);
    for (enum blueprint_part part = 0; part < BLUEPRINT_PARTS && is_split; part++) {
        const struct blueprint_row *row =
            str_eq(blueprint_part_name(part), name) ? find(in, part, rest, false) : NULL;
        if (row != NULL) {
            json_put_uuid(w, row->id);
            return OK;
        }
    }
    return blueprint_refuse(ctx, at->where, str_z(ctx->arena, at->field),
                            str_z(ctx->arena, str_printf(ctx->arena,
                                                         "holds \"%.*s\", which is neither in the "
                                                         "blueprint nor in the site",
                                                         STR_FMT(text))));
}

static fiber_fn Err put_mapped(struct import *in, struct json_writer *w, const struct place *at,
                               const struct json *value, uint32_t depth)
{
    assert(depth < JSON_DEPTH_MAX); /* checked by the parser */
    TRY(fiber_breathe(in->ctx));
    switch (json_kind(value)) {
    case JSON_STRING:
        if (str_starts_with(json_str(value), STR(BLUEPRINT_TOKEN)))
            return put_token(in, w, at, json_str(value));
        json_put_str(w, json_str(value));
        return OK;
    case JSON_ARRAY:
        json_array_begin(w);
        for (uint32_t i = 0; i < json_len(value); i++)
            TRY(put_mapped(in, w, at, json_at(value, i), depth + 1));
        json_array_end(w);
        return OK;
    case JSON_OBJECT:
        json_object_begin(w);
        for (struct json_iter it = json_iter(value); json_next(&it);) {
            json_key(w, it.key);
            TRY(put_mapped(in, w, at, it.value, depth + 1));
        }
        json_object_end(w);
        return OK;
    default:
        json_put_value(w, value);
        return OK;
    }
}

static Err put_reference(struct import *in, struct json_writer *w, const struct place *at,
                         const struct blueprint_field *field, const struct json *value)
{
    const struct blueprint_row *row;
    bool is_library;
    TRY(resolve(in, at->where, field->name, field->target, value, &row, &is_library));
    json_key(w, field->name);
    if (field->kind == BLUEPRINT_REF)
        json_put_uuid(w, row->id);
    else
        json_put_str(w, row->natural);
    if (field->site_column.len == 0)
        return OK;
    json_key(w, field->site_column);
    json_put_uuid(w, is_library ? UUID_LIBRARY_SITE : in->ctx->scope.site);
    return OK;
}

static Err put_place(struct import *in, struct json_writer *w, const struct place *at,
                     const struct json *value)
{
    const struct json *state = json_get(value, STR("state"));
    const struct blueprint_row *row;
    bool is_library;
    TRY(resolve(in, at->where, at->field,
                json_is_null(state) ? BLUEPRINT_PART_counties : BLUEPRINT_PART_states,
                json_is_null(state) ? json_get(value, STR("county")) : state, &row, &is_library));
    json_key(w, at->field);
    json_put_uuid(w, row->id);
    return OK;
}

static fiber_fn Err put_field(struct import *in, struct json_writer *w, Str where,
                              const struct blueprint_field *field, const struct json *row)
{
    const struct json *value = json_get(row, field->name);
    if (json_is_null(value))
        return OK;
    struct place at = {where, field->name};
    switch (field->kind) {
    case BLUEPRINT_REF:
    case BLUEPRINT_NAME:
        return put_reference(in, w, &at, field, value);
    case BLUEPRINT_PLACE:
        return put_place(in, w, &at, value);
    case BLUEPRINT_JSON:
    case BLUEPRINT_ARRAY:
    case BLUEPRINT_OBJECT:
        json_key(w, field->name);
        return put_mapped(in, w, &at, value, 1);
    default:
        json_key(w, field->name);
        json_put_value(w, value);
        return OK;
    }
}

/* Pending rows, as one JSON array. */
struct sending {
    struct buf out;
    struct json_writer writer;
    struct statement add;
    uint32_t count;
    int64_t stored;
};

static fiber_fn Err put_row(struct import *in, enum blueprint_part part, uint32_t index,
                            struct json_writer *w)
{
    const struct json *row = blueprint_row_at(in->body, part, index);
    ArenaMark mark = arena_mark(in->ctx->arena);
    Str where = blueprint_where(in->ctx->arena, part, index);
    json_object_begin(w);
    json_field_uuid(w, "id", in->targets[part][index].id);
    for (uint32_t f = 0; f < in->layout->counts[part]; f++)
        TRY(put_field(in, w, where, &in->layout->fields[part][f], row));
    json_object_end(w);
    arena_rewind(in->ctx->arena, mark);
    return OK;
}

/* Errors that only PostgreSQL detects (an unknown time zone, two rows with one slug) at least name
 * the part. */
static Err name_part_on_error(struct ctx *ctx, enum blueprint_part part, Err err)
{
    if (err == OK || err_info(err)->status >= 500)
        return err;
    fail_note(ctx, "field", blueprint_part_name(part));
    return err;
}

static void sending_begin(struct sending *sending)
{
    buf_clear(&sending->out);
    sending->writer = json_writer(&sending->out);
    sending->count = 0;
    json_array_begin(&sending->writer);
}

static fiber_fn Err sending_end(struct import *in, enum blueprint_part part,
                                struct sending *sending)
{
    struct ctx *ctx = in->ctx;
    json_array_end(&sending->writer);
    TRY(buf_check(ctx, &sending->out, "blueprint"));
    if (sending->count == 0)
        return OK;
    ArenaMark mark = arena_mark(ctx->arena);
    struct rows rows = {0};
    Err err = db_tx_query(in->tx, &sending->add,
                          ARGS(db_uuid(ctx->scope.site), db_text(buf_str(&sending->out))), &rows);
    TRY(name_part_on_error(ctx, part, err));
    sending->stored += rows.affected;
    arena_rewind(ctx->arena, mark);
    sending_begin(sending);
    return OK;
}

/* Rows of such a part may refer to each other in any order, so all must be in one statement. */
static bool refers_to_itself(const struct import *in, enum blueprint_part part)
{
    for (uint32_t i = 0; i < in->layout->counts[part]; i++)
        if (in->layout->fields[part][i].target == part)
            return true;
    return false;
}

/* Sends the rows in statements of limited size, so that neither copying nor sending one takes
 * long. */
static fiber_fn Err send_rows(struct import *in, enum blueprint_part part, struct sending *sending)
{
    enum { STATEMENT_BYTES = 1024 * 1024 };
    uint32_t count = blueprint_row_count(in->body, part);
    bool is_whole = refers_to_itself(in, part);
    sending_begin(sending);
    for (uint32_t i = 0; i < count; i++) {
        TRY(fiber_breathe(in->ctx));
        if (!in->targets[part][i].is_new)
            continue;
        TRY(put_row(in, part, i, &sending->writer));
        sending->count++;
        if (!is_whole && sending->out.len > STATEMENT_BYTES)
            TRY(sending_end(in, part, sending));
    }
    return sending_end(in, part, sending);
}

static fiber_fn Err add_part(struct import *in, enum blueprint_part part, int64_t *ret_stored)
{
    struct sending sending = {.add = blueprint_add_sql(in->kept, in->layout, part)};
    buf_init(&sending.out, (size_t)in->ctx->reactor->settings->bulk_body_max_bytes * 2);
    Err err = send_rows(in, part, &sending);
    buf_finish(&sending.out);
    *ret_stored = sending.stored;
    return err;
}

/* The import */

static fiber_fn Err log_import(struct import *in, const struct blueprint_site_result *result)
{
    enum { DETAILS_MAX = 8 * 1024 };
    struct buf *out = buf_in_arena(in->ctx->arena, DETAILS_MAX);
    struct json_writer w = json_writer(out);
    json_object_begin(&w);
    for (enum blueprint_part part = 0; part < BLUEPRINT_PARTS; part++)
        if (result->stored[part] > 0) {
            json_key(&w, blueprint_part_name(part));
            json_put_int(&w, result->stored[part]);
        }
    json_object_end(&w);
    return audit_write(in->tx,
                       &(struct audit){.action = STR("imported"),
                                       .entity_type = STR("sites"),
                                       .entity_id = uuid_text(in->ctx->arena, in->ctx->scope.site),
                                       .details = buf_str(out),
                                       .level = "success"});
}

static fiber_fn Err load_names(struct import *in)
{
    blueprint_names_init(&in->existing, in->kept);
    blueprint_names_init(&in->supplied, in->kept);
    blueprint_names_init(&in->library, in->kept);
    TRY(blueprint_names_load(in->tx, in->layout, in->ctx->scope.site, blueprint_named_parts(),
                             &in->existing));
    return blueprint_names_load(in->tx, in->layout, UUID_LIBRARY_SITE,
                                blueprint_library_parts(in->layout), &in->library);
}

static fiber_fn Err store_all(struct import *in, struct blueprint_site_result *ret)
{
    TRY(db_tx_query(in->tx, &SQL_BLUEPRINT_LOCK,
                    ARGS(db_uuid(in->ctx->scope.site), db_text(STR(""))), NULL));
    TRY(load_names(in));
    for (enum blueprint_part part = 0; part < BLUEPRINT_PARTS; part++)
        TRY(name_part(in, part));
    for (enum blueprint_part part = 0; part < BLUEPRINT_PARTS; part++) {
        ret->is_present[part] = blueprint_row_count(in->body, part) > 0;
        if (ret->is_present[part])
            TRY(add_part(in, part, &ret->stored[part]));
    }
    return log_import(in, ret);
}

fiber_fn Err blueprint_site_store(struct ctx *ctx, const struct json *body,
                                  struct blueprint_site_result *ret)
{
    assert(ctx->scope.kind == SCOPE_SITE);
    const struct blueprint_layout *layout;
    TRY(blueprint_layout_read(ctx, &layout));
    TRY(blueprint_check(ctx, layout, body));
    struct import *in = arena_new(ctx->arena, struct import);
    in->ctx = ctx;
    in->layout = layout;
    in->body = body;
    in->kept = arena_create_within(ctx->arena);
    *ret = (struct blueprint_site_result){0};
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(ctx, &tx));
    in->tx = &tx;
    TRY(store_all(in, ret));
    changes_hint_after(&tx);
    TRY(db_commit(&tx));
    err_ignore(db_query(ctx, &SQL_STATISTICS_REFRESH, NO_ARGS, NULL),
               "statistics only speed up later queries; the import is done");
    return OK;
}
