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

/* A network if `bits` is not negative, else the addresses from first to last. */
struct range {
    struct address first;
    struct address last;
    int bits;
};

static bool network_parse(Str text, size_t slash, struct range *ret)
{
    assert(slash < text.len);
    uint64_t bits;
    if (!address_parse(str_slice(text, 0, slash), &ret->first) ||
        !str_to_u64(str_slice(text, slash + 1, text.len), &bits))
        return false;
    if (bits > (ret->first.is_v4 ? 32 : 128))
        return false;
    ret->bits = (int)bits + (ret->first.is_v4 ? 96 : 0);
    return true;
}

static bool range_parse(Str text, struct range *ret)
{
    assert(ret != NULL);
    text = str_trim(text);
    ptrdiff_t slash = str_find_char(text, '/');
    *ret = (struct range){.bits = -1};
    if (slash >= 0)
        return network_parse(text, (size_t)slash, ret);
    ptrdiff_t dash = str_find_char(text, '-');
    size_t first_len = dash < 0 ? text.len : (size_t)dash;
    if (!address_parse(str_slice(text, 0, first_len), &ret->first))
        return false;
    ret->last = ret->first;
    return dash < 0 || (address_parse(str_slice(text, first_len + 1, text.len), &ret->last) &&
                        ret->first.is_v4 == ret->last.is_v4 &&
                        memcmp(ret->first.bytes, ret->last.bytes, 16) <= 0);
}

bool ip_range_is_valid(Str text)
{
    struct range range;
    return range_parse(text, &range);
}

static bool in_range(const struct address *ip, Str text)
{
    struct range range;
    if (!range_parse(text, &range))
        return false;
    if (range.bits >= 0)
        return in_network(ip, &range.first, (uint64_t)range.bits);
    return memcmp(ip->bytes, range.first.bytes, 16) >= 0 &&
           memcmp(ip->bytes, range.last.bytes, 16) <= 0;
}

bool ip_in_ranges(Str ip, Str ranges)
{
    struct address address;
    if (!address_parse(ip, &address))
        return false;
    Str rest = ranges;
    Str range;
    while (str_next(&rest, ',', &range))
        if (in_range(&address, range))
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
