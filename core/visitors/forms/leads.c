#include "visitors/forms/leads.h"

#include "base/crypto/crypto.h"

#include <assert.h>

bool email_is_plausible(Str email)
{
    if (email.len < 3 || email.len > 254)
        return false;
    size_t at_count = 0;
    for (size_t i = 0; i < email.len; i++) {
        unsigned char c = (unsigned char)email.data[i];
        if (c <= ' ' || c == 0x7f || c == ',' || c == ';' || c == '<' || c == '>')
            return false;
        at_count += c == '@';
    }
    ptrdiff_t at = str_find_char(email, '@');
    if (at_count != 1 || at == 0)
        return false;
    Str domain = str_slice(email, (size_t)at + 1, email.len);
    ptrdiff_t dot = str_find_char(domain, '.');
    return dot > 0 && domain.data[domain.len - 1] != '.';
}

Str click_source(const struct click *click)
{
    if (click->utm_source.len > 0)
        return click->utm_source;
    if (click->gclid.len > 0)
        return STR("google_ads");
    return click->fbclid.len > 0 ? STR("facebook") : STR("organic");
}

DbArg visitor_lock_key(struct ctx *ctx, Str what)
{
    assert(ctx->scope.kind == SCOPE_SITE);
    Str site = uuid_text(ctx->arena, ctx->scope.site);
    Sha256 hash = sha256(str_printf(ctx->arena, "%.*s %.*s", STR_FMT(site), STR_FMT(what)));
    int64_t key;
    memcpy(&key, hash.bytes, sizeof key);
    return db_int(key);
}
