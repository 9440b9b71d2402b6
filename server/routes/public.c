#include "server/routes/public.h"

#include "access/actor.h"

Err visitor_site(struct ctx *ctx, const struct json *body, Uuid *ret)
{
    if (ctx->scope.kind != SCOPE_SITE)
        return fail(ctx, ERR_UNKNOWN_SITE, "No site answers to this host.");
    Uuid named = ctx->scope.site;
    TRY(json_take_uuid(ctx, body, "site", &named));
    TRY(json_take_uuid(ctx, body, "site_id", &named));
    if (!uuid_eq(named, ctx->scope.site)) {
        err_ignore(fail(ctx, ERR_FORBIDDEN, "The body names another site than the host."), "noted");
        return fail_note(ctx, "field", STR("site_id"));
    }
    *ret = ctx->scope.site;
    return OK;
}

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
