/* How far the other side of a TCP connection has come with what was sent to it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

uint64_t sent_bytes(int fd); /* acknowledged since the connection began; 0 when it is not TCP */
/* The other side has answered something of ours with a reset: it reads and sends no more. */
bool is_reset(int fd);
