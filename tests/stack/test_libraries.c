/*
 * Every library that is called on a fiber, and our own functions that recurse, each with the worst
 * input that is accepted. pcre2 has a file of its own; argon2 and getaddrinfo run on threads;
 * libyaml is asked by api.test.mjs.
 */
#include "access/identity/authenticate.h"
#include "access/identity/jwt.h"
#include "base/crypto/crypto.h"
#include "base/crypto/seal.h"
#include "base/json/json_scan.h"
#include "base/json/json_writer.h"
#include "base/system/clock.h"
#include "factory/spin/spin.h"
#include "factory/svg/svg.h"
#include "factory/text/text.h"
#include "io/net/http_client.h"
#include "stack_test.h"
#include "support/content_snapshot.h"

#include <stdlib.h>

#define KEY STR("0123456789abcdef0123456789abcdef")

static Str repeated(struct ctx *ctx, const char *unit, size_t count)
{
    size_t len = strlen(unit);
    char *text = arena_alloc_raw(ctx->arena, len * count + 1);
    for (size_t i = 0; i < count; i++)
        memcpy(text + i * len, unit, len);
    return str_of(text, len * count);
}

/* `open` so many times, `middle`, `close` as often. */
static Str nested(struct ctx *ctx, const char *open, const char *middle, const char *close,
                  size_t depth)
{
    return str_printf(ctx->arena, "%.*s%s%.*s", STR_FMT(repeated(ctx, open, depth)), middle,
                      STR_FMT(repeated(ctx, close, depth)));
}

static void read_write_and_free_json(struct ctx *ctx, void *arg)
{
    (void)arg;
    struct json_limits limits = {.depth_max = JSON_DEPTH_CAP, .keys_max = 100};
    const struct json *json;
    Str arrays = nested(ctx, "[", "1e308", "]", JSON_DEPTH_CAP);
    assert_int_equal(json_parse(ctx, arrays, limits, &json), OK);
    assert_true(json_text(ctx->arena, json).len > 0);
    Str objects = nested(ctx, "{\"a\":", "\"\\ud83d\\ude00\"", "}", JSON_DEPTH_CAP);
    assert_int_equal(json_parse(ctx, objects, limits, &json), OK);
    assert_true(json_text(ctx->arena, json).len > 0);
    assert_int_equal(json_parse(ctx, nested(ctx, "[", "", "]", JSON_DEPTH_CAP + 1), limits, &json),
                     ERR_INVALID_JSON);
}

/* strtod and printf have room for 10^308 and a million digits somewhere: not here. */
static void read_and_write_numbers(struct ctx *ctx, void *arg)
{
    (void)arg;
    double number = 1.7e308;
    assert_true(str_printf(ctx->arena, "%f %.17g", number, number).len > 200);
    const struct json *json;
    Str real = str_printf(ctx->arena, "0.%.*s", STR_FMT(repeated(ctx, "7", 1000 * 1000)));
    assert_int_equal(json_parse(ctx, real, JSON_LIMITS_DEFAULT, &json), OK);
}

static void jansson_and_numbers(void **state)
{
    (void)state;
    (void)stack_measure("jansson: JSON, 64 deep", read_write_and_free_json, NULL);
    (void)stack_measure("strtod, printf: long numbers", read_and_write_numbers, NULL);
}

static void sign_and_verify(struct ctx *ctx, void *arg)
{
    (void)arg;
    struct claims claims = {.user = {{1}}, .role = {{2}}, .admin_access = true};
    Str token;
    assert_int_equal(jwt_sign(ctx, &claims, KEY, 60, &token), OK);
    assert_int_equal(jwt_verify(ctx, token, KEY, &claims), OK);
    /* The longest, and one whose header nests as deep as its bytes allow. */
    Str payload = base64url(ctx->arena, nested(ctx, "[", "", "]", 1000));
    Str deep = str_printf(ctx->arena, "%.*s.%.*s.x", STR_FMT(payload), STR_FMT(payload));
    assert_int_not_equal(jwt_verify(ctx, deep, KEY, &claims), OK);
    Str key = base64url(ctx->arena, repeated(ctx, "k", JWT_LEN_MAX / 2));
    Str longest = str_printf(ctx->arena, "%.*s.%.*s", STR_FMT(token), STR_FMT(key));
    assert_int_not_equal(jwt_verify(ctx, longest, KEY, &claims), OK);
}

static void seal_and_hash(struct ctx *ctx, void *arg)
{
    (void)arg;
    Str text = repeated(ctx, "secret", 10 * 1000);
    Str opened;
    Str sealed = seal_make(ctx->arena, KEY, STR("test"), text);
    assert_true(seal_open(ctx->arena, KEY, STR("test"), sealed, &opened));
    assert_true(str_eq(opened, text));
    (void)sha256(text);
    (void)hmac_sha256(KEY, text);
    assert_int_equal(random_token(ctx->arena, 64).len, 64);
}

static void libjwt_and_openssl(void **state)
{
    (void)state;
    (void)stack_measure("OpenSSL: seals, hashes, random bytes", seal_and_hash, NULL);
    (void)stack_measure("libjwt: tokens", sign_and_verify, NULL);
}

static void check_pictures(struct ctx *ctx, void *arg)
{
    (void)arg;
    Str head = STR("<svg xmlns=\"http://www.w3.org/2000/svg\">");
    Str deep = nested(ctx, "<g>", "", "</g>", SVG_DEPTH_MAX - 1);
    Str picture = str_printf(ctx->arena, "%.*s%.*s</svg>", STR_FMT(head), STR_FMT(deep));
    assert_int_equal(svg_check(ctx, picture), OK);
    Str paths = repeated(ctx, "<path d=\"M0 0L9 9\" fill=\"red\"/>", 4000);
    picture = str_printf(ctx->arena, "%.*s%.*s</svg>", STR_FMT(head), STR_FMT(paths));
    assert_int_equal(svg_check(ctx, picture), OK);
    assert_int_not_equal(svg_check(ctx, nested(ctx, "<g>", "", "</g>", 20 * 1000)), OK);
}

