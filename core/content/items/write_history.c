/*
 * Activity and revisions of the rows that a statement writes (w). As in Directus, a revision holds
 * the row after an update, or what a creation was given, without references to other rows.
 *
 * The statement writes them itself, but for new rows of a lineage: a revision names that of its
 * parent, which may be written later. These wait, with their ids, for a statement of their own.
 */
#include "access/audit/audit.h"
#include "base/json/json_writer.h"
#include "base/memory/list.h"
#include "content/items/nested.h"
#include "content/items/write_print.h"
#include "content/plan/sql_print.h"
#include "content/schema/sealed.h"
#include "gen/sql.h"

#include <assert.h>

/* A revision that is written and that of the row it was written for, which came later. */
struct adoption {
    struct adoption *next;
    const struct revision *revision;
    const struct revision *parent;
};

/* Members of one jsonb_build_object: a function takes at most a hundred arguments. */
enum { MEMBERS_MAX = 50 };

void write_put_cast(struct sql *sql, struct param *param, const char *type)
{
    assert(param != NULL);
    sql_param(sql, param);
    buf_printf(sql->out, "::%s", type);
}

static void put_row_site(struct sql *sql, const struct write_print *p)
{
    assert(p->has_site && p->collection->site != NULL);
    sql_text(sql, "nullif(w.");
    sql_name(sql, p->collection->site->name);
    sql_text(sql, ", '" UUID_LIBRARY_SITE_TEXT "'::uuid)");
}

static void put_site(struct sql *sql, const struct write_print *p)
{
    if (!p->has_site)
        return;
    sql_text(sql, ", ");
    put_row_site(sql, p);
}

static void put_activity(struct sql *sql, const struct write_print *p)
{
    assert(p->is_tracked);
    sql_text(sql, ", act as (insert into directus_activity (action, \"user\", collection, ip, "
                  "user_agent, origin, item");
    sql_text(sql, p->has_site ? ", site_id) select '" : ") select '");
    sql_text(sql, action_name(p->action));
    sql_text(sql, "', ");
    write_put_cast(sql, p->arguments[ACTIVITY_USER], "uuid, ");
    write_put_cast(sql, p->name, "text, ");
    write_put_cast(sql, p->arguments[ACTIVITY_IP], "text, ");
    write_put_cast(sql, p->arguments[ACTIVITY_AGENT], "text, ");
    write_put_cast(sql, p->arguments[ACTIVITY_ORIGIN], "text, w.");
    sql_name(sql, p->collection->key->name);
    sql_text(sql, "::text");
    put_site(sql, p);
    sql_text(sql,
             p->has_site ? " from w returning id, item, site_id)" : " from w returning id, item)");
}

/* What stands around a column to give it the form of the wire. */
struct wire_form {
    const char *before;
    const char *after;
};

/* NULL: to_jsonb has that form. */
static const struct wire_form *wire_form(const struct field *field)
{
    assert(!field->is_alias);
    static const struct wire_form HIDDEN = {"left('" FIELD_MASK "', case when w.",
                                            " is not null then 10 end)"};
    static const struct wire_form SEALED = {"left('" FIELD_MASK "', 10 * (w.",
                                            "::text <> '')::int)"};
    static const struct wire_form CSV = {"string_to_array(w.", ", ',')"};
    static const struct wire_form TEXT = {"w.", "::text"};
    static const struct wire_form FLAG = {"w.", " <> 0"};
    static const struct wire_form INSTANT = {
        "to_char(w.", " at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"};
    static const struct wire_form MOMENT = {"to_char(w.", ", 'YYYY-MM-DD\"T\"HH24:MI:SS')"};
    if ((field->special & SPECIAL_SECRET) == SPECIAL_ENCRYPT && field->type != FIELD_HASH)
        return &SEALED;
    if (payload_hides(field))
        return &HIDDEN;
    if (field->type == FIELD_CSV)
        return &CSV;
    switch (field->type_oid) {
    case OID_INT2:
    case OID_INT4:
        return (field->special & SPECIAL_CAST_BOOLEAN) != 0 ? &FLAG : NULL;
    case OID_INT8:
    case OID_NUMERIC:
        return &TEXT;
    case OID_TIMESTAMPTZ:
        return &INSTANT;
    case OID_TIMESTAMP:
        return &MOMENT;
    default:
        return NULL;
    }
}

static void put_wire_value(struct sql *sql, const struct field *field)
{
    static const struct wire_form PLAIN = {"w.", ""};
    const struct wire_form *form = wire_form(field);
    if (form == NULL)
        form = &PLAIN;
    sql_text(sql, form->before);
    sql_name(sql, field->name);
    sql_text(sql, form->after);
}

