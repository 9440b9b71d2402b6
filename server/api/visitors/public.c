#include "server/api/visitors/public.h"

#include "base/settings/settings.h"
#include "io/reactor/reactor.h"

#include <arpa/inet.h>

/* The cut may split a character. */
Str visitor_agent(const struct request *request)
{
    Str value = str_slice(request_header(request, STR("user-agent")), 0, VISITOR_AGENT_MAX);
    while (value.len > 0 && !str_is_utf8(value) && value.len + 3 > VISITOR_AGENT_MAX)
        value.len--;
    return str_is_utf8(value) ? value : STR_NONE;
}

/* Keeps 24 bits of an IPv4 address and 48 of an IPv6 address: identifies a network, not a
 * household. */
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
