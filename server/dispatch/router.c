/*
 * The router: a tree over path segments. Fixed segments are compared case-insensitively, one
 * parameter child a node; a fixed segment may have a parameter inside: "sitemap-:page.xml". A find
 * touches as many nodes as the path has segments.
 */
#include "base/memory/array.h"
#include "server/dispatch/handlers.h"
#include "server/dispatch/route.h"

#include <assert.h>
#include <stdlib.h>

enum { METHODS_MAX = 6, CHILDREN_MAX = 64, SEGMENTS_MAX = 12 };

struct node {
    Str segment;
    struct node *children[CHILDREN_MAX];
    uint32_t child_count;
    struct node *param;
    const struct route *routes[METHODS_MAX];
    uint32_t route_count;
};

struct router {
    struct node root;
    bool has_god_token;
};

static struct route route_table[] = {
#define ROUTE(method_, pattern_, handler_, guard_, body_, summary_)                                \
    {.method = STR_INIT(method_),                                                                  \
     .pattern = STR_INIT(pattern_),                                                                \
     .name = #handler_,                                                                            \
     .handler = handler_,                                                                          \
     .guard = guard_,                                                                              \
     .body = body_,                                                                                \
     .summary = summary_},
#include "server/dispatch/routes.def"
#undef ROUTE
};

const struct route *routes_all(uint32_t *ret_count)
{
    *ret_count = COUNT_OF(route_table);
    return route_table;
}

enum envelope envelope_of_path(Str path)
{
    Str first = str_slice(path, 0, 5);
    bool is_api = str_eq_nocase(first, STR("/api/")) || str_eq_nocase(first, STR("/god/"));
    return is_api ? ENVELOPE_API : ENVELOPE_CMS;
}

struct router *router_new(bool has_god_token)
{
    struct router *router = calloc(1, sizeof *router);
    assert(router != NULL);
    router->has_god_token = has_god_token;
    for (size_t i = 0; i < COUNT_OF(route_table); i++) {
        route_table[i].envelope = envelope_of_path(route_table[i].pattern);
        bool is_added = router_add(router, &route_table[i]);
        assert(is_added);
        (void)is_added;
    }
    return router;
}

static void node_free(struct node *node)
{
    for (uint32_t i = 0; i < node->child_count; i++) {
        node_free(node->children[i]);
        free(node->children[i]);
    }
    if (node->param != NULL) {
        node_free(node->param);
        free(node->param);
    }
}

void router_free(struct router *router)
{
    if (router == NULL)
        return;
    node_free(&router->root);
    free(router);
}

static struct node *node_new(Str segment)
{
    struct node *node = calloc(1, sizeof *node);
    assert(node != NULL);
    node->segment = segment;
    return node;
}

/* The child of a pattern's segment, made if it is not there; NULL when the node is full. */
static struct node *node_child(struct node *node, Str segment)
{
    if (str_starts_with(segment, STR(":"))) {
        if (node->param == NULL)
            node->param = node_new(segment);
        return node->param;
    }
    for (uint32_t i = 0; i < node->child_count; i++)
        if (str_eq_nocase(node->children[i]->segment, segment))
            return node->children[i];
    if (node->child_count == CHILDREN_MAX)
        return NULL;
    return node->children[node->child_count++] = node_new(segment);
}

bool router_add(struct router *router, const struct route *route)
{
    if (!str_starts_with(route->pattern, STR("/")))
        return false;
    if (route->guard == GUARD_GOD && !router->has_god_token)
        return true;

    struct node *node = &router->root;
    Str rest = str_slice(route->pattern, 1, route->pattern.len);
    Str segment;
    uint32_t depth = 0;
    while (str_next(&rest, '/', &segment)) {
        if (segment.len == 0)
            continue;
        node = ++depth <= SEGMENTS_MAX ? node_child(node, segment) : NULL;
        if (node == NULL)
            return false;
    }
    for (uint32_t i = 0; i < node->route_count; i++)
        if (str_eq(node->routes[i]->method, route->method))
            return false;
    if (node->route_count == METHODS_MAX)
        return false;
    node->routes[node->route_count++] = route;
    return true;
}

/* "sitemap-:page.xml" over "sitemap-7.xml" gives "7": what lies between the fixed ends. */
static bool inner_param(Str pattern, Str segment, Str *ret)
{
    ptrdiff_t colon = str_find_char(pattern, ':');
    if (colon <= 0)
        return false;
    Str head = str_slice(pattern, 0, (size_t)colon);
    Str name = str_slice(pattern, head.len, pattern.len);
    ptrdiff_t dot = str_find_char(name, '.');
    Str tail = dot < 0 ? STR("") : str_slice(name, (size_t)dot, name.len);
    if (segment.len <= head.len + tail.len ||
        !str_eq_nocase(str_slice(segment, 0, head.len), head) ||
        !str_eq_nocase(str_slice(segment, segment.len - tail.len, segment.len), tail))
        return false;
    *ret = str_slice(segment, head.len, segment.len - tail.len);
    return true;
}

/* *ret_param stays STR_NONE where the segment is fixed. */
static const struct node *node_step(const struct node *node, Str segment, Str *ret_param)
{
    *ret_param = STR_NONE;
    for (uint32_t i = 0; i < node->child_count; i++)
        if (str_eq_nocase(node->children[i]->segment, segment) ||
            inner_param(node->children[i]->segment, segment, ret_param))
            return node->children[i];
    *ret_param = segment;
    return node->param;
}

static Str methods_text(const struct node *node, struct arena *arena)
{
    Str text = STR("");
    for (uint32_t i = 0; i < node->route_count; i++)
        text = str_printf(arena, "%.*s%s%.*s", STR_FMT(text), i == 0 ? "" : ", ",
                          STR_FMT(node->routes[i]->method));
    return text;
}

struct route_match router_find(const struct router *router, struct arena *arena, Str method,
                               Str path)
{
    struct route_match match = {0};
    const struct node *node = &router->root;
    Str rest = str_slice(path, 1, path.len);
    Str segment;
    Str value;
    uint32_t param = 0;
    while (str_next(&rest, '/', &segment)) {
        if (segment.len == 0)
            continue;
        node = node_step(node, segment, &value);
        if (node == NULL)
            return match;
        if (value.data != NULL && param < REQUEST_PARAMS_MAX)
            match.params[param++] = value;
    }
    Str wanted = str_eq(method, STR("HEAD")) ? STR("GET") : method;
    for (uint32_t i = 0; i < node->route_count; i++)
        if (str_eq(node->routes[i]->method, wanted))
            match.route = node->routes[i];
    if (match.route == NULL && node->route_count > 0)
        match.allowed = methods_text(node, arena);
    return match;
}
