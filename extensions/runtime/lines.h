/*
 * Lines of the work log on their way: those of one thread that come while a statement is under way
 * go together in the next, whatever their sites. Private to extensions/runtime/.
 */
#pragma once

#include "access/audit/audit.h"
#include "io/fiber/fiber.h"

/* Waits until the line is durable. After ERR_TIMEOUT or ERR_CANCELLED it may be written still. */
fiber_fn Err line_write(struct ctx *ctx, const struct audit *line);
