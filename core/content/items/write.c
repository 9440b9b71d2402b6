/*
 * Executing writes, and announcing them after the commit.
 */
#include "access/audit/activity.h"
#include "base/memory/list.h"
#include "content/items/items_rules.h"
#include "content/items/nested.h"
#include "content/items/write_print.h"

#include <assert.h>

fiber_fn Err write_open(struct ctx *ctx, struct items_target target, enum action action,
                        struct writer *ret, struct write_target *ret_target)
{
    assert(action != ACTION_READ);
    const struct collection *collection;
    *ret = (struct writer){.ctx = ctx};
    TRY(schema_current(ctx, &ret->schema));
    TRY(plan_collection(ctx, ret->schema, target, action, &collection));
    return write_target_open(ctx, ret->schema, collection, action, ret_target);
}

fiber_fn Err writer_in_tx(struct writer *w, WriteSteps *steps, void *arg)
{
    if (w->tx != NULL)
        return steps(w, arg);
    SCOPED_TX struct db_tx tx = {0};
    struct db_batch last = {.lane = DB_WRITE};
    TRY(db_begin(w->ctx, &tx));
    w->tx = &tx;
    Err err = steps(w, arg);
    err = err == OK ? write_history_end(w, &last) : write_queue_settle(w, err);
    assert(w->tx == &tx && (err != OK || w->depth == 0));
    w->tx = NULL;
    return err != OK ? err : db_commit_with(&tx, &last);
}

Err write_refuse_singleton(struct ctx *ctx, const struct collection *collection, Str key)
{
    if (!collection->is_singleton)
        return OK;
    Str path = str_printf(ctx->arena, "/%.*s%s%.*s", STR_FMT(collection->name),
                          key.len > 0 ? "/" : "", STR_FMT(key));
    return fail_noted(ctx, ERR_ROUTE_NOT_FOUND, "path", path, "%.*s", STR_FMT(path));
}

Err write_check_rows(struct ctx *ctx, uint64_t rows)
{
    if (rows > ITEMS_WRITE_MAX)
        return fail(ctx, ERR_INVALID_PAYLOAD, "More than %d rows in one request", ITEMS_WRITE_MAX);
    return OK;
}

bool write_has_lineage(const struct write_target *target, const struct payload *payload)
{
    return target->path != NULL || payload->first_nested != NULL;
}

void write_columns(struct ctx *ctx, const struct payload *payload, struct write_shape *shape)
{
    const struct field **fields = arena_array(ctx->arena, const struct field *, payload->count + 1);
    const struct field **supplied =
        arena_array(ctx->arena, const struct field *, payload->count + 1);
    shape->field_count = shape->supplied_count = 0;
    for (uint32_t i = 0; i < payload->count; i++) {
        const struct cell *cell = &payload->cells[i];
        if (cell->field == NULL)
            continue;
        fields[shape->field_count++] = cell->field;
        if (cell->is_supplied)
            supplied[shape->supplied_count++] = cell->field;
    }
    shape->fields = fields;
    shape->supplied = supplied;
    assert(shape->supplied_count <= shape->field_count);
}

/* Maximum bytes of a value and of a list of fields in an error message. */
enum { QUOTED_MAX = 200, NAMES_MAX = 800 };

/* Of the type of its column: a statement that was prepared for another type must not be reused
 * after the column has changed. */
static DbArg cell_arg(const struct payload *payload, const struct field *field)
{
    const struct cell *cell = payload_find(payload, field);
    assert(cell != NULL);
    DbArg arg = db_text_z(cell->text);
    arg.oid = field->type_oid;
    return arg;
}

static const DbArg *given_list(struct ctx *ctx, const struct write_shape *shape,
                               const struct payload *payload, Str data, uint32_t *ret_count)
{
    assert(shape->field_count == 0 || shape->fields != NULL);
    DbArg *list = arena_array(ctx->arena, DbArg, ARG_CELLS + shape->field_count);
    activity_put_actor(ctx->actor, list);
    list[ARG_DATA] = db_text_z(data);
    bool has_parent = shape->parent_revision != NULL && shape->parent_revision->id != 0;
    list[ARG_PARENT] = has_parent ? db_int(shape->parent_revision->id) : db_null();
    for (uint32_t i = 0; payload != NULL && i < shape->field_count; i++)
        list[ARG_CELLS + i] = cell_arg(payload, shape->fields[i]);
    *ret_count = ARG_CELLS + shape->field_count;
    return list;
}

