#include "server/dispatch/input.h"

#include "base/text/percent.h"
#include "io/fiber/json_apart.h"
#include "server/dispatch/route.h"

#include <assert.h>

static bool is_checked(const struct route *route)
{
    return route->envelope == ENVELOPE_API && route->extension == NULL;
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

/* Every route accepts its token in this parameter. */
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

Err input_check_query(struct ctx *ctx, const struct request *request)
{
    if (!is_checked(request->route) || request->query.len == 0)
        return OK;
    Str known = request->route->input.query_members;
    Str rest = request->query;
    Str pair;
    while (str_next(&rest, '&', &pair)) {
        ptrdiff_t equals = str_find_char(pair, '=');
        size_t len = equals < 0 ? pair.len : (size_t)equals;
        Str name = percent_decode(ctx->arena, str_slice(pair, 0, len), PERCENT_PLUS_IS_SPACE);
        if (name.len > 0 && !is_token(name) && !is_named(known, name))
            return refuse(ctx, name, known);
    }
    return OK;
}

static fiber_fn Err body_read(struct ctx *ctx, struct request *request)
{
    const struct route_input *input = &request->route->input;
    const struct json *body;
    TRY(request_object(ctx, request, &body));
    if (!input->has_free_body)
        TRY(json_check_members_apart(ctx, body, input->body_members));
    request->json = body;
    return OK;
}

/* A new struct with the route's defaults. */
static void *input_new(struct arena *arena, const struct route_input *input)
{
    void *values = arena_alloc(arena, input->size);
    if (input->defaults != NULL)
        memcpy(values, input->defaults, input->size);
    return values;
}

fiber_fn Err input_read(struct ctx *ctx, struct request *request)
{
    const struct route *route = request->route;
    const struct route_input *input = &route->input;
    assert(request->json == NULL && request->input == NULL);
    TRY(site_rule_check_caller(ctx, route));
    if (is_checked(route) && route->body != BODY_NONE)
        TRY(body_read(ctx, request));
    TRY(site_rule_check_host(ctx, route, request->json));
    if (input->size == 0)
        return OK;
    request->input = input_new(ctx->arena, input);
    Err err = fields_read(ctx, input, request, request->json, request->input);
    if (input->is_late)
        *(Err *)((char *)request->input + input->faults_offset) = err;
    else
        TRY(err);
    return err == OK && input->check != NULL ? input->check(ctx, request->input) : OK;
}
