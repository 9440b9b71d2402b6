/* An article for a terminal. */
#pragma once

#include "base/text/str.h"

/* The text of a page without tags, entities decoded, a block a line: at most `max` bytes of it. */
Str plain_text(struct arena *arena, Str html, size_t max);
