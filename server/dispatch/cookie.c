#include "server/dispatch/cookie.h"

#include "base/system/clock.h"
#include "io/reactor/reactor.h"

#include <assert.h>
#include <time.h>

/* What the settings say about one of the two. */
struct cookie_look {
    Str name;
    Str domain;
    Str same_site;
    bool is_secure;
    int64_t age_s;
};

static struct cookie_look look_of(const struct settings *settings, enum cookie cookie)
{
    if (cookie == COOKIE_SESSION)
        return (struct cookie_look){
            .name = settings->session_cookie_name,
            .domain = settings->session_cookie_domain,
            .same_site = settings->session_cookie_same_site,
            .is_secure = settings->session_cookie_secure,
            .age_s = settings->session_cookie_ttl_s,
        };
    return (struct cookie_look){
        .name = settings->refresh_cookie_name,
        .domain = settings->refresh_cookie_domain,
        .same_site = settings->refresh_cookie_same_site,
        .is_secure = settings->refresh_cookie_secure,
        .age_s = settings->refresh_token_ttl_s,
    };
}

Str cookie_get(const struct settings *settings, const struct request *request, enum cookie cookie)
{
    Str value = request_cookie(request, look_of(settings, cookie).name);
    return value.len > 0 ? value : STR_NONE;
}

/* "Sun, 06 Dec 2026 23:24:11 GMT" */
static Str http_date(struct arena *arena, int64_t wall_us)
{
    enum { DATE_LEN = 29 };
    time_t seconds = (time_t)(wall_us / SECOND_US);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    char *text = arena_alloc_raw(arena, DATE_LEN + 1);
    size_t len = strftime(text, DATE_LEN + 1, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    assert(len == DATE_LEN);
    return str_of(text, len);
}

/* As browsers write it: "lax" → "Lax". */
static const char *same_site_name(Str same_site)
{
    if (str_eq_nocase(same_site, STR("strict")))
        return "Strict";
    return str_eq_nocase(same_site, STR("none")) ? "None" : "Lax";
}

void cookie_set(struct ctx *ctx, struct reply *reply, enum cookie cookie, Str value)
{
    struct cookie_look look = look_of(ctx->reactor->settings, cookie);
    Str expires = http_date(ctx->arena, clock_wall_us() + look.age_s * SECOND_US);
    reply_header(
        reply, STR("set-cookie"),
        str_printf(ctx->arena,
                   "%.*s=%.*s; Max-Age=%jd%s%.*s; Path=/; Expires=%.*s; HttpOnly%s; SameSite=%s",
                   STR_FMT(look.name), STR_FMT(value), (intmax_t)look.age_s,
                   look.domain.len > 0 ? "; Domain=" : "", STR_FMT(look.domain), STR_FMT(expires),
                   look.is_secure ? "; Secure" : "", same_site_name(look.same_site)));
}
