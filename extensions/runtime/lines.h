/*
 * Writing work log entries: entries of one thread that arrive while a statement is running are
 * written together by the next one, even for different sites. Private to extensions/runtime/.
 */
#pragma once

#include "access/audit/audit.h"
#include "io/fiber/fiber.h"

/* Waits until the entry is durable. After ERR_TIMEOUT or ERR_CANCELLED it may still be written. */
fiber_fn Err line_write(struct ctx *ctx, const struct audit *line);
