/* Hosts as keys: exact match is only as good as the form that is matched. */
#include "access/authenticate.h"

#include <ctype.h>

enum { HOST_LEN_MAX = 255 };

static bool is_host_char(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == '.' || c == '_';
}

/* Nothing, or ":8055". */
static bool is_port(Str s)
{
    if (s.len == 0)
        return true;
    if (s.data[0] != ':' || s.len > 6)
        return false;
    for (size_t i = 1; i < s.len; i++)
        if (!isdigit((unsigned char)s.data[i]))
            return false;
    return true;
}

/* "[::1]:8055" → "[::1]": an IPv6 literal keeps its brackets. */
static Str literal_of(Str host)
{
    ptrdiff_t end = str_find_char(host, ']');
    if (end < 0 || !is_port(str_slice(host, (size_t)end + 1, host.len)))
        return STR_NONE;
    return str_slice(host, 0, (size_t)end + 1);
}

Str host_normalise(struct arena *arena, Str host)
{
    host = str_trim(host);
    if (host.len == 0 || host.len > HOST_LEN_MAX + 8)
        return STR_NONE;
    if (host.data[0] == '[')
        return str_lower(arena, literal_of(host));

    ptrdiff_t colon = str_find_char(host, ':');
    if (colon >= 0 && !is_port(str_slice(host, (size_t)colon, host.len)))
        return STR_NONE;
    if (colon >= 0)
        host = str_slice(host, 0, (size_t)colon);
    if (host.len > 0 && host.data[host.len - 1] == '.')
        host = str_slice(host, 0, host.len - 1);
    if (host.len == 0 || host.len > HOST_LEN_MAX)
        return STR_NONE;
    for (size_t i = 0; i < host.len; i++)
        if (!is_host_char(host.data[i]))
            return STR_NONE;
    return str_lower(arena, host);
}
