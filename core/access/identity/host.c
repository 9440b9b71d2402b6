/* Hostnames as keys: exact matching requires a canonical form. */
#include "access/identity/authenticate.h"
#include "base/text/ascii.h"

#include <arpa/inet.h>
#include <assert.h>
#include <idn2.h>

enum { HOST_LEN_MAX = 255 };

static bool is_host_char(char c)
{
    return ascii_is_alnum(c) || c == '-' || c == '.' || c == '_';
}

/* Empty, or ":8055". */
static bool is_port(Str s)
{
    if (s.len == 0)
        return true;
    if (s.data[0] != ':' || s.len > 6)
        return false;
    for (size_t i = 1; i < s.len; i++)
        if (!ascii_is_digit(s.data[i]))
            return false;
    return true;
}

/* "[0:0::1]:8055" → "[::1]": the canonical form of an IPv6 address. */
static Str literal_of(struct arena *arena, Str host)
{
    assert(host.len > 0 && host.data[0] == '[');
    ptrdiff_t end = str_find_char(host, ']');
    if (end < 0 || !is_port(str_slice(host, (size_t)end + 1, host.len)))
        return STR_NONE;
    struct in6_addr address;
    if (inet_pton(AF_INET6, str_z(arena, str_slice(host, 1, (size_t)end)), &address) != 1)
        return STR_NONE;
    char text[INET6_ADDRSTRLEN];
    inet_ntop(AF_INET6, &address, text, sizeof text);
    return str_printf(arena, "[%s]", text);
}

static bool is_ascii(Str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.data[i] >= 0x80)
            return false;
    return true;
}

/* "München.example" → "xn--mnchen-3ya.example": the form that browsers send. */
static Str ascii_of(struct arena *arena, Str host)
{
    assert(!is_ascii(host));
    char *ascii = NULL;
    int flags = IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL;
    if (idn2_to_ascii_8z(str_z(arena, host), &ascii, flags) != IDN2_OK)
        return STR_NONE;
    Str result = str_dup(arena, str_from_z(ascii));
    idn2_free(ascii);
    return result;
}

/* The name in the character set of DNS. */
static Str name_of(struct arena *arena, Str host)
{
    if (!is_ascii(host))
        host = ascii_of(arena, host);
    if (host.len > 0 && host.data[host.len - 1] == '.')
        host = str_slice(host, 0, host.len - 1);
    if (host.len == 0 || host.len > HOST_LEN_MAX)
        return STR_NONE;
    for (size_t i = 0; i < host.len; i++)
        if (!is_host_char(host.data[i]))
            return STR_NONE;
    return str_lower(arena, host);
}

Str host_normalise(struct arena *arena, Str host)
{
    host = str_trim(host);
    if (host.len == 0 || host.len > HOST_LEN_MAX + 8 || str_find_char(host, '\0') >= 0)
        return STR_NONE;
    if (host.data[0] == '[')
        return literal_of(arena, host);

    ptrdiff_t colon = str_find_char(host, ':');
    if (colon >= 0 && !is_port(str_slice(host, (size_t)colon, host.len)))
        return STR_NONE;
    return name_of(arena, colon >= 0 ? str_slice(host, 0, (size_t)colon) : host);
}
