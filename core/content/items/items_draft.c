#include "content/items/items_draft.h"

#include "access/grants/actor.h"
#include "base/crypto/crypto.h"
#include "base/json/json_writer.h"
#include "content/items/nested.h"
#include "content/plan/sql_print.h"
#include "io/reactor/reactor.h"

#include <assert.h>

enum { OVERLAY_MAX = 64 * 1024 * 1024, FINGERPRINT_SQL_MAX = 4096, FINGERPRINT_BYTES = 20 };

/* A draft being read. */
struct draft {
    struct ctx *ctx; /* the reader's */
    const struct schema *schema;
    const struct collection *collection;
    Str key;
    const struct json *delta;
    const struct query *query;
    struct row_sink *sink;
};

static fiber_fn Err emit(struct run *run, struct row_sink *sink)
{
    assert(run->plan->is_single);
    TRY(run_plan(run));
    TRY(run_check_keys(run));
    if (run->rows.count == 0)
        return fail_plain(run->ctx, ERR_FORBIDDEN);
    return run_emit_row(run, 0, sink);
}

/* with w as (select r.* from "posts" x cross join lateral jsonb_populate_record(x, $1::jsonb) r
 * where x."id" = $2) */
static void print_overlay(struct sql *sql, const void *arg)
{
    const struct collection *collection = arg;
    assert(collection->key != NULL);
    struct param *overlay = param_new(sql->c, PARAM_ARGUMENT);
    overlay->index = 0;
    sql_text(sql, "with w as (select r.* from ");
    sql_name(sql, collection->name);
    sql_text(sql, " x cross join lateral jsonb_populate_record(x, ");
    sql_param(sql, overlay);
    sql_text(sql, "::text::jsonb) r where x.");
    sql_name(sql, collection->key->name);
    sql_text(sql, " = ");
    sql_param(sql, param_new(sql->c, PARAM_KEY));
    sql_text(sql, ") ");
}

static Err read_overlay(struct compiler *c, struct plan *plan, const void *arg)
{
    (void)c;
    assert(plan->root->prefix == NULL);
    plan->root->prefix = print_overlay;
    plan->root->prefix_arg = arg;
    plan->root->root_name = "w";
    return OK;
}

/* The supplied columns in the text form of their types. */
static Str overlay_json(struct ctx *ctx, const struct payload *payload)
{
    struct buf *out = buf_in_arena(ctx->arena, OVERLAY_MAX);
    struct json_writer json = json_writer(out);
    json_object_begin(&json);
    for (uint32_t i = 0; i < payload->count; i++) {
        const struct cell *cell = &payload->cells[i];
        if (cell->field == NULL || !cell->is_supplied)
            continue;
        cell_put_column(&json, cell);
    }
    json_object_end(&json);
    return buf_str(out);
}

static fiber_fn Err read_laid_over(const struct draft *draft, const struct payload *payload)
{
    struct run run = {.ctx = draft->ctx};
    struct plan_request request = {
        .op = PLAN_ONE,
        .collection = draft->collection,
        .query = draft->query,
        .detail = STR("draft"),
        .extend = read_overlay,
        .extend_arg = draft->collection,
        .ret_values = &run.values,
    };
    const DbArg overlay = db_text(overlay_json(draft->ctx, payload));
    run.arguments = &overlay;
    run.argument_count = 1;
    TRY(key_parse(draft->ctx, draft->collection, draft->key, &run.key));
    TRY(plan_get(draft->ctx, draft->schema, &request, &run.plan));
    return emit(&run, draft->sink);
}