static enum items_action announced(enum action action)
{
    assert(action != ACTION_READ);
    return action == ACTION_CREATE   ? ITEMS_CREATE
           : action == ACTION_UPDATE ? ITEMS_UPDATE
                                     : ITEMS_DELETE;
}

static Uuid site_of(const struct plan *plan, const struct rows *rows, uint32_t row)
{
    Uuid none = {0};
    return plan->site_column == NO_COLUMN ? none : row_uuid(rows, row, plan->site_column);
}

/* Consecutive rows of one site are announced in one message. */
static void note_written(struct writer *w, const struct plan *plan, enum action action,
                         const struct rows *rows)
{
    assert(plan->key_column < rows->columns || rows->count == 0);
    struct arena *arena = w->ctx->arena;
    Str *keys = arena_array(arena, Str, rows->count + 1);
    struct announcement *announcement = NULL;
    for (uint32_t i = 0; i < rows->count; i++) {
        Uuid site = site_of(plan, rows, i);
        keys[i] = key_of_row(arena, rows, i, plan->key_column);
        if (announcement == NULL || !uuid_eq(announcement->change.site, site)) {
            announcement = arena_new(arena, struct announcement);
            announcement->change =
                (struct items_change){.action = announced(action),
                                      .collection = plan->collection->name,
                                      .site = site,
                                      .keys = &keys[i],
                                      .is_audited = plan->collection->is_audited};
            LIST_APPEND(w->first, w->last, announcement);
        }
        announcement->change.count++;
    }
}

static Str note_of(const struct ctx *ctx, const char *key)
{
    const struct diag_note *note = ctx->diag.last == NULL ? NULL : ctx->diag.last->notes;
    for (; note != NULL; note = note->next) {
        if (strcmp(note->key, key) == 0)
            return note->value;
    }
    return STR_NONE;
}

/* The field of this collection that the last error is about; NULL if none. */
static const struct field *refused_field(struct ctx *ctx, const struct collection *collection)
{
    bool is_own = str_eq(note_of(ctx, "collection"), collection->name);
    return is_own ? collection_field(collection, note_of(ctx, "field")) : NULL;
}

/* The value that a constraint refused, if the rows leave no doubt; else NULL. */
static const struct cell *refused_cell(struct ctx *ctx, const struct payload *payloads,
                                       uint32_t count)
{
    const struct field *field = refused_field(ctx, payloads[0].collection);
    const struct cell *found = NULL;
    for (uint32_t i = 0; field != NULL && i < count; i++) {
        const struct cell *cell = payload_find(&payloads[i], field);
        if (cell == NULL || cell->text.data == NULL)
            continue;
        if (found != NULL && !str_eq(found->text, cell->text))
            return NULL;
        found = cell;
    }
    return found;
}

/* A number of the body is one in the error. */
static void keep_number(struct ctx *ctx, const struct cell *cell)
{
    struct diag_note *note = ctx->diag.last->notes;
    bool is_number = cell->json != NULL && json_kind(cell->json) == JSON_INT;
    for (; is_number && note != NULL; note = note->next) {
        if (strcmp(note->key, "value") == 0)
            note->is_json = true;
    }
}

/* Under row-level security PostgreSQL does not report the offending value; the payload has it. */
Err write_name_value(struct ctx *ctx, Err err, const struct payload *payloads, uint32_t count)
{
    assert(err != OK);
    bool is_about_value = err == ERR_NOT_UNIQUE || err == ERR_INVALID_FOREIGN_KEY;
    if (!is_about_value || count == 0)
        return err;
    const struct cell *cell = refused_cell(ctx, payloads, count);
    if (cell == NULL || cell->text.len == 0)
        return err;
    if (note_of(ctx, "value").len > 0) {
        keep_number(ctx, cell);
        return err;
    }
    Str name = cell->field->name;
    Str table = payloads[0].collection->name;
    Str value = str_slice(cell->text, 0, QUOTED_MAX);
    if (err == ERR_NOT_UNIQUE)
        err = fail(ctx, err,
                   "Value \"%.*s\" for field \"%.*s\" in collection \"%.*s\" has to be unique.",
                   STR_FMT(value), STR_FMT(name), STR_FMT(table));
    else
        err = fail(ctx, err,
                   "Invalid foreign key \"%.*s\" for field \"%.*s\" in collection \"%.*s\".",
                   STR_FMT(value), STR_FMT(name), STR_FMT(table));
    fail_note(ctx, "collection", table);
    fail_note(ctx, "field", name);
    fail_note(ctx, "value", value);
    keep_number(ctx, cell);
    return err;
}

