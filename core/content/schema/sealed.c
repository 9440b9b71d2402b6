#include "content/schema/sealed.h"

#include "base/crypto/crypto.h"
#include "base/settings/settings.h"
#include "io/reactor/reactor.h"

#include <assert.h>

static const Str MARK = STR_INIT("sealed:1:");

bool field_is_sealed(const struct field *field)
{
    if ((field->special & SPECIAL_ENCRYPT) == 0)
        return false;
    switch (field->type_oid) {
    case OID_TEXT:
    case OID_VARCHAR:
    case OID_BPCHAR:
    case OID_JSON:
    case OID_JSONB:
        return true;
    default:
        return false;
    }
}

static Str name_of(struct ctx *ctx, const struct field *field)
{
    assert(field->collection != NULL);
    return str_printf(ctx->arena, "spark: field %.*s.%.*s", STR_FMT(field->collection->name),
                      STR_FMT(field->name));
}

static Str key_of(struct ctx *ctx, Str name)
{
    Sha256 key = hkdf_sha256(ctx->reactor->settings->secret, name);
    return str_dup(ctx->arena, str_of((const char *)key.bytes, sizeof key.bytes));
}

Err field_seal(struct ctx *ctx, const struct field *field, Str text, Str *ret)
{
    assert(field_is_sealed(field) && text.len > 0 && text.len <= FIELD_SEAL_MAX);
    if (ctx->reactor->settings->secret.len == 0)
        return fail(ctx, ERR_CONFIG, "SECRET is not set, so nothing can be encrypted.");
    Str name = name_of(ctx, field);
    Str sealed = seal_make(ctx->arena, key_of(ctx, name), name, text);
    *ret =
        str_printf(ctx->arena, "%.*s%.*s", STR_FMT(MARK), STR_FMT(base64url(ctx->arena, sealed)));
    return OK;
}

bool field_unseal(struct ctx *ctx, const struct field *field, Str stored, Str *ret)
{
    assert(field_is_sealed(field));
    Str sealed;
    bool is_marked = str_starts_with(stored, MARK) && ctx->reactor->settings->secret.len > 0;
    if (!is_marked ||
        !base64url_decode(ctx->arena, str_slice(stored, MARK.len, stored.len), &sealed))
        return false;
    Str name = name_of(ctx, field);
    return seal_open(ctx->arena, key_of(ctx, name), name, sealed, ret);
}