void write_put_literal(struct sql *sql, Str text)
{
    buf_put_char(sql->out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\'')
            buf_put_char(sql->out, '\'');
        buf_put_char(sql->out, text.data[i]);
    }
    buf_put_char(sql->out, '\'');
}

/* References are not part of revisions, and the hidden site is never shown. */
static bool is_kept(const struct field *field)
{
    return field->relation == NULL && !field->is_hidden_site && !field->is_alias;
}

/* "jsonb_build_object('n', w.n, …) || jsonb_build_object(…)"; prints nothing without fields. */
struct members {
    struct sql *sql;
    const char *first; /* before the first member */
    uint32_t count;
};

static void put_member(struct members *members, const struct field *field)
{
    assert(is_kept(field));
    struct sql *sql = members->sql;
    if (members->count == 0)
        sql_text(sql, members->first);
    else if (members->count % MEMBERS_MAX == 0)
        sql_text(sql, ") || ");
    sql_text(sql, members->count % MEMBERS_MAX == 0 ? "jsonb_build_object(" : ", ");
    write_put_literal(sql, field->name);
    sql_text(sql, ", ");
    put_wire_value(sql, field);
    members->count++;
}

/* The whole row. */
static void put_row(struct sql *sql, const struct write_print *p)
{
    assert(p->action == ACTION_UPDATE);
    const struct collection *collection = p->collection;
    Str *left_out = arena_array(sql->c->arena, Str, collection->field_count + 1);
    uint32_t count = 0;
    for (uint32_t i = 0; i < collection->field_count; i++) {
        const struct field *field = collection->fields[i];
        if (!field->is_alias && !is_kept(field))
            left_out[count++] = field->name;
    }
    assert(count <= collection->field_count);
    sql_text(sql, "(to_jsonb(w) - ");
    write_put_cast(sql, param_text(sql->c, run_array_literal(sql->c->arena, left_out, count)),
                   "text[]");
    struct members members = {sql, " || ", 0};
    for (uint32_t i = 0; i < collection->field_count; i++) {
        const struct field *field = collection->fields[i];
        if (is_kept(field) && wire_form(field) != NULL)
            put_member(&members, field);
    }
    sql_text(sql, members.count > 0 ? "))::json" : ")::json");
}

/* What the rows of a creation were given: they have the same columns. */
static void put_given(struct sql *sql, const struct write_print *p)
{
    assert(p->action == ACTION_CREATE && p->is_many);
    struct members members = {sql, "(", 0};
    for (uint32_t i = 0; i < p->supplied_count; i++) {
        if (is_kept(p->supplied[i]))
            put_member(&members, p->supplied[i]);
    }
    sql_text(sql, members.count > 0 ? "))::json" : "null::json");
}

static void put_data_and_delta(struct sql *sql, const struct write_print *p)
{
    assert(p->action == ACTION_CREATE || p->action == ACTION_UPDATE);
    if (p->action == ACTION_UPDATE)
        put_row(sql, p);
    else if (p->is_many)
        put_given(sql, p);
    else
        write_put_cast(sql, p->arguments[ARG_DATA], "json");
    sql_text(sql, ", ");
    if (p->action == ACTION_CREATE && p->is_many)
        put_given(sql, p);
    else
        write_put_cast(sql, p->arguments[ARG_DATA], "json");
}

/* What a single creation was given is an argument. */
static bool needs_row(const struct write_print *p)
{
    return p->action == ACTION_UPDATE || p->is_many;
}

static void put_row_of_activity(struct sql *sql, const struct write_print *p)
{
    sql_text(sql, " join w on act.item = w.");
    sql_name(sql, p->collection->key->name);
    sql_text(sql, "::text");
    if (!p->has_site)
        return;
    /* Rows of two sites may have the same key, and then one activity row each. */
    sql_text(sql, " and act.site_id is not distinct from ");
    put_row_site(sql, p);
}

static void put_revision(struct sql *sql, const struct write_print *p)
{
    assert(p->has_revisions && p->action != ACTION_DELETE);
    sql_text(sql,
             ", rev as (insert into directus_revisions (activity, collection, item, data, delta");
    sql_text(sql, p->has_lineage ? ", parent" : "");
    sql_text(sql, p->has_site ? ", site_id) select act.id, " : ") select act.id, ");
    write_put_cast(sql, p->name, "text, act.item, ");
    put_data_and_delta(sql, p);
    if (p->has_lineage) {
        sql_text(sql, ", ");
        write_put_cast(sql, p->arguments[ARG_PARENT], "int8");
    }
    if (p->has_site)
        sql_text(sql, ", act.site_id");
    sql_text(sql, " from act");
    if (needs_row(p))
        put_row_of_activity(sql, p);
    sql_text(sql, p->has_lineage ? " returning id, item)" : ")");
}

