/*
 * For tests of pure code: a ctx with an arena, files of tests/fixtures as JSON, and assertions on
 * Str. Everything is static, so that a unit test stays one file. Tests run in the root of the tree.
 */
#pragma once

#include "base/json/json.h"
#include "support/ctx_be.h"

#include <stdio.h>

/* cmocka.h wants the others before it. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

static inline int fixture_setup(void **state)
{
    struct arena *arena = arena_create();
    struct ctx *ctx = arena_new(arena, struct ctx);
    ctx->arena = arena;
    *state = ctx;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    struct ctx *ctx = *state;
    arena_destroy(ctx->arena);
    return 0;
}

#define FIXTURE_TEST(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

/* The whole file; fails the test when it cannot be read. */
static inline Str fixture_read(struct ctx *ctx, const char *path)
{
    enum { FIXTURE_MAX = 4 * 1024 * 1024 };
    FILE *file = fopen(path, "rbe");
    if (file == NULL)
        fail_msg("%s cannot be opened; tests run in the root of the tree", path);
    char *data = arena_alloc_raw(ctx->arena, FIXTURE_MAX);
    size_t len = fread(data, 1, FIXTURE_MAX, file);
    assert_int_equal(fclose(file), 0);
    assert_true(len < FIXTURE_MAX);
    return str_of(data, len);
}

static inline const struct json *fixture_json(struct ctx *ctx, const char *path)
{
    const struct json *json = NULL;
    if (json_parse(ctx, fixture_read(ctx, path), JSON_LIMITS_DEFAULT, &json) != OK)
        fail_msg("%s is not JSON", path);
    return json;
}

/* A text of an object; empty if it has none. */
static inline Str fixture_str(const struct json *object, Str key)
{
    const struct json *value = json_get(object, key);
    return json_kind(value) == JSON_STRING ? json_str(value) : STR_NONE;
}

/* An array of texts. */
static inline uint32_t fixture_strs(struct ctx *ctx, const struct json *array, const Str **ret)
{
    uint32_t count = json_len(array);
    Str *strs = arena_array(ctx->arena, Str, count);
    for (uint32_t i = 0; i < count; i++)
        strs[i] = json_str(json_at(array, i));
    *ret = strs;
    return count;
}

static inline void expect_str(Str got, const char *want)
{
    size_t len = strlen(want);
    if (got.len != len || (len > 0 && memcmp(got.data, want, len) != 0))
        fail_msg("got \"%.*s\", want \"%s\"", STR_FMT(got), want);
}

static inline void expect_contains(Str got, const char *want)
{
    if (str_find(got, str_from_z(want)) < 0)
        fail_msg("no \"%s\" in \"%.*s\"", want, STR_FMT(got));
}

static inline void expect_lacks(Str got, const char *unwanted)
{
    if (str_find(got, str_from_z(unwanted)) >= 0)
        fail_msg("\"%s\" in \"%.*s\"", unwanted, STR_FMT(got));
}
