/*
 * Importing: rows that come one after the other, in one transaction. A row whose key exists is
 * changed, any other is made. What is wrong with fields of one row does not stop the others from
 * being checked: equal faults are reported together, with the numbers of their rows.
 */
#include "base/json/json_writer.h"
#include "base/memory/list.h"
#include "content/items/nested.h"

#include <assert.h>
#include <string.h>

/* Faulty rows that are reported, and numbers in a row from which on they are a range. */
enum { IMPORT_FAULTS_MAX = 1000, RANGE_MIN = 4, ROWS_TEXT_MAX = 32 * 1024 };

/* A fault, and the rows that have it. */
struct fault {
    struct fault *next;
    struct diag_entry entry;
    uint32_t rows[IMPORT_FAULTS_MAX];
    uint32_t count;
};

struct import {
    struct items_source *source;
    struct write_target creating;
    struct write_target updating;
    struct arena *kept; /* what outlives a row */
    struct announcement *first;
    struct announcement *last;
    Str only; /* the key of the row of a singleton; STR_NONE: there is none yet */
    struct fault *first_fault;
    struct fault *last_fault;
    uint32_t faults; /* reported so far, of all rows */
};

/* The row that this one changes; STR_NONE: it is a new one. */
static fiber_fn Err find_row(struct writer *w, const struct import *import, const struct json *row,
                             Str *ret)
{
    const struct field *key = import->creating.collection->key;
    const struct json *given = json_get(row, key->name);
    bool is_known = false;
    *ret = import->only;
    if (import->creating.collection->is_singleton || json_is_null(given))
        return OK;
    if (!write_key_of_json(w->ctx->arena, key, given, ret))
        return fail_plain(w->ctx, ERR_FORBIDDEN);
    TRY(nested_exists(w, import->creating.collection, *ret, &is_known));
    if (!is_known)
        *ret = STR_NONE;
    return OK;
}

static fiber_fn Err write_row(struct writer *w, struct import *import, const struct json *row)
{
    assert(w->tx != NULL);
    if (json_kind(row) != JSON_OBJECT)
        return fail(w->ctx, ERR_INVALID_PAYLOAD, "A row must be an object");
    Str key;
    struct run run = {.ctx = w->ctx};
    TRY(find_row(w, import, row, &key));
    if (key.data != NULL)
        return write_update_one(w, &import->updating, key, row, NULL, &run);
    TRY(write_create_one(w, &import->creating, row, NULL, &run, &key));
    if (import->creating.collection->is_singleton)
        import->only = str_dup(import->kept, key);
    return OK;
}

/* The row of a singleton. */
static fiber_fn Err find_only(struct writer *w, struct import *import)
{
    assert(w->tx == NULL);
    const struct query first = {.has_limit = true, .limit = 1};
    const Str *keys;
    uint32_t count = 0;
    if (import->creating.collection->is_singleton)
        TRY(write_keys_by_query(w, import->creating.collection, &first, &keys, &count));
    if (count > 0)
        import->only = keys[0];
    return OK;
}

/* Faults of the payload are found before a statement is sent; any other ends the transaction. */
static bool leaves_transaction_usable(Err err)
{
    return err == ERR_FAILED_VALIDATION;
}

static bool is_note(const struct diag_note *note, const char *key)
{
    return strcmp(note->key, key) == 0;
}

/* The path to a nested row differs from row to row, and so does the value that a constraint
 * refused: of those the field alone is shown. */
static const struct diag_note *next_shown(const struct diag_note *note, bool is_validation)
{
    while (note != NULL && (is_validation ? is_note(note, "path") : !is_note(note, "field")))
        note = note->next;
    return note;
}

static bool is_same(const struct diag_entry *a, const struct diag_entry *b)
{
    if (a->err != b->err || !str_eq(a->reason, b->reason))
        return false;
    bool is_validation = a->err == ERR_FAILED_VALIDATION;
    const struct diag_note *x = next_shown(a->notes, is_validation);
    const struct diag_note *y = next_shown(b->notes, is_validation);
    for (; x != NULL && y != NULL;
         x = next_shown(x->next, is_validation), y = next_shown(y->next, is_validation)) {
        if (!is_note(x, y->key) || !str_eq(x->value, y->value))
            return false;
    }
    return x == NULL && y == NULL;
}

