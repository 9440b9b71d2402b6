/* Renders an article for a terminal. */
#pragma once

#include "base/text/str.h"

/* Plain text without tags, entities decoded, one block per line, at most `max` bytes. */
Str plain_text(struct arena *arena, Str html, size_t max);