void write_put_history(struct sql *sql, const struct write_print *p)
{
    assert(p->is_tracked || !p->has_revisions);
    if (p->is_tracked)
        put_activity(sql, p);
    if (p->has_revisions)
        put_revision(sql, p);
}

const char *write_revision_of_row(struct arena *arena, const struct write_print *p)
{
    enum { EXPRESSION_MAX = 256 };
    if (p->waits)
        return "nextval('public.directus_revisions_id_seq')";
    if (!p->is_many)
        return "(select max(id)::int8 from rev)";
    struct sql sql = {.out = buf_in_arena(arena, EXPRESSION_MAX)};
    buf_printf(sql.out, "(select id::int8 from rev where item = t%u.", p->root->id);
    sql_name(&sql, p->collection->key->name);
    sql_text(&sql, "::text)");
    buf_put_char(sql.out, '\0');
    assert(!sql.out->is_full); /* names have at most 63 bytes */
    return sql.out->data;
}

bool write_is_tracked(const struct actor *actor, const struct collection *collection)
{
    return activity_is_kept(actor) && collection->accountability != TRACK_NOTHING;
}

bool write_tracks_sites(const struct schema *schema, const struct collection *collection)
{
    const struct collection *activity = schema_find(schema, STR("directus_activity"));
    return collection->site != NULL && activity != NULL && activity->site != NULL;
}

/* History that waits */

bool write_history_waits(const struct write_shape *shape)
{
    return shape->action == ACTION_CREATE && shape->has_lineage;
}

struct revision *write_history_add(struct writer *w, const struct plan *plan,
                                   const struct payload *payload, const struct revision *parent)
{
    assert(w->tx != NULL);
    struct ctx *ctx = w->ctx;
    if (!write_is_tracked(ctx->actor, plan->collection))
        return NULL;
    struct revision *revision = arena_new(ctx->arena, struct revision);
    *revision = (struct revision){.collection = plan->collection->name, .parent = parent};
    if (plan->revision_column != NO_COLUMN)
        revision->data = payload_json(ctx, payload);
    w->history.count++;
    LIST_APPEND(w->history.first, w->history.last, revision);
    return revision;
}

void write_history_of_row(struct writer *w, const struct plan *plan, const struct rows *rows,
                          uint32_t row, struct revision *ret)
{
    assert(ret->id == 0 && !ret->is_written);
    bool has_site = write_tracks_sites(w->schema, plan->collection);
    ret->item = key_of_row(w->ctx->arena, rows, row, plan->key_column);
    ret->site = has_site ? row_uuid(rows, row, plan->site_column) : w->ctx->scope.site;
    if (plan->revision_column != NO_COLUMN)
        ret->id = row_int(rows, row, plan->revision_column);
}

/* The keys and ids of the rows are known. */
static void add_history(struct writer *w, struct db_batch *batch)
{
    struct ctx *ctx = w->ctx;
    uint32_t count = w->history.count;
    assert(w->queue == NULL);
    if (count == 0)
        return;
    Str *collections = arena_array(ctx->arena, Str, count);
    Str *items = arena_array(ctx->arena, Str, count);
    Uuid *sites = arena_array(ctx->arena, Uuid, count);
    int64_t *revisions = arena_array(ctx->arena, int64_t, count);
    int64_t *parents = arena_array(ctx->arena, int64_t, count);
    Str *data = arena_array(ctx->arena, Str, count);
    uint32_t n = 0;
    for (struct revision *r = w->history.first; r != NULL; r = r->next, n++) {
        collections[n] = r->collection;
        items[n] = r->item;
        sites[n] = r->site;
        revisions[n] = r->id;
        parents[n] = r->parent == NULL ? 0 : r->parent->id;
        data[n] = r->data;
        r->is_written = true;
    }
    assert(n == count);
    w->history.first = w->history.last = NULL;
    w->history.count = 0;
    DbArg actor[ACTIVITY_ARGS];
    activity_put_actor(ctx->actor, actor);
    const struct history_write_args args = {
        .collections = {collections, count},
        .items = {items, count},
        .sites = {sites, count},
        .revisions = {revisions, count},
        .parents = {parents, count},
        .data = {data, count},
        .user = actor[ACTIVITY_USER],
        .ip = actor[ACTIVITY_IP],
        .user_agent = actor[ACTIVITY_AGENT],
        .origin = actor[ACTIVITY_ORIGIN],
    };
    db_batch_add(batch, &SQL_HISTORY_WRITE, history_write_args(ctx->arena, &args), NULL);
}

