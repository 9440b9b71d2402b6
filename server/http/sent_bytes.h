/* The progress of a TCP connection's peer in receiving sent data. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

uint64_t sent_bytes(int fd); /* acknowledged since the connection began; 0 if it is not TCP */
/* The peer has sent a reset: it neither reads nor sends any more. */
bool is_reset(int fd);
