#include "io/redis/redis_address.h"

#include "base/memory/arena.h"
#include "base/text/percent.h"

#include <assert.h>
#include <sys/un.h>

enum { DB_MAX = 1 << 20, HOST_MAX = 253 };

static bool parse_tcp(struct arena *arena, Str rest, struct redis_address *ret);
static bool parse_unix(struct arena *arena, Str rest, struct redis_address *ret);
static bool parse_login(struct arena *arena, Str login, struct redis_address *ret);
static bool parse_host(struct arena *arena, Str place, struct redis_address *ret);
static bool is_number(Str s, uint64_t min, uint64_t max);

bool redis_address_parse(struct arena *arena, Str url, struct redis_address *ret)
{
    struct redis_address address = {0};
    bool is_fine;
    if (str_find_char(url, '\0') >= 0)
        return false;
    if (str_starts_with(url, STR("redis://")))
        is_fine = parse_tcp(arena, str_slice(url, STR("redis://").len, url.len), &address);
    else if (str_starts_with(url, STR("unix://")))
        is_fine = parse_unix(arena, str_slice(url, STR("unix://").len, url.len), &address);
    else
        return false;
    if (is_fine)
        *ret = address;
    return is_fine;
}

static bool parse_tcp(struct arena *arena, Str rest, struct redis_address *ret)
{
    ptrdiff_t slash = str_find_char(rest, '/');
    Str place = slash < 0 ? rest : str_slice(rest, 0, (size_t)slash);
    if (slash >= 0)
        ret->db = str_dup(arena, str_slice(rest, (size_t)slash + 1, rest.len));
    if (ret->db.len > 0 && !is_number(ret->db, 0, DB_MAX))
        return false;

    for (size_t i = place.len; i > 0; i--) { /* the last '@': a password may contain one */
        if (place.data[i - 1] != '@')
            continue;
        if (!parse_login(arena, str_slice(place, 0, i - 1), ret))
            return false;
        place = str_slice(place, i, place.len);
        break;
    }
    return parse_host(arena, place, ret);
}

static bool parse_unix(struct arena *arena, Str rest, struct redis_address *ret)
{
    ptrdiff_t query = str_find(rest, STR("?db="));
    if (query >= 0) {
        ret->db = str_dup(arena, str_slice(rest, (size_t)query + STR("?db=").len, rest.len));
        rest = str_slice(rest, 0, (size_t)query);
        if (!is_number(ret->db, 0, DB_MAX))
            return false;
    }
    if (!str_starts_with(rest, STR("/")) || rest.len >= sizeof((struct sockaddr_un){0}.sun_path))
        return false;
    ret->unix_path = str_z(arena, rest);
    ret->text = str_printf(arena, "unix://%s", ret->unix_path);
    return true;
}

static bool parse_login(struct arena *arena, Str login, struct redis_address *ret)
{
    ptrdiff_t colon = str_find_char(login, ':');
    if (colon < 0)
        return false;
    return percent_decode_strict(arena, str_slice(login, 0, (size_t)colon), &ret->user) &&
           percent_decode_strict(arena, str_slice(login, (size_t)colon + 1, login.len),
                                 &ret->password);
}

static bool parse_host(struct arena *arena, Str place, struct redis_address *ret)
{
    Str host = place, port = STR("6379");
    ptrdiff_t bracket = str_find_char(place, ']');
    Str tail = place;
    if (str_starts_with(place, STR("["))) {
        if (bracket < 0)
            return false;
        host = str_slice(place, 1, (size_t)bracket);
        tail = str_slice(place, (size_t)bracket + 1, place.len);
        if (tail.len > 0 && tail.data[0] != ':')
            return false;
    }
    ptrdiff_t colon = str_find_char(tail, ':');
    if (colon >= 0) {
        port = str_slice(tail, (size_t)colon + 1, tail.len);
        if (tail.data == place.data)
            host = str_slice(place, 0, (size_t)colon);
    }
    if (host.len == 0 || host.len > HOST_MAX || !is_number(port, 1, UINT16_MAX))
        return false;
    ret->host = str_z(arena, host);
    ret->port = str_z(arena, port);
    ret->text = str_printf(arena, "%s:%s", ret->host, ret->port);
    return true;
}

static bool is_number(Str s, uint64_t min, uint64_t max)
{
    assert(min <= max);
    uint64_t value;
    return str_to_u64(s, &value) && value >= min && value <= max;
}
