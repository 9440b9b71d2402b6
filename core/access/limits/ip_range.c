#include "access/limits/ip_range.h"

#include <arpa/inet.h>
#include <assert.h>

struct address {
    uint8_t bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
    bool is_v4;
};

static bool address_parse(Str text, struct address *ret)
{
    char z[INET6_ADDRSTRLEN];
    text = str_trim(text);
    if (text.len == 0 || text.len >= sizeof z)
        return false;
    memcpy(z, text.data, text.len);
    z[text.len] = '\0';
    memset(ret, 0, sizeof *ret);
    if (inet_pton(AF_INET, z, ret->bytes + 12) == 1) {
        ret->bytes[10] = ret->bytes[11] = 0xff;
        ret->is_v4 = true;
        return true;
    }
    if (inet_pton(AF_INET6, z, ret->bytes) != 1)
        return false;
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    ret->is_v4 = memcmp(ret->bytes, mapped, sizeof mapped) == 0;
    return true;
}

static bool in_network(const struct address *ip, const struct address *network, uint64_t bits)
{
    assert(bits <= 8 * sizeof ip->bytes);
    for (uint64_t bit = 0; bit < bits; bit++) {
        unsigned mask = 0x80u >> (bit % 8);
        if ((ip->bytes[bit / 8] & mask) != (network->bytes[bit / 8] & mask))
            return false;
    }
    return true;
}

static bool in_cidr(const struct address *ip, Str range, size_t slash)
{
    assert(slash < range.len);
    struct address network;
    uint64_t bits;
    if (!address_parse(str_slice(range, 0, slash), &network) ||
        !str_to_u64(str_slice(range, slash + 1, range.len), &bits))
        return false;
    if (bits > (network.is_v4 ? 32 : 128))
        return false;
    return in_network(ip, &network, network.is_v4 ? bits + 96 : bits);
}

static bool in_range(const struct address *ip, Str range)
{
    ptrdiff_t slash = str_find_char(range, '/');
    if (slash >= 0)
        return in_cidr(ip, range, (size_t)slash);
    ptrdiff_t dash = str_find_char(range, '-');
    size_t first_len = dash < 0 ? range.len : (size_t)dash;
    struct address first;
    struct address last;
    if (!address_parse(str_slice(range, 0, first_len), &first))
        return false;
    last = first;
    if (dash >= 0 && !address_parse(str_slice(range, first_len + 1, range.len), &last))
        return false;
    return memcmp(ip->bytes, first.bytes, 16) >= 0 && memcmp(ip->bytes, last.bytes, 16) <= 0;
}

bool ip_in_ranges(Str ip, Str ranges)
{
    struct address address;
    if (!address_parse(ip, &address))
        return false;
    Str rest = ranges;
    Str range;
    while (str_next(&rest, ',', &range))
        if (in_range(&address, str_trim(range)))
            return true;
    return false;
}

Str ip_owner(struct arena *arena, Str ip)
{
    struct address address;
    if (!address_parse(ip, &address) || address.is_v4)
        return ip;
    return str_dup(arena, str_of((const char *)address.bytes, 8));
}
