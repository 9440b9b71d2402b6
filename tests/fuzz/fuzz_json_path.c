/*
 * Any text as the path of json(meta, …): refused with a sentence, or bound as an array of quoted
 * steps, none of whose bytes is in the statement.
 */
#include "../support/content_snapshot.h"
#include "base/memory/array.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* {"a","b\"c"}: every step is quoted; returns how many there are. */
static uint32_t check_steps(Str array)
{
    uint32_t count = 0;
    assert(array.len > 2 && array.data[0] == '{' && array.data[array.len - 1] == '}');
    size_t i = 1;
    while (i < array.len - 1) {
        assert(array.data[i] == '"');
        for (i++; array.data[i] != '"'; i++) {
            i += array.data[i] == '\\';
            assert(i < array.len - 2);
        }
        i++;
        count++;
        assert(array.data[i] == ',' || i == array.len - 1);
        i += array.data[i] == ',';
    }
    return count;
}

static void check_plan(const struct plan *plan)
{
    Str sql = str_from_z(plan->root->statement.sql);
    uint32_t paths = 0;
    assert(str_find(sql, STR("zzinjectedzz")) < 0 && str_find(sql, STR(" #> ")) >= 0);
    for (uint32_t i = 0; i < plan->root->param_count; i++) {
        const struct param *param = plan->root->params[i];
        if (param->kind != PARAM_TEXT)
            continue;
        assert(check_steps(param->text) <= QUERY_DEPTH_MAX);
        paths++;
    }
    assert(paths > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ctx ctx = {.arena = arena_create(), .scope = {.kind = SCOPE_SITE}};
    struct schema *schema = snapshot_make();
    struct plan *plan;
    const Str fields[] = {
        str_printf(ctx.arena, "json(meta, %.*s)", (int)size, (const char *)data),
        str_printf(ctx.arena, "comments.post.json(meta,%.*s)", (int)size, (const char *)data),
    };
    for (uint32_t i = 0; i < COUNT_OF(fields); i++) {
        struct query query = {.fields = &fields[i], .field_count = 1};
        Err err = snapshot_compile(&ctx, schema, "posts", &query, &plan);
        assert(err == OK || err == ERR_INVALID_QUERY || err == ERR_FORBIDDEN);
        bool is_path = err == OK && i == 0 &&
                       str_find(str_from_z(plan->root->statement.sql), STR(" #> ")) >= 0;
        if (is_path)
            check_plan(plan);
        else if (err != OK)
            assert(diag_message(&ctx, ctx.diag.first).len > 0);
        diag_clear(&ctx);
    }
    schema_unref(schema);
    arena_destroy(ctx.arena);
    return 0;
}