/* The transaction is never committed. */
static fiber_fn Err read_rolled_back(const struct draft *draft)
{
    struct ctx *ctx = draft->ctx;
    struct writer w = {.ctx = ctx, .schema = draft->schema, .is_draft = true};
    struct write_target target;
    TRY(write_target_open(ctx, draft->schema, draft->collection, ACTION_UPDATE, &target));
    SCOPED_TX struct db_tx tx = {0};
    struct run written = {.ctx = ctx};
    struct run run = {.ctx = ctx, .tx = &tx};
    struct plan_request request = {.op = PLAN_ONE,
                                   .collection = draft->collection,
                                   .query = draft->query,
                                   .ret_values = &run.values};
    TRY(db_begin(ctx, &tx));
    assert(tx.connection != NULL);
    w.tx = &tx;
    TRY(write_update_one(&w, &target, draft->key, draft->delta, NULL, &written));
    TRY(write_queue_run(&w));
    TRY(key_parse(ctx, draft->collection, draft->key, &run.key));
    TRY(plan_get(ctx, draft->schema, &request, &run.plan));
    return emit(&run, draft->sink);
}

/* Reading needs no right to write, but the values must fit the columns. */
static fiber_fn Err read_columns(const struct draft *draft)
{
    assert(!nested_is_in(draft->collection, draft->delta));
    struct payload payload;
    const struct write_target target = {
        .ctx = draft->ctx,
        .schema = draft->schema,
        .collection = draft->collection,
        .action = ACTION_UPDATE,
        .access = {.is_full = true},
    };
    TRY(payload_make(&target, draft->delta, &payload));
    return read_laid_over(draft, &payload);
}

/* Whether what the reader sees of a row depends on what the row holds. */
static bool has_conditions(const struct access *access)
{
    assert(access->is_full || access->grant != NULL);
    if (access->is_full)
        return false;
    for (uint32_t i = 0; i < access->grant->rule_count; i++) {
        if (json_len(access->grant->rules[i].filter) > 0)
            return true;
    }
    return false;
}

fiber_fn Err items_read_draft(struct ctx *ctx, struct items_target target, Str key,
                              const struct json *delta, const struct query *query,
                              struct row_sink *sink)
{
    assert(json_kind(delta) == JSON_OBJECT && !query->is_unparsed);
    struct access access;
    struct compiler c = {.ctx = ctx, .actor = ctx->actor, .scope = ctx->scope.kind};
    struct draft draft = {.ctx = ctx, .key = key, .delta = delta, .query = query, .sink = sink};
    TRY(schema_current(ctx, &draft.schema));
    TRY(plan_collection(ctx, draft.schema, target, ACTION_READ, &draft.collection));
    bool is_found = access_find(&c, draft.collection, ACTION_READ, &access);
    assert(is_found);
    if (!is_found || has_conditions(&access) || nested_is_in(draft.collection, delta))
        return read_rolled_back(&draft);
    return read_columns(&draft);
}

/* select to_jsonb(x)::text from "posts" x where x."id" = $1 and x."site_id" = $2 for update */
static struct statement fingerprint_statement(struct ctx *ctx, const struct collection *collection,
                                              bool is_locked)
{
    assert(collection->key != NULL);
    struct buf *text = buf_in_arena(ctx->arena, FINGERPRINT_SQL_MAX);
    struct sql sql = {.out = text};
    sql_text(&sql, "select to_jsonb(x)::text from ");
    sql_name(&sql, collection->name);
    sql_text(&sql, " x where x.");
    sql_name(&sql, collection->key->name);
    sql_text(&sql, " = $1");
    if (ctx->scope.kind == SCOPE_SITE && collection->site != NULL) {
        sql_text(&sql, " and x.");
        sql_name(&sql, collection->site->name);
        sql_text(&sql, " = $2");
    }
    if (is_locked)
        sql_text(&sql, " for update");
    buf_put_char(text, '\0');
    return (struct statement){
        .sql = text->data, .lane = DB_READ, .types = collection->key->type_oid};
}

