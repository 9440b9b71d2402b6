#include "factory/links/links_internal.h"
#include "factory/text/text.h"

#include <assert.h>

/* Characters that browsers drop or change: control characters, white space, backslashes. */
static bool has_unsafe_bytes(Str href)
{
    for (size_t i = 0; i < href.len; i++) {
        unsigned char c = (unsigned char)href.data[i];
        if (c <= ' ' || c == 0x7F || c == '\\')
            return true;
    }
    return false;
}

/* The length of "https://" or "http://", in any case; 0: neither. */
static size_t scheme_len(Str href)
{
    static const Str SCHEMES[] = {STR_INIT("https://"), STR_INIT("http://")};
    for (size_t i = 0; i < 2; i++)
        if (href.len > SCHEMES[i].len &&
            str_eq_nocase(str_slice(href, 0, SCHEMES[i].len), SCHEMES[i]))
            return SCHEMES[i].len;
    return 0;
}

bool link_href_is_safe(Str href)
{
    if (href.len == 0 || has_unsafe_bytes(href))
        return false;
    if (href.data[0] == '/')
        return href.len == 1 || href.data[1] != '/'; /* "//host" is another host */
    size_t len = scheme_len(href);
    return len > 0 && href.data[len] != '/';
}

static size_t first_of(Str s, char a, char b, char c)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] == a || s.data[i] == b || s.data[i] == c)
            return i;
    return s.len;
}

Str link_key(struct arena *arena, Str host, Str href)
{
    Str s = str_trim(href);
    s = str_slice(s, 0, first_of(s, '#', '#', '#'));
    size_t len = scheme_len(s);
    Str own = STR("");
    if (len > 0) {
        s = str_slice(s, len, s.len);
        size_t host_len = first_of(s, '/', '?', '?');
        own = str_lower(arena, str_slice(s, 0, host_len));
        s = str_slice(s, host_len, s.len);
        if (host.len > 0 && str_eq_nocase(own, host))
            own = STR("");
    }
    while (s.len > 0 && s.data[s.len - 1] == '/')
        s = str_slice(s, 0, s.len - 1);
    return own.len == 0 && s.len > 0
               ? s
               : str_printf(arena, "%.*s%.*s%s", STR_FMT(own), STR_FMT(s), s.len > 0 ? "" : "/");
}

void link_put_tag(struct buf *out, Str href)
{
    assert(link_href_is_safe(href));
    buf_put_z(out, "<a href=\"");
    text_escape(out, href);
    buf_put_z(out, "\">");
}
