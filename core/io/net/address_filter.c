#include "io/net/address_filter.h"

#include "base/memory/array.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct range4 {
    uint32_t network;
    uint8_t bits;
};

#define IP4(a, b, c, d)                                                                            \
    ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

/* The IANA registry of special-purpose addresses: those that are not "globally reachable". */
static const struct range4 REFUSED4[] = {
    {IP4(0, 0, 0, 0), 8},      /* this host */
    {IP4(10, 0, 0, 0), 8},     /* private */
    {IP4(100, 64, 0, 0), 10},  /* shared, carriers */
    {IP4(127, 0, 0, 0), 8},    /* loopback */
    {IP4(169, 254, 0, 0), 16}, /* link-local, cloud metadata */
    {IP4(172, 16, 0, 0), 12},  /* private */
    {IP4(192, 0, 0, 0), 24},   /* protocol assignments */
    {IP4(192, 0, 2, 0), 24},   /* documentation */
    {IP4(192, 88, 99, 0), 24}, /* 6to4 relays */
    {IP4(192, 168, 0, 0), 16}, /* private */
    {IP4(198, 18, 0, 0), 15},  /* benchmarking */
    {IP4(198, 51, 100, 0), 24}, {IP4(203, 0, 113, 0), 24},
    {IP4(224, 0, 0, 0), 3}, /* multicast, reserved, broadcast */
};

struct range6 {
    uint8_t prefix[12];
    uint8_t bits;
};

/* The non-public parts of 2000::/3, the only range in use. Addresses outside it are refused
 * anyway. */
static const struct range6 REFUSED6[] = {
    {{0x20, 0x01, 0x00, 0x00}, 23},             /* protocol assignments, Teredo, ORCHID */
    {{0x20, 0x01, 0x0d, 0xb8}, 32},             /* documentation */
    {{0x3f, 0xff}, 20},                         /* documentation */
    {{0x26, 0x20, 0x00, 0x4f, 0x80, 0x00}, 48}, /* direct delegation of AS112 */
};

static bool is_public4(uint32_t ip);
static bool is_public6(const uint8_t ip[16]);
static bool has_prefix(const uint8_t *ip, const uint8_t *prefix, uint8_t bits);
static uint32_t ip4_at(const uint8_t *bytes);

bool address_is_public(const struct sockaddr *address, socklen_t len)
{
    if (address->sa_family == AF_INET && len >= sizeof(struct sockaddr_in)) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof(in));
        return is_public4(ntohl(in.sin_addr.s_addr));
    }
    if (address->sa_family == AF_INET6 && len >= sizeof(struct sockaddr_in6)) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof(in6));
        return is_public6(in6.sin6_addr.s6_addr);
    }
    return false;
}

uint16_t address_port(const struct sockaddr *address, socklen_t len)
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    if (address->sa_family == AF_INET && len >= sizeof(in)) {
        memcpy(&in, address, sizeof(in));
        return ntohs(in.sin_port);
    }
    if (address->sa_family != AF_INET6 || len < sizeof(in6))
        return 0;
    memcpy(&in6, address, sizeof(in6));
    return ntohs(in6.sin6_port);
}

bool address_text(const struct sockaddr *address, socklen_t len, char out[ADDRESS_TEXT_MAX])
{
    static_assert(ADDRESS_TEXT_MAX >= INET6_ADDRSTRLEN);
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    if (address->sa_family == AF_INET && len >= sizeof(in)) {
        memcpy(&in, address, sizeof(in));
        return inet_ntop(AF_INET, &in.sin_addr, out, ADDRESS_TEXT_MAX) != NULL;
    }
    if (address->sa_family != AF_INET6 || len < sizeof(in6))
        return false;
    memcpy(&in6, address, sizeof(in6));
    return inet_ntop(AF_INET6, &in6.sin6_addr, out, ADDRESS_TEXT_MAX) != NULL;
}

static bool is_public4(uint32_t ip)
{
    for (size_t i = 0; i < COUNT_OF(REFUSED4); i++) {
        uint32_t mask = UINT32_MAX << (32 - REFUSED4[i].bits);
        if ((ip & mask) == REFUSED4[i].network)
            return false;
    }
    return true;
}

static bool is_public6(const uint8_t ip[16])
{
    /* If an IPv4 address is embedded, it decides. */
    static const uint8_t MAPPED[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    static const uint8_t NAT64[12] = {0x00, 0x64, 0xff, 0x9b};
    static const uint8_t SIX_TO_FOUR[12] = {0x20, 0x02};
    static const uint8_t GLOBAL[12] = {0x20};
    if (has_prefix(ip, MAPPED, 96) || has_prefix(ip, NAT64, 96))
        return is_public4(ip4_at(ip + 12));
    if (has_prefix(ip, SIX_TO_FOUR, 16))
        return is_public4(ip4_at(ip + 2));

    if (!has_prefix(ip, GLOBAL, 3))
        return false;
    for (size_t i = 0; i < COUNT_OF(REFUSED6); i++)
        if (has_prefix(ip, REFUSED6[i].prefix, REFUSED6[i].bits))
            return false;
    return true;
}

static bool has_prefix(const uint8_t *ip, const uint8_t *prefix, uint8_t bits)
{
    assert(bits <= 8 * sizeof REFUSED6[0].prefix);
    size_t whole = bits / 8;
    if (memcmp(ip, prefix, whole) != 0)
        return false;
    if (bits % 8 == 0)
        return true;
    uint8_t mask = (uint8_t)(0xff << (8 - bits % 8));
    return ((ip[whole] ^ prefix[whole]) & mask) == 0;
}

static uint32_t ip4_at(const uint8_t *bytes)
{
    return IP4(bytes[0], bytes[1], bytes[2], bytes[3]);
}