static fiber_fn Err fingerprint(struct ctx *ctx, const struct collection *collection, Str key,
                                struct db_tx *tx, Str *ret)
{
    assert(tx == NULL || tx->connection != NULL);
    struct statement statement = fingerprint_statement(ctx, collection, tx != NULL);
    bool has_site = ctx->scope.kind == SCOPE_SITE && collection->site != NULL;
    assert(!has_site || !uuid_is_nil(ctx->scope.site));
    struct rows rows;
    DbArg list[] = {db_null(), db_uuid(ctx->scope.site)};
    TRY(key_parse(ctx, collection, key, &list[0]));
    struct db_args args = {list, has_site ? 2 : 1};
    if (tx != NULL)
        TRY(db_tx_query(tx, &statement, args, &rows));
    else
        TRY(db_query(ctx, &statement, args, &rows));
    if (rows.count != 1)
        return fail_plain(ctx, rows.count == 0 ? ERR_FORBIDDEN : ERR_AMBIGUOUS_KEY);
    Sha256 hash = hmac_sha256(ctx->reactor->settings->secret, row_text(&rows, 0, 0));
    *ret = hex_text(ctx->arena, hash.bytes, FINGERPRINT_BYTES);
    return OK;
}

fiber_fn Err items_fingerprint(struct ctx *ctx, struct items_target target, Str key,
                               struct db_tx *tx, Str *ret)
{
    const struct schema *schema;
    const struct collection *collection;
    TRY(schema_current(ctx, &schema));
    TRY(plan_collection(ctx, schema, target, ACTION_READ, &collection));
    return fingerprint(ctx, collection, key, tx, ret);
}

struct unchanged {
    const struct write_target *target;
    Str key;
    Str fingerprint;
    const char *stale;
    const struct json *body;
};

static fiber_fn Err update_unchanged(struct writer *w, void *arg)
{
    assert(w->tx != NULL); /* the row stays locked until it is written */
    const struct unchanged *unchanged = arg;
    struct run run = {.ctx = w->ctx};
    Str now;
    TRY(fingerprint(w->ctx, unchanged->target->collection, unchanged->key, w->tx, &now));
    if (!str_eq(now, unchanged->fingerprint))
        return fail(w->ctx, ERR_UNPROCESSABLE, "%s", unchanged->stale);
    return write_update_one(w, unchanged->target, unchanged->key, unchanged->body, NULL, &run);
}

fiber_fn Err items_update_unchanged(struct ctx *ctx, struct items_target target, Str key, Str given,
                                    const char *stale, const struct json *body)
{
    struct writer w;
    struct write_target write_target;
    TRY(write_open(ctx, target, ACTION_UPDATE, &w, &write_target));
    struct unchanged unchanged = {&write_target, key, given, stale, body};
    TRY(writer_in_tx(&w, update_unchanged, &unchanged));
    write_announce(&w);
    return OK;
}

/*
 * Versions and revisions name the row they are about by collection and key. On the platform another
 * site may have a row with that key by now: what is done with them happens in the scope of their
 * own site.
 */

fiber_fn Err item_scope(struct ctx *ctx, const struct collection *collection,
                        const struct statement *site_of, DbArg id, Scope *ret)
{
    struct rows rows;
    *ret = ctx->scope;
    if (ctx->scope.kind != SCOPE_PLATFORM || collection->site == NULL)
        return OK;
    TRY(db_query(ctx, site_of, ARGS(id), &rows));
    if (rows.count == 0)
        return fail_plain(ctx, ERR_FORBIDDEN);
    assert(rows.count == 1);
    if (!row_is_null(&rows, 0, 0))
        *ret = (Scope){.kind = SCOPE_SITE, .site = row_uuid(&rows, 0, 0)};
    else if (!collection->is_site_optional)
        *ret =
            (Scope){.kind = SCOPE_SITE, .site = UUID_LIBRARY_SITE}; /* no site's: the library's */
    return OK;
}

struct ctx *item_writer(struct ctx *caller, struct ctx *own)
{
    assert(own->parent == caller);
    bool is_library = own->scope.kind == SCOPE_SITE && uuid_eq(own->scope.site, UUID_LIBRARY_SITE);
    return is_library ? caller : own;
}
