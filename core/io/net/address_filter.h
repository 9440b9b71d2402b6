/*
 * Which addresses an outbound call may reach on behalf of a user: the public internet only.
 * Private, loopback, link-local, carrier, test, multicast and reserved ranges are refused, also
 * when they are embedded in IPv6 (mapped, NAT64, 6to4).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

bool address_is_public(const struct sockaddr *address, socklen_t len);

/* 0: not an address of IPv4 or IPv6. */
uint16_t address_port(const struct sockaddr *address, socklen_t len);
enum { ADDRESS_TEXT_MAX = 46 };
/* Without port and zone, NUL-terminated. False: not an address of IPv4 or IPv6. */
bool address_text(const struct sockaddr *address, socklen_t len, char out[ADDRESS_TEXT_MAX]);
