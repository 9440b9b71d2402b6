/*
 * What a User-Agent says: device, browser, system, and whether it is a known robot. Substrings in
 * a fixed order, first match wins (specification: spark.md B.1, with its faults mended: phones are
 * asked for before the systems they resemble).
 */
#pragma once

#include "base/text/str.h"

struct visitor {
    Str device_type; /* desktop, mobile, tablet */
    Str browser;
    Str os;
    bool is_bot;
    Str bot_name; /* STR_NONE unless is_bot */
};

struct visitor visitor_of(Str user_agent);
