/*
 * Fixed segments are compared case-insensitively; a node has at most one parameter child. A fixed
 * segment may contain a parameter: "sitemap-:page.xml". Priority: fixed segments, segments with a
 * parameter inside, the parameter.
 */
#include "server/dispatch/router.h"

#include "base/memory/array.h"
#include "base/system/range.h"
#include "base/text/ascii.h"

#include <assert.h>

enum { METHODS_MAX = 6, SEGMENTS_MAX = 12, CHILDREN_FIRST = 4 };

struct children {
    struct node **list;
    uint32_t count;
    uint32_t capacity;
};

struct node {
    Str segment;
    struct children fixed; /* sorted by segment_cmp */
    struct children mixed; /* with a parameter inside */
    struct node *param;
    const struct route *routes[METHODS_MAX];
    uint32_t route_count;
};

struct router {
    struct arena *arena; /* owns the router and its nodes */
    struct node root;
    bool has_god_token;
};

struct router *router_new(bool has_god_token)
{
    struct arena *arena = arena_create();
    struct router *router = arena_new(arena, struct router);
    *router = (struct router){.arena = arena, .has_god_token = has_god_token};
    for (uint32_t i = 0; i < ROUTES_COUNT; i++) {
        bool is_added = router_add(router, &ROUTES[i]);
        assert(is_added);
        (void)is_added;
    }
    return router;
}

void router_free(struct router *router)
{
    if (router != NULL)
        arena_destroy(router->arena);
}

/* Building */

/* By length first: most of the segments that a search looks at differ in it. */
static int segment_cmp(Str a, Str b)
{
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    for (size_t i = 0; i < a.len; i++) {
        unsigned char in_a = (unsigned char)ascii_lower(a.data[i]);
        unsigned char in_b = (unsigned char)ascii_lower(b.data[i]);
        if (in_a != in_b)
            return in_a < in_b ? -1 : 1;
    }
    return 0;
}

/* The index of the first of `fixed` that is not before the segment; the count if all are. */
static uint32_t place_of(const struct children *fixed, Str segment)
{
    uint32_t low = 0;
    uint32_t high = fixed->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (segment_cmp(fixed->list[middle]->segment, segment) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct node *node_new(struct arena *arena, Str segment)
{
    struct node *node = arena_new(arena, struct node);
    node->segment = segment;
    return node;
}

/* Inserts a child at `place`; later ones move up. */
static struct node *child_add(struct arena *arena, struct children *children, uint32_t place,
                              Str segment)
{
    assert(place <= children->count);
    ARRAY_GROW_IN(arena, children->list, children->count, children->capacity, CHILDREN_FIRST);
    for (uint32_t i = children->count; i > place; i--)
        children->list[i] = children->list[i - 1];
    children->count++;
    return children->list[place] = node_new(arena, segment);
}

/* The child for a pattern's segment, created if it does not exist. */
static struct node *node_child(struct arena *arena, struct node *node, Str segment)
{
    if (str_starts_with(segment, STR(":"))) {
        if (node->param == NULL)
            node->param = node_new(arena, segment);
        return node->param;
    }
    if (str_find_char(segment, ':') >= 0) {
        for (uint32_t i = 0; i < node->mixed.count; i++)
            if (segment_cmp(node->mixed.list[i]->segment, segment) == 0)
                return node->mixed.list[i];
        return child_add(arena, &node->mixed, node->mixed.count, segment);
    }
    uint32_t place = place_of(&node->fixed, segment);
    bool is_there =
        place < node->fixed.count && segment_cmp(node->fixed.list[place]->segment, segment) == 0;
    return is_there ? node->fixed.list[place] : child_add(arena, &node->fixed, place, segment);
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
        if (++depth > SEGMENTS_MAX)
            return false;
        node = node_child(router->arena, node, segment);
    }
    for (uint32_t i = 0; i < node->route_count; i++)
        if (str_eq(node->routes[i]->method, route->method))
            return false;
    if (node->route_count == METHODS_MAX)
        return false;
    node->routes[node->route_count++] = route;
    return true;
}

/* Finding */

/* "sitemap-:page.xml" with "sitemap-7.xml" gives "7": the part between the fixed ends. */
static bool inner_param(Str pattern, Str segment, Str *ret)
{
    ptrdiff_t colon = str_find_char(pattern, ':');
    assert(colon > 0);
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

/* *ret_param stays STR_NONE for a fixed segment. */
static const struct node *node_step(const struct node *node, Str segment, Str *ret_param)
{
    *ret_param = STR_NONE;
    uint32_t place = place_of(&node->fixed, segment);
    if (place < node->fixed.count && segment_cmp(node->fixed.list[place]->segment, segment) == 0)
        return node->fixed.list[place];
    for (uint32_t i = 0; i < node->mixed.count; i++)
        if (inner_param(node->mixed.list[i]->segment, segment, ret_param))
            return node->mixed.list[i];
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
