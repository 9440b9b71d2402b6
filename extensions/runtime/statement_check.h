/*
 * A look at the text of an extension's statement, before it is sent on a lane that belongs to all.
 */
#pragma once

#include "base/text/str.h"

/* NULL, or what a statement must not do: change the session or the scope that it runs in, run text
 * as SQL (which could), make a table, or hold what outlives it. */
const char *statement_fault(Str sql);
