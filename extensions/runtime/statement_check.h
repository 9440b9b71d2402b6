/*
 * Checks the text of an extension's statement before it is sent on a shared lane.
 */
#pragma once

#include "base/text/str.h"

/* NULL, or why a statement is forbidden: it changes the session or its scope, runs text as SQL
 * (which could do so), creates a table, or holds a resource beyond its end. */
const char *statement_fault(Str sql);