static fiber_fn Err bind(struct writer *w, const struct plan *plan, const struct write_shape *shape,
                         const struct payload *payload, Str data, struct run *run,
                         struct db_args *ret)
{
    assert(w->ctx->actor != NULL);
    bool is_of_json = shape->is_many && shape->action == ACTION_CREATE;
    run->plan = plan;
    run->arguments =
        given_list(w->ctx, shape, is_of_json ? NULL : payload, data, &run->argument_count);
    return run_bind(run, plan->root, ret);
}

/* A statement and the collection that it writes. */
struct sending {
    const struct plan *plan;
    const struct write_shape *shape;
    struct db_args args;
    struct rows *rows;
};

/* Audited collections: the row and its audit entry commit together. */
static fiber_fn Err send_audited(struct writer *w, void *arg)
{
    assert(w->tx != NULL);
    struct sending *sending = arg;
    TRY(db_tx_query(w->tx, &sending->plan->root->statement, sending->args, sending->rows));
    return write_audit(w, sending->plan, sending->shape, sending->rows);
}

static fiber_fn Err send(struct writer *w, struct sending *sending)
{
    assert(sending->plan->root->statement.sql != NULL);
    const struct statement *statement = &sending->plan->root->statement;
    if (sending->plan->collection->is_audited)
        return writer_in_tx(w, send_audited, sending);
    return w->tx != NULL ? db_tx_query(w->tx, statement, sending->args, sending->rows)
                         : db_query(w->ctx, statement, sending->args, sending->rows);
}

fiber_fn Err write_run(struct writer *w, const struct plan *plan, const struct write_shape *shape,
                       const struct payload *payload, Str data, struct run *run)
{
    assert(run->ctx == w->ctx && !write_history_waits(shape));
    struct sending sending = {.plan = plan, .shape = shape, .rows = &run->rows};
    if (w->tx != NULL) /* also for the id of the parent's revision, which is an argument */
        TRY(write_history_flush(w));
    TRY(bind(w, plan, shape, payload, data, run, &sending.args));
    Err err = send(w, &sending);
    if (err != OK)
        return write_name_value(w->ctx, err, payload, payload == NULL ? 0 : 1);
    w->rows += run->rows.count;
    w->revision = NULL;
    if (plan->revision_column != NO_COLUMN && run->rows.count > 0) {
        w->revision = arena_new(w->ctx->arena, struct revision);
        *w->revision = (struct revision){.id = row_int(&run->rows, 0, plan->revision_column),
                                         .is_written = true};
    }
    note_written(w, plan, shape->action, &run->rows);
    return OK;
}

/* Statements that wait */

struct queued {
    struct run run;
    const struct payload *payloads;
    uint32_t count;
    Str *keys; /* NULL: they are known */
    struct revision **revisions;
};

struct queue {
    struct db_batch batch;
    struct queued list[DB_BATCH_MAX];
};

static bool are_keys_known(const struct payload *payloads, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (payloads[i].key.data == NULL)
            return false;
    return true;
}

/* Rows that point to it need the key of a row, and so does a row that it is to be written before;
 * a row that only points to its parent is done. */
static bool needs_keys(const struct write_target *target, const struct payload *payloads,
                       uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        for (const struct nested *n = payloads[i].first_nested; n != NULL; n = n->next)
            if (n->field->relation->kind == RELATION_TO_MANY)
                return true;
    return target->link == NULL;
}

/* What the statement has told. */
static fiber_fn Err take_queued(struct writer *w, struct queued *queued)
{
    static const struct write_shape CREATE = {.action = ACTION_CREATE};
    const struct plan *plan = queued->run.plan;
    const struct rows *rows = &queued->run.rows;
    if (rows->count != queued->count)
        return fail_plain(w->ctx, ERR_FORBIDDEN);
    for (uint32_t i = 0; i < queued->count; i++) {
        /* Rows come back in the order in which they were inserted. */
        if (queued->keys != NULL)
            queued->keys[i] = key_of_row(w->ctx->arena, rows, i, plan->key_column);
        if (queued->revisions[i] != NULL)
            write_history_of_row(w, plan, rows, i, queued->revisions[i]);
    }
    note_written(w, plan, ACTION_CREATE, rows);
    return plan->collection->is_audited ? write_audit(w, plan, &CREATE, rows) : OK;
}

