#include "server/api/visitors/public.h"

#include "base/crypto/crypto.h"
#include "base/settings/settings.h"
#include "io/reactor/reactor.h"

#include <arpa/inet.h>

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

/* A cut may fall into a character. */
Str visitor_agent(const struct request *request)
{
    Str value = str_slice(request_header(request, STR("user-agent")), 0, VISITOR_AGENT_MAX);
    while (value.len > 0 && !str_is_utf8(value) && value.len + 3 > VISITOR_AGENT_MAX)
        value.len--;
    return str_is_utf8(value) ? value : STR_NONE;
}

/* Keeps 24 bits of an IPv4 address and 48 of an IPv6 one: a network, no household. */
static Str ip_truncate(struct arena *arena, Str ip)
{
    enum { KEPT_4 = 3, ALL_4 = 4, KEPT_6 = 6, ALL_6 = 16 };
    uint8_t bytes[ALL_6];
    char text[INET6_ADDRSTRLEN];
    bool is_4 = inet_pton(AF_INET, str_z(arena, ip), bytes) == 1;
    if (!is_4 && inet_pton(AF_INET6, str_z(arena, ip), bytes) != 1)
        return STR_NONE;
    size_t kept = is_4 ? KEPT_4 : KEPT_6;
    memset(bytes + kept, 0, (is_4 ? ALL_4 : ALL_6) - kept);
    if (inet_ntop(is_4 ? AF_INET : AF_INET6, bytes, text, sizeof text) == NULL)
        return STR_NONE;
    return str_dup(arena, str_from_z(text));
}

Str visitor_ip(struct ctx *ctx, const struct request *request)
{
    if (!ctx->reactor->settings->ip_truncation)
        return request->ip;
    return ip_truncate(ctx->arena, request->ip);
}

Str visitor_source(Str utm_source, Str gclid, Str fbclid)
{
    if (utm_source.len > 0)
        return utm_source;
    if (gclid.len > 0)
        return STR("google_ads");
    return fbclid.len > 0 ? STR("facebook") : STR("organic");
}

void visitor_write_sent(struct json_writer *w)
{
    json_key(w, STR("sent"));
    json_object_begin(w);
    json_field_bool(w, "google", false);
    json_field_bool(w, "facebook", false);
    json_object_end(w);
}

int64_t visitor_lock_key(struct ctx *ctx, Uuid site, Str what)
{
    Str words =
        str_printf(ctx->arena, "%.*s %.*s", STR_FMT(uuid_text(ctx->arena, site)), STR_FMT(what));
    Sha256 hash = sha256(words);
    int64_t key;
    memcpy(&key, hash.bytes, sizeof key);
    return key;
}
