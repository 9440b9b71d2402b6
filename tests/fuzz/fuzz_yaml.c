/*
 * Any bytes at all are refused with a sentence, or read; and what was read is written so that it is
 * read again as the same value.
 */
#include "base/json/json_writer.h"
#include "base/json/yaml.h"
#include "base/system/ctx.h"

#include <assert.h>

static void check_round_trip(struct ctx *ctx, const struct json *json)
{
    struct buf *out = buf_in_arena(ctx->arena, 64 << 20);
    struct json_tree *again;
    yaml_put(out, json, 0);
    assert(!out->is_full);
    assert(yaml_parse_tree(ctx, buf_str(out), &again) == OK);
    assert(str_eq(json_text(ctx->arena, json_tree_root(again)), json_text(ctx->arena, json)));
    json_tree_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ctx ctx = {.arena = arena_create()};
    struct json_tree *tree = NULL;
    if (yaml_parse_tree(&ctx, str_of((const char *)data, size), &tree) == OK)
        check_round_trip(&ctx, json_tree_root(tree));
    else
        assert(diag_message(&ctx, ctx.diag.first).len > 0);
    if (tree != NULL)
        json_tree_free(tree);
    arena_destroy(ctx.arena);
    return 0;
}