fiber_fn Err write_queue_run(struct writer *w)
{
    struct queue *queue = w->queue;
    if (queue == NULL)
        return OK;
    assert(w->tx != NULL && queue->batch.count > 0);
    w->queue = NULL;
    Err err = db_tx_batch_run(w->tx, &queue->batch);
    if (err != OK && queue->batch.done == queue->batch.count)
        return err; /* the connection was lost after the last of them */
    if (err != OK) {
        const struct queued *refused = &queue->list[queue->batch.done];
        return write_name_value(w->ctx, err, refused->payloads, refused->count);
    }
    for (uint32_t i = 0; i < queue->batch.count; i++)
        TRY(take_queued(w, &queue->list[i]));
    return OK;
}

fiber_fn Err write_queue_settle(struct writer *w, Err err)
{
    assert(err != OK);
    if (w->queue == NULL || err_info(err)->status >= 500 || err == ERR_CANCELLED)
        return err;
    struct diag story = w->ctx->diag;
    diag_clear(w->ctx);
    TRY(write_queue_run(w));
    w->ctx->diag = story;
    return err;
}

fiber_fn Err write_queue_add(struct writer *w, const struct write_target *target,
                             const struct write_shape *shape, const struct payload *payloads,
                             uint32_t count, Str *keys, struct revision **revisions)
{
    assert(w->tx != NULL && write_history_waits(shape) && count > 0);
    struct ctx *ctx = w->ctx;
    const struct plan *plan;
    struct db_args args;
    TRY(write_plan(w, target->collection, shape, &plan));
    if (w->queue == NULL)
        w->queue = arena_new(ctx->arena, struct queue);
    struct queue *queue = w->queue;
    struct queued *queued = &queue->list[queue->batch.count];
    bool is_known = are_keys_known(payloads, count);
    *queued = (struct queued){.run = {.ctx = ctx},
                              .payloads = payloads,
                              .count = count,
                              .keys = is_known ? NULL : keys,
                              .revisions = arena_array(ctx->arena, struct revision *, count)};
    Str data = shape->is_many ? write_rows_json(ctx, payloads, count, shape) : STR_NONE;
    TRY(bind(w, plan, shape, shape->is_many ? NULL : payloads, data, &queued->run, &args));
    db_batch_add(&queue->batch, &plan->root->statement, args, &queued->run.rows);
    w->rows += count;
    for (uint32_t i = 0; i < count; i++) {
        if (is_known)
            keys[i] = payloads[i].key;
        revisions[i] = write_history_add(w, plan, &payloads[i], target->parent_revision);
        queued->revisions[i] = revisions[i];
    }
    bool is_due = queue->batch.count == DB_BATCH_MAX || target->collection->is_audited ||
                  (!is_known && needs_keys(target, payloads, count));
    return is_due ? write_queue_run(w) : OK;
}

void write_announce(struct writer *w)
{
    assert(w->tx == NULL);
    /* The write is done; what follows only reads it back. The write may itself have changed the
     * epoch (a site, a user, a policy), so the epoch is not checked again. */
    w->ctx->epoch = 0;
    for (const struct announcement *announcement = w->first; announcement != NULL;
         announcement = announcement->next)
        items_announce(w->ctx, &announcement->change);
    w->first = w->last = NULL;
}

static struct rules_write rules_write(const struct writer *w, enum items_action action,
                                      const struct collection *collection, const Str *keys,
                                      uint32_t count, const struct json *body)
{
    assert(w->tx != NULL);
    return (struct rules_write){.action = action,
                                .schema = w->schema,
                                .collection = collection,
                                .keys = keys,
                                .count = count,
                                .body = body,
                                .tx = w->tx};
}

fiber_fn Err write_before(struct writer *w, enum items_action action,
                          const struct collection *collection, const Str *keys, uint32_t count,
                          const struct json *body, const struct json **ret)
{
    assert(count == 0 || keys != NULL);
    struct items_change change = {
        .action = action, .collection = collection->name, .keys = keys, .count = count};
    const struct collection_rules *rules = items_rules_find(collection);
    if (rules != NULL && rules->before != NULL) {
        TRY(write_queue_run(w));
        struct rules_write write = rules_write(w, action, collection, keys, count, body);
        TRY(rules->before(w->ctx, &write, &body));
    }
    if (w->is_draft) {
        *ret = body;
        return OK;
    }
    return items_filter(w->ctx, &change, body, ret);
}

fiber_fn Err write_after(struct writer *w, enum items_action action,
                         const struct collection *collection, const Str *keys, uint32_t count,
                         const struct json *body)
{
    const struct collection_rules *rules = items_rules_find(collection);
    if (rules == NULL || rules->complete == NULL || count == 0)
        return OK;
    TRY(write_queue_run(w));
    struct rules_write write = rules_write(w, action, collection, keys, count, body);
    return rules->complete(w->ctx, &write);
}