static struct diag_entry copy_entry(struct arena *arena, const struct diag_entry *entry)
{
    struct diag_entry copy = *entry;
    bool is_validation = entry->err == ERR_FAILED_VALIDATION;
    copy.next = NULL;
    copy.notes = NULL;
    copy.reason = str_dup(arena, entry->reason);
    for (const struct diag_note *note = next_shown(entry->notes, is_validation); note != NULL;
         note = next_shown(note->next, is_validation)) {
        struct diag_note *own = arena_new(arena, struct diag_note);
        *own = (struct diag_note){
            .key = note->key, .value = str_dup(arena, note->value), .is_json = note->is_json};
        LIST_APPEND_SHORT(copy.notes, own);
    }
    return copy;
}

static void note_fault(struct import *import, const struct diag_entry *entry, uint32_t row)
{
    struct fault *fault = import->first_fault;
    while (fault != NULL && !is_same(&fault->entry, entry))
        fault = fault->next;
    if (fault == NULL) {
        fault = arena_new(import->kept, struct fault);
        fault->entry = copy_entry(import->kept, entry);
        LIST_APPEND(import->first_fault, import->last_fault, fault);
    }
    assert(import->faults < IMPORT_FAULTS_MAX);
    import->faults++;
    if (fault->count == 0 || fault->rows[fault->count - 1] != row)
        fault->rows[fault->count++] = row;
}

/* Only what is about a field is reported by rows; anything else ends the import as it is. */
static Err note_faults(struct writer *w, struct import *import, Err err, uint32_t row)
{
    bool are_of_fields = w->ctx->diag.first != NULL;
    for (const struct diag_entry *e = w->ctx->diag.first; e != NULL; e = e->next) {
        const struct diag_note *note = e->notes;
        while (note != NULL && !is_note(note, "field"))
            note = note->next;
        are_of_fields &= note != NULL;
    }
    if (!are_of_fields)
        return err;
    for (const struct diag_entry *e = w->ctx->diag.first; e != NULL; e = e->next)
        if (import->faults < IMPORT_FAULTS_MAX)
            note_fault(import, e, row);
    diag_clear(w->ctx);
    return OK;
}

/* What is announced after the commit outlives the memory of its row. */
static void keep_announcements(struct writer *w, struct import *import)
{
    for (const struct announcement *a = w->first; a != NULL; a = a->next) {
        struct announcement *own = arena_new(import->kept, struct announcement);
        Str *keys = arena_array(import->kept, Str, a->change.count + 1);
        for (uint32_t i = 0; i < a->change.count; i++)
            keys[i] = str_dup(import->kept, a->change.keys[i]);
        own->change = a->change;
        own->change.keys = keys;
        LIST_APPEND(import->first, import->last, own);
    }
    w->first = w->last = NULL;
}

static fiber_fn Err end_row(struct writer *w)
{
    struct db_batch batch = {.lane = DB_WRITE};
    TRY(write_history_end(w, &batch));
    return db_tx_batch_run(w->tx, &batch);
}

/* *ret_more: another row may follow. */
static fiber_fn Err import_row(struct writer *w, struct import *import, uint32_t number,
                               bool *ret_more)
{
    const struct json *row;
    *ret_more = false;
    TRY(import->source->next(import->source, w->ctx, &row));
    if (row == NULL)
        return OK;
    w->rows = 0; /* the limit of one request holds for each row */
    Err err = write_row(w, import, row);
    err = err == OK ? end_row(w) : write_queue_settle(w, err);
    w->history = (struct history){0}; /* of a refused row: in memory that ends with it */
    w->queue = NULL;
    *ret_more = err == OK || leaves_transaction_usable(err);
    if (err != OK)
        TRY(note_faults(w, import, err, number));
    *ret_more &= import->faults < IMPORT_FAULTS_MAX;
    keep_announcements(w, import);
    return OK;
}

