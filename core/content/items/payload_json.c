/*
 * The payload as revisions keep it, in the forms of the wire.
 */
#include "base/json/json_writer.h"
#include "base/system/clock.h"
#include "content/items/payload.h"
#include "content/schema/schema.h"
#include "content/schema/sealed.h"

#include <assert.h>

/* Larger than an escaped request body. */
enum { REVISION_MAX = 64 * 1024 * 1024 };

bool payload_hides(const struct field *field)
{
    return (field->special & SPECIAL_SECRET) != 0 || field->type == FIELD_HASH;
}

/* Moments as a read shows them: in milliseconds, or in seconds if they have no zone. */
static Str moment(struct ctx *ctx, const struct field *field, Str text)
{
    if (field->type_oid == OID_TIMESTAMPTZ && text.len > CLOCK_ISO_LEN)
        return str_printf(ctx->arena, "%.*sZ", CLOCK_ISO_LEN - 1, text.data);
    return field->type_oid == OID_TIMESTAMP ? str_slice(text, 0, 19) : text;
}

static bool is_json(const struct cell *cell)
{
    return cell->field->type_oid == OID_JSON || cell->field->type_oid == OID_JSONB;
}

void cell_put_column(struct json_writer *w, const struct cell *cell)
{
    assert(cell->field != NULL);
    json_key(w, cell->field->name);
    if (cell->text.data == NULL)
        json_put_null(w);
    else if (is_json(cell))
        json_put_raw(w, cell->text);
    else
        json_put_str(w, cell->text);
}

static void put_text(struct ctx *ctx, struct json_writer *w, const struct cell *cell)
{
    bool is_number = cell->json == NULL &&
                     (cell->field->type_oid == OID_INT4 || cell->field->type_oid == OID_INT2);
    if (is_number || is_json(cell))
        json_put_raw(w, cell->text);
    else
        json_put_str(w, moment(ctx, cell->field, cell->text));
}

/* A number in a boolean field, as a read shows it. */
static bool is_flag(const struct cell *cell, bool *ret)
{
    assert(cell->field != NULL && cell->text.data != NULL);
    *ret = str_eq(cell->text, STR("1"));
    return (cell->field->special & SPECIAL_CAST_BOOLEAN) != 0 &&
           cell->field->type_oid != OID_BOOL && (*ret || str_eq(cell->text, STR("0")));
}

/* Of an encrypted field an empty text is shown, as reads do. */
static bool is_shown_empty(const struct cell *cell)
{
    bool is_only_sealed = (cell->field->special & SPECIAL_SECRET) == SPECIAL_ENCRYPT;
    return is_only_sealed && cell->field->type != FIELD_HASH && cell->text.len == 0;
}

static void put_cell(struct ctx *ctx, struct json_writer *w, const struct cell *cell)
{
    assert(cell->field != NULL);
    bool flag;
    json_key(w, cell->field->name);
    if (cell->text.data == NULL)
        json_put_null(w);
    else if (payload_hides(cell->field))
        json_put_str(w, is_shown_empty(cell) ? STR("") : STR(FIELD_MASK));
    else if (is_flag(cell, &flag))
        json_put_bool(w, flag);
    else if (cell->json != NULL && json_kind(cell->json) != JSON_STRING)
        json_put_value(w, cell->json);
    else
        put_text(ctx, w, cell);
}

static bool is_shown(const struct payload *payload, const struct cell *cell)
{
    if (cell->field == NULL || cell->field->is_hidden_site)
        return false;
    return payload->action == ACTION_UPDATE || (cell->is_given && cell->field->relation == NULL);
}

Str payload_json(struct ctx *ctx, const struct payload *payload)
{
    struct buf *out = buf_in_arena(ctx->arena, REVISION_MAX);
    struct json_writer w = json_writer(out);
    uint32_t count = 0;
    json_object_begin(&w);
    for (uint32_t i = 0; i < payload->count; i++) {
        if (!is_shown(payload, &payload->cells[i]))
            continue;
        put_cell(ctx, &w, &payload->cells[i]);
        count++;
    }
    json_object_end(&w);
    return count == 0 ? STR_NONE : buf_str(out);
}
