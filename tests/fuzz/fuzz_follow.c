/*
 * Any text as the name of a relation, $FOLLOW(…) or item:…, in a filter: refused with a sentence,
 * or compiled with the site in the statement and no byte of the name in it that is no identifier of
 * the schema.
 */
#include "../support/content_snapshot.h"
#include "base/json/json_writer.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* {"<name>":{"_some":{"body":"x"}}} */
static Str text_of_filter(struct arena *arena, Str name)
{
    struct buf *out = buf_in_arena(arena, SIZE_MAX);
    struct json_writer json = json_writer(out);
    json_object_begin(&json);
    json_key(&json, name);
    json_object_begin(&json);
    json_key(&json, STR("_some"));
    json_object_begin(&json);
    json_key(&json, STR("body"));
    json_put_str(&json, STR("x"));
    json_object_end(&json);
    json_object_end(&json);
    json_object_end(&json);
    return buf_str(out);
}

static void check(struct ctx *ctx, const struct schema *schema, Str name)
{
    static const Str FIELDS[] = {STR_INIT("id")};
    struct query query = {.fields = FIELDS, .field_count = 1};
    const struct json *json;
    struct plan *plan;
    struct json_limits limits = {QUERY_FILTER_DEPTH, QUERY_LIST_MAX};
    if (json_parse(ctx, text_of_filter(ctx->arena, name), limits, &json) != OK)
        return; /* no UTF-8 */
    Err err = filter_read(ctx, ctx->arena, json, &query.filter);
    assert(err == OK);
    err = snapshot_compile(ctx, schema, "posts", &query, &plan);
    assert(err == OK || err == ERR_INVALID_QUERY || err == ERR_FORBIDDEN);
    if (err != OK) {
        assert(diag_message(ctx, ctx->diag.first).len > 0);
        return;
    }
    Str sql = str_from_z(plan->root->statement.sql);
    assert(str_find(sql, STR("site_id")) >= 0);
    assert(str_find(sql, STR("$FOLLOW")) < 0 && str_find(sql, STR("zzinjectedzz")) < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ctx ctx = {.arena = arena_create(), .scope = {.kind = SCOPE_SITE}};
    struct schema *schema = snapshot_make();
    Str text = str_of((const char *)data, size);
    check(&ctx, schema, text);
    diag_clear(&ctx);
    check(&ctx, schema, str_printf(ctx.arena, "$FOLLOW(%.*s)", STR_FMT(text)));
    schema_unref(schema);
    arena_destroy(ctx.arena);
    return 0;
}