static void fold_texts(struct ctx *ctx, void *arg)
{
    (void)arg;
    Str marks = repeated(ctx, "e\xcc\x81\xcc\xa7\xef\xb7\xba", 20 * 1000);
    assert_true(text_normalise(ctx->arena, marks).len > 0);
    assert_true(text_slug(ctx->arena, marks, STR("none")).len > 0);
    assert_true(host_normalise(ctx->arena, repeated(ctx, "\xc3\xbc", 20)).len > 0);
    (void)host_normalise(ctx->arena, repeated(ctx, "\xe1\xba\x9e.", 63));
}

static void expat_utf8proc_and_libidn2(void **state)
{
    (void)state;
    (void)stack_measure("expat: pictures", check_pictures, NULL);
    (void)stack_measure("utf8proc, libidn2: texts and hosts", fold_texts, NULL);
}

static void fetch(struct ctx *ctx, void *client)
{
    struct http_answer answer;
    ctx->deadline_us = clock_now_us() + 10 * SECOND_US;
    Str path = repeated(ctx, "%2e./", 1000);
    struct http_call call = {.method = STR("POST"),
                             .url = str_printf(ctx->arena, "http://127.0.0.1:1/%.*s?q=%.*s",
                                               STR_FMT(path), STR_FMT(path)),
                             .body = repeated(ctx, "x", 100 * 1000),
                             .response_max = 1000,
                             .allow_private = true};
    assert_int_equal(http_fetch(ctx, client, &call, &answer), ERR_UNAVAILABLE);
}

static void libcurl(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    struct http_client *client = http_client_new(loop);
    (void)stack_measure_on(loop, "libcurl: a call with a long address", fetch, client);
    http_client_free(client);
    loop_free(loop);
}

static int compare_ints(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static void sort(struct ctx *ctx, void *arg)
{
    (void)arg;
    enum { COUNT = 1000 * 1000 };
    int *numbers = arena_alloc_raw(ctx->arena, COUNT * sizeof *numbers);
    for (int i = 0; i < COUNT; i++)
        numbers[i] = (int)((unsigned)i * 2654435761u >> 2);
    qsort(numbers, COUNT, sizeof *numbers, compare_ints);
    assert_true(numbers[0] <= numbers[1]);
}

static void qsort_of_glibc(void **state)
{
    (void)state;
    (void)stack_measure("qsort: a million", sort, NULL);
}

static void expand_spintax(struct ctx *ctx, void *arg)
{
    (void)arg;
    const struct spin *spin;
    Str groups = nested(ctx, "{a|", "b", "}", SPIN_DEPTH_MAX);
    assert_int_equal(spin_parse(ctx, groups, &spin), OK);
    assert_int_equal(spin_parse(ctx, nested(ctx, "{a|", "b", "}", 20 * 1000), &spin),
                     ERR_INVALID_SPINTAX);
    (void)spin_parse_lenient(ctx->arena, nested(ctx, "{a|", "b", "}", 20 * 1000));
    (void)spin_parse_lenient(ctx->arena, repeated(ctx, "{{a|", 16 * 1000));
}

static void plan_filters(struct ctx *ctx, void *arg)
{
    (void)arg;
    ctx_be(ctx, ctx->actor, (Scope){.kind = SCOPE_SITE});
    struct schema *schema = snapshot_make();
    Str filters[] = {
        nested(ctx, "{\"_and\":[", "{\"title\":{\"_eq\":\"a\"}}", "]}", QUERY_FILTER_DEPTH / 2 - 1),
        nested(ctx, "{\"_or\":[", "{\"author\":{\"posts\":{\"title\":{\"_null\":true}}}}", "]}",
               QUERY_FILTER_DEPTH / 2 - 2),
        nested(ctx, "{\"author\":{\"posts\":", "{\"title\":{\"_contains\":\"a\"}}", "}}",
               QUERY_FILTER_DEPTH / 2 - 1),
    };
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
        const struct json *json = NULL;
        struct json_limits limits = {QUERY_FILTER_DEPTH, QUERY_LIST_MAX};
        assert_int_equal(json_parse(ctx, filters[i], limits, &json), OK);
        static const Str FIELDS[] = {STR_INIT("*.*.*"), STR_INIT("author.posts.comments.*")};
        struct query query = {.fields = FIELDS, .field_count = 2};
        assert_int_equal(filter_read(ctx, ctx->arena, json, &query.filter), OK);
        struct plan *plan;
        Err err = snapshot_compile(ctx, schema, "posts", &query, &plan);
        assert_true(err == OK || err == ERR_INVALID_QUERY || err == ERR_FORBIDDEN);
        diag_clear(ctx);
    }
    schema_unref(schema);
}

static void our_own_that_recurse(void **state)
{
    (void)state;
    (void)stack_measure("spintax, groups in groups", expand_spintax, NULL);
    (void)stack_measure("filters in filters", plan_filters, NULL);
}

int main(void)
{
    /* OpenSSL initialises itself at its first call, which is part of what is measured. */
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(libjwt_and_openssl),
        FIXTURE_TEST(jansson_and_numbers),
        FIXTURE_TEST(expat_utf8proc_and_libidn2),
        FIXTURE_TEST(libcurl),
        FIXTURE_TEST(qsort_of_glibc),
        FIXTURE_TEST(our_own_that_recurse),
    };
    return cmocka_run_group_tests_name("stack of libraries", tests, NULL, NULL);
}
