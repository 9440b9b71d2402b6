#include "server/dispatch/members.h"
#include "server/dispatch/route.h"
#include "support/fixture.h"

static struct route_match find(struct ctx *ctx, const char *method, const char *path)
{
    struct router *router = router_new(true);
    struct route_match match =
        router_find(router, ctx->arena, str_from_z(method), str_from_z(path));
    router_free(router);
    return match;
}

static void every_route_of_the_table_is_found(void **state)
{
    struct ctx *ctx = *state;
    uint32_t count;
    const struct route *routes = routes_all(&count);
    assert_true(count > 10);
    struct router *router = router_new(true);
    for (uint32_t i = 0; i < count; i++) {
        struct route_match match =
            router_find(router, ctx->arena, routes[i].method, routes[i].pattern);
        assert_ptr_equal(match.route, &routes[i]);
    }
    router_free(router);
}

static void case_and_a_trailing_slash_do_not_matter(void **state)
{
    struct ctx *ctx = *state;
    assert_non_null(find(ctx, "GET", "/server/ping").route);
    assert_non_null(find(ctx, "GET", "/Server/PING/").route);
    assert_null(find(ctx, "GET", "/server/pin").route);
    assert_null(find(ctx, "GET", "/server/ping/more").route);
}

static void parameters_keep_their_order_and_case(void **state)
{
    struct ctx *ctx = *state;
    struct route_match match = find(ctx, "GET", "/items/Posts/AbC");
    expect_str(match.params[0], "Posts");
    expect_str(match.params[1], "AbC");
}

static void a_parameter_may_lie_between_fixed_ends(void **state)
{
    struct ctx *ctx = *state;
    struct route_match match = find(ctx, "GET", "/Sitemap-12.XML");
    assert_non_null(match.route);
    expect_str(match.params[0], "12");
    assert_null(find(ctx, "GET", "/sitemap-.xml").route);
    assert_null(find(ctx, "GET", "/sitemap-1.xm").route);
    assert_null(find(ctx, "GET", "/sitemap-1.xml/2").route);
    expect_str(find(ctx, "GET", "/sitemap.xml").route->pattern, "/sitemap.xml");
}

static void head_finds_the_get_route(void **state)
{
    struct ctx *ctx = *state;
    assert_non_null(find(ctx, "HEAD", "/server/ping").route);
    assert_null(find(ctx, "head", "/server/ping").route);
}

static void a_wrong_method_says_what_is_allowed(void **state)
{
    struct ctx *ctx = *state;
    struct route_match match = find(ctx, "PUT", "/api/lead");
    assert_null(match.route);
    expect_str(match.allowed, "POST");
}

static Err nothing(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    (void)ctx;
    (void)request;
    (void)reply;
    return OK;
}

static void a_route_is_taken_once(void **state)
{
    struct ctx *ctx = *state;
    struct router *router = router_new(false);
    struct route route = {
        .method = STR_INIT("GET"), .pattern = STR_INIT("/x/:y"), .handler = nothing};
    assert_true(router_add(router, &route));
    assert_false(router_add(router, &route));
    assert_ptr_equal(router_find(router, ctx->arena, STR("GET"), STR("/x/1")).route, &route);
    struct route bad = route;
    bad.pattern = STR("x");
    assert_false(router_add(router, &bad));
    router_free(router);
}

static void god_routes_do_not_exist_without_a_god_token(void **state)
{
    struct ctx *ctx = *state;
    struct route route = {.method = STR_INIT("GET"),
                          .pattern = STR_INIT("/god/x"),
                          .handler = nothing,
                          .guard = GUARD_GOD};
    struct router *router = router_new(false);
    assert_true(router_add(router, &route));
    assert_null(router_find(router, ctx->arena, STR("GET"), STR("/god/x")).route);
    router_free(router);
    router = router_new(true);
    assert_true(router_add(router, &route));
    assert_non_null(router_find(router, ctx->arena, STR("GET"), STR("/god/x")).route);
    router_free(router);
}

static void the_envelope_follows_from_the_path(void **state)
{
    (void)state;
    assert_int_equal(envelope_of_path(STR("/api/lead")), ENVELOPE_API);
    assert_int_equal(envelope_of_path(STR("/god/x")), ENVELOPE_API);
    assert_int_equal(envelope_of_path(STR("/items/posts")), ENVELOPE_CMS);
    assert_int_equal(envelope_of_path(STR("/apia")), ENVELOPE_CMS);
}

static void every_route_of_ours_says_what_it_knows(void **state)
{
    (void)state;
    uint32_t count;
    const struct route *routes = routes_all(&count);
    for (uint32_t i = 0; i < count; i++) {
        if (!members_are_listed(&routes[i]))
            fail_msg("%s has no line in members.def", routes[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(every_route_of_the_table_is_found),
        FIXTURE_TEST(case_and_a_trailing_slash_do_not_matter),
        FIXTURE_TEST(parameters_keep_their_order_and_case),
        FIXTURE_TEST(a_parameter_may_lie_between_fixed_ends),
        FIXTURE_TEST(head_finds_the_get_route),
        FIXTURE_TEST(a_wrong_method_says_what_is_allowed),
        FIXTURE_TEST(a_route_is_taken_once),
        FIXTURE_TEST(god_routes_do_not_exist_without_a_god_token),
        FIXTURE_TEST(the_envelope_follows_from_the_path),
        FIXTURE_TEST(every_route_of_ours_says_what_it_knows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
