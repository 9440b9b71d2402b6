#include "server/dispatch/router.h"
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
    assert_true(ROUTES_COUNT > 10);
    struct router *router = router_new(true);
    for (uint32_t i = 0; i < ROUTES_COUNT; i++) {
        struct route_match match =
            router_find(router, ctx->arena, ROUTES[i].method, ROUTES[i].pattern);
        assert_ptr_equal(match.route, &ROUTES[i]);
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

static void every_route_of_ours_has_the_envelope_of_its_path_and_its_rules(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < ROUTES_COUNT; i++) {
        assert_int_equal(ROUTES[i].envelope, envelope_of_path(ROUTES[i].pattern));
        assert_int_not_equal(ROUTES[i].site.rule, 0);
        assert_int_not_equal(ROUTES[i].write, 0);
    }
}

static void a_node_takes_as_many_children_as_there_are(void **state)
{
    struct ctx *ctx = *state;
    enum { CHILDREN = 500 };
    struct router *router = router_new(false);
    struct route *routes = arena_array(ctx->arena, struct route, CHILDREN);
    for (uint32_t i = 0; i < CHILDREN; i++) {
        routes[i] = (struct route){.method = STR_INIT("GET"),
                                   .pattern = str_printf(ctx->arena, "/many/Child-%u", i * 7919),
                                   .handler = nothing};
        assert_true(router_add(router, &routes[i]));
    }
    for (uint32_t i = 0; i < CHILDREN; i++) {
        Str path = str_printf(ctx->arena, "/MANY/cHILD-%u", i * 7919);
        assert_ptr_equal(router_find(router, ctx->arena, STR("GET"), path).route, &routes[i]);
    }
    assert_null(router_find(router, ctx->arena, STR("GET"), STR("/many/child-")).route);
    router_free(router);
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
        FIXTURE_TEST(every_route_of_ours_has_the_envelope_of_its_path_and_its_rules),
        FIXTURE_TEST(a_node_takes_as_many_children_as_there_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
