#include "access/identity/jwt.h"

#include "base/crypto/crypto.h"
#include "base/json/json.h"
#include "base/json/json_writer.h"
#include "base/system/clock.h"

#include <assert.h>
#include <jwt.h>
#include <stdlib.h>

/* The claims are a flat object; a deeper object is not our token. */
static const struct json_limits CLAIMS_LIMITS = {.depth_max = 2, .keys_max = 32};

/*
 * A part of the token as JSON, within our own limits: libjwt passes the decoded text to a recursive
 * parser, on a small stack, so the text must be checked first. A failure leaves ctx->diag
 * unchanged.
 */
static const struct json *part_json(struct ctx *ctx, Str part)
{
    Str text;
    if (!base64url_decode(ctx->arena, part, &text))
        return NULL;
    const struct json *json = NULL;
    struct diag before = ctx->diag;
    err_ignore(json_parse(ctx, text, CLAIMS_LIMITS, &json), "the caller checks for NULL");
    ctx->diag = before;
    return json_kind(json) == JSON_OBJECT ? json : NULL;
}

static bool split(Str token, Str *ret_header, Str *ret_payload)
{
    Str rest = token;
    Str signature;
    return token.len <= JWT_LEN_MAX && str_next(&rest, '.', ret_header) &&
           str_next(&rest, '.', ret_payload) && str_next(&rest, '.', &signature) && rest.len == 0 &&
           signature.len > 0;
}

static bool member_is(const struct json *object, Str key, Str value)
{
    const struct json *member = json_get(object, key);
    return json_kind(member) == JSON_STRING && str_eq(json_str(member), value);
}

bool jwt_is_ours(struct ctx *ctx, Str token)
{
    Str header;
    Str payload;
    if (!split(token, &header, &payload))
        return false;
    return member_is(part_json(ctx, payload), STR("iss"), STR("directus"));
}

static Err invalid(struct ctx *ctx)
{
    return fail_plain(ctx, ERR_INVALID_TOKEN);
}

static bool signature_is_good(struct ctx *ctx, Str token, Str secret)
{
    assert(secret.len > 0);
    jwt_t *jwt = NULL;
    int failed = jwt_decode(&jwt, str_z(ctx->arena, token), (const unsigned char *)secret.data,
                            (int)secret.len);
    bool is_good = failed == 0 && jwt_get_alg(jwt) == JWT_ALG_HS256;
    jwt_free(jwt);
    return is_good;
}

static Err claims_read(struct ctx *ctx, const struct json *payload, struct claims *ret)
{
    assert(json_kind(payload) == JSON_OBJECT);
    *ret = (struct claims){0};
    const struct json *user = json_get(payload, STR("id"));
    const struct json *role = json_get(payload, STR("role"));
    const struct json *expires = json_get(payload, STR("exp"));
    const struct json *share = json_get(payload, STR("share"));
    const struct json *bearer = user == NULL ? share : user;
    Uuid *id = user == NULL ? &ret->share : &ret->user;
    if (json_kind(bearer) != JSON_STRING || !uuid_parse(json_str(bearer), id) ||
        json_kind(expires) != JSON_INT)
        return invalid(ctx);
    if (json_kind(role) == JSON_STRING && !uuid_parse(json_str(role), &ret->role))
        return invalid(ctx);
    ret->admin_access = json_bool(json_get(payload, STR("admin_access")));
    ret->app_access = json_bool(json_get(payload, STR("app_access")));
    const struct json *session = json_get(payload, STR("session"));
    if (json_kind(session) == JSON_STRING)
        ret->session = json_str(session);
    ret->expires_s = json_int(expires);
    return OK;
}

Str jwt_session(struct ctx *ctx, Str token)
{
    assert(token.len > 0 && token.len <= JWT_LEN_MAX);
    Str header;
    Str payload;
    if (!split(token, &header, &payload))
        return STR_NONE;
    const struct json *session = json_get(part_json(ctx, payload), STR("session"));
    return json_kind(session) == JSON_STRING ? json_str(session) : STR_NONE;
}

Err jwt_verify(struct ctx *ctx, Str token, Str secret, struct claims *ret)
{
    Str header;
    Str payload;
    if (secret.len == 0 || !split(token, &header, &payload))
        return invalid(ctx);
    const struct json *head = part_json(ctx, header);
    const struct json *body = part_json(ctx, payload);
    if (!member_is(head, STR("alg"), STR("HS256")) || !member_is(body, STR("iss"), STR("directus")))
        return invalid(ctx);
    if (!signature_is_good(ctx, token, secret))
        return invalid(ctx);
    TRY(claims_read(ctx, body, ret));
    if (ret->expires_s * SECOND_US <= clock_wall_us())
        return fail_plain(ctx, ERR_TOKEN_EXPIRED);
    return OK;
}

static Str claims_text(struct ctx *ctx, const struct claims *claims, int64_t ttl_s)
{
    struct buf *buf = buf_in_arena(ctx->arena, 4096);
    struct json_writer w = json_writer(buf);
    int64_t now_s = clock_wall_us() / SECOND_US;
    json_object_begin(&w);
    if (uuid_is_nil(claims->share))
        json_field_uuid(&w, "id", claims->user);
    else
        json_field_uuid(&w, "share", claims->share);
    if (uuid_is_nil(claims->role))
        json_field_null(&w, "role");
    else
        json_field_uuid(&w, "role", claims->role);
    json_field_bool(&w, "app_access", claims->app_access);
    json_field_bool(&w, "admin_access", claims->admin_access);
    if (claims->session.len > 0)
        json_field_str(&w, "session", claims->session);
    json_field_int(&w, "iat", now_s);
    json_field_int(&w, "exp", now_s + ttl_s);
    json_field_str(&w, "iss", STR("directus"));
    json_object_end(&w);
    assert(!buf->is_full);
    return buf_str(buf);
}

Err jwt_sign(struct ctx *ctx, const struct claims *claims, Str secret, int64_t ttl_s, Str *ret)
{
    if (secret.len == 0)
        return fail(ctx, ERR_CONFIG, "SECRET is not set: nothing can be signed");
    jwt_t *jwt = NULL;
    if (jwt_new(&jwt) != 0)
        return fail(ctx, ERR_INTERNAL, "the token could not be made");
    char *text = NULL;
    Str payload = claims_text(ctx, claims, ttl_s);
    if (jwt_add_grants_json(jwt, str_z(ctx->arena, payload)) == 0 &&
        jwt_set_alg(jwt, JWT_ALG_HS256, (const unsigned char *)secret.data, (int)secret.len) == 0)
        text = jwt_encode_str(jwt);
    jwt_free(jwt);
    if (text == NULL)
        return fail(ctx, ERR_INTERNAL, "the token could not be signed");
    *ret = str_dup(ctx->arena, str_from_z(text));
    free(text);
    return OK;
}