bool write_needs_tx(const struct collection *collection, const struct json *body)
{
    return items_rules_find(collection) != NULL || (body != NULL && nested_is_in(collection, body));
}

bool write_ignores_missing(const struct ctx *ctx, const struct write_target *target)
{
    bool is_of_site = ctx->actor != NULL && ctx->actor->scope.kind == SCOPE_SITE;
    return target->access.is_full && !is_of_site;
}

Err write_forbidden(struct ctx *ctx, const struct write_target *target,
                    const struct payload *payload)
{
    assert(target->action != ACTION_READ);
    const struct collection *collection = target->collection;
    if (payload == NULL || payload->given_count == 0)
        return fail(ctx, ERR_FORBIDDEN,
                    "You don't have permission to perform \"%s\" for collection \"%.*s\" or it "
                    "does not exist.",
                    action_name(target->action), STR_FMT(collection->name));
    struct buf *names = buf_in_arena(ctx->arena, NAMES_MAX);
    for (uint32_t i = 0; i < payload->given_count; i++)
        if (!payload->given[i]->is_hidden_site)
            buf_printf(names, "%s\"%.*s\"", names->len == 0 ? "" : ", ",
                       STR_FMT(payload->given[i]->name));
    Str list = buf_str(names);
    if (list.len == 0)
        return write_forbidden(ctx, target, NULL);
    return fail(ctx, ERR_FORBIDDEN,
                "You don't have permissions to perform \"%s\" for the field(s) %.*s in collection "
                "\"%.*s\" or it does not exist.",
                action_name(target->action), STR_FMT(list), STR_FMT(collection->name));
}

/* A row that waited for a change of the schema comes back in its new types: it is read anew. */
fiber_fn Err write_answer_row(struct writer *w, struct run *run, const struct query *query,
                              struct row_sink *sink)
{
    assert(w->tx == NULL && run->plan != NULL);
    if (run->rows.count == 0 || !run_may_read(run, 0))
        return OK;
    Err err = run_branches(run, run->plan->root, &run->rows);
    if (err == ERR_STALE_EPOCH) {
        Str key = key_of_row(w->ctx->arena, &run->rows, 0, run->plan->key_column);
        return write_read_back(w, run->plan->collection, &key, 1, false, query, sink);
    }
    return err != OK ? err : run_emit_row(run, 0, sink);
}

bool write_answers_all(const struct query *query)
{
    bool is_whole = query->filter == NULL && query->search.len == 0 && !query->has_limit &&
                    query->offset == 0 && query->page == 0;
    return is_whole && query->sort_count == 0 && query->aggregate_count == 0 &&
           query->group_by_count == 0;
}

enum { CHANGES_MAX = 8 /* of the schema, while rows are read back */ };

static fiber_fn Err read_back(struct writer *w, const struct collection *collection,
                              const Str *keys, uint32_t count, bool is_list,
                              const struct query *query, struct row_sink *sink)
{
    struct run run = {.ctx = w->ctx, .keys = keys_arg(w->ctx->arena, collection->key, keys, count)};
    struct plan_request request = {
        .op = PLAN_KEYS, .collection = collection, .query = query, .ret_values = &run.values};
    Err err = plan_get(w->ctx, w->schema, &request, &run.plan);
    if (err == ERR_FORBIDDEN) {
        diag_clear(w->ctx);
        return OK;
    }
    TRY(err);
    TRY(run_plan(&run));
    if (!is_list && run.rows.count == 0)
        return OK;
    if (run_check_keys(&run) != OK) {
        diag_clear(w->ctx); /* written, but the key is ambiguous: not read back */
        return OK;
    }
    return is_list ? run_emit_list(&run, sink) : run_emit_row(&run, 0, sink);
}

/* The rows are committed: if the schema has changed since, they are read as it is now. */
fiber_fn Err write_read_back(struct writer *w, const struct collection *collection, const Str *keys,
                             uint32_t count, bool is_list, const struct query *query,
                             struct row_sink *sink)
{
    assert(w->tx == NULL && (is_list || count == 1));
    Str name = collection->name;
    Err err = read_back(w, collection, keys, count, is_list, query, sink);
    for (int i = 0; i < CHANGES_MAX && err == ERR_STALE_EPOCH && w->ctx->has_committed; i++) {
        diag_clear(w->ctx);
        TRY(schema_again(w->ctx, &w->schema));
        const struct collection *now = schema_find(w->schema, name);
        if (now == NULL || now->key == NULL)
            return OK; /* written, and gone since */
        err = read_back(w, now, keys, count, is_list, query, sink);
    }
    return err;
}