static void put_range(struct json_writer *w, uint32_t start, uint32_t end)
{
    json_object_begin(w);
    json_field_str(w, "type", STR("range"));
    json_field_int(w, "start", start);
    json_field_int(w, "end", end);
    json_object_end(w);
}

/* The length of the run of numbers that begins at `at`. */
static uint32_t run_length(const struct fault *fault, uint32_t at)
{
    uint32_t length = 1;
    while (at + length < fault->count && fault->rows[at + length] == fault->rows[at] + length)
        length++;
    return length;
}

/* [{"type":"range","start":5,"end":8},{"type":"lines","rows":[2,3]}] */
static Str rows_json(struct ctx *ctx, const struct fault *fault)
{
    struct json_writer w = json_writer(buf_in_arena(ctx->arena, ROWS_TEXT_MAX));
    uint32_t alone = 0;
    json_array_begin(&w);
    for (uint32_t i = 0, length; i < fault->count; i += length) {
        length = run_length(fault, i);
        if (length >= RANGE_MIN)
            put_range(&w, fault->rows[i], fault->rows[i + length - 1]);
        else
            alone += length;
    }
    if (alone > 0) {
        json_object_begin(&w);
        json_field_str(&w, "type", STR("lines"));
        json_key(&w, STR("rows"));
        json_array_begin(&w);
        for (uint32_t i = 0, length; i < fault->count; i += length) {
            length = run_length(fault, i);
            for (uint32_t n = 0; length < RANGE_MIN && n < length; n++)
                json_put_int(&w, fault->rows[i + n]);
        }
        json_array_end(&w);
        json_object_end(&w);
    }
    json_array_end(&w);
    assert(!w.out->is_full); /* IMPORT_FAULTS_MAX numbers of ten digits, or their ranges */
    return buf_str(w.out);
}

static Err report_faults(struct ctx *ctx, const struct import *import)
{
    assert(import->first_fault != NULL);
    diag_clear(ctx);
    for (const struct fault *fault = import->first_fault; fault != NULL; fault = fault->next) {
        Err err = fail_also(ctx, fault->entry.err, "%.*s", STR_FMT(fault->entry.reason));
        assert(err == fault->entry.err);
        for (const struct diag_note *note = fault->entry.notes; note != NULL; note = note->next) {
            if (note->is_json)
                fail_note_json(ctx, note->key, note->value);
            else
                fail_note(ctx, note->key, note->value);
        }
        fail_note_json(ctx, "rows", rows_json(ctx, fault));
    }
    return import->first_fault->entry.err;
}

static fiber_fn Err import_rows(struct writer *w, void *arg)
{
    struct import *import = arg;
    import->kept = arena_create_within(w->ctx->arena);
    bool has_more = true;
    for (uint32_t number = 1; has_more; number++) {
        ArenaMark mark = arena_mark(w->ctx->arena);
        TRY(fiber_breathe(w->ctx));
        TRY(import_row(w, import, number, &has_more));
        arena_rewind(w->ctx->arena, mark);
    }
    w->first = import->first;
    w->last = import->last;
    return import->first_fault == NULL ? OK : report_faults(w->ctx, import);
}

fiber_fn Err items_import(struct ctx *ctx, struct items_target target, struct items_source *source)
{
    struct writer w;
    struct import import = {.source = source};
    const struct schema *schema;
    TRY(schema_current(ctx, &schema));
    TRY(write_check_grant(ctx, schema, target.collection, ACTION_CREATE));
    TRY(write_check_grant(ctx, schema, target.collection, ACTION_UPDATE));
    TRY(write_open(ctx, target, ACTION_CREATE, &w, &import.creating));
    TRY(write_open(ctx, target, ACTION_UPDATE, &w, &import.updating));
    import.updating.takes_key = true;
    TRY(find_only(&w, &import));
    TRY(writer_in_tx(&w, import_rows, &import));
    write_announce(&w);
    return OK;
}
