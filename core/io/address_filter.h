/*
 * Which addresses a call for a stranger may reach: the public internet and nothing else. Private,
 * loopback, link-local, carrier, test, multicast and reserved ranges are refused, also when they
 * come wrapped in IPv6 (mapped, NAT64, 6to4).
 */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

bool address_is_public(const struct sockaddr *address, socklen_t len);
