#include "server/dispatch/members.h"

#include "base/memory/array.h"
#include "base/text/percent.h"
#include "io/fiber/json_apart.h"
#include "server/dispatch/handlers.h"

#include <assert.h>

struct members {
    RouteHandler *handler;
    Str query;
    Str body;
};

static const struct members MEMBERS_OF[] = {
#define MEMBERS(handler_, query_, body_)                                                           \
    {.handler = (handler_), .query = STR_INIT(query_), .body = STR_INIT(body_)},
#include "server/dispatch/members.def"
#undef MEMBERS
};

static const struct members *members_find(const struct route *route)
{
    for (size_t i = 0; i < COUNT_OF(MEMBERS_OF); i++) {
        if (MEMBERS_OF[i].handler == route->handler)
            return &MEMBERS_OF[i];
    }
    return NULL;
}

static bool are_checked(const struct route *route)
{
    return route != NULL && route->envelope == ENVELOPE_API && route->extension == NULL;
}

bool members_are_listed(const struct route *route)
{
    return !are_checked(route) || members_find(route) != NULL;
}

static bool is_named(Str names, Str name)
{
    Str known;
    while (str_next(&names, ' ', &known)) {
        if (known.len > 0 && str_eq(known, name))
            return true;
    }
    return false;
}

/* Every route may be given its token so. */
static bool is_token(Str name)
{
    return str_eq(name, STR("access_token"));
}

static Err refuse(struct ctx *ctx, Str name, Str known)
{
    enum { SHOWN_MAX = 100 };
    Str names = json_member_names(ctx->arena, known);
    Str shown = str_cut(name, SHOWN_MAX);
    return fail_noted(ctx, ERR_INVALID_QUERY, "field", shown,
                      "\"%.*s\" is not known here; known: %.*s", STR_FMT(shown),
                      STR_FMT(names.len > 0 ? names : STR("none")));
}

Err members_check_query(struct ctx *ctx, const struct request *request)
{
    if (!are_checked(request->route) || request->query.len == 0)
        return OK;
    const struct members *members = members_find(request->route);
    assert(members != NULL); /* tests/unit/server/test_router.c */
    Str rest = request->query;
    Str pair;
    while (str_next(&rest, '&', &pair)) {
        ptrdiff_t equals = str_find_char(pair, '=');
        size_t len = equals < 0 ? pair.len : (size_t)equals;
        Str name = percent_decode(ctx->arena, str_slice(pair, 0, len), PERCENT_PLUS_IS_SPACE);
        if (name.len > 0 && !is_token(name) && !is_named(members->query, name))
            return refuse(ctx, name, members->query);
    }
    return OK;
}

fiber_fn Err members_check_body(struct ctx *ctx, const struct request *request,
                                const struct json *body)
{
    if (!are_checked(request->route))
        return OK;
    const struct members *members = members_find(request->route);
    assert(members != NULL);
    if (str_eq(members->body, STR("*")))
        return OK;
    return json_check_members_apart(ctx, body, members->body);
}
