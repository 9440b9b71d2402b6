/*
 * A snapshot, applied: the database's schema becomes the one it describes. One transaction, in
 * which nobody else changes the schema; the answer tells every change, also those that were not
 * made.
 */
#include "access/audit/audit.h"
#include "content/ddl/apply_internal.h"
#include "content/ddl/ddl.h"
#include "content/ddl/ddl_internal.h"

#include <assert.h>

enum { ANSWER_MAX = 16 * 1024 * 1024, DETAILS_MAX = 128 };

static void write_change(struct json_writer *w, const struct change *change)
{
    assert(change->of < CHANGE_OF_COUNT && change->kind < CHANGE_KIND_COUNT);
    assert(change->kind == CHANGE_ALTER || change->member_count == 0);
    json_object_begin(w);
    json_field_str(w, "collection", change->collection);
    if (change->of != OF_COLLECTION)
        json_field_str(w, "field", change->field);
    if (change->kind == CHANGE_ALTER) {
        json_key(w, STR("members"));
        json_array_begin(w);
        for (uint32_t i = 0; i < change->member_count; i++)
            json_put_str(w, change->members[i]);
        json_array_end(w);
    }
    if (change->kept != NULL)
        json_field_str(w, "kept", str_from_z(change->kept));
    json_object_end(w);
}

static fiber_fn void write_kind(struct json_writer *w, const struct diff *diff, enum change_of of,
                                enum change_kind kind)
{
    assert(of < CHANGE_OF_COUNT && kind < CHANGE_KIND_COUNT);
    static const Str KINDS[CHANGE_KIND_COUNT] = {STR_INIT("create"), STR_INIT("change"),
                                                 STR_INIT("delete")};
    json_key(w, KINDS[kind]);
    json_array_begin(w);
    for (uint32_t i = 0; i < diff->count; i++) {
        fiber_pause();
        if (diff->list[i].of == of && diff->list[i].kind == kind)
            write_change(w, &diff->list[i]);
    }
    json_array_end(w);
}

static fiber_fn Err write_answer(struct ctx *ctx, const struct diff *diff, bool is_dry_run,
                                 Str *ret)
{
    assert(diff->due + diff->kept == diff->count);
    static const Str PARTS[CHANGE_OF_COUNT] = {STR_INIT("collections"), STR_INIT("fields"),
                                               STR_INIT("relations")};
    struct json_writer w = json_writer(buf_in_arena(ctx->arena, ANSWER_MAX));
    json_object_begin(&w);
    json_field_bool(&w, "success", true);
    json_field_bool(&w, "dry_run", is_dry_run);
    json_field_int(&w, "changes", diff->due);
    json_field_int(&w, "kept", diff->kept);
    json_key(&w, STR("diff"));
    json_object_begin(&w);
    for (uint32_t of = 0; of < CHANGE_OF_COUNT; of++) {
        json_key(&w, PARTS[of]);
        json_object_begin(&w);
        for (uint32_t kind = 0; kind < CHANGE_KIND_COUNT; kind++)
            write_kind(&w, diff, of, kind);
        json_object_end(&w);
    }
    json_object_end(&w);
    json_object_end(&w);
    TRY(buf_check(ctx, w.out, "The answer"));
    *ret = buf_str(w.out);
    return OK;
}

static fiber_fn Err carry_out(struct db_tx *tx, const struct diff *diff)
{
    assert(diff->due > 0 && tx->connection != NULL);
    struct json_writer details = json_writer(buf_in_arena(tx->ctx->arena, DETAILS_MAX));
    json_object_begin(&details);
    json_field_int(&details, "changes", diff->due);
    json_field_int(&details, "kept", diff->kept);
    json_object_end(&details);
    TRY(audit_write(tx, &(struct audit){
                            .action = STR("schema_applied"),
                            .entity_type = STR("schema"),
                            .details = buf_str(details.out),
                        }));
    TRY(apply_steps(tx, diff));
    return ddl_commit(tx);
}

/* Values are kept as they are: who wants them converted says so field by field, or in a difference
 * that names the type. */
static fiber_fn Err types_check(struct ctx *ctx, const struct diff *diff)
{
    for (uint32_t i = 0; i < diff->count; i++) {
        TRY(fiber_breathe(ctx));
        const struct change *change = &diff->list[i];
        const struct json *now = json_get(change->current, STR("type"));
        const struct json *then = json_get(change->wanted, STR("type"));
        if (change->is_retyped && json_kind(now) == JSON_STRING && json_kind(then) == JSON_STRING)
            return fail(ctx, ERR_INVALID_PAYLOAD,
                        "%.*s: the type cannot change from \"%.*s\" to \"%.*s\"; make a new field",
                        STR_FMT(change->path), STR_FMT(json_str(now)), STR_FMT(json_str(then)));
    }
    return OK;
}

fiber_fn Err schema_apply(struct platform platform, const struct schema_wish *wish, Str *ret)
{
    assert(platform.ctx != NULL && wish->snapshot != NULL);
    struct ctx *ctx = platform.ctx;
    SCOPED_TX struct db_tx tx = {0};
    TRY(ddl_begin(platform, &tx));
    const struct json *current;
    TRY(ddl_snapshot(&tx, &current));
    struct own own;
    struct diff diff;
    TRY(apply_own_load(&tx, &own));
    TRY(apply_diff(ctx, wish->snapshot, current, &own, wish->may_delete, &diff));
    TRY(types_check(ctx, &diff));
    TRY(write_answer(ctx, &diff, wish->is_dry_run, ret));
    return wish->is_dry_run || diff.due == 0 ? OK : carry_out(&tx, &diff);
}
