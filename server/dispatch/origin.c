#include "server/dispatch/origin.h"

#include "access/identity/authenticate.h"
#include "io/reactor/reactor.h"

#include <string.h>

/* "https://admin.example:443/x" → "https://admin.example": the form that browsers send. STR_NONE
 * for a URL without a web origin. */
static Str url_origin(Str url)
{
    url = str_trim(url);
    size_t scheme = str_starts_with(url, STR("https://"))  ? 8
                    : str_starts_with(url, STR("http://")) ? 7
                                                           : 0;
    size_t end = scheme;
    while (end < url.len && strchr("/?#@", url.data[end]) == NULL)
        end++;
    if (scheme == 0 || end == scheme || (end < url.len && url.data[end] == '@'))
        return STR_NONE;
    Str origin = str_slice(url, 0, end);
    Str port = scheme == 8 ? STR(":443") : STR(":80");
    return str_ends_with(origin, port) ? str_slice(origin, 0, origin.len - port.len) : origin;
}

/* Exact match: another scheme, port or a longer name is another origin; so is "null". */
enum origin_kind origin_find(const struct settings *settings, Str origin)
{
    enum origin_kind kind = ORIGIN_FOREIGN;
    if (origin.len == 0)
        return kind;
    if (str_eq_nocase(origin, url_origin(settings->public_url)))
        return ORIGIN_PLATFORM;
    Str rest = settings->cors_origins;
    Str listed;
    while (str_next(&rest, ',', &listed)) {
        listed = str_trim(listed);
        if (str_eq_nocase(origin, url_origin(listed)))
            return ORIGIN_PLATFORM;
        if (str_eq(listed, STR("*")) || str_eq_nocase(listed, STR("true")))
            kind = ORIGIN_ANYBODY;
    }
    return kind;
}

/* "https://a.example:8443" with "a.example:8443": which scheme a proxy spoke is not known here. */
static bool is_host(Str origin, Str host)
{
    ptrdiff_t slashes = str_find(origin, STR("://"));
    return slashes > 0 &&
           str_eq_nocase(str_slice(origin, (size_t)slashes + 3, origin.len), str_trim(host));
}

/* Sec-Fetch-Site comes from the browser alone; no page can set it. It also tells where a proxy has
 * replaced the host. */
bool origin_is_own(const struct settings *settings, const struct request *request)
{
    Str origin = request_header(request, STR("origin"));
    return origin.len == 0 || is_host(origin, request->host) ||
           str_eq(request_header(request, STR("sec-fetch-site")), STR("same-origin")) ||
           origin_find(settings, origin) == ORIGIN_PLATFORM;
}

fiber_fn Err origin_cookie_use(struct ctx *ctx, const struct request *request,
                               struct cookie_use *ret)
{
    *ret = (struct cookie_use){.is_allowed = true};
    if (origin_is_own(ctx->reactor->settings, request))
        return OK;
    SCOPED_CTX struct ctx machinery = ctx_as_machinery(ctx, "the owner of a hostname is public");
    struct request_sites sites;
    TRY(request_sites_find(&machinery, request->host, request_header(request, STR("origin")),
                           &sites));
    ret->is_allowed = request_sites_are_one(&sites);
    ret->only_site = sites.by_origin;
    return OK;
}