fiber_fn Err write_history_flush(struct writer *w)
{
    assert(w->tx != NULL);
    struct db_batch batch = {.lane = DB_WRITE};
    TRY(write_queue_run(w));
    add_history(w, &batch);
    return db_tx_batch_run(w->tx, &batch);
}

void write_history_adopt(struct writer *w, struct revision *revision, const struct revision *parent)
{
    assert(revision != NULL && parent != NULL);
    revision->parent = parent;
    if (!revision->is_written)
        return;
    struct adoption *adoption = arena_new(w->ctx->arena, struct adoption);
    *adoption = (struct adoption){w->history.adoptions, revision, parent};
    w->history.adoptions = adoption;
}

static void add_adoptions(struct writer *w, struct db_batch *batch)
{
    uint32_t count = 0;
    for (const struct adoption *a = w->history.adoptions; a != NULL; a = a->next)
        count++;
    int64_t *revisions = arena_array(w->ctx->arena, int64_t, count + 1);
    int64_t *parents = arena_array(w->ctx->arena, int64_t, count + 1);
    count = 0;
    for (const struct adoption *a = w->history.adoptions; a != NULL; a = a->next) {
        if (a->revision->id == 0 || a->parent->id == 0)
            continue; /* only activity is kept of one of them */
        revisions[count] = a->revision->id;
        parents[count++] = a->parent->id;
    }
    w->history.adoptions = NULL;
    if (count == 0)
        return;
    struct db_args args = ARGS(db_int_array(w->ctx->arena, revisions, count),
                               db_int_array(w->ctx->arena, parents, count));
    db_batch_add(batch, &SQL_REVISIONS_ADOPT, db_args_dup(w->ctx->arena, args), NULL);
}

fiber_fn Err write_history_end(struct writer *w, struct db_batch *batch)
{
    assert(w->tx != NULL);
    TRY(write_queue_run(w));
    add_history(w, batch);
    add_adoptions(w, batch);
    return OK;
}

/*
 * Changes of configuration leave a line in the work log, too, regardless of the actor: site,
 * entity, actor, address and, for an update, the names of the fields. Values are left out, because
 * some are secrets.
 */

enum { DETAILS_MAX = 64 * 1024 };

static Str action_text(enum action action)
{
    assert(action != ACTION_READ);
    return action == ACTION_CREATE   ? STR("created")
           : action == ACTION_UPDATE ? STR("updated")
                                     : STR("deleted");
}

static DbArg details_of(struct ctx *ctx, const struct write_shape *shape)
{
    if (shape->action != ACTION_UPDATE)
        return db_null();
    struct json_writer w = json_writer(buf_in_arena(ctx->arena, DETAILS_MAX));
    json_object_begin(&w);
    json_key(&w, STR("fields"));
    json_array_begin(&w);
    for (uint32_t i = 0; i < shape->field_count; i++)
        json_put_str(&w, shape->fields[i]->name);
    json_array_end(&w);
    json_object_end(&w);
    return w.out->is_full ? db_null() : db_text(buf_str(w.out));
}

/* A deleted site has no log any more: its deletion is logged for the platform. */
static Uuid log_of(const struct plan *plan, const struct write_shape *shape,
                   const struct rows *rows, uint32_t row)
{
    bool is_gone =
        shape->action == ACTION_DELETE && plan->collection->site == plan->collection->key;
    bool has_site = plan->site_column != NO_COLUMN && !row_is_null(rows, row, plan->site_column);
    if (is_gone || !has_site)
        return UUID_LIBRARY_SITE;
    return row_uuid(rows, row, plan->site_column);
}

fiber_fn Err write_audit(struct writer *w, const struct plan *plan, const struct write_shape *shape,
                         const struct rows *rows)
{
    assert(w->tx != NULL && plan->collection->is_audited);
    struct ctx *ctx = w->ctx;
    if (rows->count == 0)
        return OK;
    Uuid *sites = arena_array(ctx->arena, Uuid, rows->count);
    Str *keys = arena_array(ctx->arena, Str, rows->count);
    for (uint32_t i = 0; i < rows->count; i++) {
        sites[i] = log_of(plan, shape, rows, i);
        keys[i] = key_of_row(ctx->arena, rows, i, plan->key_column);
    }
    return db_tx_query(w->tx, &SQL_AUDIT_ROWS,
                       audit_rows_args(ctx->arena,
                                       &(struct audit_rows_args){
                                           .sites = {sites, rows->count},
                                           .keys = {keys, rows->count},
                                           .action = action_text(shape->action),
                                           .entity_type = plan->collection->name,
                                           .details = details_of(ctx, shape),
                                           .audit_user = audit_user(ctx),
                                           .audit_actor = audit_actor(ctx),
                                           .audit_ip = audit_ip(ctx),
                                       }),
                       NULL);
}
